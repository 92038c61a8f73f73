//! Many runs in one call.

use super::harness::Server;
use crate::watch::eventually;
use serde_json::{Value, json};

const GATED: &str = "
name: gated
tasks:
  - name: wait
    plugin: cmd
    inputs: [N]
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.05; done; test \"$N\" != bad' }
";

fn runs(count: usize) -> Vec<Value> {
    (0..count).map(|n| json!({ "workflow": "gated", "variables": { "N": n } })).collect()
}

#[test]
fn one_bad_item_does_not_hinder_the_others() {
    let server = Server::start();
    server.register(GATED);
    let mut items = runs(3);
    items.insert(1, json!({ "workflow": "nosuch" }));
    items.push(json!({ "workflow": "gated" }));
    let done = server.post("/api/v1/runs/batch", &json!({ "runs": items })).expect(200);
    assert_eq!((&done["accepted"], &done["refused"]), (&json!(3), &json!(2)));
    assert_eq!(done["items"][1]["problem"]["code"], "L703");
    assert_eq!(done["items"][4]["problem"]["code"], "L713");
    for at in [0, 2, 3] {
        let id = done["items"][at]["id"].as_str().unwrap();
        server.get(&format!("/api/v1/runs/{id}")).expect(200);
    }
    let wrong = |body: Value| server.post("/api/v1/runs/batch", &body).problem(400, "L605");
    wrong(json!({ "runs": [] }));
    wrong(json!({ "runs": [{ "workflow": "gated", "nosuch": 1 }] }));
    wrong(json!({ "runs": runs(1001) }));
}

#[test]
fn a_batch_with_a_key_may_be_repeated() {
    let server = Server::start();
    server.register(GATED);
    let body = json!({ "runs": runs(4) }).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "b1")];
    let start = || server.send("POST", "/api/v1/runs/batch", &headers, &body).expect(200);
    let (first, again) = (start(), start());
    for at in 0..4 {
        assert_eq!(first["items"][at]["id"], again["items"][at]["id"]);
        assert_eq!(again["items"][at]["repeated"], true);
    }
    assert_eq!(server.get("/api/v1/runs/counts").expect(200)["total"], 4);
}

#[test]
fn runs_that_match_are_cancelled_and_retried_and_a_dry_run_changes_nothing() {
    let server = Server::start();
    server.register(GATED);
    let tagged = json!({ "workflow": "gated", "variables": { "N": "bad" }, "tags": ["t"] });
    let other = json!({ "workflow": "gated", "variables": { "N": "1" } });
    let body = json!({ "runs": [tagged, tagged, other] });
    let started = server.post("/api/v1/runs/batch", &body).expect(200);
    assert_eq!(started["accepted"], 3);
    let act = |what: &str, body: Value| server.post(&format!("/api/v1/runs/batch/{what}"), &body);
    let count = |state: &str| {
        server.get("/api/v1/runs/counts").expect(200)["by_state"][state].as_u64().unwrap()
    };
    let filter = json!({ "tag": ["t"] });
    let dry = act("cancel", json!({ "filter": filter, "dry_run": true })).expect(200);
    assert_eq!((dry["items"].as_array().unwrap().len(), &dry["dry_run"]), (2, &json!(true)));
    assert_eq!(count("cancelled"), 0);
    let entry = eventually("the call is on record", || {
        let found = server.get("/api/v1/audit?action=runs:cancel").expect(200);
        found["items"].get(0).cloned()
    });
    assert_eq!(
        (&entry["detail"]["dry_run"], entry.get("target")),
        (&json!("true"), None),
        "{entry}"
    );
    act("cancel", json!({ "filter": {} })).problem(400, "L605");
    act("cancel", json!({ "filter": { "status": ["failed"] } })).problem(409, "L603");
    act("retry", json!({ "filter": filter, "reason": "x" })).problem(400, "L605");

    let untagged = started["items"][2]["id"].as_str().unwrap();
    let done =
        act("cancel", json!({ "filter": { "text": untagged }, "reason": "enough" })).expect(200);
    assert_eq!(done["items"], json!([{ "id": untagged }]));
    server.until(untagged, "cancelled");
    std::fs::write(server.loom.path("go"), "").unwrap();
    eventually("both have failed", || (count("failed") == 2).then_some(()));
    let retried = act("retry", json!({ "filter": filter })).expect(200);
    assert_eq!(retried["items"].as_array().unwrap().len(), 2);
    eventually("both were tried again", || {
        let all = server.get("/api/v1/runs?tag=t").expect(200);
        let again = |run: &Value| {
            let path = format!("/api/v1/runs/{}/tasks/wait", run["id"].as_str().unwrap());
            server.get(&path).expect(200)["attempts"].as_array().unwrap().len() == 2
        };
        all["items"].as_array().unwrap().iter().all(again).then_some(())
    });
}
