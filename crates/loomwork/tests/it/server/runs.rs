//! Starting and steering runs.

use super::harness::Server;
use serde_json::json;

const HELLO: &str = "
name: hello
tasks:
  - name: greet
    plugin: cmd
    outputs: [GREETING]
    params: { command: 'echo GREETING=hello' }
  - name: tell
    plugin: cmd
    inputs: [GREETING]
    params: { command: 'echo \"$GREETING\" > told' }
";

#[test]
fn a_registered_workflow_runs() {
    let server = Server::start();
    server.register(HELLO);
    let run = server.begin("hello");
    let found = server.until(&run, "succeeded");
    assert_eq!(found["counts"]["succeeded"], 2);
    assert_eq!(server.loom.read("told"), "hello\n");
}

#[test]
fn a_repeat_with_the_same_key_is_the_same_run() {
    let server = Server::start();
    server.register(HELLO);
    let start = |key: &str, body: &serde_json::Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        server.send("POST", "/api/v1/runs", &headers, &body.to_string())
    };
    let body = json!({ "workflow": "hello" });
    let first = start("k1", &body).expect(201);
    let repeat = start("k1", &body).expect(200);
    assert_eq!((&repeat["id"], &repeat["repeated"]), (&first["id"], &json!(true)));
    assert_ne!(start("k2", &body).expect(201)["id"], first["id"]);
    let other = json!({ "workflow": "hello", "variables": { "A": 1 } });
    start("k1", &other).problem(422, "L716");
}

#[test]
fn runs_go_on_after_a_crash_of_the_server() {
    let mut server = Server::start();
    server.register(
        "
name: slow
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
  - name: after
    plugin: cmd
    execution: { depends_on: [wait] }
    params: { command: 'echo done > after' }
",
    );
    let run = server.begin("slow");
    server.until(&run, "running");
    server.crash_and_restart();
    std::fs::write(server.loom.path("go"), "").unwrap();
    server.until(&run, "succeeded");
    assert_eq!(server.loom.read("after"), "done\n");
}

#[test]
fn what_cannot_be_started_is_refused_with_a_reason() {
    let server = Server::start();
    server.register(
        "
name: needy
tasks:
  - name: greet
    plugin: cmd
    inputs: [WHO]
    params: { command: 'true' }
",
    );
    let start = |body: serde_json::Value| server.post("/api/v1/runs", &body);
    start(json!({ "workflow": "nosuch" })).problem(404, "L703");
    start(json!({ "workflow": "needy" })).problem(422, "L713");
    start(json!({ "workflow": "needy", "variables": { "1": 1 } })).problem(400, "L605");
    start(json!({ "workflow": "needy", "wrong": 1 })).problem(400, "L605");
    server.send("POST", "/api/v1/runs", &[], "{}").problem(400, "L605");
    server.get("/api/v1/runs/nosuch").problem(404, "L601");
    server.send("PATCH", "/api/v1/runs", &[], "").problem(405, "L715");
}
