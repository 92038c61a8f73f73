//! Finding, counting, repeating, deleting and explaining runs.

use super::harness::Server;
use super::sse::Reader;
use crate::watch::eventually;
use serde_json::{Value, json};

const ECHO: &str = "
name: echo
tasks:
  - name: say
    plugin: cmd
    inputs: [WORD]
    outputs: [SAID]
    params: { command: 'test \"$WORD\" != bad && echo \"SAID=$WORD\"' }
";

/// Starts a run and waits for its end.
fn ran(server: &Server, body: &Value, state: &str) -> String {
    let started = server.post("/api/v1/runs", body).expect(201);
    let id = started["id"].as_str().unwrap().to_owned();
    server.until(&id, state);
    id
}

fn echo(word: &str) -> Value {
    json!({ "workflow": "echo", "variables": { "WORD": word } })
}

fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("no object") };
    body.as_object_mut().unwrap().extend(more);
    body
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[test]
fn runs_are_found_by_everything_that_is_said_of_them() {
    let server = Server::start();
    server.register(ECHO);
    let said = json!({
        "tags": ["nightly", "a,b"], "annotations": { "ticket": "OPS-7=x" }, "initiator": "ann",
        "source": "ci", "correlation_id": "c-1", "reason": "Because of the Moon",
    });
    let first = ran(&server, &with(echo("one"), said), "succeeded");
    let second = ran(&server, &echo("bad"), "failed");
    let found = |query: &str| {
        let list = server.get(&format!("/api/v1/runs?{query}")).expect(200);
        ids(&list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    for query in [
        "tag=nightly",
        "tag=nightly&tag=a,b",
        "annotation=ticket",
        "annotation=ticket%3DOPS-7%3Dx",
        "initiator=ann",
        "source=ci",
        "correlation_id=c-1",
        "text=moon",
        "status=succeeded",
        "status=succeeded&status=cancelled",
    ] {
        assert_eq!(found(query), std::slice::from_ref(&first), "{query}");
    }
    for query in [
        "tag=nightly&tag=other",
        "annotation=ticket%3DOPS-8",
        "workflow=other",
        "namespace=other",
        "version=9.9.9",
        "status=paused",
        "created_until=2020-01-01T00:00:00Z",
        "finished_from=2999-01-01T00:00:00Z",
    ] {
        assert_eq!(found(query), Vec::<String>::new(), "{query}");
    }
    let both = found("workflow=echo&namespace=default&created_from=2020-01-01T00:00:00Z");
    assert_eq!(both, [second.clone(), first.clone()]);
    assert_eq!(found("sort=created_at"), [first.clone(), second.clone()]);
    assert_eq!(found("sort=-finished_at"), [second, first]);
    let counts = server.get("/api/v1/runs/counts?workflow=echo").expect(200);
    assert_eq!(counts["total"], 2);
    assert_eq!(counts["by_state"]["failed"], 1);
    assert_eq!(counts["by_state"]["paused"], 0);
}

#[test]
fn pages_follow_each_other_and_a_cursor_that_was_changed_is_refused() {
    let server = Server::start();
    server.register(ECHO);
    let runs: Vec<String> =
        ["a", "b", "c"].iter().map(|word| ran(&server, &echo(word), "succeeded")).collect();
    for (sort, expected) in [
        ("created_at", [&runs[0], &runs[1], &runs[2]]),
        ("-created_at", [&runs[2], &runs[1], &runs[0]]),
        ("finished_at", [&runs[0], &runs[1], &runs[2]]),
    ] {
        let first = server.get(&format!("/api/v1/runs?limit=2&sort={sort}")).expect(200);
        assert_eq!(ids(&first), expected[..2]);
        let cursor = first["next_cursor"].as_str().unwrap();
        let next = format!("/api/v1/runs?limit=2&sort={sort}&cursor={cursor}");
        let second = server.get(&next).expect(200);
        assert_eq!(ids(&second), expected[2..]);
        assert_eq!(second["next_cursor"], Value::Null);
        server.get(&format!("{next}0")).problem(422, "L711");
        let changed =
            format!("{}{}", if cursor.starts_with('1') { '0' } else { '1' }, &cursor[1..]);
        server.get(&next.replace(cursor, &changed)).problem(422, "L711");
        server.get(&format!("{next}&text=other")).problem(422, "L711");
    }
    server.get("/api/v1/runs?limit=0").problem(400, "L605");
    server.get("/api/v1/runs?limit=100000").problem(400, "L605");
    server.get("/api/v1/runs?sort=name").problem(400, "L605");
    server.get("/api/v1/runs?status=asleep").problem(400, "L605");
    server.get("/api/v1/runs?nosuch=1").problem(400, "L605");
    server.get("/api/v1/runs?created_from=yesterday").problem(400, "L605");
    server.get("/api/v1/runs?workflow=a&workflow=b").problem(400, "L605");
}

#[test]
fn a_run_is_repeated_with_other_variables() {
    let server = Server::start();
    server.register(ECHO);
    let body = with(echo("bad"), json!({ "tags": ["t"] }));
    let first = ran(&server, &body, "failed");
    let again = format!("/api/v1/runs/{first}/rerun");
    let same = server.send("POST", &again, &[], "").expect(201);
    server.until(same["id"].as_str().unwrap(), "failed");
    let how = json!({ "variables": { "WORD": "good" }, "reason": "mended" });
    let headers = [("content-type", "application/json"), ("idempotency-key", "again")];
    let other = server.send("POST", &again, &headers, &how.to_string()).expect(201);
    let found = server.until(other["id"].as_str().unwrap(), "succeeded");
    assert_eq!((&found["rerun_of"], &found["reason"]), (&json!(first), &json!("mended")));
    assert_eq!(found["tags"], json!(["t"]));
    let repeat = server.send("POST", &again, &headers, &how.to_string()).expect(200);
    assert_eq!(repeat["id"], other["id"]);
    server.post(&again, &json!({ "nosuch": 1 })).problem(400, "L605");
    server.post(&again, &json!({ "version": "9.9.9" })).problem(404, "L703");
}

#[test]
fn secrets_of_a_run_are_not_read_back_to_repeat_it() {
    let server = Server::start();
    server.register(
        "
name: quiet
secrets: [PIN]
tasks:
  - name: check
    plugin: cmd
    inputs: [PIN]
    params: { command: 'test \"$PIN\" = 9471' }
",
    );
    let body = json!({ "workflow": "quiet", "variables": { "PIN": "9471" } });
    let first = ran(&server, &body, "succeeded");
    let again = format!("/api/v1/runs/{first}/rerun");
    let refused = server.send("POST", &again, &[], "");
    let problem = refused.problem(422, "L713");
    assert!(problem["detail"].as_str().unwrap().contains("PIN"), "{problem}");
    let given = server.post(&again, &json!({ "variables": { "PIN": "9471" } })).expect(201);
    server.until(given["id"].as_str().unwrap(), "succeeded");
}

#[test]
fn a_secret_that_was_given_does_not_fall_back_to_the_workflows_own() {
    let server = Server::start();
    server.register(
        "
name: quiet
secrets: [PIN]
env: { PIN: '0000' }
tasks:
  - name: check
    plugin: cmd
    inputs: [PIN]
    params: { command: 'test \"$PIN\" = 9471' }
",
    );
    let given =
        ran(&server, &json!({ "workflow": "quiet", "variables": { "PIN": "9471" } }), "succeeded");
    let again = format!("/api/v1/runs/{given}/rerun");
    let problem = server.send("POST", &again, &[], "").problem(422, "L713");
    assert!(problem["detail"].as_str().unwrap().ends_with("not read back: PIN"), "{problem}");
    let body = json!({ "variables": { "PIN": "9471" } });
    let second = server.post(&again, &body).expect(201);
    let second = second["id"].as_str().unwrap();
    server.until(second, "succeeded");
    // A repeat of the repeat is no other matter.
    server.send("POST", &format!("/api/v1/runs/{second}/rerun"), &[], "").problem(422, "L713");
    // What the workflow sets, it sets again.
    let own = ran(&server, &json!({ "workflow": "quiet" }), "failed");
    server.send("POST", &format!("/api/v1/runs/{own}/rerun"), &[], "").expect(201);
}

#[test]
fn an_ended_run_is_deleted_with_its_logs_and_one_under_way_is_not() {
    let server = Server::start();
    server.register(ECHO);
    server.register(
        "
name: slow
tasks:
  - { name: wait, plugin: cmd, params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' } }
",
    );
    let run = ran(&server, &echo("x"), "succeeded");
    let log = format!("/api/v1/runs/{run}/tasks/say/attempts/1/log");
    assert_eq!(server.get(&log).text, "SAID=x\n");
    let path = format!("/api/v1/runs/{run}");
    assert_eq!(server.send("DELETE", &path, &[], "").status, 204);
    server.get(&path).problem(404, "L601");
    server.get(&log).problem(404, "L601");
    server.send("DELETE", &path, &[], "").problem(404, "L601");

    let slow = server.begin("slow");
    server.until(&slow, "running");
    server.send("DELETE", &format!("/api/v1/runs/{slow}"), &[], "").problem(409, "L603");
    std::fs::write(server.loom.path("go"), "").unwrap();
    server.until(&slow, "succeeded");
}

#[test]
fn a_retention_rule_deletes_what_it_says() {
    let server = Server::start();
    server.register(ECHO);
    let good = ran(&server, &echo("x"), "succeeded");
    let bad = ran(&server, &echo("bad"), "failed");
    let put = |name: &str, rule: &Value| {
        let headers = [("content-type", "application/json")];
        server.send("PUT", &format!("/api/v1/retention/{name}"), &headers, &rule.to_string())
    };
    let keep = json!({ "keep_s": 3600 });
    let made = put("all", &keep);
    made.expect(201);
    let rule =
        json!({ "namespace": "default", "workflow": "echo", "status": ["succeeded"], "keep_s": 0 });
    put("echo", &rule).expect(201);
    eventually("the run is deleted", || {
        (server.get(&format!("/api/v1/runs/{good}")).status == 404).then_some(())
    });
    server.get(&format!("/api/v1/runs/{bad}")).expect(200);
    // Nor do events tell of it any longer: the next run's come first.
    let mut events = Reader::open(&server, "/api/v1/events?after=0-0&types=run.started");
    assert_eq!(events.next_for_sure().data["run"], bad.as_str());
    let list = server.get("/api/v1/retention").expect(200);
    assert_eq!(list["items"][0]["name"], "all");
    assert_eq!(list["items"][1]["status"], json!(["succeeded"]));

    let tag = made.header("etag").to_owned();
    put("all", &json!({ "keep_s": 7200 })).expect(200);
    let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
    let stale = server.send("PUT", "/api/v1/retention/all", &headers, &keep.to_string());
    stale.problem(412, "L705");
    assert_eq!(server.get("/api/v1/retention/all").expect(200)["keep_s"], 7200);
    put("bad%20name", &keep).problem(400, "L605");
    put("x", &json!({ "keep_s": 1, "status": ["running"] })).problem(400, "L605");
    put("x", &json!({ "keep_s": -1 })).problem(400, "L605");
    assert_eq!(server.send("DELETE", "/api/v1/retention/all", &[], "").status, 204);
    server.get("/api/v1/retention/all").problem(404, "L703");
    server.send("DELETE", "/api/v1/retention/all", &[], "").problem(404, "L703");
}

#[test]
fn a_run_and_its_tasks_say_why_they_stand_where_they_do() {
    let server = Server::start();
    server.register(
        "
name: chain
tasks:
  - { name: first, plugin: cmd, outputs: [A], params: { command: 'exit 3' } }
  - { name: second, plugin: cmd, inputs: [A], outputs: [B], params: { command: 'true' } }
  - { name: third, plugin: cmd, inputs: [B], params: { command: 'true' } }
  - { name: fine, plugin: cmd, outputs: [C], params: { command: 'echo C=1' } }
",
    );
    let run = ran(&server, &json!({ "workflow": "chain" }), "failed");
    let why = server.get(&format!("/api/v1/runs/{run}/why")).expect(200);
    assert_eq!(why["state"], "failed");
    let cause = &why["first_causes"]["first"][0];
    assert_eq!((&cause["end"]["kind"], &cause["end"]["task"]), (&json!("failed"), &json!("first")));
    assert_eq!(cause["toll"], json!({ "count": 2, "first": ["second", "third"] }));
    let task = |name: &str| {
        server.get(&format!("/api/v1/runs/{run}/tasks/{name}/why")).expect(200)["why"].clone()
    };
    assert_eq!(task("first")["failure"]["exit_status"], 3);
    let third = task("third");
    assert_eq!(third["kind"], "skipped");
    assert_eq!(third["first"]["first"][0]["task"], "first");
    let fine = task("fine");
    assert_eq!(
        (&fine["kind"], &fine["set"]["first"][0]["name"]),
        (&json!("succeeded"), &json!("C"))
    );
    server.get(&format!("/api/v1/runs/{run}/tasks/nosuch/why")).problem(404, "L606");
    server.get(&format!("/api/v1/runs/{run}/tasks/fine/why?item=1")).problem(404, "L606");
}
