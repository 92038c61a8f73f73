//! Starting and steering runs.

use super::harness::{Answer, Server};
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
    let start = |key: &str, body: &serde_json::Value| start(&server, key, body);
    let body = json!({ "workflow": "hello" });
    let first = start("k1", &body).expect(201);
    let repeat = start("k1", &body).expect(200);
    assert_eq!((&repeat["id"], &repeat["repeated"]), (&first["id"], &json!(true)));
    assert_ne!(start("k2", &body).expect(201)["id"], first["id"]);
    let other = json!({ "workflow": "hello", "variables": { "A": 1 } });
    start("k1", &other).problem(422, "L716");
}

fn start(server: &Server, key: &str, body: &serde_json::Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.send("POST", "/api/v1/runs", &headers, &body.to_string())
}

/// [`HELLO`] under another version.
fn hello(version: &str) -> String {
    format!("{}version: {version}\n", HELLO.trim_start())
}

#[test]
fn a_repeat_is_one_whatever_became_of_the_workflow() {
    let server = Server::start();
    server.register(&hello("0.1.0"));
    let latest = json!({ "workflow": "hello" });
    let first = start(&server, "k", &latest).expect(201);
    server.register(&hello("0.2.0"));
    let again = |body: &serde_json::Value| start(&server, "k", body);
    assert_eq!(again(&latest).expect(200)["id"], first["id"]);
    let named = json!({ "workflow": "hello", "namespace": "default", "version": "latest" });
    assert_eq!(again(&named).expect(200)["id"], first["id"]);
    again(&json!({ "workflow": "hello", "version": "0.1.0" })).problem(422, "L716");
    for version in ["0.1.0", "0.2.0"] {
        let path = format!("/api/v1/workflows/default/hello/{version}/disable");
        server.send("POST", &path, &[], "").expect(200);
    }
    assert_eq!(again(&latest).expect(200)["id"], first["id"]);
    start(&server, "other", &latest).problem(422, "L712");
}

#[test]
fn a_repeat_is_one_when_its_run_was_deleted() {
    let mut server = Server::start();
    server.register(HELLO);
    let content = json!({ "by": "content", "window_s": 3600 });
    let by_content = json!({ "workflow": "hello", "identity": content });
    let call = |server: &Server, key: Option<&str>| match key {
        Some(key) => start(server, key, &json!({ "workflow": "hello" })),
        None => server.post("/api/v1/runs", &by_content),
    };
    for key in [Some("k"), None] {
        let first = call(&server, key).expect(201)["id"].as_str().unwrap().to_owned();
        server.until(&first, "succeeded");
        let run = format!("/api/v1/runs/{first}");
        server.send("DELETE", &run, &[], "").expect(204);
        for _ in 0..2 {
            let repeat = call(&server, key).expect(200);
            assert_eq!((&repeat["id"], &repeat["repeated"]), (&json!(first), &json!(true)));
            server.get(&run).problem(404, "L601");
            server.crash_and_restart();
        }
    }
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

#[test]
fn what_is_said_about_a_run_is_plain_and_said_once() {
    let server = Server::start();
    server.register(HELLO);
    let refused = |field: &str, value: serde_json::Value| {
        let problem = server.post("/api/v1/runs", &json!({ "workflow": "hello", field: value }));
        problem.problem(400, "L605")["detail"].as_str().unwrap().to_owned()
    };
    for id in ["a: bé", "\u{2028}", "", "-a", &"x".repeat(101)] {
        assert!(refused("correlation_id", json!(id)).contains("`correlation_id`"), "{id}");
    }
    assert!(refused("tags", json!([""])).contains("empty"));
    assert!(refused("annotations", json!({ "": "x" })).contains("empty"));
    assert!(refused("start_at", json!("9999-12-31T23:59:59Z")).contains("too far from now"));
    assert!(refused("start_at", json!("soon")).contains("no RFC 3339 time"));
    let headers = [("content-type", "application/json")];
    let twice = r#"{"workflow": "hello", "variables": {"A": 1, "A": 2}}"#;
    let problem = server.send("POST", "/api/v1/runs", &headers, twice).problem(400, "L605");
    assert!(problem["detail"].as_str().unwrap().contains("`A` is given twice"), "{problem}");
    let keys = [headers[0], ("idempotency-key", "a"), ("idempotency-key", "b")];
    let body = r#"{"workflow": "hello"}"#;
    let problem = server.send("POST", "/api/v1/runs", &keys, body).problem(400, "L605");
    assert!(problem["detail"].as_str().unwrap().contains("more than once"), "{problem}");
    assert_eq!(server.get("/api/v1/runs/counts").expect(200)["by_state"]["queued"], 0);
    server.send("GET", "/dotflow/workflows", &[], "").problem(405, "L715");
}

#[test]
fn requests_with_one_key_that_come_at_once_are_one_run() {
    let server = Server::start();
    server.register(HELLO);
    let body = json!({ "workflow": "hello" }).to_string();
    for round in 0..20 {
        let key = format!("order-{round}");
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let start = || server.send("POST", "/api/v1/runs", &headers, &body);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let ids: std::collections::BTreeSet<String> =
            answers.iter().map(|answer| answer.json()["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "{answers:?}");
        let first = answers.iter().filter(|answer| answer.status == 201).count();
        assert!(
            first <= 1 && answers.iter().all(|it| matches!(it.status, 200 | 201)),
            "{answers:?}"
        );
    }
}
