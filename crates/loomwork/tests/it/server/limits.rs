//! Limits on runs and tasks, by what runs say of themselves.

use super::harness::{Answer, Server};
use crate::watch::eventually;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Takes a while.
const SHORT: &str = "
name: short
tasks: [{ name: only, plugin: sleep, params: { duration: 60ms } }]
";

/// Runs until the file `go` is there.
const SLOW: &str = "
name: slow
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
";

/// One task in a queue, until the file `go` is there.
const QUEUED: &str = "
name: queued
tasks:
  - name: wait
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
    execution: { queue: gpu }
";

fn put(server: &Server, name: &str, spec: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    server.send("PUT", &format!("/api/v1/limits/{name}"), &headers, &spec.to_string())
}

fn start(server: &Server, request: &Value) -> String {
    let started = server.post("/api/v1/runs", request).expect(201);
    started["id"].as_str().unwrap().to_owned()
}

fn patch(server: &Server, run: &str, change: &Value) -> Answer {
    let headers = [("content-type", "application/json")];
    server.send("PATCH", &format!("/api/v1/runs/{run}"), &headers, &change.to_string())
}

fn get(server: &Server, run: &str) -> Value {
    server.get(&format!("/api/v1/runs/{run}")).expect(200)
}

fn why(server: &Server, run: &str) -> Value {
    server.get(&format!("/api/v1/runs/{run}/why")).expect(200)
}

fn time(run: &Value, field: &str) -> Timestamp {
    run[field].as_str().unwrap_or_else(|| panic!("{field} of {run}")).parse().unwrap()
}

/// From when to when each run was under way, once all have ended.
fn spans(server: &Server, runs: &[String]) -> Vec<(Timestamp, Timestamp)> {
    let span = |run: &String| {
        let found = server.until(run, "succeeded");
        (time(&found, "started_at"), time(&found, "finished_at"))
    };
    runs.iter().map(span).collect()
}

/// The most of these that overlap.
fn most_at_once(spans: &[(Timestamp, Timestamp)]) -> usize {
    let under_way = |at: Timestamp| spans.iter().filter(move |(from, to)| *from <= at && at < *to);
    spans.iter().map(|(from, _)| under_way(*from).count()).max().unwrap_or(0)
}

/// Waits until the run waits for a limit, and answers with what for.
fn until_waiting(server: &Server, run: &str) -> Value {
    eventually(&format!("run {run} waits"), || {
        let found = get(server, run);
        (found["state"] == "queued").then_some(())?;
        found.get("waits").cloned()
    })
}

fn go(server: &Server) {
    std::fs::write(server.loom.path("go"), "").unwrap();
}

#[test]
fn of_fifty_runs_never_more_than_three_are_under_way_also_over_a_crash() {
    let mut server = Server::start();
    server.register(SHORT);
    let spec = json!({ "counts": "runs", "workflow": "short", "max_runs": 3 });
    put(&server, "three", &spec).expect(201);
    let batch = json!({ "runs": vec![json!({ "workflow": "short" }); 50] });
    let batch = server.post("/api/v1/runs/batch", &batch);
    let runs: Vec<String> = batch.json()["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", batch.text))
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(runs.len(), 50);
    server.until(&runs[4], "succeeded");
    server.crash_and_restart();
    let spans = spans(&server, &runs);
    assert_eq!(most_at_once(&spans), 3);
    let view = eventually("nothing is taken any more", || {
        let view = server.get("/api/v1/limits/three").expect(200);
        (view["runs"] == 0).then_some(view)
    });
    assert_eq!(view["waiting"], 0, "{view}");
}

#[test]
fn runs_of_one_key_go_one_after_the_other_and_those_of_others_beside_them() {
    let server = Server::start();
    server.register(SHORT);
    server.register(
        &SHORT.replace("short", "tenant").replace("tasks", "env: { CUSTOMER: none }\ntasks"),
    );
    let by_request = json!({ "counts": "runs", "key": { "from": "request" }, "max_runs": 1 });
    let by_variable = json!({ "counts": "runs", "workflow": "tenant", "max_runs": 1,
        "key": { "from": "variables", "template": "{{CUSTOMER}}" } });
    put(&server, "request", &by_request).expect(201);
    put(&server, "variable", &by_variable).expect(201);
    let begin = |key: &str| {
        let by_key = json!({ "workflow": "short", "concurrency_key": key });
        let by_variable = json!({ "workflow": "tenant", "variables": { "CUSTOMER": key } });
        [start(&server, &by_key), start(&server, &by_variable)]
    };
    let mut runs: [[Vec<String>; 2]; 2] = Default::default();
    for _ in 0..6 {
        for (of_key, key) in runs.iter_mut().zip(["a", "b"]) {
            for (list, run) in of_key.iter_mut().zip(begin(key)) {
                list.push(run);
            }
        }
    }
    let free: Vec<String> =
        (0..4).map(|_| start(&server, &json!({ "workflow": "short" }))).collect();
    let all: Vec<String> = runs.iter().flatten().flatten().cloned().collect();
    for of_one in runs.iter().flatten() {
        assert_eq!(most_at_once(&spans(&server, of_one)), 1);
    }
    assert!(most_at_once(&spans(&server, &all)) > 1);
    assert_eq!(spans(&server, &free).len(), 4);
}

#[test]
fn in_no_second_do_more_begin_than_the_rate_allows_also_over_a_crash() {
    let mut server = Server::start();
    server.register(SHORT);
    let spec = json!({ "counts": "runs", "workflow": "short",
        "rate": { "starts": 3, "per_s": 1 } });
    put(&server, "rate", &spec).expect(201);
    let runs: Vec<String> =
        (0..12).map(|_| start(&server, &json!({ "workflow": "short" }))).collect();
    let waits = until_waiting(&server, &runs[11]);
    assert_eq!((&waits["limit"], &waits["lacks"]), (&json!("rate"), &json!("time")), "{waits}");
    server.until(&runs[3], "succeeded");
    server.crash_and_restart();
    let mut begun: Vec<Timestamp> =
        spans(&server, &runs).into_iter().map(|(from, _)| from).collect();
    begun.sort_unstable();
    for window in begun.windows(4) {
        let span = window[3].duration_since(window[0]);
        assert!(span >= SignedDuration::from_secs(1), "four in {span:?} of {begun:?}");
    }
}

#[test]
fn who_waits_is_told_why_goes_by_priority_and_can_be_changed_and_cancelled() {
    let server = Server::start();
    server.register(SLOW);
    server.register(SHORT);
    put(&server, "one", &json!({ "counts": "runs", "max_runs": 1 })).expect(201);
    let first = start(&server, &json!({ "workflow": "slow" }));
    server.until(&first, "running");
    let begin =
        |priority: i32| start(&server, &json!({ "workflow": "short", "priority": priority }));
    let [low, older, younger, high, gone] = [-1, 0, 0, 7, 9].map(begin);
    let waits = until_waiting(&server, &low);
    assert_eq!(waits["limit"], "one");
    eventually("the last is the fifth in line", || {
        let waits = until_waiting(&server, &low);
        (waits["place"] == 5 && waits["line"] == 5).then_some(())
    });
    let told = why(&server, &older);
    assert_eq!(told["waits"]["kind"], "limit", "{told}");
    assert_eq!(told["waits"]["wait"]["lacks"], "place");
    assert_eq!(told["waits"]["holders"]["first"][0]["run"], first, "{told}");
    let said = server.loom.loom(&["why", &low]).exits(0).out;
    assert!(said.contains("waits for the limit `one`"), "{said}");
    assert!(said.contains("5 of 5 in line"), "{said}");
    assert!(said.contains(&first[18..]), "{said}");
    let listed = server.get("/api/v1/runs?status=queued").expect(200);
    assert!(listed["items"].as_array().unwrap().iter().all(|run| run["waits"]["limit"] == "one"));

    server.send("POST", &format!("/api/v1/runs/{gone}/cancel"), &[], "").expect(200);
    server.until(&gone, "cancelled");
    let changed = patch(&server, &low, &json!({ "priority": 50 })).expect(200);
    assert_eq!(changed["priority"], 50);
    let page = server.get("/metrics").text;
    assert!(page.contains("loom_limit_waiting{limit=\"one\"} "), "{page}");
    assert!(page.contains("loom_limit_runs{limit=\"one\"} 1\n"), "{page}");
    go(&server);
    let order = [first, low, high, older, younger].map(|run| server.until(&run, "succeeded"));
    for pair in order.windows(2) {
        assert!(time(&pair[0], "finished_at") <= time(&pair[1], "started_at"), "{pair:?}");
    }
}

#[test]
fn a_limit_may_refuse_in_place_of_letting_wait() {
    let server = Server::start();
    server.register(SLOW);
    let spec = json!({ "counts": "runs", "workflow": "slow", "max_runs": 2,
        "when_full": "refuse" });
    put(&server, "door", &spec).expect(201);
    let request = json!({ "workflow": "slow" });
    let runs = [start(&server, &request), start(&server, &request)];
    let refused = server.post("/api/v1/runs", &request);
    let problem = refused.problem(429, "L765");
    assert!(problem["detail"].as_str().unwrap().contains("`door`"), "{problem}");
    assert_eq!(refused.header("retry-after"), "1");
    let listed = server.get("/api/v1/runs").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "the third was not made");
    go(&server);
    runs.iter().for_each(|run| drop(server.until(run, "succeeded")));
    eventually("there is room again", || {
        (server.post("/api/v1/runs", &request).status == 201).then_some(())
    });
}

#[test]
fn two_servers_on_one_store_keep_a_limit_together_also_over_the_crash_of_one() {
    let mut first = Server::start();
    let second = first.beside();
    first.register(SHORT);
    first.register(&SHORT.replace("short", "long").replace("60ms", "1h"));
    put(&first, "two", &json!({ "counts": "runs", "max_runs": 2 })).expect(201);
    eventually("the other server knows of it", || {
        let run = start(&second, &json!({ "workflow": "long" }));
        get(&second, &run).get("waits").map(drop)
    });
    let all = json!({ "filter": { "workflow": "long" } });
    second.post("/api/v1/runs/batch/cancel", &all).expect(200);
    eventually("they are over", || {
        let counts = second.get("/api/v1/runs/counts").expect(200);
        (counts["total"] == counts["by_state"]["cancelled"]).then_some(())
    });
    let mut runs = Vec::new();
    for _ in 0..15 {
        for server in [&first, &second] {
            runs.push(start(server, &json!({ "workflow": "short" })));
        }
    }
    second.until(&runs[5], "succeeded");
    first.crash_and_restart();
    let spans = spans(&second, &runs);
    assert_eq!(most_at_once(&spans), 2);
}

#[test]
fn runs_that_are_under_way_count_for_a_limit_that_is_made_later_and_waiting_ends_with_it() {
    let server = Server::start();
    server.register(SLOW);
    let request = json!({ "workflow": "slow" });
    let first = start(&server, &request);
    server.until(&first, "running");
    let spec = json!({ "counts": "runs", "workflow": "slow", "max_runs": 1 });
    let made = put(&server, "late", &spec);
    made.expect(201);
    let second = start(&server, &request);
    until_waiting(&server, &second);
    let headers = [("if-match", "\"1\"")];
    server.send("DELETE", "/api/v1/limits/late", &headers, "").problem(412, "L705");
    let etag = made.header("etag").to_owned();
    server.send("DELETE", "/api/v1/limits/late", &[("if-match", &etag)], "").expect(204);
    server.until(&second, "running");
    server.get("/api/v1/limits/late").problem(404, "L703");
    go(&server);
    [first, second].iter().for_each(|run| drop(server.until(run, "succeeded")));
}

#[test]
fn a_run_for_later_waits_for_its_time_and_then_for_its_limit() {
    let server = Server::start();
    server.register(SLOW);
    put(&server, "one", &json!({ "counts": "runs", "max_runs": 1 })).expect(201);
    let first = start(&server, &json!({ "workflow": "slow" }));
    server.until(&first, "running");
    let at = (Timestamp::now() + SignedDuration::from_secs(1)).to_string();
    let later = start(&server, &json!({ "workflow": "slow", "start_at": at }));
    assert_eq!(why(&server, &later)["waits"]["kind"], "start");
    until_waiting(&server, &later);
    go(&server);
    let (first, later) = (server.until(&first, "succeeded"), server.until(&later, "succeeded"));
    assert!(time(&later, "started_at") >= time(&later, "start_at"));
    assert!(time(&later, "started_at") >= time(&first, "finished_at"));
}

#[test]
fn a_limit_of_a_queue_holds_over_runs_and_a_task_that_waits_knows_who_has_it() {
    let server = Server::start();
    server.register(QUEUED);
    put(&server, "gpu", &json!({ "counts": "tasks", "queue": "gpu", "max_tasks": 1 })).expect(201);
    let first = start(&server, &json!({ "workflow": "queued" }));
    eventually("the task is under way", || {
        let task = &get(&server, &first)["tasks"][0];
        (task["phase"] == "running").then_some(())
    });
    let second = start(&server, &json!({ "workflow": "queued" }));
    let told = eventually("the task waits", || {
        let path = format!("/api/v1/runs/{second}/tasks/wait/why");
        let told = server.get(&path).expect(200);
        (told["phase"] == "ready").then_some(told)
    });
    let hold = &told["why"]["hold"];
    assert_eq!(
        (&hold["kind"], &hold["queue"], &hold["most"]),
        (&json!("queue"), &json!("gpu"), &json!(1))
    );
    let taker = &hold["others"]["first"][0];
    assert_eq!((&taker["run"], &taker["task"]), (&json!(first), &json!("wait")), "{told}");
    let of_run = why(&server, &second);
    assert_eq!(of_run["ready"]["first"][0]["hold"]["others"]["first"][0]["run"], first, "{of_run}");
    let said = server.loom.loom(&["why", &second]).exits(0).out;
    assert!(said.contains(&format!("wait of run {}", &first[18..])), "{said}");
    go(&server);
    let runs = [first, second].map(|run| server.until(&run, "succeeded"));
    let task = |run: &Value, field: &str| time(&run["tasks"][0]["attempts"][0], field);
    assert!(task(&runs[1], "started_at") >= task(&runs[0], "ended_at"), "{runs:?}");
}

#[test]
fn what_limits_cannot_be_is_refused_with_a_reason() {
    let server = Server::start();
    let spec = json!({ "counts": "runs", "max_runs": 1 });
    put(&server, "a", &spec).expect(201);
    put(&server, "a", &json!({ "counts": "runs", "max_runs": 2 })).expect(200);
    for (spec, what) in [
        (json!({ "counts": "runs" }), "allows everything"),
        (json!({ "counts": "runs", "max_runs": 0 }), "`max_runs`"),
        (json!({ "counts": "runs", "max_runs": 1001 }), "`max_runs`"),
        (json!({ "counts": "runs", "rate": { "starts": 0, "per_s": 1 } }), "`rate.starts`"),
        (json!({ "counts": "runs", "rate": { "starts": 1, "per_s": 90000 } }), "`rate.per_s`"),
        (json!({ "counts": "runs", "max_runs": 1, "queue": "q" }), "queue"),
        (json!({ "counts": "runs", "max_runs": 1, "namespace": "" }), "`namespace`"),
        (json!({ "counts": "tasks", "queue": "q", "max_tasks": 0 }), "`max_tasks`"),
        (json!({ "counts": "tasks", "queue": "", "max_tasks": 1 }), "`queue`"),
        (json!({ "counts": "sheep", "max_runs": 1 }), "sheep"),
        (
            json!({ "counts": "runs", "max_runs": 1,
                "key": { "from": "variables", "template": "CUSTOMER" } }),
            "names no variable",
        ),
    ] {
        let problem = put(&server, "b", &spec).problem(400, "L605");
        assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
    }
    put(&server, ".b", &spec).problem(400, "L605");
    let listed = server.get("/api/v1/limits").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["max_runs"], 2);
    server.register(SHORT);
    let wrong = json!({ "workflow": "short", "priority": 101 });
    server.post("/api/v1/runs", &wrong).problem(400, "L605");
}

#[test]
fn what_is_said_of_a_run_may_be_changed_and_what_it_is_not() {
    let server = Server::start();
    server.register(SHORT);
    let request = json!({ "workflow": "short", "tags": ["a"],
        "annotations": { "x": "1", "y": "2" }, "reason": "because" });
    let run = start(&server, &request);
    server.until(&run, "succeeded");
    let path = format!("/api/v1/runs/{run}");
    let tag = server.get(&path).header("etag").to_owned();
    let change = json!({ "tags": ["b", "c"], "annotations": { "x": null, "z": "3" } });
    let changed = patch(&server, &run, &change);
    let found = changed.expect(200);
    assert_eq!(found["tags"], json!(["b", "c"]));
    assert_eq!(found["annotations"], json!({ "y": "2", "z": "3" }));
    assert_eq!(found["reason"], "because");
    let runs = |query: &str| {
        let listed = server.get(&format!("/api/v1/runs?{query}")).expect(200);
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!((runs("tag=b&annotation=z%3D3"), runs("tag=a"), runs("annotation=x")), (1, 0, 0));

    let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
    server.send("PATCH", &path, &headers, r#"{ "reason": "late" }"#).problem(412, "L705");
    let headers = [("content-type", "application/json"), ("if-match", changed.header("etag"))];
    let found = server.send("PATCH", &path, &headers, r#"{ "reason": "in time" }"#).expect(200);
    assert_eq!(found["reason"], "in time");

    patch(&server, &run, &json!({ "variables": {} })).problem(422, "L766");
    patch(&server, &run, &json!({ "workflow": "w", "tags": [] })).problem(422, "L766");
    patch(&server, &run, &json!({ "priority": 5 })).problem(409, "L603");
    patch(&server, &run, &json!({ "color": "red" })).problem(400, "L605");
    patch(&server, &run, &json!({ "tags": ["x".repeat(300)] })).problem(400, "L605");
    assert_eq!(get(&server, &run)["tags"], json!(["b", "c"]));
    let audit = server.get("/api/v1/audit").expect(200);
    let noted = audit["items"].as_array().unwrap().iter();
    let changes = noted.filter(|entry| entry["action"] == "runs:update").count();
    assert_eq!(changes, 8, "{audit}");
}

#[test]
fn a_run_that_waits_does_not_begin_because_something_is_asked_of_it_after_a_crash() {
    let mut server = Server::start();
    server.register(SLOW);
    put(&server, "one", &json!({ "counts": "runs", "max_runs": 1 })).expect(201);
    let request = json!({ "workflow": "slow" });
    let first = start(&server, &request);
    server.until(&first, "running");
    let second = start(&server, &request);
    until_waiting(&server, &second);
    server.crash_and_restart();
    let path = format!("/api/v1/runs/{second}");
    let headers = [("content-type", "application/json")];
    let amend = r#"{ "max_attempts": 3 }"#;
    server.send("PATCH", &format!("{path}/tasks/wait"), &headers, amend).expect(200);
    server.send("POST", &format!("{path}/resume"), &[], "").problem(409, "L603");
    assert_eq!(get(&server, &second)["state"], "queued");
    until_waiting(&server, &second);
    server.send("POST", &format!("{path}/cancel"), &[], "").expect(200);
    server.until(&second, "cancelled");
    go(&server);
    server.until(&first, "succeeded");
}
