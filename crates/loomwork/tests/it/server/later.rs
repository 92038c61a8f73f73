//! Runs that are started for later.

use super::harness::Server;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const QUICK: &str = "
name: quick
tasks: [{ name: only, plugin: noop }]
";

fn start_in(server: &Server, seconds: i64) -> (Value, String) {
    let at = (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string();
    let body = json!({ "workflow": "quick", "start_at": at });
    let run = server.post("/api/v1/runs", &body).expect(201)["id"].as_str().unwrap().to_owned();
    (server.get(&format!("/api/v1/runs/{run}")).expect(200), run)
}

fn time(run: &Value, field: &str) -> Timestamp {
    run[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_run_begins_at_its_time_also_after_a_crash() {
    let mut server = Server::start();
    server.register(QUICK);
    let (found, first) = start_in(&server, 2);
    assert_eq!((&found["state"], found.get("started_at")), (&json!("queued"), None));
    let (_, second) = start_in(&server, 4);
    server.until(&first, "succeeded");
    server.crash_and_restart();
    for run in [first, second] {
        let found = server.until(&run, "succeeded");
        assert!(time(&found, "started_at") >= time(&found, "start_at"), "{found}");
    }
}

#[test]
fn a_run_whose_time_is_far_can_be_cancelled_and_one_whose_time_is_over_begins() {
    let server = Server::start();
    server.register(QUICK);
    let (_, far) = start_in(&server, 100_000);
    let (_, over) = start_in(&server, -10);
    server.until(&over, "succeeded");
    let held = || server.get("/health/status").expect(200)["queued"]["later"].clone();
    assert_eq!(held(), 1);
    server.send("POST", &format!("/api/v1/runs/{far}/cancel"), &[], "").expect(200);
    server.until(&far, "cancelled");
    assert_eq!(held(), 0, "it is not to begin any more");
}
