//! `retry`, `resolve`, `cancel`, from this process and from another.

use crate::harness::{Loom, Running};
use std::time::{Duration, Instant};

fn fails_until_mended() -> Loom {
    Loom::with(
        r#"
name: f
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "echo a >> ran; echo A=1" } }
  - { name: b, plugin: cmd, inputs: [A], outputs: [B], params: { command: "test -e ok && echo B=1" } }
  - { name: c, plugin: cmd, inputs: [B], params: { command: "echo c $B >> ran" } }
"#,
    )
}

/// A run whose task `slow` is under way, and a task that fails beside it.
fn under_way() -> Loom {
    Loom::with(
        r#"
name: u
tasks:
  - name: slow
    plugin: cmd
    outputs: [S]
    params: { command: "until test -e go; do sleep 0.01; done; echo S=1" }
  - { name: bad, plugin: cmd, outputs: [B], params: { command: "test -e ok && echo B=1" } }
  - { name: last, plugin: cmd, inputs: [S, B], params: { command: "echo last $B > ran" } }
"#,
    )
}

#[test]
fn retry_tries_what_failed_again_and_nothing_else() {
    let loom = fails_until_mended();
    loom.loom(&["run", "w.yaml"]).exits(1);
    loom.loom(&["retry", "last", "a"]).exits(2).warns("error[L603]").warns("never runs again");
    loom.loom(&["retry", "last", "bb"]).exits(2).warns("error[L606]").warns("did you mean `b`?");
    let loom = loom.file("ok", "");
    loom.loom(&["retry", "last"]).exits(0).says("✔ c").says("succeeded: 3 tasks");
    assert_eq!(loom.read("ran"), "a\nc 1\n");
}

#[test]
fn resolve_settles_a_task_by_hand_and_the_run_goes_on() {
    let loom = fails_until_mended();
    loom.loom(&["run", "w.yaml"]).exits(1);
    loom.loom(&["resolve", "last", "b", "--output", "B=by-hand", "--reason", "did it myself"])
        .exits(0)
        .says("resolved by ada");
    assert_eq!(loom.read("ran"), "a\nc by-hand\n");
    loom.loom(&["show", "last"]).exits(0).says("did it myself").says("ada").says("by-hand");
}

#[test]
fn resolve_without_an_output_that_others_wait_for_has_to_be_meant() {
    let loom = fails_until_mended();
    loom.loom(&["run", "w.yaml"]).exits(1);
    loom.loom(&["resolve", "last", "b"])
        .exits(2)
        .warns("error[L603]")
        .warns("no value for `B`")
        .warns("--output B=VALUE")
        .warns("--without-outputs");
    loom.loom(&["list"]).exits(0).says("1 failed, 1 skipped");
    loom.loom(&["resolve", "last", "b", "--without-outputs"]).exits(0).says("1 skipped");
    assert_eq!(loom.read("ran"), "a\n");
}

#[test]
fn cancel_ends_a_run_of_another_process() {
    let loom = under_way();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ slow");
    loom.loom(&["resume", "last"]).exits(2).warns("error[L604]").warns("pid ");
    loom.loom(&["cancel", "last", "--reason", "wrong input"]).exits(0).says("was cancelled");
    run.end().exits(130).says("wrong input").says("cancelled: 3 tasks");
    loom.loom(&["cancel", "last"]).exits(2).warns("error[L603]");
}

#[test]
fn cancel_ends_a_run_that_nobody_is_at_work_on() {
    let loom = under_way();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ slow");
    run.signal(libc::SIGKILL);
    run.end();
    loom.loom(&["cancel", "last"]).exits(0).says("cancelled: 3 tasks");
    loom.loom(&["list", "--json"]).exits(0).says(r#""state":"cancelled""#);
}

#[test]
fn retry_and_resolve_are_handed_to_the_process_that_has_the_run() {
    let loom = under_way();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("✘ bad");
    loom.loom(&["retry", "last", "bad"]).exits(0).says("tries its failed tasks again");
    run.until("bad tried again by ada");
    run.until("✘ bad");
    loom.loom(&["resolve", "last", "bad", "--output", "B=2"]).exits(0).says("counts task `bad`");
    run.until("✔ bad  resolved by ada");
    let loom = loom.file("go", "");
    run.end().exits(0);
    assert_eq!(loom.read("ran"), "last 2\n");
}

/// A run in which `slow` is under way, `bad` and `worse` have failed, and `next` waits; its process is
/// stopped, so that requests gather.
fn stopped() -> (Loom, Running) {
    let loom = Loom::with(
        r#"
name: s
tasks:
  - name: slow
    plugin: cmd
    outputs: [S]
    params: { command: "echo begun > begun; until test -e go; do sleep 0.01; done; echo S=1" }
  - { name: bad, plugin: cmd, params: { command: "false" } }
  - { name: worse, plugin: cmd, params: { command: "false" } }
  - { name: next, plugin: cmd, inputs: [S], params: { command: "echo next > ran" } }
"#,
    );
    let run = loom.start(&["run", "w.yaml"]);
    loom.until_file("begun", "begun\n");
    crate::watch::eventually("both failures", || {
        loom.loom(&["list"]).out.contains("2 failed").then_some(())
    });
    run.signal(libc::SIGSTOP);
    (loom, run)
}

/// Asks, and waits until the request is one of so many that wait in the store.
fn asks(loom: &Loom, args: &[&str], count: u32) -> Running {
    let asker = loom.start(args);
    let store = rusqlite::Connection::open(loom.path("store/loom.db")).unwrap();
    let waiting = || store.query_row("SELECT count(*) FROM requests", [], |row| row.get(0));
    crate::watch::eventually("the request", || (waiting() == Ok(count)).then_some(()));
    asker
}

#[test]
fn each_process_is_told_what_became_of_its_own_request() {
    let (loom, run) = stopped();
    let resolve = |task| ["resolve", "last", task, "--reason", "by hand"];
    let first = asks(&loom, &resolve("worse"), 1);
    let second = asks(&loom, &resolve("worse"), 2);
    let third = asks(&loom, &resolve("bad"), 3);
    let skip = asks(&loom, &["skip", "last", "next"], 4);
    let twice = asks(&loom, &["skip", "last", "next", "--reason", "twice"], 5);
    let since = Instant::now();
    run.signal(libc::SIGCONT);
    first.end().exits(0).says("counts task `worse` as succeeded");
    third.end().exits(0).says("counts task `bad` as succeeded");
    skip.end().exits(0).says("goes on without task `next`");
    let refused = second.end().exits(2).warns("error[L603]");
    refused.warns("cannot resolve task `worse`, which was resolved by hand");
    let refused = twice.end().exits(2).warns("error[L603]");
    refused.warns("cannot skip task `next`, which was skipped");
    assert!(since.elapsed() < Duration::from_secs(10), "a refusal is told when it is known");
    std::fs::write(loom.path("go"), "").unwrap();
    run.end().exits(0).says("1 skipped");
}

/// By the time that the second asker looks, the task has most likely failed again.
#[test]
fn a_refusal_is_told_whether_the_run_still_shows_why_or_not() {
    let (loom, run) = stopped();
    let retry = asks(&loom, &["retry", "last", "bad"], 1);
    let again = asks(&loom, &["retry", "last", "bad"], 2);
    run.signal(libc::SIGCONT);
    retry.end().exits(0).says("tries its failed tasks again");
    again.end().exits(2).warns("error[L603]").warns("cannot retry task `bad`, which is");
    std::fs::write(loom.path("go"), "").unwrap();
    run.end().exits(1);
}

#[test]
fn what_a_killed_process_has_not_answered_is_refused_and_never_takes_effect() {
    let (loom, run) = stopped();
    let cancel = asks(&loom, &["cancel", "last", "slow"], 1);
    run.signal(libc::SIGKILL);
    run.end();
    cancel.end().exits(2).warns("error[L603]").warns("nobody is at work on run");
    let loom = loom.file("go", "");
    let resumed = loom.loom(&["resume", "last"]).exits(1).says("✔ slow").says("✔ next");
    assert!(!resumed.out.contains("cancelled"), "{}", resumed.out);
}

#[test]
fn what_a_process_that_ends_has_not_answered_is_done_by_who_asked() {
    let (loom, run) = stopped();
    let resolve = asks(&loom, &["resolve", "last", "bad"], 1);
    run.signal(libc::SIGKILL);
    run.end();
    let loom = loom.file("go", "");
    resolve.end().exits(1).says("✔ bad  resolved by ada").says("✔ slow").says("✔ next");
    let store = rusqlite::Connection::open(loom.path("store/loom.db")).unwrap();
    let left = "SELECT (SELECT count(*) FROM requests) + (SELECT count(*) FROM answers)";
    let left: u32 = store.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_resume_that_meets_a_process_about_to_stop_takes_the_run_over_from_it() {
    let loom = under_way().file("ok", "");
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("✔ bad");
    run.signal(libc::SIGINT);
    crate::watch::eventually("the pause", || {
        loom.loom(&["list", "--json"]).out.contains(r#""state":"paused""#).then_some(())
    });
    let mut resume = loom.start(&["resume", "last", "--json"]);
    let loom = loom.file("go", "");
    run.end().exits(130);
    resume.until(r#""type":"run.resumed""#);
    resume.end().exits(0);
    assert_eq!(loom.read("ran"), "last 1\n");
}

#[test]
fn several_processes_share_one_store() {
    let loom = under_way();
    let mut runs: Vec<_> = (0..3).map(|_| loom.start(&["run", "w.yaml"])).collect();
    runs.iter_mut().for_each(|run| _ = run.until("▶ slow"));
    let listed = loom.loom(&["list", "--json"]).exits(0).json();
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|run| run["alive"] == true && run["state"] == "running"));
    let loom = loom.file("go", "").file("ok", "");
    for run in runs {
        let code = run.end().code;
        assert!(code == 0 || code == 1, "{code}");
    }
    let listed = loom.loom(&["list", "--json"]).exits(0).json();
    assert!(listed.iter().all(|run| run["alive"] == false), "{listed:?}");
}

#[test]
fn what_a_task_does_not_declare_cannot_be_set_in_its_name() {
    let loom = Loom::with(
        "name: r\ntasks:\n  - { name: a, plugin: cmd, outputs: [ROWS, \"NOTE?\"], params: { command: \"exit 1\" } }",
    );
    loom.loom(&["run", "w.yaml"]).exits(1);
    let resolve =
        |output| loom.loom(&["resolve", "last", "a", "--output", "ROWS=1", "--output", output]);
    resolve("NOTES=x").exits(2).warns("error[L603]").warns("declares no output `NOTES`");
    resolve("NOTE=x").exits(0);
}
