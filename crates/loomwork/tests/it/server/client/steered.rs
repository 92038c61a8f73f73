//! Runs that are looked at and steered from afar.

use super::{MIXED, WAITS, client, go};
use crate::server::harness::Server;
use crate::watch::eventually;
use serde_json::{Value, json};

#[test]
fn what_is_shown_is_what_is_shown_beside_the_store() {
    let server = Server::start();
    let there = client(&server, MIXED);
    let here = &server.loom;
    there.loom(&["list"]).exits(0).warns("no runs");
    there.loom(&["show", "last"]).exits(2).warns("error[L601]");
    there.loom(&["run", "w.yaml", "-q"]).exits(1);
    let run = there.loom(&["list", "--json"]).exits(0).json()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/runs/{run}");
    for args in [
        vec!["list", "--json"],
        vec!["list", "--json", "--state", "failed", "--workflow", "mixed", "--limit", "1"],
        vec!["show", &run, "--json"],
        vec!["logs", "last"],
        vec!["logs", "last", "--json"],
        vec!["logs", &run[..20], "e/ ä[1]"],
        vec!["logs", &run[18..], "twice", "--attempt", "2"],
    ] {
        let (told, known) = (there.loom(&args).exits(0), here.loom(&args).exits(0));
        assert_eq!(told.out, known.out, "{args:?}");
    }
    assert_eq!(there.loom(&["show", &run, "--json"]).json()[0], server.get(&path).expect(200));
    // These say how long ago things were.
    let timeless = |text: &str| -> String {
        text.chars().filter(|char| !char.is_ascii_digit() && !" .msµ".contains(*char)).collect()
    };
    for args in [
        vec!["show", &run[18..]],
        vec!["why", "last"],
        vec!["why", "last", "after"],
        vec!["why", "last", "e/ ä[2]"],
        vec!["why", "last", "--json"],
        vec!["why", "last", "after", "--json"],
        vec!["why", "last", "e/ ä[2]", "--json"],
        vec!["graph", "--run", "last", "--json"],
    ] {
        let (told, known) = (there.loom(&args).exits(0), here.loom(&args).exits(0));
        assert_eq!(timeless(&told.out), timeless(&known.out), "{args:?}");
    }
    let said = there.loom(&["list"]).exits(0).says("mixed").says("failed");
    assert!(!said.out.contains("TASKS"), "{}", said.out);
    there.loom(&["logs", "last", "twice", "--attempt", "9"]).exits(2).warns("error[L605]");
    there.loom(&["logs", "last", "twic"]).exits(2).warns("error[L606]").warns("`twice`");
    there.loom(&["why", "last", "e/ ä[9]"]).exits(2).warns("error[L606]");
}

#[test]
fn runs_are_named_by_a_part_of_their_identity() {
    let server = Server::start();
    let there = client(&server, "name: w\ntasks:\n  - { name: a, plugin: noop }");
    for _ in 0..3 {
        there.loom(&["run", "w.yaml", "-q"]).exits(0);
    }
    let listed = there.loom(&["list", "--json", "--limit", "2"]).exits(0).json();
    assert_eq!(listed.len(), 2);
    there.loom(&["list", "--limit", "2"]).exits(0).warns("there are more");
    let id = listed[1]["id"].as_str().unwrap();
    let shown = there.loom(&["show", &id[18..].to_uppercase(), "--json"]).exits(0).json();
    assert_eq!(shown[0]["id"], id);
    there.loom(&["show", &id[..5]]).exits(2).warns("error[L602]").warns(id);
    there.loom(&["show", "zzzzzzzz"]).exits(2).warns("error[L601]").warns("loom list");
    there.loom(&["show", "zz"]).exits(2).warns("error[L605]").warns("too short");
    let unknown = format!("0{}", &id[1..].replace(|char: char| char != '0', "1"));
    there.loom(&["show", &unknown]).exits(2).warns("error[L601]");
}

#[test]
fn runs_are_retried_resolved_skipped_and_cancelled() {
    let server = Server::start();
    let there = client(
        &server,
        r#"
name: f
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "echo a >> ran; echo A=1" } }
  - { name: b, plugin: cmd, inputs: [A], outputs: [B], params: { command: "test -e ok && echo B=1" } }
  - { name: c, plugin: cmd, inputs: [B], params: { command: "until test -e go; do sleep 0.01; done; echo c $B >> ran" } }
  - { name: d, plugin: cmd, execution: { depends_on: [c] }, params: { command: "echo d >> ran" } }
"#,
    );
    there.loom(&["run", "w.yaml", "-q"]).exits(1);
    let run = there.loom(&["list", "--json"]).json()[0]["id"].as_str().unwrap().to_owned();
    there.loom(&["retry", "last", "a"]).exits(2).warns("error[L603]").warns("never runs again");
    there.loom(&["retry", "last", "bb"]).exits(2).warns("error[L606]").warns("did you mean `b`?");
    there.loom(&["resolve", "last", "b"]).exits(2).warns("error[L603]").warns("--output B=VALUE");
    there.loom(&["retry", "last"]).exits(0).says("tries its failed tasks again, on the server");
    server.until(&run, "failed");
    let lines = there
        .loom(&["resolve", "last", "b", "--output", "B=2", "--reason", "by hand", "--json"])
        .exits(0)
        .json();
    assert_eq!(lines, [json!({ "type": "request.granted", "run": run, "state": "running" })]);
    there
        .loom(&["skip", "last", "d", "--reason", "nobody needs it"])
        .exits(0)
        .says("without task `d`");
    there.loom(&["skip", "last", "a"]).exits(2).warns("error[L603]");
    there.loom(&["resume", "last"]).exits(2).warns("error[L603]");
    go(&server);
    server.until(&run, "succeeded");
    assert_eq!(server.loom.read("ran"), "a\nc 2\n");
    there.loom(&["show", "last"]).exits(0).says("by hand").says("nobody needs it");
    there.loom(&["cancel", "last"]).exits(2).warns("error[L603]").warns("start a new run");
}

#[test]
fn a_run_or_one_of_its_tasks_is_cancelled_and_a_pause_ended() {
    let server = Server::start();
    let there = client(&server, WAITS);
    let begin = || {
        let mut run = there.start(&["run", "w.yaml", "--json"]);
        run.until("task.started");
        run
    };
    let run = begin();
    there.loom(&["cancel", "last", "--reason", "wrong input"]).exits(0).says("was cancelled");
    run.end().exits(130).says("wrong input").says(r#""outcome":"cancelled""#);
    let run = begin();
    there.loom(&["cancel", "last", "a", "-q"]).exits(0);
    run.end().exits(1).says("task.cancelled");
    let run = begin();
    let id = there.loom(&["list", "--json", "--limit", "1"]).json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    server.post(&format!("/api/v1/runs/{id}/pause"), &Value::Null).expect(200);
    eventually("the pause", || there.loom(&["list"]).out.contains("paused").then_some(()));
    there.loom(&["show", "last"]).exits(0).says("paused since");
    there.loom(&["resume", &id]).exits(0).says("goes on, on the server");
    go(&server);
    run.end().exits(0).says("run.paused").says("run.resumed");
}

#[test]
fn runs_that_nobody_is_at_work_on_are_listed() {
    let server = Server::start();
    let there = client(&server, WAITS);
    let local =
        server.loom.beside().file("w.yaml", &format!("workflow:\n{}", WAITS.replace('\n', "\n  ")));
    let mut run = local.start(&["run", "w.yaml"]);
    run.until("▶ a");
    run.signal(libc::SIGKILL);
    run.end();
    // The command that was being started may have the lock for another moment.
    eventually("the interruption", || {
        there.loom(&["list", "--state", "interrupted"]).out.contains("interrupted").then_some(())
    });
    there.loom(&["show", "last"]).exits(0).says("loom resume");
    there.loom(&["logs", "last", "--follow"]).exits(0).warns("nobody is at work");
    let id = there.loom(&["list", "--json"]).json()[0]["id"].as_str().unwrap().to_owned();
    there.loom(&["resume", "last"]).exits(0).says("goes on, on the server");
    go(&server);
    server.until(&id, "succeeded");
}
