//! Reports that nobody's client sends.

use super::super::harness::Server;
use super::super::raw::ask;
use super::{BASE, JSON, full, with};
use serde_json::{Value, json};

#[test]
fn what_cannot_be_read_is_refused_and_changes_nothing() {
    let server = Server::start();
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    for body in ["", "nonsense", "[]", "3", "null", "{\"id\": NaN}", &deep] {
        let answer = server.send("POST", &format!("{BASE}/workflows"), &[JSON], body);
        answer.problem(400, "L605");
    }
    let long = "x".repeat(129);
    for body in [
        json!({}),
        json!({ "id": null }),
        json!({ "id": [] }),
        json!({ "id": {} }),
        json!({ "id": "" }),
        json!({ "id": long }),
        json!({ "id": "a\u{0}b" }),
        json!({ "id": "w", "tasks": [7] }),
        json!({ "id": "w", "tasks": [{}] }),
    ] {
        server.report("POST", "/workflows", &body).problem(400, "L605");
    }
    for (path, body) in [
        ("/workflows/w", json!({ "status": "done" })),
        ("/workflows/w", json!({ "status": 7 })),
        (&format!("/workflows/{long}"), json!({ "status": "Completed" })),
        ("/workflows/w/tasks/a", json!({ "status": ["Completed"] })),
        (&format!("/workflows/w/tasks/{long}"), json!({ "status": "Completed" })),
        ("/tasks/a", json!({ "status": "Completed" })),
        ("/tasks/a", json!({ "status": "Completed", "workflow_id": true })),
    ] {
        server.report("PATCH", path, &body).problem(400, "L605");
    }
    for path in ["/workflows/%00/tasks/a", "/workflows/..%2f/tasks/%2e%2e"] {
        let reply = ask(server.address(), "PATCH", &format!("{BASE}{path}"), &[JSON], "{}");
        assert!(matches!(reply.status, 200 | 400), "{reply:?}");
    }
    let list = server.get("/api/v1/runs?status=running").expect(200);
    assert_eq!(list["items"], json!([]));
}

#[test]
fn large_reports_are_taken_and_larger_ones_refused() {
    let server = Server::start();
    // Five million characters of a context, each of which doubles in JSON.
    let context = Value::from("\"".repeat(4_900_000));
    let large = with(full("w", "a", "Completed"), &json!({ "current_context": context }));
    let run = server.reported("PATCH", "/workflows/w/tasks/a", &large);
    let task = server.get(&format!("/api/v1/runs/{run}/tasks/a")).expect(200);
    assert_eq!(task["outputs"][0]["value"]["message"], "Context size exceeded");
    let kept = Value::from("x".repeat(900_000));
    let body = with(full("w", "b", "Completed"), &json!({ "current_context": kept }));
    server.reported("PATCH", "/workflows/w/tasks/b", &body);
    let task = server.get(&format!("/api/v1/runs/{run}/tasks/b")).expect(200);
    assert_eq!(task["outputs"][0]["value"], kept);
    let larger = json!({ "id": "w", "name": "x".repeat(17 << 20) });
    server.report("POST", "/workflows", &larger).problem(413, "L707");
    // Elsewhere the server's own limit holds.
    let elsewhere = json!({ "workflow": "x".repeat(5 << 20) });
    server.post("/api/v1/runs", &elsewhere).problem(413, "L707");
}

#[test]
fn tasks_of_a_run_are_limited() {
    let server = Server::start();
    // As many as fit into a body: the first too many ends it, whatever room the rest would take.
    let many =
        format!(r#"{{"id":"many","tasks":[{{"id":1}}{}]}}"#, r#",{"id":1}"#.repeat(1_000_000));
    server.send("POST", &format!("{BASE}/workflows"), &[JSON], &many).problem(409, "L750");
    assert_eq!(server.get("/api/v1/runs").expect(200)["items"], json!([]));
    let tasks: Vec<Value> = (0..1000).map(|id| json!({ "id": id })).collect();
    let run = server.reported("POST", "/workflows", &json!({ "id": "w", "tasks": tasks }));
    let more = server.report("POST", "/workflows/w/tasks", &json!({ "id": "more" }));
    more.problem(409, "L750");
    server.report("PATCH", "/tasks/more", &full("w", "more", "Failed")).problem(409, "L750");
    server.reported("PATCH", "/tasks/7", &full("w", "7", "Completed"));
    assert_eq!(server.run(&run)["counts"]["waiting"], 999);
    server.reported("PATCH", "/workflows/w", &json!({ "status": "Completed" }));
    assert_eq!(server.run(&run)["counts"]["cancelled"], 999);
}

#[test]
fn many_report_one_workflow_at_once() {
    let server = Server::start();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for task in 0..10 {
                    let name = format!("{worker}-{task}");
                    let path = format!("/workflows/w/tasks/{name}");
                    server.reported("PATCH", &path, &full("w", &name, "Completed"));
                }
            });
        }
    });
    let run = server.reported("PATCH", "/workflows/w", &json!({ "status": "Completed" }));
    assert_eq!(server.run(&run)["counts"]["succeeded"], 80);
    let list = server.get("/api/v1/runs?source=dotflow").expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}
