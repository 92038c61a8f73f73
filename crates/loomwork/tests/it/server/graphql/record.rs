//! The audit log tells the same of a change, whichever door it came in by.

use super::super::access::{HELLO, token};
use super::super::harness::Server;
use super::client::post;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};

/// An entry without what names the door, the time or the run.
fn essence(entry: &Value, run: &str) -> Value {
    let mut entry = entry.clone();
    for name in ["id", "at", "call", "token"] {
        entry.as_object_mut().unwrap().remove(name);
    }
    serde_json::from_str(&entry.to_string().replace(run, "RUN")).unwrap()
}

#[test]
fn a_mutation_is_recorded_as_its_route_is() {
    let loom = Loom::new();
    let tokens = [token(&loom, "admin"), token(&loom, "viewer")];
    let mut server = Server::with(loom, &["--access"]);
    server.set_token(&tokens[0]);
    server.register(HELLO);
    let run = |server: &Server| {
        let run = server.begin("hello");
        server.until(&run, "succeeded");
        run
    };
    let (ours, theirs) = (run(&server), run(&server));
    let version = r#"namespace: "default", name: "hello", version: "0.1.0""#;
    let mutations = [
        format!(r#"cancelRun(id: "{ours}") {{ id }}"#),
        format!(r#"retryTask(run: "{ours}", task: "greet") {{ id }}"#),
        r#"startRun(run: { workflow: "hello" }) { id }"#.to_owned(),
        format!("disableWorkflow({version}) {{ name }}"),
        format!("enableWorkflow({version}) {{ name }}"),
        format!(r#"deleteRun(id: "{ours}")"#),
        format!(r#"pauseRun(id: "{ours}") {{ id }}"#),
    ];
    let path = "workflows/default/hello/0.1.0";
    let routes = [
        ("POST", format!("runs/{theirs}/cancel")),
        ("POST", format!("runs/{theirs}/tasks/greet/retry")),
        ("POST", "runs".to_owned()),
        ("POST", format!("{path}/disable")),
        ("POST", format!("{path}/enable")),
        ("DELETE", format!("runs/{theirs}")),
        ("POST", format!("runs/{theirs}/pause")),
    ];
    let before = entries(&server).len();
    for shown in tokens.iter().rev() {
        server.set_token(shown);
        for mutation in &mutations {
            post(&server, &format!("mutation {{ {mutation} }}"), &json!({})).expect(200);
        }
        for (method, path) in &routes {
            let body = if path == "runs" { r#"{"workflow":"hello"}"# } else { "" };
            let headers = [("content-type", "application/json")];
            server.send(method, &format!("/api/v1/{path}"), &headers, body);
        }
    }
    let all = 2 * (mutations.len() + routes.len());
    let mut found = eventually("all entries", || {
        let found = entries(&server);
        (found.len() == before + all).then_some(found)
    });
    found.drain(..before);
    let half = mutations.len();
    for (by_graphql, by_rest) in
        [(&found[..half], &found[half..2 * half]), (&found[2 * half..3 * half], &found[3 * half..])]
    {
        for (one, other) in by_graphql.iter().zip(by_rest) {
            assert_eq!(essence(one, &ours), essence(other, &theirs));
            assert!(one["call"].as_str().unwrap().starts_with("mutation "), "{one}");
        }
    }
    let outcomes: Vec<&Value> = found[2 * half..3 * half].iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["refused", "refused", "done", "done", "done", "done", "refused"]);
    assert!(found[..half].iter().all(|entry| entry["outcome"] == "forbidden"));
}

/// All entries, the oldest first.
fn entries(server: &Server) -> Vec<Value> {
    let list = server.get("/api/v1/audit?limit=200").expect(200);
    list["items"].as_array().unwrap().iter().rev().cloned().collect()
}

#[test]
fn what_is_too_long_to_be_recorded_is_recorded_in_short() {
    let server = Server::start();
    let id = "x".repeat(2 << 20);
    let cancel = "mutation($id: ID!) { a: cancelRun(id: $id) { id } b: cancelRun(id: $id) { id } }";
    let answer = post(&server, cancel, &json!({ "id": id })).expect(200).to_string();
    assert!(answer.contains("L601") && answer.len() < 10_000, "{}", answer.len());
    post(&server, r#"mutation { pauseRun(id: "y") { id } }"#, &json!({})).expect(200);
    let found = eventually("both entries, and the one behind them", || {
        let found = entries(&server);
        (found.len() == 3).then_some(found)
    });
    assert!(id.starts_with(found[0]["target"]["id"].as_str().unwrap()));
    assert_eq!(found[2]["target"]["id"], "y");
}

#[test]
fn a_client_that_goes_away_does_not_undo_its_change() {
    let server = Server::start();
    server.register(HELLO);
    let mut socket = super::client::Socket::open(&server, None).unwrap();
    let start = r#"mutation { startRun(run: { workflow: "hello", tags: ["mine"] }) { id } }"#;
    socket.subscribe("1", start, &json!({}));
    drop(socket);
    let entry = eventually("the entry", || {
        let found = entries(&server);
        found.into_iter().find(|it| it["call"] == "mutation startRun")
    });
    assert_eq!((&entry["outcome"], &entry["status"]), (&json!("done"), &json!(201)));
    let runs = server.get("/api/v1/runs?tag=mine").expect(200);
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
}
