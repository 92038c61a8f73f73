//! Looking at single tasks, steering them, and reading what they printed.

use super::harness::Server;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::io::Read;

const WORK: &str = "
name: work
tasks:
  - name: make
    plugin: cmd
    outputs: [MADE]
    params: { command: 'echo MADE=7; echo EXTRA=8' }
  - name: each
    plugin: cmd
    inputs: [MADE]
    for_each: [red, green]
    params: { command: 'echo \"$ITEM and $MADE\"' }
  - name: silent
    plugin: cmd
    execution: { depends_on: [make] }
    params: { command: 'true' }
";

/// Waits in its first task until the file `go` is there.
const GATED: &str = "
name: gated
tasks:
  - name: wait
    plugin: cmd
    outputs: [X]
    params: { command: 'echo begun; while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done; echo X=1' }
  - name: after
    plugin: cmd
    inputs: [X]
    params: { command: 'echo \"X is $X\"' }
  - name: last
    plugin: cmd
    execution: { depends_on: [after] }
    params: { command: 'true' }
";

fn ended(server: &Server, workflow: &str) -> String {
    server.register(workflow);
    let run = server.begin("work");
    server.until(&run, "succeeded");
    run
}

fn go(server: &Server) {
    std::fs::write(server.loom.path("go"), "").unwrap();
}

/// A gated run whose first task is at work.
fn gated(server: &Server) -> String {
    server.register(GATED);
    let run = server.begin("gated");
    eventually("the first task runs", || {
        let task = server.get(&format!("/api/v1/runs/{run}/tasks/wait")).expect(200);
        (task["phase"] == "running").then_some(())
    });
    run
}

#[test]
fn tasks_tell_what_they_saw_and_set() {
    let server = Server::start();
    let run = ended(&server, WORK);
    let tasks = server.get(&format!("/api/v1/runs/{run}/tasks")).expect(200);
    let names: Vec<&Value> =
        tasks["items"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["make", "each", "silent"]);
    let make = server.get(&format!("/api/v1/runs/{run}/tasks/make")).expect(200);
    assert_eq!(
        (&make["phase"], &make["attempts"][0]["result"]),
        (&json!("succeeded"), &json!("succeeded"))
    );
    assert_eq!(
        (&make["outputs"][0]["name"], &make["outputs"][0]["value"]),
        (&json!("MADE"), &json!("7"))
    );
    let attempt = server.get(&format!("/api/v1/runs/{run}/tasks/make/attempts/1")).expect(200);
    assert_eq!(attempt["undeclared"], json!([{ "name": "EXTRA", "value": "8" }]));
    let item = format!("/api/v1/runs/{run}/tasks/each/attempts/1?item=1");
    let item = server.get(&item).expect(200);
    let input = &item["inputs"][0];
    assert_eq!(
        (&input["name"], &input["value"], &input["set_by"]),
        (&json!("MADE"), &json!("7"), &json!("make"))
    );
    let wrong = |path: &str, status: u16, code: &str| {
        server.get(&format!("/api/v1/runs/{run}/tasks/{path}")).problem(status, code);
    };
    wrong("nosuch", 404, "L606");
    wrong("make/attempts/2", 404, "L703");
    wrong("make/attempts/x", 404, "L703");
    wrong("each/attempts/1", 404, "L703");
    wrong("each/attempts/1?item=9", 404, "L703");
}

#[test]
fn a_log_is_read_whole_or_in_part() {
    let server = Server::start();
    let run = ended(&server, WORK);
    let path = |rest: &str| format!("/api/v1/runs/{run}/tasks/{rest}");
    let log = path("make/attempts/1/log");
    let whole = server.get(&log);
    assert_eq!((whole.status, whole.text.as_str()), (200, "MADE=7\nEXTRA=8\n"));
    assert_eq!(whole.header("content-type"), "text/plain; charset=utf-8");
    let range = |range: &str| server.send("GET", &log, &[("range", range)], "");
    for (asked, text, content) in [
        ("bytes=0-5", "MADE=7", "bytes 0-5/15"),
        ("bytes=7-", "EXTRA=8\n", "bytes 7-14/15"),
        ("bytes=-2", "8\n", "bytes 13-14/15"),
        ("bytes=14-99", "\n", "bytes 14-14/15"),
    ] {
        let part = range(asked);
        assert_eq!((part.status, part.text.as_str()), (206, text), "{asked}");
        assert_eq!(part.header("content-range"), content);
    }
    for ignored in ["bytes=2-1", "rows=0-1", "bytes=0-1,3-4", "x"] {
        assert_eq!(range(ignored).text, whole.text, "{ignored}");
    }
    let beyond = range("bytes=15-");
    beyond.problem(416, "L740");
    assert_eq!(beyond.header("content-range"), "bytes */15");
    let conditional = [("range", "bytes=0-1"), ("if-range", "\"x\"")];
    assert_eq!(server.send("GET", &log, &conditional, "").status, 200);

    assert_eq!(server.get(&path("each/attempts/1/log?item=1")).text, "green and 7\n");
    let silent = server.get(&path("silent/attempts/1/log"));
    assert_eq!((silent.status, silent.text.as_str()), (200, ""));
    server.get(&path("silent/attempts/2/log")).problem(404, "L703");
    server.get(&path("each/attempts/1/log")).problem(400, "L605");
    server.get(&path("make/attempts/1/log?item=0")).problem(400, "L605");
}

#[test]
fn no_path_leads_out_of_the_logs() {
    let server = Server::start();
    let run = ended(&server, WORK);
    for (path, code) in [
        ("/api/v1/runs/..%2f..%2fetc/tasks/make/attempts/1/log".to_owned(), "L601"),
        (format!("/api/v1/runs/{run}/tasks/..%2fmake/attempts/1/log"), "L606"),
        (format!("/api/v1/runs/{run}/tasks/%2e%2e/attempts/1/log"), "L606"),
        (format!("/api/v1/runs/{run}/tasks/make/attempts/..%2f1/log"), "L703"),
        (format!("/api/v1/runs/{run}/tasks/make/attempts/1%00/log"), "L703"),
        (format!("/api/v1/runs/{run}%2f/tasks/make/attempts/1/log"), "L601"),
    ] {
        server.get(&path).problem(404, code);
    }
    let bad = format!("/api/v1/runs/{run}/tasks/%ff/attempts/1/log");
    server.get(&bad).problem(400, "L605");
}

#[test]
fn a_log_is_followed_until_the_attempt_has_ended() {
    let server = Server::start();
    let run = gated(&server);
    let log = format!("/api/v1/runs/{run}/tasks/wait/attempts/1/log?follow=true");
    let mut stream = server.open(&log);
    let mut first = [0; 6];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"begun\n");
    go(&server);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "X=1\n");
    server.until(&run, "succeeded");
    assert_eq!(server.get(&log).text, "begun\nX=1\n");
    let later = format!("/api/v1/runs/{run}/tasks/after/attempts/9/log?follow=true");
    assert_eq!(server.get(&later).text, "", "the run has ended");
}

#[test]
fn a_waiting_task_is_skipped_and_what_follows_with_it() {
    let server = Server::start();
    let run = gated(&server);
    let skip = format!("/api/v1/runs/{run}/tasks/after/skip");
    server.post(&skip, &json!({ "reason": "not today" })).expect(200);
    go(&server);
    let found = server.until(&run, "succeeded");
    assert_eq!(found["tasks"][1]["phase"], "skipped");
    assert_eq!(found["tasks"][2]["phase"], "skipped");
    assert_eq!(found["interventions"][0]["act"], "skip");
    assert_eq!(found["interventions"][0]["reason"], "not today");
    server.send("POST", &skip, &[], "").problem(409, "L603");
}

#[test]
fn a_task_is_cancelled_alone() {
    let server = Server::start();
    let run = gated(&server);
    let cancel = |task: &str| {
        server.send("POST", &format!("/api/v1/runs/{run}/tasks/{task}/cancel"), &[], "")
    };
    cancel("nosuch").problem(404, "L606");
    cancel("wait").expect(200);
    let found = server.until(&run, "failed");
    assert_eq!(found["tasks"][0]["phase"], "cancelled");
    cancel("wait").problem(409, "L603");
}

#[test]
fn what_a_task_sees_and_how_often_it_is_tried_can_be_changed() {
    let server = Server::start();
    let run = gated(&server);
    let amend = |task: &str, what: Value| {
        let headers = [("content-type", "application/json")];
        let path = format!("/api/v1/runs/{run}/tasks/{task}");
        server.send("PATCH", &path, &headers, &what.to_string())
    };
    amend("after", json!({ "inputs": { "X": "mine" }, "max_attempts": 3 })).expect(200);
    amend("after", json!({ "inputs": { "Y": 1 } })).problem(400, "L605");
    amend("after", json!({ "nosuch": 1 })).problem(400, "L605");
    amend("nosuch", json!({ "max_attempts": 2 })).problem(404, "L606");
    let task = server.get(&format!("/api/v1/runs/{run}/tasks/after")).expect(200);
    assert_eq!((&task["max_attempts"], &task["inputs"]), (&json!(3), &json!(["X"])));
    assert_eq!((&task["amended"], &task["parents"]), (&json!({ "X": "mine" }), &json!(["wait"])));
    let before = server.get(&format!("/api/v1/runs/{run}/tasks/wait")).expect(200);
    assert_eq!((&before["max_attempts"], &before["parents"]), (&json!(1), &json!([])));
    assert!(before["children"].as_array().unwrap().contains(&json!("after")));
    assert!(before.get("amended").is_none());
    go(&server);
    server.until(&run, "succeeded");
    let log = server.get(&format!("/api/v1/runs/{run}/tasks/after/attempts/1/log"));
    assert_eq!(log.text, "X is mine\n");
    let attempt = server.get(&format!("/api/v1/runs/{run}/tasks/after/attempts/1")).expect(200);
    assert_eq!(attempt["inputs"][0]["value"], "mine");
}

#[test]
fn reasons_and_names_have_limits() {
    let server = Server::start();
    let run = gated(&server);
    let long = json!({ "reason": "x".repeat(2000) });
    for path in ["cancel", "tasks/wait/skip", "tasks/wait/cancel", "tasks/wait/resolve"] {
        server.post(&format!("/api/v1/runs/{run}/{path}"), &long).problem(400, "L605");
    }
    let many = json!({ "filter": { "workflow": "gated" }, "reason": "x".repeat(2000) });
    let done = server.post("/api/v1/runs/batch/cancel", &many).expect(200);
    assert!(done["items"].as_array().unwrap().iter().all(|item| item["problem"].is_object()));
    let odd = json!({ "outputs": { "A=B": 1 }, "reason": "" });
    server.post(&format!("/api/v1/runs/{run}/tasks/wait/resolve"), &odd).problem(400, "L605");
}

#[test]
fn a_secret_that_is_given_by_hand_stays_one() {
    let loom = Loom::new().env("API_TOKEN", "first-secret");
    let server = Server::with(loom, &["--host-env", "API_TOKEN"]);
    server.register(
        "
name: secretive
env: { API_TOKEN: '{{ENV:API_TOKEN}}' }
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
  - name: use
    plugin: noop
    inputs: [API_TOKEN]
    execution: { depends_on: [wait] }
",
    );
    let run = server.begin("secretive");
    let headers = [("content-type", "application/json")];
    let given = json!({ "inputs": { "API_TOKEN": "second-secret" } }).to_string();
    let path = format!("/api/v1/runs/{run}/tasks/use");
    let amended = server.send("PATCH", &path, &headers, &given);
    assert_eq!(amended.status, 200, "{}", amended.text);
    let found = server.get(&format!("/api/v1/runs/{run}"));
    assert!(
        found.text.contains("amend") && !found.text.contains("second-secret"),
        "{}",
        found.text
    );
    std::fs::write(server.loom.path("go"), "").unwrap();
}

#[test]
fn what_is_asked_of_runs_that_end_at_another_server_is_done_or_refused() {
    let server = Server::start();
    server.register(super::access::HELLO);
    let other = server.beside();
    for _ in 0..60 {
        let run = server.begin("hello");
        let answer = other.post(&format!("/api/v1/runs/{run}/cancel"), &json!({}));
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    }
}
