//! Ctrl-C and what comes of it.

use crate::harness::Loom;

/// A run with a task under way that ends once `go` is there, and one behind it.
fn two_steps() -> Loom {
    Loom::with(
        r#"
name: s
tasks:
  - name: a
    plugin: cmd
    outputs: [A]
    params: { command: "echo attempt >> ran; until test -e go; do sleep 0.01; done; echo A=1" }
  - { name: b, plugin: cmd, inputs: [A], params: { command: "echo b >> ran" } }
"#,
    )
}

#[test]
fn the_first_lets_end_what_is_under_way_and_the_run_can_be_resumed() {
    let loom = two_steps();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ a");
    run.signal(libc::SIGINT);
    run.until_err("stopping after 1 running task; again to kill");
    let loom = loom.file("go", "");
    run.end().exits(130).says("stopped").says("loom resume ");
    assert_eq!(loom.read("ran"), "attempt\n");
    loom.loom(&["list"]).exits(0).says("paused");
    loom.loom(&["resume", "last"]).exits(0).says("✔ b").says("succeeded: 2 tasks");
    assert_eq!(loom.read("ran"), "attempt\nb\n");
}

#[test]
fn the_second_kills_and_the_task_runs_again_when_the_run_is_resumed() {
    let loom = two_steps();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ a");
    loom.until_file("ran", "attempt\n");
    run.signal(libc::SIGINT);
    run.until_err("again to kill");
    run.signal(libc::SIGINT);
    run.end().exits(130).says("loom resume ");
    let loom = loom.file("go", "");
    loom.loom(&["resume", "last"]).exits(0);
    assert_eq!(loom.read("ran"), "attempt\nattempt\nb\n");
}

#[test]
fn term_is_as_the_first() {
    let loom = two_steps();
    let mut run = loom.start(&["run", "w.yaml", "--json"]);
    run.until("task.started");
    run.signal(libc::SIGTERM);
    run.until_err("stopping after 1 running task");
    let _loom = loom.file("go", "");
    run.end().exits(130).says("run.paused");
}

#[test]
fn a_killed_process_is_resumed_its_leftovers_ended_and_no_success_repeated() {
    let loom = Loom::with(
        r#"
name: k
tasks:
  - { name: first, plugin: cmd, outputs: [F], params: { command: "echo first >> ran; echo F=1" } }
  - name: second
    plugin: cmd
    inputs: [F]
    params: { command: "echo second >> ran; until test -e go$LOOM_ATTEMPT; do sleep 0.01; done; echo end >> ran" }
"#,
    );
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ second");
    loom.until_file("ran", "second\n");
    run.signal(libc::SIGKILL);
    run.end().exits(-1);
    loom.loom(&["list"]).exits(0).says("interrupted");
    loom.loom(&["list", "--state", "interrupted"]).exits(0).says("interrupted");
    loom.loom(&["retry", "last"]).exits(2).warns("error[L603]");
    let loom = loom.file("go2", "");
    loom.loom(&["resume", "last"]).exits(0).says("succeeded: 2 tasks");
    // What was left of the first attempt was ended: it never comes to its last line.
    let loom = loom.file("go1", "");
    assert_eq!(loom.read("ran"), "first\nsecond\nsecond\nend\n");
    loom.loom(&["resume", "last"]).exits(2).warns("error[L603]").warns("start a new run");
}

#[test]
fn a_new_run_mentions_those_that_were_interrupted() {
    let loom = two_steps();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ a");
    run.signal(libc::SIGKILL);
    run.end();
    // The command that was being started may have the lock for another moment.
    crate::watch::eventually("the interruption", || {
        let listed = loom.loom(&["list", "--state", "interrupted"]).out;
        listed.contains("interrupted").then_some(())
    });
    let loom = loom
        .file("go", "")
        .file("n.yaml", "workflow: { name: n, tasks: [{ name: a, plugin: noop }] }");
    loom.loom(&["run", "n.yaml"]).exits(0).warns("was interrupted; go on with: loom resume ");
}
