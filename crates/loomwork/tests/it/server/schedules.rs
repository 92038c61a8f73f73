//! Runs that start by themselves.

use super::harness::Server;
use crate::watch::{Random, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const QUICK: &str = "
name: quick
tasks: [{ name: only, plugin: noop }]
";

/// Writes down which trace it is part of.
const TRACED: &str = "
name: traced
tasks:
  - name: only
    plugin: cmd
    params: { command: 'echo $TRACEPARENT > trace' }
";

/// Cannot do without a variable.
const NEEDY: &str = "
name: needy
tasks: [{ name: only, plugin: cmd, inputs: [WHO], params: { command: 'true' } }]
";

/// Runs until the file `go` is there.
const SLOW: &str = "
name: slow
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
";

fn put(server: &Server, name: &str, spec: &Value) -> super::harness::Answer {
    let headers = [("content-type", "application/json")];
    server.send("PUT", &format!("/api/v1/schedules/{name}"), &headers, &spec.to_string())
}

fn every_second(workflow: &str) -> Value {
    json!({ "timing": { "kind": "every", "seconds": 1 }, "run": { "workflow": workflow } })
}

fn get(server: &Server, name: &str) -> Value {
    server.get(&format!("/api/v1/schedules/{name}")).expect(200)
}

/// Waits until the schedule is as it should be.
fn until(server: &Server, name: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("the schedule {name}: {what}"), || {
        let found = get(server, name);
        good(&found).then_some(found)
    })
}

/// Waits until a run that was decided on is there, and in this state.
fn until_run(server: &Server, run: &str, state: &str) -> Value {
    eventually(&format!("run {run} is {state}"), || {
        let answer = server.get(&format!("/api/v1/runs/{run}"));
        (answer.status == 200).then(|| answer.json()).filter(|found| found["state"] == state)
    })
}

fn fired(schedule: &Value) -> u64 {
    schedule["counts"]["fired"].as_u64().unwrap()
}

/// How many runs each tick of a schedule has, by the store itself.
fn runs_by_tick(server: &Server, name: &str) -> BTreeMap<String, usize> {
    let said = server.loom.loom(&["--json", "list", "--limit", "10000"]).exits(0);
    let mut found = BTreeMap::new();
    for line in said.out.lines() {
        let run: Value = serde_json::from_str(line).unwrap();
        let detail = server.get(&format!("/api/v1/runs/{}", run["id"].as_str().unwrap()));
        let detail = detail.expect(200);
        if detail["initiator"] == format!("schedule:{name}") {
            let tick = detail["annotations"]["schedule.tick"].as_str().unwrap().to_owned();
            *found.entry(tick).or_default() += 1;
        }
    }
    found
}

#[test]
fn a_schedule_starts_a_run_at_each_tick() {
    let server = Server::start();
    server.register(QUICK);
    let made = put(&server, "often", &every_second("quick"));
    assert_eq!(made.expect(201)["counts"]["fired"], 0);
    let found = until(&server, "often", "fires thrice", |found| fired(found) >= 3);
    let run = found["last"]["run"].as_str().unwrap();
    let run = until_run(&server, run, "succeeded");
    assert_eq!(run["initiator"], "schedule:often");
    assert_eq!(run["annotations"]["schedule"], "often");
    assert_eq!(run["annotations"]["schedule.tick"], found["last"]["tick"]);
}

#[test]
fn a_cron_expression_with_seconds_fires_and_one_time_fires_once() {
    let server = Server::start();
    server.register(QUICK);
    let cron =
        json!({ "kind": "cron", "expression": "* * * * * *", "time_zone": "Asia/Kathmandu" });
    put(&server, "cron", &json!({ "timing": cron, "run": { "workflow": "quick" } })).expect(201);
    let found = until(&server, "cron", "fires twice", |found| fired(found) >= 2);
    let next = server.get("/api/v1/schedules/cron/next?count=6").expect(200);
    assert_eq!(next["items"].as_array().unwrap().len(), 6);
    // Just behind the last tick: soon, and not over yet.
    let at = next["items"][5]["tick"].clone();
    assert!(at.as_str() > found["last"]["tick"].as_str());
    let once = json!({ "timing": { "kind": "once", "at": at }, "run": { "workflow": "quick" } });
    put(&server, "once", &once).expect(201);
    let found = until(&server, "once", "fires", |found| fired(found) == 1);
    assert_eq!((&found["last"]["tick"], &found["next_at"]), (&at, &Value::Null));
    let over = put(&server, "once", &once).problem(400, "L605");
    assert!(over["detail"].as_str().unwrap().contains("its time is over"), "{over}");
    let never = json!({ "timing": { "kind": "cron", "expression": "0 0 30 2 *" },
        "run": { "workflow": "quick" } });
    let never = put(&server, "never", &never).problem(400, "L605");
    assert!(never["detail"].as_str().unwrap().contains("`0 0 30 2 *`"), "{never}");
}

#[test]
fn each_tick_has_one_run_however_often_the_server_is_killed() {
    let mut random = Random::from_seed();
    let mut server = Server::start();
    server.register(QUICK);
    let mut spec = every_second("quick");
    spec["overlap"] = json!("allow");
    spec["catch_up"] = json!({ "kind": "all", "window_s": 3600 });
    put(&server, "often", &spec).expect(201);
    for _ in 0..8 {
        // Somewhere around a tick, with no regard to what the server is doing.
        let end = Instant::now() + Duration::from_millis(random.below(1500));
        while let Some(rest) = end.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(rest);
        }
        server.crash_and_restart();
    }
    let so_far = fired(&get(&server, "often"));
    until(&server, "often", "goes on", |found| fired(found) > so_far + 1);
    server.send("POST", "/api/v1/schedules/often/pause", &[], "").expect(200);
    let paused = until(&server, "often", "is idle", |found| found["active"] == json!([]));
    let runs = runs_by_tick(&server, "often");
    assert!(runs.values().all(|&runs| runs == 1), "{runs:?}");
    assert_eq!(runs.len() as u64, fired(&paused));
    assert_eq!(paused["counts"]["missed"], 0);
    assert_eq!(paused["counts"]["refused"], 0, "{paused}");
    // And no tick between the first and the last is left out.
    let (first, last) = (runs.keys().next().unwrap(), runs.keys().last().unwrap());
    let second = |tick: &str| tick.parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(second(last) - second(first) + 1, runs.len() as i64);
}

#[test]
fn a_tick_whose_run_was_deleted_does_not_run_again() {
    let mut server = Server::start();
    server.register(SLOW);
    let soon = jiff::Timestamp::now() + Duration::from_secs(1);
    let once = json!({ "timing": { "kind": "once", "at": soon.to_string() },
        "run": { "workflow": "slow" } });
    put(&server, "once", &once).expect(201);
    let found = until(&server, "once", "fires", |found| fired(found) == 1);
    let run = found["last"]["run"].as_str().unwrap().to_owned();
    until_run(&server, &run, "running");
    let store = rusqlite::Connection::open(server.loom.path("store/loom.db")).unwrap();
    let begun = "SELECT count(*) FROM documents WHERE collection = 'schedule-states'
        AND body LIKE '%\"begun\":true%'";
    eventually("it is written that the run has begun", || {
        let rows: i64 = store.query_row(begun, [], |row| row.get(0)).unwrap();
        (rows == 1).then_some(())
    });
    drop(store);
    // While no server is there, the run ends and is deleted.
    server.kill();
    std::fs::write(server.loom.path("go"), "").unwrap();
    server.loom.loom(&["resume", &run]).exits(0);
    server.loom.loom(&["prune", "--older-than", "0s"]).exits(0).says("deleted 1 run");
    server.crash_and_restart();
    let found = until(&server, "once", "is idle", |found| found["active"] == json!([]));
    assert_eq!(fired(&found), 1);
    server.get(&format!("/api/v1/runs/{run}")).problem(404, "L601");
}

#[test]
fn two_servers_on_one_store_fire_each_tick_once() {
    let server = Server::start();
    let other = server.beside();
    server.register(QUICK);
    let mut spec = every_second("quick");
    spec["overlap"] = json!("allow");
    put(&server, "often", &spec).expect(201);
    until(&other, "often", "fires", |found| fired(found) >= 8);
    other.send("POST", "/api/v1/schedules/often/pause", &[], "").expect(200);
    let paused = until(&server, "often", "is idle", |found| found["active"] == json!([]));
    let runs = runs_by_tick(&server, "often");
    assert!(runs.values().all(|&runs| runs == 1), "{runs:?}");
    assert_eq!(runs.len() as u64, fired(&paused));
}

#[test]
fn ticks_that_wait_fire_one_after_the_other() {
    let server = Server::start();
    server.register(SLOW);
    let mut spec = every_second("slow");
    spec["overlap"] = json!("queue");
    put(&server, "line", &spec).expect(201);
    let found =
        until(&server, "line", "two wait", |it| it["waiting"].as_array().unwrap().len() >= 2);
    assert_eq!(found["active"].as_array().unwrap().len(), 1);
    assert_eq!(fired(&found), 1);
    std::fs::write(server.loom.path("go"), "").unwrap();
    let waiting = found["waiting"][1].clone();
    let past = |found: &Value| found["last"]["tick"].as_str() >= waiting.as_str();
    until(&server, "line", "those who waited fire", past);
}

#[test]
fn a_later_tick_is_skipped_or_cancels_the_earlier_run() {
    let server = Server::start();
    server.register(SLOW);
    put(&server, "skip", &every_second("slow")).expect(201);
    let mut spec = every_second("slow");
    spec["overlap"] = json!("cancel_older");
    put(&server, "newest", &spec).expect(201);
    let found = until(&server, "newest", "has fired", |found| fired(found) >= 1);
    let first = found["last"]["run"].as_str().unwrap().to_owned();
    until_run(&server, &first, "cancelled");
    let found = until(&server, "skip", "skips", |it| it["counts"]["skipped"].as_u64() >= Some(2));
    assert_eq!(fired(&found), 1);
}

#[test]
fn a_paused_schedule_is_silent_and_can_be_triggered() {
    let server = Server::start();
    server.register(QUICK);
    let hourly = json!({ "timing": { "kind": "cron", "expression": "0 * * * *" },
        "run": { "workflow": "quick", "variables": { "A": 1 } } });
    put(&server, "hourly", &hourly).expect(201);
    let paused = server.send("POST", "/api/v1/schedules/hourly/pause", &[], "").expect(200);
    assert_eq!((&paused["paused"], &paused["next_at"]), (&json!(true), &Value::Null));
    let started = server.send("POST", "/api/v1/schedules/hourly/trigger", &[], "").expect(201);
    let run = server.until(started["id"].as_str().unwrap(), "succeeded");
    assert_eq!(run["initiator"], "schedule:hourly");
    assert!(run["variables"].as_array().unwrap().iter().any(|it| it["name"] == "A"));
    let resumed = server.send("POST", "/api/v1/schedules/hourly/resume", &[], "").expect(200);
    assert!(resumed["next_at"].is_string());
}

#[test]
fn a_run_that_is_asked_for_belongs_to_what_its_request_does() {
    let server = Server::start();
    server.register(TRACED);
    let daily = json!({ "timing": { "kind": "cron", "expression": "0 0 * * *" },
        "run": { "workflow": "traced" } });
    put(&server, "daily", &daily).expect(201);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let trigger = |key: &str| {
        let headers = [
            ("x-correlation-id", "order-66"),
            ("traceparent", parent.as_str()),
            ("idempotency-key", key),
        ];
        server.send("POST", "/api/v1/schedules/daily/trigger", &headers, "")
    };
    let first = trigger("k").expect(201);
    let id = first["id"].as_str().unwrap();
    let run = server.until(id, "succeeded");
    assert_eq!(run["correlation_id"], "order-66");
    let seen = server.loom.read("trace");
    assert!(seen.starts_with(&format!("00-{trace}-")), "{seen}");
    let repeat = trigger("k").expect(200);
    assert_eq!((&repeat["id"], &repeat["repeated"]), (&first["id"], &json!(true)));
    assert_ne!(trigger("other").expect(201)["id"], first["id"]);
    assert_eq!(fired(&get(&server, "daily")), 2);
    // The key is the caller's, whatever it was used for.
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let start = r#"{"workflow":"traced"}"#;
    server.send("POST", "/api/v1/runs", &headers, start).problem(422, "L716");
}

#[test]
fn a_run_that_is_asked_for_and_refused_is_counted_as_that() {
    let server = Server::start();
    server.register(QUICK);
    let daily = json!({ "timing": { "kind": "cron", "expression": "0 0 * * *" },
        "run": { "workflow": "quick" } });
    put(&server, "daily", &daily).expect(201);
    server.send("POST", "/api/v1/workflows/default/quick/0.1.0/disable", &[], "").expect(200);
    server.send("POST", "/api/v1/schedules/daily/trigger", &[], "").problem(422, "L712");
    let found = get(&server, "daily");
    assert_eq!((fired(&found), &found["counts"]["refused"]), (0, &json!(1)));
    assert_eq!(found["active"], json!([]));
}

#[test]
fn what_is_secret_is_not_shown_whatever_the_workflow_says_later() {
    let server = Server::start();
    let sealed = format!("{}secrets: [PW]\n", QUICK.trim_start());
    server.register(&format!("{sealed}version: 0.1.0\n"));
    let variables = json!({ "PW": "hunter2-secret", "AUTH_TOKEN": "tok-secret", "A": "open" });
    let run = json!({ "workflow": "quick", "variables": variables });
    let daily = json!({ "timing": { "kind": "cron", "expression": "0 0 * * *" }, "run": run });
    let proof = json!({ "kind": "token", "secret": "a long enough secret" });
    let call = json!({ "kind": "request", "proof": proof, "run": run });
    let kept = [("/api/v1/schedules", daily), ("/api/v1/triggers", call)];
    let json = [("content-type", "application/json")];
    let check = |shown: &Value| {
        let hidden = json!({ "PW": "***", "AUTH_TOKEN": "***", "A": "open" });
        assert_eq!(shown["run"]["variables"], hidden, "{shown}");
    };
    for (place, spec) in &kept {
        let made = server.send("PUT", &format!("{place}/x"), &json, &spec.to_string());
        check(&made.expect(201));
    }
    // The latest version has no secrets.
    server.register(&format!("{}version: 0.2.0\n", QUICK.trim_start()));
    for (place, _) in &kept {
        check(&server.get(&format!("{place}/x")).expect(200));
        check(&server.get(place).expect(200)["items"][0]);
    }
}

#[test]
fn schedules_are_listed_replaced_and_deleted() {
    let server = Server::start();
    server.register(QUICK);
    let hourly = json!({ "timing": { "kind": "cron", "expression": "0 * * * *" },
        "run": { "workflow": "quick" } });
    for name in ["a", "b", "c"] {
        put(&server, name, &hourly).expect(201);
    }
    let page = server.get("/api/v1/schedules?limit=2").expect(200);
    assert_eq!(page["items"][1]["name"], "b");
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = server.get(&format!("/api/v1/schedules?limit=2&cursor={cursor}")).expect(200);
    assert_eq!((&page["items"][0]["name"], page.get("next_cursor")), (&json!("c"), None));

    let tag = server.get("/api/v1/schedules/a").header("etag").to_owned();
    let send = |headers: &[(&str, &str)]| {
        let all = [&[("content-type", "application/json")], headers].concat();
        server.send("PUT", "/api/v1/schedules/a", &all, &hourly.to_string())
    };
    send(&[("if-none-match", "*")]).problem(409, "L704");
    let replaced = send(&[("if-match", &tag)]);
    replaced.expect(200);
    send(&[("if-match", &tag)]).problem(412, "L705");
    let old = [("if-match", tag.as_str())];
    server.send("DELETE", "/api/v1/schedules/a", &old, "").problem(412, "L705");
    let new = [("if-match", replaced.header("etag"))];
    server.send("DELETE", "/api/v1/schedules/a", &new, "").expect(204);
    server.get("/api/v1/schedules/a").problem(404, "L703");
}

#[test]
fn what_cannot_be_scheduled_is_refused_with_a_reason() {
    let server = Server::start();
    server.register(QUICK);
    let timing = json!({ "kind": "every", "seconds": 1 });
    let run = json!({ "workflow": "quick" });
    let with = |field: &str, value: Value| {
        let mut spec = json!({ "timing": timing, "run": run });
        spec[field] = value;
        spec
    };
    for wrong in [
        with("timing", json!({ "kind": "cron", "expression": "every day" })),
        with("timing", json!({ "kind": "cron", "expression": "0 0 30 2 *" })),
        with(
            "timing",
            json!({ "kind": "cron", "expression": "* * * * *", "time_zone": "Nowhere" }),
        ),
        with("timing", json!({ "kind": "every", "seconds": 0 })),
        with("timing", json!({ "kind": "once", "at": "2001-01-01T00:00:00Z" })),
        with("run", json!({ "workflow": "quick", "start_at": "2100-01-01T00:00:00Z" })),
        with("run", json!({ "workflow": "quick", "variables": { "S": "***" } })),
        with("run", json!({ "workflow": "quick", "variables": { "1 x": 1 } })),
        with("run", json!({ "workflow": "quick", "workers": 0 })),
        with("run", json!({ "workflow": "quick", "tags": ["x".repeat(300)] })),
        with("jitter_s", json!(3601)),
        with("grace_s", json!(0)),
        with("catch_up", json!({ "kind": "all", "window_s": 0 })),
        with("unknown", json!(1)),
    ] {
        put(&server, "wrong", &wrong).problem(400, "L605");
    }
    put(&server, "wrong", &with("run", json!({ "workflow": "nothing" }))).problem(404, "L703");
    server.register(NEEDY);
    let needy = |variables: Value| {
        put(&server, "needy", &with("run", json!({ "workflow": "needy", "variables": variables })))
    };
    needy(json!({})).problem(422, "L713");
    needy(json!({ "WHO": "me" })).expect(201);
    put(&server, ".wrong", &with("jitter_s", json!(0))).problem(400, "L605");
    server.get("/api/v1/schedules/wrong").problem(404, "L703");
}

#[test]
fn a_run_that_cannot_start_is_told_of_and_the_schedule_goes_on() {
    let server = Server::start();
    server.register(QUICK);
    put(&server, "often", &every_second("quick")).expect(201);
    let version = "/api/v1/workflows/default/quick/0.1.0";
    server.send("POST", &format!("{version}/disable"), &[], "").expect(200);
    let found = until(&server, "often", "is refused", |it| it["counts"]["refused"] != 0);
    assert!(found["problem"].as_str().unwrap().starts_with("L712"), "{found}");
    server.send("POST", &format!("{version}/enable"), &[], "").expect(200);
    let before = fired(&get(&server, "often"));
    until(&server, "often", "goes on", |found| fired(found) > before);
}
