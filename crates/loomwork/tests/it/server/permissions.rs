//! The permission service, for runs that are started over HTTP with their callers' own tokens.

use super::harness::Server;
use crate::authority::Authority;
use crate::harness::Loom;
use serde_json::{Value, json};

const GUARDED: &str = "
name: guarded
tasks:
  - name: look
    plugin: cmd
    permissions: { required: [can_look] }
    params: { command: 'echo looked $AUTH_TOKEN' }
  - name: change
    plugin: cmd
    permissions: { required: [can_change] }
    execution: { depends_on: [look] }
    params: { command: 'echo changed' }
";

/// Ann may do both, Bob may look, and nobody else is known. Asked with `slip` it fails.
fn authority() -> Authority {
    Authority::start(|token| match token {
        "ann's" => (200, r#"{"permissions":["can_look","can_change"]}"#.into()),
        "bob's" => (200, r#"{"permissions":{"can_look":true,"can_change":false}}"#.into()),
        "slip" => (500, "out of order".into()),
        _ => (401, String::new()),
    })
}

fn serving(url: &str) -> Server {
    let server = Server::with(Loom::new(), &["--permissions-url", url]);
    server.register(GUARDED);
    server
}

fn begin(server: &Server, token: &str) -> String {
    let body = json!({ "workflow": "guarded", "variables": { "AUTH_TOKEN": token } });
    server.post("/api/v1/runs", &body).expect(201)["id"].as_str().unwrap().to_owned()
}

fn phases(found: &Value) -> Vec<&str> {
    let tasks = found["tasks"].as_array().unwrap().iter();
    tasks.map(|task| task["phase"].as_str().unwrap()).collect()
}

#[test]
fn each_run_has_what_its_callers_token_permits() {
    let authority = authority();
    let server = serving(&authority.url);
    let (ann, bob) = (begin(&server, "ann's"), begin(&server, "bob's"));
    assert_eq!(phases(&server.until(&ann, "succeeded")), ["succeeded", "succeeded"]);
    let refused = server.until(&bob, "failed");
    assert_eq!(phases(&refused), ["succeeded", "failed"]);
    let change = server.get(&format!("/api/v1/runs/{bob}/tasks/change")).expect(200);
    assert!(change.to_string().contains("can_change"), "{change}");
    let mut asked = authority.asked();
    asked.sort();
    assert_eq!(asked, ["ann's", "bob's"], "once a run and token");
    for run in [&ann, &bob] {
        let known = server.get(&format!("/api/v1/runs/{run}")).text;
        let log = server.get(&format!("/api/v1/runs/{run}/tasks/look/attempts/1/log")).text;
        assert!(log.contains("looked ***"), "{log}");
        assert!(!known.contains("ann's") && !known.contains("bob's"), "{known}");
    }
}

#[test]
fn whoever_shows_no_token_or_one_that_nobody_knows_starts_no_command() {
    let authority = authority();
    let server = serving(&authority.url);
    for token in ["forged", "slip"] {
        let run = begin(&server, token);
        assert_eq!(phases(&server.until(&run, "failed")), ["failed", "skipped"], "{token}");
    }
    let run = server.begin("guarded");
    let failed = server.until(&run, "failed");
    assert_eq!(phases(&failed), ["failed", "skipped"]);
    assert!(failed.to_string().contains("sees no AUTH_TOKEN"), "{failed}");
    assert_eq!(authority.asked(), ["forged", "slip"]);
}

#[test]
fn without_a_service_nothing_is_permitted() {
    let server = Server::start();
    server.register(GUARDED);
    let run = begin(&server, "ann's");
    assert_eq!(phases(&server.until(&run, "failed")), ["failed", "skipped"]);
}
