//! What is reported appears among all runs.

use super::super::access::{make, token};
use super::super::harness::Server;
use super::{BASE, JSON, full, history, phases, with};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};

const ID: &str = "aeb0db8e-84b3-42fe-b917-0d5b41032887";
const A: &str = "01M7XP6F59AA3BPET8HHT16XMF";
const B: &str = "01M7XP6F5C0WF29KKPDY7CCJJ3";
const C: &str = "01M7XP6F5FVCM0H3VYDXDX2KBR";

fn error(attempt: &Value, exception: &str, message: &str) -> Value {
    json!({ "attempt": attempt, "exception": exception, "message": message,
        "traceback": "Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: kaput" })
}

fn pairs(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// As captured from dotflow 1.0.1.
fn newest(server: &Server) -> String {
    let workflow = json!({ "workflow_id": ID, "workflow_name": "demo", "tasks": [], "id": ID, "name": "demo" });
    let run = server.reported("POST", "/cli/workflows", &workflow);
    for task in [A, B, C] {
        let path = format!("/cli/workflows/{ID}/tasks");
        assert_eq!(server.reported("POST", &path, &full(ID, task, "Not started")), run);
    }
    let of_workflow = format!("/cli/workflows/{ID}");
    server.reported("PATCH", &of_workflow, &json!({ "status": "In progress" }));
    let change = |task: &str, status: &str, fields: &Value| {
        let body = with(full(ID, task, status), fields);
        server.reported("PATCH", &format!("{of_workflow}/tasks/{task}"), &body)
    };
    let done = json!({ "duration": 0.25, "current_context": "{\"users\": 150}" });
    change(A, "Completed", &done);
    let retried = json!({
        "duration": 2.0, "previous_context": "{\"users\": 150}", "current_context": "\"loaded\"",
        "retry_count": 2, "errors": [error(&json!(1), "RuntimeError", "x"), error(&json!(2), "RuntimeError", "y")],
    });
    change(B, "Completed", &retried);
    let failed = json!({
        "duration": 0.5, "initial_context": "{\"a\": 1}",
        "errors": [error(&json!(null), "ValueError", "kaput")],
    });
    change(C, "Failed", &failed);
    assert_eq!(server.reported("PATCH", &of_workflow, &json!({ "status": "Failed" })), run);
    run
}

#[test]
fn a_reported_workflow_is_a_run_among_the_others() {
    let server = Server::start();
    let run = newest(&server);
    let shown = server.run(&run);
    assert_eq!((&shown["state"], &shown["external"]), (&json!("failed"), &json!("dotflow")));
    assert_eq!((&shown["workflow"], &shown["correlation_id"]), (&json!("demo"), &json!(ID)));
    assert_eq!(phases(&shown), pairs(&[(A, "succeeded"), (B, "succeeded"), (C, "failed")]));
    assert_eq!(shown["counts"]["succeeded"], 2);
    let task = |name: &str| server.get(&format!("/api/v1/runs/{run}/tasks/{name}")).expect(200);
    let first = task(A);
    assert_eq!(first["outputs"][0]["name"], "current_context");
    assert_eq!(first["outputs"][0]["value"], json!({ "users": 150 }));
    let retried = task(B);
    let results: Vec<_> =
        retried["attempts"].as_array().unwrap().iter().map(|it| it["result"].clone()).collect();
    assert_eq!(results, ["failed", "failed", "succeeded"]);
    assert_eq!(retried["attempts"][1]["failure"]["message"], "RuntimeError: y");
    let attempt = server.get(&format!("/api/v1/runs/{run}/tasks/{B}/attempts/3")).expect(200);
    assert_eq!(attempt["undeclared"][0]["name"], "previous_context");
    let failure = task(C)["attempts"][0]["failure"].clone();
    assert_eq!(failure["message"], "ValueError: kaput");
    assert_eq!(failure["error"]["initial_context"], json!({ "a": 1 }));
    assert_eq!(failure["tail"][2], "ValueError: kaput");
    // In every list and count.
    for query in [
        "workflow=demo",
        "status=failed",
        "source=dotflow",
        "text=demo",
        &format!("correlation_id={ID}"),
    ] {
        let list = server.get(&format!("/api/v1/runs?{query}")).expect(200);
        assert_eq!(list["items"][0]["id"], run.as_str(), "{query}");
        assert_eq!(list["items"][0]["external"], "dotflow");
    }
    let expected = [
        "task.declared",
        "task.declared",
        "task.declared",
        "run.started",
        "task.started",
        "task.succeeded",
        "task.started",
        "task.failed",
        "task.started",
        "task.failed",
        "task.started",
        "task.succeeded",
        "task.started",
        "task.failed",
        "run.finished",
    ];
    let told = history(&server, &run);
    let types: Vec<&str> = told.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(types, expected);
    assert_eq!(told[0], format!("task.declared {A}"));
    // Whoever looks closer finds no mistake.
    for part in ["why", "analysis", &format!("tasks/{C}/why"), "tasks"] {
        server.get(&format!("/api/v1/runs/{run}/{part}")).expect(200);
    }
    server.loom.loom(&["show", &run]).exits(0).says("demo");
    server.loom.loom(&["list"]).exits(0).says("3/3");
    server.loom.loom(&["why", &run]).exits(0);
}

#[test]
fn the_proposals_own_shape_is_taken_as_well() {
    let mut server = Server::with(Loom::new(), &["--access"]);
    let admin = token(&server.loom, "operator");
    let id = "2cab6f59-0f87-43fa-9267-05526aad9bfe";
    let send = |server: &Server, method: &str, path: &str, body: &Value| {
        let headers = [JSON, ("x-user-token", admin.as_str())];
        let answer =
            server.send_plain(method, &format!("{BASE}{path}"), &headers, &body.to_string());
        answer.expect(if method == "POST" { 201 } else { 200 })["run"].clone()
    };
    let create = json!({ "id": id, "execution_mode": "sequential", "keep_going": false });
    let run = send(&server, "POST", "/workflows", &create);
    for task in [0, 1] {
        let body = json!({ "id": task, "step": "<function a>", "callback": "<function b>",
            "initial_context": { "i": 1 }, "group_name": "g" });
        send(&server, "POST", &format!("/workflows/{id}/tasks"), &body);
    }
    send(&server, "PATCH", &format!("/workflows/{id}"), &json!({ "status": "In progress" }));
    let change = |task: i32, status: &str, errors: &[Value]| {
        let body = json!({
            "task_id": task, "workflow_id": id, "status": status, "duration": null,
            "initial_context": "{\"i\": 1}", "current_context": null, "previous_context": null,
            "group_name": "g", "retry_count": errors.len(), "errors": errors, "error": errors.last(),
        });
        assert_eq!(send(&server, "PATCH", &format!("/tasks/{task}"), &body), run);
    };
    let errors = [error(&json!(1), "RuntimeError", "x"), error(&json!(2), "RuntimeError", "y")];
    change(0, "In progress", &[]);
    change(0, "Completed", &[]);
    change(1, "In progress", &[]);
    change(1, "Retry", &errors[..1]);
    change(1, "Retry", &errors);
    change(1, "Completed", &errors);
    // Trimmed, as some versions did: what is empty is left out.
    send(&server, "PATCH", &format!("/workflows/{id}/tasks/1"), &json!({ "status": "Completed" }));
    send(&server, "PATCH", &format!("/workflows/{id}"), &json!({ "status": "Completed" }));
    server.set_token(&admin);
    let shown = server.run(run.as_str().unwrap());
    assert_eq!((&shown["state"], &shown["workflow"]), (&json!("succeeded"), &json!("dotflow")));
    assert_eq!(phases(&shown), pairs(&[("0", "succeeded"), ("1", "succeeded")]));
    assert_eq!(shown["tasks"][1]["attempts"].as_array().unwrap().len(), 3);
}

#[test]
fn a_number_that_json_does_not_have_loses_no_report() {
    let server = Server::start();
    let headers = [("content-type", "application/json")];
    let send = |method: &str, path: &str, body: &str| {
        server.send(method, &format!("/dotflow/workflows{path}"), &headers, body)
    };
    let run = send("POST", "", r#"{"id": "w"}"#).expect(201)["run"].as_str().unwrap().to_owned();
    let task = r#"{"task_id": "t", "status": "Completed", "current_context": {"loss": NaN}}"#;
    send("POST", "/w/tasks", task).expect(201);
    let found = server.get(&format!("/api/v1/runs/{run}/tasks/t")).expect(200);
    assert!(found.to_string().contains(r#"{"loss":null}"#), "{found}");
}

#[test]
fn calls_are_lost_repeated_and_out_of_order() {
    let server = Server::start();
    // Nobody has told of the workflow; the tasks come in another order, and twice.
    let done = |task: &str| with(full("w1", task, "Completed"), &json!({ "duration": 0.1 }));
    let run = server.reported("PATCH", "/workflows/w1/tasks/b", &done("b"));
    for _ in 0..2 {
        server.reported("PATCH", "/workflows/w1/tasks/b", &done("b"));
        server.reported("POST", "/workflows/w1/tasks", &full("w1", "b", "Not started"));
        server.reported("POST", "/workflows/w1/tasks", &full("w1", "a", "Not started"));
        server.reported("POST", "/workflows", &json!({ "id": "w1" }));
    }
    server.reported("PATCH", "/workflows/w1", &json!({ "status": "Completed" }));
    assert_eq!(phases(&server.run(&run)), pairs(&[("b", "succeeded"), ("a", "cancelled")]));
    // The news of `a` comes after the end.
    assert_eq!(server.reported("PATCH", "/tasks/a", &done("a")), run);
    assert_eq!(server.reported("PATCH", "/tasks/a", &done("a")), run);
    let shown = server.run(&run);
    assert_eq!(phases(&shown), pairs(&[("b", "succeeded"), ("a", "succeeded")]));
    assert_eq!(shown["state"], "succeeded");
    // A worker died: the run failed, and no task did.
    server.reported("POST", "/workflows", &json!({ "id": "w2", "name": "dying" }));
    server.reported("POST", "/workflows/w2/tasks", &full("w2", "a", "Not started"));
    server.reported("POST", "/workflows/w2/tasks", &full("w2", "b", "Not started"));
    let run = server.reported("PATCH", "/workflows/w2", &json!({ "status": "Failed" }));
    let shown = server.run(&run);
    assert_eq!(phases(&shown), pairs(&[("a", "failed"), ("b", "cancelled")]));
    let why = shown["tasks"][0]["failure"]["message"].as_str().unwrap();
    assert!(why.contains("may have died"), "{why}");
}

#[test]
fn a_workflow_that_starts_anew_is_another_run() {
    let server = Server::start();
    server.reported("POST", "/workflows", &json!({ "id": "nightly", "name": "nightly" }));
    let mut runs = Vec::new();
    for (task, start_first) in [("t1", false), ("t2", false), ("t2", true)] {
        if start_first {
            server.reported("PATCH", "/workflows/nightly", &json!({ "status": "In progress" }));
        } else {
            let body = full("nightly", task, "Not started");
            server.reported("POST", "/workflows/nightly/tasks", &body);
        }
        server.reported("PATCH", "/workflows/nightly", &json!({ "status": "In progress" }));
        let path = format!("/workflows/nightly/tasks/{task}");
        server.reported("PATCH", &path, &full("nightly", task, "In progress"));
        server.reported("PATCH", &path, &full("nightly", task, "Completed"));
        let end = json!({ "status": "Completed" });
        runs.push(server.reported("PATCH", "/workflows/nightly", &end));
    }
    runs.dedup();
    assert_eq!(runs.len(), 3);
    for run in &runs {
        let shown = server.run(run);
        assert_eq!((&shown["workflow"], &shown["state"]), (&json!("nightly"), &json!("succeeded")));
        assert_eq!(shown["tasks"].as_array().unwrap().len(), 1);
    }
    // A run that was deleted makes room for another.
    server.send("DELETE", &format!("/api/v1/runs/{}", runs[2]), &[], "").expect(204);
    let next = server.reported("PATCH", "/workflows/nightly", &json!({ "status": "In progress" }));
    assert!(!runs.contains(&next));
}

#[test]
fn what_comes_late_or_twice_begins_no_run() {
    let server = Server::start();
    let all = |id: &str| {
        let list = server.get(&format!("/api/v1/runs?correlation_id={id}")).expect(200);
        list["items"].as_array().unwrap().len()
    };
    // The end comes first, and all the rest behind it.
    let (began, end) = (json!({ "status": "In progress" }), json!({ "status": "Completed" }));
    let run = server.reported("PATCH", "/workflows/o1", &end);
    let created = json!({ "id": "o1", "name": "pipe", "tasks": [{ "id": "c" }] });
    assert_eq!(server.reported("POST", "/workflows", &created), run);
    for task in ["a", "b"] {
        let told = server.reported("POST", "/workflows/o1/tasks", &full("o1", task, "Not started"));
        assert_eq!(told, run);
    }
    assert_eq!(server.reported("PATCH", "/workflows/o1", &began), run);
    for status in ["In progress", "Completed"] {
        assert_eq!(server.reported("PATCH", "/tasks/a", &full("o1", "a", status)), run);
    }
    let shown = server.run(&run);
    assert_eq!(
        (phases(&shown), &shown["state"]),
        (pairs(&[("a", "succeeded")]), &json!("succeeded"))
    );
    assert_eq!(all("o1"), 1);
    // The next one is another.
    let next = server.reported("POST", "/workflows", &created);
    assert_ne!(next, run);
    assert_eq!(server.run(&next)["workflow"], "pipe");
    // All of a run is said once more, behind its end.
    let id = json!({ "id": "o2", "name": "pipe" });
    let run = server.reported("POST", "/workflows", &id);
    let tell = || {
        server.reported("POST", "/workflows/o2/tasks", &full("o2", "a", "Not started"));
        server.reported("PATCH", "/workflows/o2", &began);
        server.reported("PATCH", "/tasks/a", &full("o2", "a", "Completed"));
        assert_eq!(server.reported("PATCH", "/workflows/o2", &end), run);
    };
    tell();
    tell();
    assert_eq!(server.reported("PATCH", "/workflows/o2", &began), run);
    assert_eq!((all("o2"), &server.run(&run)["state"]), (1, &json!("succeeded")));
    // It starts anew once something of it does.
    let next = server.reported("PATCH", "/tasks/a", &full("o2", "a", "In progress"));
    assert_ne!(next, run);
    assert_eq!(server.run(&next)["state"], "running");
    assert_eq!(server.reported("PATCH", "/workflows/o2", &end), next);
    assert_eq!(all("o2"), 2);
}

#[test]
fn runs_of_our_own_take_no_place_of_a_reporter() {
    let server = Server::start();
    server.register("{ name: one, tasks: [{ name: a, plugin: noop }] }");
    let run = json!({ "workflow": "one", "source": "dotflow", "start_at": "2100-01-01T00:00:00Z" });
    for _ in 0..10 {
        let many = server.post("/api/v1/runs/batch", &json!({ "runs": vec![run.clone(); 100] }));
        assert_eq!(many.expect(200)["accepted"], 100);
    }
    server.reported("POST", "/workflows", &json!({ "id": "w" }));
}

#[test]
fn who_takes_over_a_run_is_on_record() {
    let server = Server::with(Loom::new(), &["--access"]);
    let tokens = ["one", "two"].map(|name| {
        let made = make(&server.loom, name, &["--role", "operator"]);
        made["token"].as_str().unwrap().to_owned()
    });
    let tell = |by: usize, status: &str| {
        let headers = [JSON, ("x-user-token", tokens[by].as_str())];
        let body = json!({ "status": status }).to_string();
        let answer = server.send_plain("PATCH", "/dotflow/workflows/w", &headers, &body);
        answer.expect(200)["run"].as_str().unwrap().to_owned()
    };
    let run = tell(0, "In progress");
    tell(0, "In progress");
    for _ in 0..2 {
        assert_eq!(tell(1, "Failed"), run);
    }
    let admin = token(&server.loom, "admin");
    let authorization = format!("Bearer {admin}");
    let get = |path: &str| {
        server.send_plain("GET", path, &[("authorization", &authorization)], "").expect(200)
    };
    assert_eq!(get(&format!("/api/v1/runs/{run}"))["initiator"], "one");
    let entries = eventually("the other one is on record", || {
        let found = get(&format!("/api/v1/audit?target={run}"))["items"].clone();
        found.as_array().filter(|found| !found.is_empty()).cloned()
    });
    assert_eq!(entries.len(), 1, "once, not for each call");
    assert_eq!(
        (&entries[0]["who"], &entries[0]["action"]),
        (&json!("two"), &json!("reports:write"))
    );
    assert_eq!(entries[0]["target"], json!({ "workflow": "w", "run": run }));
}

#[test]
fn nothing_can_be_asked_of_a_reported_run() {
    let server = Server::start();
    let ended = newest(&server);
    server.reported("POST", "/workflows/open/tasks", &full("open", "a", "Not started"));
    let open = server.reported("PATCH", "/workflows/open", &json!({ "status": "In progress" }));
    for run in [&ended, &open] {
        let task = if *run == ended { C } else { "a" };
        for (path, body) in [
            ("cancel".to_owned(), json!({})),
            ("pause".to_owned(), json!({})),
            ("resume".to_owned(), json!({})),
            ("retry".to_owned(), json!({})),
            ("rerun".to_owned(), json!({})),
            (format!("tasks/{task}/retry"), json!({})),
            (format!("tasks/{task}/skip"), json!({})),
            (format!("tasks/{task}/resolve"), json!({ "reason": "x" })),
        ] {
            let answer = server.post(&format!("/api/v1/runs/{run}/{path}"), &body);
            let problem = answer.problem(409, "L755");
            assert!(problem["detail"].as_str().unwrap().contains("`dotflow`"), "{problem}");
        }
        for command in ["cancel", "resume", "retry"] {
            server.loom.loom(&[command, run]).exits(2).warns("L755");
        }
    }
    assert_eq!(server.run(&open)["state"], "running");
    server.loom.loom(&["explain", "L755"]).exits(0).says("L755");
}

#[test]
fn reported_runs_outlive_a_crash() {
    let mut server = Server::start();
    let ended = newest(&server);
    let before = server.run(&ended);
    server.reported("POST", "/workflows/open/tasks", &full("open", "a", "Not started"));
    server.reported("POST", "/workflows/open/tasks", &full("open", "b", "Not started"));
    let open = server.reported("PATCH", "/tasks/a", &full("open", "a", "In progress"));
    server.crash_and_restart();
    assert_eq!(server.taken_up, 0, "it is not ours to go on with");
    assert_eq!(server.run(&ended), before);
    assert_eq!(phases(&server.run(&open)), pairs(&[("a", "running"), ("b", "waiting")]));
    for task in ["a", "b", "c"] {
        let path = format!("/workflows/open/tasks/{task}");
        assert_eq!(server.reported("PATCH", &path, &full("open", task, "Completed")), open);
    }
    server.reported("PATCH", "/workflows/open", &json!({ "status": "Completed" }));
    let expected = [
        "task.declared a",
        "task.declared b",
        "run.started",
        "task.started a 1",
        "task.succeeded a 1",
        "task.started b 1",
        "task.succeeded b 1",
        "task.declared c",
        "task.started c 1",
        "task.succeeded c 1",
        "run.finished",
    ];
    assert_eq!(history(&server, &open), expected);
    server.stop();
}

#[test]
fn live_events_name_tasks_that_were_declared_before_the_server_started() {
    let mut server = Server::start();
    server.reported("POST", "/workflows/w/tasks", &full("w", "a", "Not started"));
    let run = server.reported("POST", "/workflows/w/tasks", &full("w", "b", "Not started"));
    server.crash_and_restart();
    let mut live = super::super::sse::Reader::open(&server, "/api/v1/events");
    server.reported("PATCH", "/workflows/w/tasks/b", &full("w", "b", "Completed"));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let event = live.next_for_sure().data;
        assert_eq!(event["run"], run.as_str());
        seen.push((event["type"].clone(), event["task"].clone()));
    }
    assert_eq!(seen[2], (json!("task.succeeded"), json!("b")));
    // And of a single run, from its middle.
    let path = format!("/api/v1/runs/{run}/events?after=3");
    let mut rest = super::super::sse::Reader::open(&server, &path);
    assert_eq!(rest.next_for_sure().data["task"], "b");
}

#[test]
fn a_run_of_which_nothing_is_heard_is_ended() {
    let server = Server::with(Loom::new(), &["--limits-silence", "3s"]);
    server.reported("POST", "/workflows/w/tasks", &full("w", "a", "Not started"));
    let run = server.reported("PATCH", "/workflows/w", &json!({ "status": "In progress" }));
    let shown = server.until(&run, "cancelled");
    assert_eq!(phases(&shown), pairs(&[("a", "cancelled")]));
    let intervention = &shown["interventions"][0];
    assert!(intervention["reason"].as_str().unwrap().contains("nothing was heard"), "{shown}");
    // It lived after all.
    server.reported("PATCH", "/workflows/w/tasks/a", &full("w", "a", "Completed"));
    assert_eq!(phases(&server.run(&run)), pairs(&[("a", "succeeded")]));
    server.send("DELETE", &format!("/api/v1/runs/{run}"), &[], "").expect(204);
    eventually("the workflow is forgotten", || {
        let next = server.reported("PATCH", "/workflows/w", &json!({}));
        (next != run).then_some(())
    });
}

#[test]
fn who_may_report_and_where() {
    let mut server = Server::with(Loom::new(), &["--access"]);
    let (viewer, admin) = (token(&server.loom, "viewer"), token(&server.loom, "admin"));
    let scoped = make(&server.loom, "team", &["--role", "operator", "--namespace", "team"]);
    let scoped = scoped["token"].as_str().unwrap().to_owned();
    let body = json!({ "id": "w", "name": "demo" }).to_string();
    let post = |headers: &[(&str, &str)]| {
        let headers = [&[JSON], headers].concat();
        server.send_plain("POST", "/dotflow/cli/workflows", &headers, &body)
    };
    post(&[]).problem(401, "L701");
    post(&[("x-user-token", "nonsense")]).problem(401, "L701");
    post(&[("x-user-token", &viewer)]).problem(403, "L702");
    post(&[("authorization", &format!("Bearer {viewer}"))]).problem(403, "L702");
    let theirs = post(&[("x-user-token", &scoped)]).expect(201)["run"].clone();
    let ours = post(&[("authorization", &format!("Bearer {admin}"))]).expect(201)["run"].clone();
    assert_ne!(theirs, ours, "one workflow's id in two namespaces is two workflows");
    // The header is for reports alone.
    let headers = [("x-user-token", admin.as_str())];
    server.send_plain("GET", "/api/v1/runs", &headers, "").problem(401, "L701");
    server.set_token(&admin);
    assert_eq!(server.run(theirs.as_str().unwrap())["namespace"], "team");
    assert_eq!(server.run(ours.as_str().unwrap())["namespace"], "default");
    assert_eq!(server.run(ours.as_str().unwrap())["initiator"], "admin");
    // The journal says who began it; the audit log has who took it over: nobody.
    let audit = server.get("/api/v1/audit?action=reports:write").expect(200);
    assert_eq!(audit["items"], json!([]));
}
