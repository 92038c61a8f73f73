//! Our own runs are reported to others.

use super::super::access::make;
use super::super::harness::Server;
use super::{history, phases};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CHAIN: &str = "
name: chain
secrets: [S]
tasks:
  - { name: make, plugin: cmd, outputs: [A, S], params: { command: 'echo A=1; echo S=hush-hush' } }
  - name: use it
    plugin: cmd
    inputs: [A, S]
    outputs: [B]
    execution: { parallel_group: last }
    retry: { max_attempts: 3, backoff: fixed, initial: 1ms }
    params: { command: 'if mkdir once-$LOOM_RUN_ID 2>/dev/null; then echo broken >&2; exit 7; fi; echo B=two' }
";

/// A call as it came, and whether it was taken.
#[derive(Clone, Debug)]
struct Call {
    line: String,
    token: Option<String>,
    body: Value,
    taken: bool,
}

/// What the far side fails at.
const POISON: &str = "poison";

/// A far side that takes calls, or answers with another status.
struct Far {
    port: u16,
    status: Arc<AtomicU16>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Far {
    fn start() -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn at(listener: TcpListener) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (status, calls) = (Arc::new(AtomicU16::new(200)), Arc::default());
        let far = Self { port, status: Arc::clone(&status), calls: Arc::clone(&calls) };
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (status, calls) = (Arc::clone(&status), Arc::clone(&calls));
                std::thread::spawn(move || while answer(&stream, &status, &calls).is_some() {});
            }
        });
        far
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/far/", self.port)
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// What was taken, as lines, by workflow.
    fn taken(&self) -> BTreeMap<String, Vec<String>> {
        let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in self.calls().into_iter().filter(|call| call.taken) {
            let id = call.body["workflow_id"].as_str().map(str::to_owned);
            let of_path = || call.line.split("/workflows/").nth(1).unwrap()[..36].to_owned();
            let status = call.body["status"].as_str().unwrap_or("-").to_owned();
            taken
                .entry(id.unwrap_or_else(of_path))
                .or_default()
                .push(format!("{} {status}", call.line));
        }
        taken
    }

    /// Waits until so many workflows have ended.
    fn until_ended(&self, count: usize) -> BTreeMap<String, Vec<String>> {
        eventually(&format!("{count} ends"), || {
            let taken = self.taken();
            let has_ended = |lines: &&Vec<String>| lines.iter().any(|line| is_end(line));
            (taken.values().filter(has_ended).count() == count).then_some(taken)
        })
    }
}

fn is_end(line: &str) -> bool {
    line.starts_with("PATCH /far/workflows/") && !line.ends_with("In progress")
}

fn answer(mut stream: &TcpStream, status: &AtomicU16, calls: &Mutex<Vec<Call>>) -> Option<()> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let first = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let (mut length, mut token) = (0, None);
    loop {
        line.clear();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-user-token" => token = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).unwrap();
    let status =
        if body.to_string().contains(POISON) { 500 } else { status.load(Ordering::SeqCst) };
    calls.lock().unwrap().push(Call { line: first, token, body, taken: status == 200 });
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").ok()
}

/// A server that reports there.
fn reporting(url: &str, token: &str) -> Server {
    Server::with(Loom::new(), &["--report-url", url, "--report-token", token])
}

/// What is told of a run of [`CHAIN`].
fn chain(id: &str) -> Vec<String> {
    let lines = [
        "POST /far/workflows -",
        "POST /far/workflows/ID/tasks Not started",
        "POST /far/workflows/ID/tasks Not started",
        "PATCH /far/workflows/ID In progress",
        "PATCH /far/tasks/make In progress",
        "PATCH /far/tasks/make Completed",
        "PATCH /far/tasks/use%20it In progress",
        "PATCH /far/tasks/use%20it Retry",
        "PATCH /far/tasks/use%20it In progress",
        "PATCH /far/tasks/use%20it Completed",
        "PATCH /far/workflows/ID Completed",
    ];
    lines.map(|line| line.replace("ID", id)).to_vec()
}

#[test]
fn runs_are_reported_in_the_sources_shape() {
    let far = Far::start();
    let server = reporting(&far.url(), "tok-123");
    server.register(CHAIN);
    server.begin("chain");
    let taken = far.until_ended(1);
    let (id, lines) = taken.first_key_value().unwrap();
    assert_eq!(lines, &chain(id));
    let calls = far.calls();
    assert!(calls.iter().all(|call| call.token.as_deref() == Some("tok-123")));
    assert!(!calls.iter().any(|call| call.body.to_string().contains("hush-hush")));
    assert_eq!(calls[0].body["workflow_name"], "chain");
    let last = &calls[9].body;
    assert_eq!(last["workflow_id"], id.as_str());
    assert_eq!(last["current_context"], json!({ "B": "two" }));
    assert_eq!(last["initial_context"], json!({ "A": "1", "S": "***" }));
    assert_eq!((&last["retry_count"], &last["group_name"]), (&json!(1), &json!("last")));
    assert_eq!(last["errors"][0]["attempt"], 1);
    assert!(last["errors"][0]["traceback"].as_str().unwrap().contains("broken"));
    assert!(last["duration"].as_f64().unwrap() > 0.0);
    assert!(calls[10].body["duration"].as_f64().unwrap() > 0.0);
    let said = server.loom.beside().env("LOOM_REPORT_TOKEN", "tok-123").loom(&["config"]);
    let said = said.exits(0).says("report.token");
    assert!(!said.out.contains("tok-123"), "{}", said.out);
}

#[test]
fn while_the_far_side_is_down_runs_go_on_and_nothing_is_lost() {
    let far = Far::start();
    far.answers(503);
    let server = reporting(&far.url(), "t");
    server.register(CHAIN);
    let begun = Instant::now();
    let runs: Vec<String> = (0..5).map(|_| server.begin("chain")).collect();
    for run in &runs {
        server.until(run, "succeeded");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "they do not wait for the far side");
    assert!(far.taken().is_empty());
    eventually("somebody is told", || server.said().contains("cannot be reported").then_some(()));
    far.answers(200);
    for (id, lines) in far.until_ended(5) {
        assert_eq!(lines, chain(&id));
    }
    eventually("that too", || server.said().contains("reported again").then_some(()));
}

#[test]
fn what_the_far_side_never_takes_holds_up_nothing() {
    let far = Far::start();
    far.answers(422);
    let server = reporting(&far.url(), "t");
    server.register(CHAIN);
    let run = server.begin("chain");
    server.until(&run, "succeeded");
    eventually("all was tried", || (far.calls().len() >= 11).then_some(()));
    far.answers(200);
    server.begin("chain");
    let taken = far.until_ended(1);
    assert_eq!(taken.values().next().unwrap().len(), 11);
    assert!(server.said().contains("given up"), "{}", server.said());
}

#[test]
fn a_run_that_the_far_side_fails_at_holds_up_no_other() {
    let far = Far::start();
    let mut server = reporting(&far.url(), "t");
    server.register(CHAIN);
    server.register("{ name: poison, tasks: [{ name: a, plugin: noop }] }");
    let poisoned = server.begin(POISON);
    server.until(&poisoned, "succeeded");
    for round in 1..=2 {
        server.begin("chain");
        for (id, lines) in far.until_ended(round) {
            check_repeats(&lines, &chain(&id));
        }
        let said = format!("run {poisoned} is reported no further");
        eventually("somebody is told", || server.said().contains(&said).then_some(()));
        server.crash_and_restart();
    }
    // It is remembered, and tried no more.
    let tried = || far.calls().iter().filter(|call| !call.taken).count();
    let before = tried();
    server.begin("chain");
    far.until_ended(3);
    assert_eq!(tried(), before);
}

#[test]
fn a_reporter_that_is_killed_loses_nothing_and_begins_nothing_anew() {
    let far = Far::start();
    let mut server = reporting(&far.url(), "t");
    server.register(CHAIN);
    for round in 1..=3 {
        // It is killed while it reports, or before it could.
        far.answers(if round == 2 { 503 } else { 200 });
        let runs: Vec<String> = (0..8).map(|_| server.begin("chain")).collect();
        let calls = far.calls().len();
        eventually("reports are under way", || (far.calls().len() > calls).then_some(()));
        server.crash_and_restart();
        far.answers(200);
        for run in runs {
            server.until(&run, "succeeded");
        }
        for (id, lines) in far.until_ended(8 * round) {
            check_repeats(&lines, &chain(&id));
        }
    }
}

/// Every line is there. What a crash repeats are the last lines before it, in their order; and the
/// end, if it comes twice, has nothing between.
fn check_repeats(lines: &[String], expected: &[String]) {
    for line in expected {
        assert!(lines.contains(line), "{line} is missing in {lines:#?}");
    }
    let end = lines.iter().position(|line| is_end(line)).unwrap();
    assert!(lines[end..].iter().all(|line| is_end(line)), "{lines:#?}");
}

#[test]
fn a_run_without_a_server_is_reported_as_well() {
    let far = Far::start();
    let url = far.url();
    let loom = Loom::with(CHAIN).env("DOTFLOW_SERVER_URL", &url).env("DOTFLOW_USER_TOKEN", "tok");
    loom.loom(&["run", "w.yaml"]).exits(0);
    let (id, lines) = far.taken().pop_first().unwrap();
    assert_eq!(lines, chain(&id));
    assert_eq!(far.calls()[0].token.as_deref(), Some("tok"));
    // The far side is away: the run ends as quickly, and the next one tells of both.
    far.answers(500);
    let begun = Instant::now();
    loom.loom(&["run", "w.yaml"]).exits(0).warns("cannot be reported");
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(far.taken().len(), 1);
    far.answers(200);
    loom.loom(&["run", "w.yaml"]).exits(0);
    let taken = far.taken();
    assert_eq!(taken.len(), 3);
    for (id, lines) in taken {
        assert_eq!(lines, chain(&id));
    }
    loom.env("LOOM_REPORT_URL", "nonsense").loom(&["run", "w.yaml"]).exits(2).warns("L717");
}

#[test]
fn of_several_processes_one_reports() {
    let far = Far::start();
    let server = reporting(&far.url(), "t");
    let beside =
        server.loom.beside().file("w.yaml", &format!("workflow:{}", CHAIN.replace('\n', "\n  ")));
    let beside = beside.env("LOOM_REPORT_URL", &far.url()).env("LOOM_REPORT_TOKEN", "t");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| beside.loom(&["run", "w.yaml"]).exits(0));
        }
    });
    for (id, lines) in far.until_ended(3) {
        assert_eq!(lines, chain(&id));
    }
}

#[test]
fn what_one_loom_reports_another_shows() {
    let shows = Server::with(Loom::new(), &["--access"]);
    let token = make(&shows.loom, "reporter", &["--role", "operator"]);
    let token = token["token"].as_str().unwrap().to_owned();
    let mut server = reporting(&shows.url("/dotflow"), &token);
    server.register(CHAIN);
    server.register(
        "
name: fails
tasks:
  - { name: boom, plugin: cmd, params: { command: 'echo why >&2; exit 3' } }
  - { name: list, plugin: cmd, for_each: [1, 2], params: { command: 'true' } }
  - { name: after, plugin: cmd, execution: { depends_on: [boom] }, params: { command: 'true' } }
",
    );
    let (good, bad) = (server.begin("chain"), server.begin("fails"));
    let (good, bad) = (server.until(&good, "succeeded"), server.until(&bad, "failed"));
    let mut shows = shows;
    shows.set_token(make(&shows.loom, "looks", &["--role", "admin"])["token"].as_str().unwrap());
    let shown = |workflow: &str| {
        eventually("both have ended", || {
            let list = shows.get(&format!("/api/v1/runs?workflow={workflow}")).expect(200);
            let state = list["items"][0]["state"].as_str().unwrap_or_default().to_owned();
            matches!(state.as_str(), "succeeded" | "failed").then_some(())
        });
        shows.only_run(workflow)
    };
    let there = shown("chain");
    assert_eq!((&there["state"], &there["external"]), (&json!("succeeded"), &json!("dotflow")));
    assert_eq!(phases(&there), phases(&good));
    let (ours, theirs) = (&good["tasks"][1]["attempts"], &there["tasks"][1]["attempts"]);
    assert_eq!(ours.as_array().unwrap().len(), theirs.as_array().unwrap().len());
    let path = format!("/api/v1/runs/{}/tasks/use%20it", there["id"].as_str().unwrap());
    let task = shows.get(&path).expect(200);
    assert_eq!(task["outputs"][0]["value"], json!({ "B": "two" }));
    let there = shown("fails");
    // There is no word for a task that was skipped: it never ended.
    let mut expected = phases(&bad);
    expected[2].1 = "cancelled".to_owned();
    assert_eq!(phases(&there), expected);
    let failure = &there["tasks"][0]["attempts"][0]["failure"];
    assert!(failure["message"].as_str().unwrap().contains("status 3"), "{failure}");
    assert_eq!(failure["tail"], json!(["why"]));
    // What was reported to us is not reported on: two servers would tell each other for ever.
    server.reported("POST", "/workflows", &json!({ "id": "x", "name": "foreign" }));
    server.reported("PATCH", "/workflows/x", &json!({ "status": "Completed" }));
    let last = server.begin("chain");
    server.until(&last, "succeeded");
    eventually("the last run is shown", || {
        let list = shows.get("/api/v1/runs?workflow=chain&status=succeeded").expect(200);
        (list["items"].as_array().unwrap().len() == 2).then_some(())
    });
    let foreign = shows.get("/api/v1/runs?workflow=foreign").expect(200);
    assert_eq!(foreign["items"], json!([]));
    // Each run is one there, however often the reporter dies.
    for _ in 0..3 {
        server.begin("chain");
        server.crash_and_restart();
    }
    eventually("all are shown", || {
        let list = shows.get("/api/v1/runs?workflow=chain&status=succeeded").expect(200);
        (list["items"].as_array().unwrap().len() == 5).then_some(())
    });
    let all = shows.get("/api/v1/runs?workflow=chain").expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 5, "{all}");
    let newest = all["items"][0]["id"].as_str().unwrap();
    assert_eq!(history(&shows, newest).last().unwrap(), "run.finished");
}
