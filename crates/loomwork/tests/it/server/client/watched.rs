//! Runs that are started and watched from afar.

use super::{MIXED, WAITS, client, go};
use crate::harness::Loom;
use crate::server::access::token;
use crate::server::harness::Server;
use crate::watch::{Watched, eventually};
use serde_json::{Value, json};

#[test]
fn a_run_looks_as_it_does_here() {
    let server = Server::start();
    let there = client(&server, MIXED);
    let here = Loom::with(MIXED);
    // Which of two tasks at once comes first is chance; how long they take, too.
    let lines = |loom: &Loom| {
        let said = loom.loom(&["run", "w.yaml", "--workers", "1"]).exits(1);
        let line = |line: &str| {
            let words = line.split_whitespace().filter(|word| {
                !word.starts_with(|char: char| char.is_ascii_digit()) && !["ms", "s"].contains(word)
            });
            let words: Vec<&str> = words.collect();
            words.join(" ").replace("µs", "")
        };
        let mut lines: Vec<String> = said.out.lines().map(line).collect();
        let varies = ["loom ", "longest on the critical path"];
        lines.retain(|line| !varies.iter().any(|words| line.contains(words)));
        lines.sort();
        lines
    };
    assert_eq!(lines(&there), lines(&here));
    assert!(!there.path("store").exists(), "a client keeps nothing");
}

#[test]
fn the_exit_status_is_that_of_the_run_and_events_are_those_of_the_server() {
    let server = Server::start();
    let there = client(&server, MIXED)
        .file("n.yaml", "workflow: { name: n, tasks: [{ name: a, plugin: noop }] }");
    there.loom(&["run", "n.yaml"]).exits(0).says("n 0.1.0").says("✔ a").says("succeeded: 1 task");
    there.loom(&["run", "w.yaml", "-q"]).exits(1).warns("✘ twice").warns("try 2");
    let said = there.loom(&["run", "w.yaml", "--json", "--var", "MODE=slow"]).exits(1);
    let events = said.json();
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap()["outcome"], "failed");
    let run = events[0]["run"].as_str().unwrap();
    let path = format!("/api/v1/runs/{run}/events");
    let mut reader = crate::server::sse::Reader::open(&server, &path);
    for event in &events {
        assert_eq!(&reader.next().unwrap().data, event);
    }
    let found = server.get(&format!("/api/v1/runs/{run}")).expect(200);
    let variables = found["variables"].as_array().unwrap();
    let mode = variables.iter().find(|it| it["name"] == "MODE").unwrap();
    assert_eq!(mode["value"], "slow");
}

#[test]
fn a_wrong_workflow_is_shown_where_it_is_wrong() {
    let server = Server::start();
    let there = client(
        &server,
        "name: w\ntasks:\n  - { name: a, plugin: noop, inputs: [X] }\n  - { name: b, plugin: nop }",
    );
    let said = there.loom(&["run", "w.yaml"]).exits(2).warns("[L201]").warns("w.yaml:5:");
    assert!(said.err.contains("plugin: nop") && said.err.contains("^^^"), "{}", said.err);
    // Line by line as it is shown here, what stands beside the underline included.
    let here = there.loom(&["validate", "w.yaml"]).exits(2);
    let part = |text: &str| {
        let from = text.find("error[L201]").unwrap_or_else(|| panic!("{text}"));
        text[from..].lines().take(6).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(part(&said.err), part(&here.err));
    let lines = there.loom(&["run", "w.yaml", "--json"]).exits(2).json();
    let severity = |code: &str| {
        lines.iter().find(|line| line["code"] == code).map(|line| line["severity"].clone())
    };
    assert_eq!(severity("L201"), Some(json!("error")));
    assert_eq!(severity("L205"), Some(json!("warning")), "who runs it gives its variables");
    there.loom(&["run", "nosuch.yaml"]).exits(2).warns("[L109]");
    let there = there
        .file("w.yaml", "workflow: { name: w, tasks: [{ name: a, plugin: noop, inputs: [X] }] }");
    there.loom(&["run", "w.yaml"]).exits(2).warns("error[L713]").warns("X");
    there.loom(&["run", "w.yaml", "--var", "X=1"]).exits(0);
    let there = there.file("w.yaml", "workflow: { name: w, tasks: [{ name: b, plugin: noop }] }");
    there.loom(&["run", "w.yaml"]).exits(2).warns("error[L704]").warns("`version`");
}

#[test]
fn a_run_is_watched_over_a_crash_of_the_server() {
    let mut server = Server::start();
    let there = client(&server, WAITS);
    let mut run = Watched::start(&there, &["run", "w.yaml", "--json"]);
    let started = run.event("task.started");
    server.loom.until_file("ran", "a\n");
    server.crash_and_restart();
    assert_eq!(server.taken_up, 1);
    run.event("task.interrupted");
    go(&server);
    let said = run.end();
    assert_eq!(said.code, 0, "{said:?}");
    let seqs: Vec<u64> = said.json().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "no gap and no repeat");
    assert_eq!(server.loom.read("ran"), "a\na\nb\n");
    let shown = there.loom(&["show", started["run"].as_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!(shown[0]["last_seq"].as_u64().unwrap(), seqs.len() as u64);
}

#[test]
fn who_watches_may_go_and_the_run_goes_on() {
    let server = Server::start();
    let there = client(&server, WAITS);
    for signal in ["INT", "TERM"] {
        let mut run = Watched::start(&there, &["run", "w.yaml", "--json"]);
        let id = run.event("task.started")["run"].as_str().unwrap().to_owned();
        run.signal(signal);
        let said = run.end();
        assert_eq!(said.code, 130, "{said:?}");
        assert!(said.err.contains("goes on at the server"), "{}", said.err);
        assert!(said.err.contains("loom cancel "), "{}", said.err);
        server.until(&id, "running");
        go(&server);
        server.until(&id, "succeeded");
        std::fs::remove_file(server.loom.path("go")).unwrap();
    }
}

#[test]
fn logs_are_followed_over_a_crash_of_the_server() {
    let mut server = Server::start();
    let there = client(&server, WAITS);
    let mut run = Watched::start(&there, &["run", "w.yaml", "--json"]);
    let id = run.event("task.started")["run"].as_str().unwrap().to_owned();
    let mut logs = there.start(&["logs", &id, "--follow"]);
    logs.until("a │ begun");
    server.crash_and_restart();
    // The attempt that was cut off stays as it is; its successor is followed.
    logs.until("a │ begun");
    go(&server);
    let said = logs.end().exits(0);
    assert!(said.out.contains("a │ A=1") && said.out.contains("b │ b 1"), "{}", said.out);
    assert_eq!(run.end().code, 0);
    let again = there.loom(&["logs", &id, "--follow", "--json"]).exits(0).json();
    let of = |task: &str, attempt: u64| {
        let of = |line: &&Value| line["task"] == task && line["attempt"] == attempt;
        again.iter().filter(of).map(|it| it["line"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of("a", 1), ["begun"]);
    assert_eq!(of("a", 2), ["begun", "A=1"]);
    assert_eq!(of("b", 1), ["b 1"]);
}

#[test]
fn a_token_comes_from_a_file_or_the_environment_and_is_never_told() {
    let loom = Loom::new();
    let operator = token(&loom, "author");
    let server = Server::with(loom, &["--access", "--limits-failures", "0"]);
    let there = client(&server, WAITS);
    go(&server);
    there.loom(&["list"]).exits(2).warns("error[L701]").warns("--token-file");
    std::fs::write(there.path("token"), format!("{operator}\n")).unwrap();
    there.loom(&["run", "w.yaml", "--token-file", "token"]).exits(0).says("succeeded");
    let with = |name: &str, value: &str| there.beside().env(name, value);
    with("LOOM_TOKEN", &operator).loom(&["list"]).exits(0).says("waits");
    with("LOOM_TOKEN_FILE", "token").loom(&["show", "last"]).exits(0).says("waits 0.1.0");
    std::fs::write(there.path("loom.toml"), "[client]\ntoken_file = 'token'\n").unwrap();
    let set = with("LOOM_CONFIG", "loom.toml");
    set.loom(&["list"]).exits(0).says("waits");
    // What is nearer counts.
    set.beside().env("LOOM_TOKEN", "loom_none").loom(&["list"]).exits(2).warns("error[L701]");
    let wrong = with("LOOM_TOKEN", &operator.replace(&operator[40..60], "00000000000000000000"));
    let said = wrong.loom(&["list"]).exits(2).warns("error[L701]").warns("is over");
    assert!(!said.err.contains("0000000000"), "{}", said.err);
    let both = with("LOOM_TOKEN", &operator).env("LOOM_TOKEN_FILE", "token");
    let said = both.loom(&["list"]).exits(2).warns("error[L717]").warns("set one of them");
    assert!(!said.err.contains(&operator[10..]), "{}", said.err);
    for (text, why) in [("", "no token in it"), ("two words", "one word")] {
        std::fs::write(there.path("token"), text).unwrap();
        let said = with("LOOM_TOKEN_FILE", "token").loom(&["list"]).exits(2).warns("error[L717]");
        assert!(said.err.contains(why) && !said.err.contains("two words"), "{}", said.err);
    }
    with("LOOM_TOKEN_FILE", "nosuch").loom(&["list"]).exits(2).warns("error[L717]").warns("nosuch");
    let said = with("LOOM_TOKEN", &operator).loom(&["config"]).exits(0).says("***");
    assert!(!said.out.contains(&operator[10..]), "{}", said.out);
    // A viewer looks, and does nothing.
    let viewer = with("LOOM_TOKEN", &token(&server.loom, "viewer"));
    viewer.loom(&["why", "last"]).exits(0).says("has succeeded");
    viewer.loom(&["run", "w.yaml"]).exits(2).warns("error[L702]");
}

#[test]
fn a_run_of_another_process_is_shown_too() {
    let server = Server::start();
    let there = client(&server, WAITS);
    let local =
        server.loom.beside().file("w.yaml", &format!("workflow:\n{}", WAITS.replace('\n', "\n  ")));
    let mut run = local.start(&["run", "w.yaml"]);
    run.until("▶ a");
    eventually("the run", || there.loom(&["list"]).out.contains("running").then_some(()));
    there.loom(&["show", "last"]).exits(0).says("default/waits 0.1.0").says("▶");
    there.loom(&["why", "last", "b"]).exits(0).says("waits for A");
    there
        .loom(&["cancel", "last", "--reason", "enough"])
        .exits(0)
        .says("was cancelled, on the server");
    run.end().exits(130).says("enough");
}
