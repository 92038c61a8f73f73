//! Health, metrics, analytics, the log and what connects attempts with their callers.

use super::harness::Server;
use super::page::Page;
use super::receiver::Receiver;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Fails at first, then succeeds; `after` waits for it.
const FLAKY: &str = "
name: flaky
tasks:
  - name: try
    plugin: cmd
    outputs: [DONE]
    retry: { max_attempts: 3, backoff: fixed, initial: 1ms }
    params: { command: 'if [ -e once ]; then echo DONE=1; else touch once; sleep 0.05; echo cannot open /tmp/x/7 >&2; exit 75; fi' }
  - name: after
    plugin: cmd
    inputs: [DONE]
    params: { command: 'true' }
";

fn page(server: &Server) -> Page {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    Page::read(&answer.text)
}

/// The answer, once it covers so many attempts.
fn covering(server: &Server, path: &str, attempts: u64) -> Value {
    eventually(&format!("{attempts} attempts in {path}"), || {
        let found = server.get(path).expect(200);
        (found["basis"]["attempts"] == attempts).then_some(found)
    })
}

#[test]
fn probes_try_what_they_tell() {
    let server = Server::start();
    assert_eq!(server.get("/health/live").expect(200), json!({ "alive": true }));
    let ready = server.get("/health/ready").expect(200);
    assert_eq!(ready["ready"], true);
    for check in ["store", "disk", "engine", "feed"] {
        assert_eq!(ready["checks"][check]["healthy"], true, "{ready}");
    }
    server.register(FLAKY);
    let run = server.begin("flaky");
    server.until(&run, "succeeded");
    let status = server.get("/health/status").expect(200);
    assert_eq!((&status["runs"]["succeeded"], &status["streams"]), (&json!(1), &json!(0)));
    assert!(status["uptime_s"].as_f64().unwrap() > 0.0, "{status}");
    server.register(
        "
name: waits
tasks:
  - name: again
    plugin: cmd
    outputs: [X]
    retry: { max_attempts: 2, backoff: fixed, initial: 1h }
    params: { command: 'exit 75' }
  - { name: after, plugin: cmd, inputs: [X], params: { command: 'true' } }
",
    );
    server.begin("waits");
    let tasks = eventually("a task backs off", || {
        let tasks = server.get("/health/status").expect(200)["tasks"].clone();
        (tasks["backing_off"] == 1).then_some(tasks)
    });
    assert_eq!((&tasks["waiting"], &tasks["running"]), (&json!(1), &json!(0)));
    let status = server.get("/health/status").expect(200);
    assert_eq!(status["retries"], json!({ "backing_off": 1, "exhausted": 0 }));
    assert_eq!(status["queued"], json!({ "later": 0, "limited": 0, "other": 0 }));
}

#[test]
fn the_status_says_what_queued_runs_wait_for_and_which_tasks_gave_up() {
    let server = Server::start();
    server.register(
        "
name: stuck
tasks:
  - name: gate
    plugin: cmd
    params: { command: 'while [ ! -e go ] && [ -e $LOOM_STORE ]; do sleep 0.02; done' }
  - name: often
    plugin: cmd
    retry: { max_attempts: 2, backoff: none }
    params: { command: 'exit 75' }
  - { name: once, plugin: cmd, params: { command: 'exit 75' } }
",
    );
    let limit = json!({ "counts": "runs", "workflow": "stuck", "max_runs": 1 }).to_string();
    let headers = [("content-type", "application/json")];
    server.send("PUT", "/api/v1/limits/one", &headers, &limit).expect(201);
    let first = server.begin("stuck");
    server.until(&first, "running");
    let second = server.begin("stuck");
    for _ in 0..2 {
        let later = json!({ "workflow": "stuck", "start_at": "2099-01-01T00:00:00Z" });
        server.post("/api/v1/runs", &later).expect(201);
    }
    let expected = json!({ "later": 2, "limited": 1, "other": 0 });
    eventually("all is told apart", || {
        let status = server.get("/health/status").expect(200);
        let is_told = status["queued"] == expected && status["retries"]["exhausted"] == 1;
        (is_told && status["runs"]["queued"] == 3).then_some(())
    });
    std::fs::write(server.loom.path("go"), "").unwrap();
    server.until(&second, "failed");
    eventually("the limit has let it begin", || {
        let status = server.get("/health/status").expect(200);
        (status["queued"] == json!({ "later": 2, "limited": 0, "other": 0 })).then_some(())
    });
}

#[test]
fn probes_are_open_and_the_rest_is_not() {
    let server = Server::with(Loom::new(), &["--access"]);
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(server.get("/health/ready").status, 200);
    server.get("/health/status").problem(401, "L701");
    server.get("/metrics").problem(401, "L701");
    let open = Server::with(Loom::new(), &["--access", "--open-metrics"]);
    page(&open);
    open.get("/health/status").problem(401, "L701");
}

#[test]
fn metrics_count_what_happened() {
    let server = Server::start();
    server.register(FLAKY);
    let run = server.begin("flaky");
    server.until(&run, "succeeded");
    server.get("/api/v1/nowhere").problem(404, "L703");
    let of = [("namespace", "default"), ("workflow", "flaky")];
    let with = |name, value| [of[0], of[1], (name, value)];
    let page = eventually("the run is counted", || {
        let page = page(&server);
        (page.whole("loom_runs_finished_total", &with("outcome", "succeeded")) == 1).then_some(page)
    });
    assert_eq!(page.whole("loom_runs_started_total", &of), 1);
    assert_eq!(page.whole("loom_tasks_settled_total", &with("outcome", "succeeded")), 2);
    assert_eq!(page.whole("loom_attempts_total", &with("result", "succeeded")), 2);
    assert_eq!(page.whole("loom_attempts_total", &with("result", "failed")), 1);
    assert_eq!(page.whole("loom_retries_total", &of), 1);
    assert_eq!(page.whole("loom_attempt_duration_seconds_count", &of), 3);
    assert!(page.sum("loom_attempt_duration_seconds_sum", &of) >= 0.05);
    assert_eq!(page.whole("loom_run_duration_seconds_count", &of), 1);
    assert_eq!(page.whole("loom_failures_total", &[("kind", "exit")]), 1);
    assert_eq!(page.whole("loom_runs", &[("state", "succeeded")]), 1);
    assert_eq!(page.whole("loom_tasks_ready", &[]), 0);
    assert!(page.sum("loom_commit_seconds_count", &[]) >= 3.0);
    assert!(page.sum("loom_commit_events_sum", &[]) >= 7.0);
    assert!(page.sum("loom_feed_lag_seconds_count", &[]) >= 3.0);
    let post = [("route", "/api/v1/runs"), ("method", "POST"), ("status", "201")];
    assert_eq!(page.whole("loom_http_requests_total", &post), 1);
    let lost = [("route", "none"), ("status", "404")];
    assert_eq!(page.whole("loom_http_requests_total", &lost), 1);
    assert!(page.sum("process_resident_memory_bytes", &[]) > 1e6);
    assert!(page.sum("process_open_fds", &[]) > 3.0);
}

#[test]
fn callers_cannot_make_more_series_than_there_are_routes() {
    let server = Server::start();
    let count = |server: &Server| page(server).count("loom_http_requests_total");
    count(&server);
    server.send("BREW", "/api/v1/nowhere", &[], "");
    let before = count(&server);
    for n in 0..20 {
        server.get(&format!("/api/v1/nowhere/{n}")).problem(404, "L703");
        server.send(&format!("BREW{n}"), "/", &[], "").problem(404, "L703");
        server.get(&format!("/api/v1/runs/{n}")).problem(404, "L601");
    }
    assert!(count(&server) <= before + 2, "two routes were asked for");
}

#[test]
fn analytics_tell_what_was_recorded_and_survive_a_restart() {
    let mut server = Server::start();
    server.register(FLAKY);
    let run = server.begin("flaky");
    server.until(&run, "succeeded");
    for turn in 0..2 {
        let performance = covering(&server, "/api/v1/analytics/performance", 3);
        let window = &performance["windows"][0];
        assert_eq!((&window["hours"], &window["runs_succeeded"]), (&json!(1), &json!(1)));
        assert_eq!(
            (&window["attempts_succeeded"], &window["attempts_failed"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(window["run_success_rate"], 1.0);
        let times = &performance["task_time"];
        assert_eq!(times["count"], 3);
        assert!(times["max_s"].as_f64().unwrap() >= 0.05, "{times}");
        assert!(times["p50_s"].as_f64() <= times["p99_s"].as_f64(), "{times}");

        let found = covering(&server, "/api/v1/analytics/bottlenecks", 3);
        assert_eq!(found["slowest_tasks"][0]["task"], "try");
        assert_eq!(found["slowest_tasks"][0]["failed"], 1);
        assert_eq!(found["slowest_runs"][0]["run"], run.as_str());
        let pattern = &found["error_patterns"][0];
        assert_eq!((&pattern["kind"], &pattern["count"]), (&json!("exit"), &json!(1)));
        assert!(!pattern["pattern"].as_str().unwrap().contains("75"), "{pattern}");
        let retries = &found["retries"];
        assert_eq!(
            (&retries[0]["success_rate"], &retries[1]["success_rate"]),
            (&json!(0.5), &json!(1.0))
        );
        let blocker = &found["blockers"][0];
        assert_eq!((&blocker["task"], &blocker["blocked"]), (&json!("try"), &json!("after")));
        assert!(blocker["total_s"].as_f64().unwrap() >= 0.05, "{blocker}");
        if turn == 0 {
            server.crash_and_restart();
        }
    }
    let other = server.get("/api/v1/analytics/performance?workflow=other").expect(200);
    assert_eq!((&other["basis"]["attempts"], &other["task_time"]), (&json!(0), &Value::Null));
    for (version, attempts) in [("0.1.0", 3), ("0.2.0", 0)] {
        let query = format!("workflow=flaky&version={version}");
        for what in ["performance", "bottlenecks"] {
            let found = server.get(&format!("/api/v1/analytics/{what}?{query}")).expect(200);
            assert_eq!(found["basis"]["attempts"], attempts, "{what} {version}");
        }
    }
    server.get("/api/v1/analytics/performance?hours=0").problem(400, "L605");
    server.get("/api/v1/analytics/bottlenecks?wrong=1").problem(400, "L605");
}

#[test]
fn analytics_tell_of_the_runs_that_are_there() {
    let server = Server::start();
    server.register(FLAKY);
    let ran = |()| {
        let run = server.begin("flaky");
        server.until(&run, "succeeded");
        run
    };
    // The first attempt of them all fails.
    let runs = [(); 3].map(ran);
    covering(&server, "/api/v1/analytics/performance", 7);
    let by_hand = server.send("DELETE", &format!("/api/v1/runs/{}", runs[0]), &[], "");
    assert_eq!(by_hand.status, 204);
    let left = server.get("/api/v1/analytics/performance").expect(200);
    assert_eq!(left["basis"]["attempts"], 4, "at once");
    let found = server.get("/api/v1/analytics/bottlenecks").expect(200);
    let slowest = found["slowest_runs"].as_array().unwrap();
    assert!(slowest.len() == 2 && slowest.iter().all(|run| run["run"] != runs[0].as_str()));
    let json = [("content-type", "application/json")];
    server.send("PUT", "/api/v1/retention/all", &json, r#"{"keep_s": 0}"#).expect(201);
    covering(&server, "/api/v1/analytics/performance", 0);
}

#[test]
fn a_run_that_never_started_has_an_outcome_and_took_no_time() {
    let server = Server::start();
    server.register(FLAKY);
    let later = json!({ "workflow": "flaky", "start_at": "2099-01-01T00:00:00Z" });
    let run = server.post("/api/v1/runs", &later).expect(201)["id"].as_str().unwrap().to_owned();
    server.send("POST", &format!("/api/v1/runs/{run}/cancel"), &[], "").expect(200);
    let of = [("namespace", "default"), ("workflow", "flaky")];
    let page = eventually("it is counted", || {
        let page = page(&server);
        let cancelled = [of[0], of[1], ("outcome", "cancelled")];
        (page.whole("loom_runs_finished_total", &cancelled) == 1).then_some(page)
    });
    assert_eq!(page.whole("loom_runs_started_total", &of), 0);
    assert_eq!(page.whole("loom_run_duration_seconds_count", &of), 0);
    let found = server.get("/api/v1/analytics/performance").expect(200);
    let window = &found["windows"][0];
    assert_eq!((&window["runs_cancelled"], &found["basis"]["runs"]), (&json!(1), &json!(1)));
    assert_eq!((&window["mean_run_s"], &found["run_time"]), (&Value::Null, &Value::Null));
    let found = server.get("/api/v1/analytics/bottlenecks").expect(200);
    assert_eq!(found["slowest_runs"], json!([]));
    let found = server.get(&format!("/api/v1/runs/{run}/analysis")).expect(200);
    assert_eq!(found["took_s"], 0.0);
}

#[test]
fn a_run_that_is_retried_is_one_run_with_its_last_end() {
    let mut server = Server::start();
    server.register(
        "
name: again
tasks: [{ name: only, plugin: cmd, params: { command: '[ -e good ]' } }]
",
    );
    let run = server.begin("again");
    server.until(&run, "failed");
    let retry = |server: &Server, seq: u64| {
        server.send("POST", &format!("/api/v1/runs/{run}/retry"), &[], "").expect(200);
        eventually("it has ended again", || {
            let found = server.get(&format!("/api/v1/runs/{run}")).expect(200);
            let is_over =
                found["finished_at"].is_string() && found["last_seq"].as_u64() > Some(seq);
            is_over.then(|| found["last_seq"].as_u64().unwrap())
        })
    };
    let seq = retry(&server, 5);
    std::fs::write(server.loom.path("good"), "").unwrap();
    retry(&server, seq);
    server.until(&run, "succeeded");
    for turn in 0..2 {
        let found = covering(&server, "/api/v1/analytics/performance", 3);
        let window = &found["windows"][0];
        let of = |outcome: &str| window[outcome].as_u64().unwrap();
        assert_eq!((of("runs_succeeded"), of("runs_failed"), of("attempts_failed")), (1, 0, 2));
        assert_eq!((&found["basis"]["runs"], &found["run_time"]["count"]), (&json!(1), &json!(1)));
        let found = covering(&server, "/api/v1/analytics/bottlenecks", 3);
        let slowest = found["slowest_runs"].as_array().unwrap();
        assert_eq!((slowest.len(), &slowest[0]["outcome"]), (1, &json!("succeeded")), "{found}");
        if turn == 0 {
            server.crash_and_restart();
        }
    }
}

#[test]
fn a_run_is_taken_apart() {
    let server = Server::start();
    server.register(
        "
name: fork
tasks:
  - { name: long, plugin: sleep, params: { duration: 150ms } }
  - { name: short, plugin: sleep, params: { duration: 50ms } }
  - { name: join, plugin: cmd, execution: { depends_on: [long, short] }, params: { command: 'exit 1' } }
  - { name: never, plugin: noop, execution: { depends_on: [join] } }
",
    );
    let run = server.begin("fork");
    server.until(&run, "failed");
    let found = server.get(&format!("/api/v1/runs/{run}/analysis")).expect(200);
    let path = found["critical_path"].as_array().unwrap();
    let path: Vec<&str> = path.iter().map(|link| link["task"].as_str().unwrap()).collect();
    assert_eq!(path, ["long", "join"]);
    let parallelism = &found["parallelism"];
    assert_eq!(parallelism["peak"], 2, "{parallelism}");
    assert!(parallelism["possible"].as_f64().unwrap() > 1.0, "{parallelism}");
    let task = |name: &str| {
        let tasks = found["tasks"].as_array().unwrap();
        tasks.iter().find(|task| task["task"] == name).unwrap()
    };
    assert_eq!(task("join")["waited_for"], "long");
    assert!(task("join")["blocked_s"].as_f64().unwrap() >= 0.15);
    assert!(task("short")["slack_s"].as_f64().unwrap() > 0.05, "{}", task("short"));
    assert_eq!(task("long")["slack_s"], 0.0);
    assert_eq!((&task("long")["downstream"], &task("long")["impact"]), (&json!(2), &json!(0)));
    // One task downstream, which is blocked: (5 + 15) × 2.5, three for the attempt, 20 as the
    // attempts are used up.
    let join = task("join");
    assert_eq!((&join["impact"], &join["severity"]), (&json!(73), &json!("high")), "{join}");
    server.get("/api/v1/runs/nosuch/analysis").problem(404, "L601");
}

#[test]
fn what_belongs_together_has_one_identity() {
    let server = Server::with(Loom::new(), &["--log-style", "json", "--private-receivers"]);
    let receiver = Receiver::start(SECRET);
    let webhook = json!({ "url": receiver.url(), "secret": SECRET });
    let webhook = server.post("/api/v1/webhooks", &webhook).expect(201)["webhook"]["id"].clone();
    server.register(
        "
name: told
tasks:
  - name: tell
    plugin: cmd
    params: { command: 'echo \"$LOOM_CORRELATION_ID\" > told' }
",
    );
    let body = json!({ "workflow": "told" }).to_string();
    let headers = [("content-type", "application/json"), ("x-correlation-id", "order-66")];
    let started = server.send("POST", "/api/v1/runs", &headers, &body);
    assert_eq!(started.header("x-correlation-id"), "order-66");
    let run = started.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(server.until(&run, "succeeded")["correlation_id"], "order-66");
    assert_eq!(server.loom.read("told"), "order-66\n");
    eventually("the webhook has heard of its end", || {
        let taken = receiver.taken();
        assert!(taken.iter().all(|it| it.matter.as_deref() == Some("order-66")), "{taken:?}");
        taken.iter().any(|it| it.body["type"] == "run.finished").then_some(())
    });
    let taken = receiver.taken();
    let start = taken.iter().find(|it| it.body["type"] == "run.started").unwrap();
    assert_eq!(start.body["correlation_id"], "order-66");
    let test = format!("/api/v1/webhooks/{}/test", webhook.as_str().unwrap());
    server.send("POST", &test, &[], "").expect(200);
    assert_eq!(receiver.deliveries().last().unwrap().matter, None, "a test is of no run");

    let made = server.send("GET", "/health/live", &[("x-correlation-id", "not one")], "");
    let made = made.header("x-correlation-id");
    assert_eq!(made.len(), 26, "{made}");
    let line = eventually("the request is logged", || {
        let said = server.said();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .into_iter()
            .find(|line| line["correlation_id"] == "order-66" && line["method"] == "POST")
    });
    assert_eq!((&line["status"], &line["path"]), (&json!(201), &json!("/api/v1/runs")));
    assert_eq!((&line["level"], &line["message"]), (&json!("info"), &json!("request")));
}

#[test]
fn each_attempt_is_a_span_of_its_callers_trace() {
    let server = Server::start();
    server.register(
        "
name: traced
tasks:
  - name: try
    plugin: cmd
    retry: { max_attempts: 2, backoff: none }
    params: { command: 'echo \"$TRACEPARENT\" >> spans; exit 1' }
",
    );
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = json!({ "workflow": "traced" }).to_string();
    let headers = [("content-type", "application/json"), ("traceparent", parent.as_str())];
    let started = server.send("POST", "/api/v1/runs", &headers, &body).expect(201);
    server.until(started["id"].as_str().unwrap(), "failed");
    let text = server.loom.read("spans");
    let spans: Vec<&str> = text.lines().collect();
    assert_eq!(spans.len(), 2, "{text}");
    assert_ne!(spans[0], spans[1]);
    for span in spans {
        assert!(span.starts_with(&format!("00-{trace}-")) && span.ends_with("-01"), "{span}");
        assert_ne!(span, parent);
    }
}
