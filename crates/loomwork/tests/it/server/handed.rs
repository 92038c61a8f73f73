//! What is asked of the server about runs that another process on its store has.

use super::harness::{Answer, Server};
use crate::harness::{Loom, Running};
use crate::watch::eventually;
use rusqlite::Connection;
use serde_json::json;
use std::thread::scope;

/// A run of another process, which is stopped, and of which `bad` has failed.
fn stopped() -> (Server, Running, String) {
    let loom = Loom::with(
        r#"
name: s
tasks:
  - { name: slow, plugin: cmd, params: { command: "until test -e go; do sleep 0.01; done" } }
  - { name: bad, plugin: cmd, params: { command: "false" } }
"#,
    );
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("✘ bad");
    run.signal(libc::SIGSTOP);
    let id = loom.loom(&["list", "--json"]).json()[0]["id"].as_str().unwrap().to_owned();
    (Server::with(loom, &[]), run, id)
}

/// Waits until so many requests wait in the store.
fn until_posted(server: &Server, count: u32) {
    let store = Connection::open(server.loom.path("store/loom.db")).unwrap();
    let waiting = || store.query_row("SELECT count(*) FROM requests", [], |row| row.get(0));
    eventually("the request", || (waiting() == Ok(count)).then_some(()));
}

#[test]
fn each_caller_is_told_what_the_other_process_answers() {
    let (server, run, id) = stopped();
    let resolve = || -> Answer {
        let path = format!("/api/v1/runs/{id}/tasks/bad/resolve");
        server.post(&path, &json!({ "reason": "by hand" }))
    };
    scope(|scope| {
        let first = scope.spawn(resolve);
        until_posted(&server, 1);
        let second = scope.spawn(resolve);
        until_posted(&server, 2);
        run.signal(libc::SIGCONT);
        first.join().unwrap().expect(200);
        let problem = second.join().unwrap().problem(409, "L603");
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(detail, "cannot resolve task `bad`, which was resolved by hand");
    });
    std::fs::write(server.loom.path("go"), "").unwrap();
    run.end().exits(0);
}

#[test]
fn a_caller_is_told_that_the_other_process_does_not_answer_and_what_was_asked_stays() {
    let (server, run, id) = stopped();
    let problem = server.post(&format!("/api/v1/runs/{id}/cancel"), &json!({}));
    let problem = problem.problem(409, "L604");
    assert!(problem["detail"].as_str().unwrap().contains("has not answered yet"), "{problem}");
    run.signal(libc::SIGCONT);
    run.end().exits(130);
    assert_eq!(server.get(&format!("/api/v1/runs/{id}")).expect(200)["state"], "cancelled");
}

#[test]
fn the_server_does_what_a_process_that_ended_has_not_answered() {
    let (server, run, id) = stopped();
    let path = format!("/api/v1/runs/{id}/tasks/bad/resolve");
    let answer = scope(|scope| {
        let resolve = scope.spawn(|| server.post(&path, &json!({ "reason": "by hand" })));
        until_posted(&server, 1);
        run.signal(libc::SIGKILL);
        resolve.join().unwrap()
    });
    answer.expect(200);
    std::fs::write(server.loom.path("go"), "").unwrap();
    server.until(&id, "succeeded");
    until_posted(&server, 0);
}
