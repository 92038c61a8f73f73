//! `loom skip RUN TASK` and `loom cancel RUN TASK`.

use crate::harness::Loom;

/// `slow` waits for a file, `next` needs it, `side` needs nothing of them.
fn branches() -> Loom {
    Loom::with(
        r#"
name: b
tasks:
  - name: slow
    plugin: cmd
    outputs: [S]
    params: { command: "echo begun > begun; until test -e go; do sleep 0.01; done; echo S=1" }
  - { name: next, plugin: cmd, inputs: [S], outputs: [N], params: { command: "echo N=2" } }
  - { name: after, plugin: cmd, inputs: [N], params: { command: "echo after > after" } }
  - name: side
    plugin: cmd
    params: { command: "until test -e side; do sleep 0.01; done" }
"#,
    )
}

#[test]
fn one_task_is_cancelled_and_its_run_goes_on_to_fail_and_can_be_retried() {
    let loom = branches();
    let mut run = loom.start(&["run", "w.yaml"]);
    loom.until_file("begun", "begun\n");
    loom.loom(&["cancel", "last", "slw"])
        .exits(2)
        .warns("error[L606]")
        .warns("did you mean `slow`?");
    loom.loom(&["cancel", "last", "slow", "--reason", "it hangs"])
        .exits(0)
        .says("ends task `slow`");
    run.until("■ slow  is being cancelled by ada: it hangs");
    run.until("■ slow  cancelled");
    let loom = loom.file("side", "");
    run.end().exits(1).says("failed: 4 tasks").says("1 cancelled");
    let why = loom.loom(&["why", "last", "slow"]).exits(0);
    why.says("it was cancelled by ada").says("it hangs");
    loom.loom(&["show", "last"]).exits(0).says("cancelled slow by ada: it hangs");
    loom.loom(&["cancel", "last", "slow"]).exits(2).warns("error[L603]");
    let loom = loom.file("go", "");
    loom.loom(&["retry", "last", "slow"]).exits(0).says("succeeded: 4 tasks");
    assert_eq!(loom.read("after"), "after\n");
}

#[test]
fn a_task_is_skipped_in_the_process_that_has_the_run() {
    let loom = branches();
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ slow");
    let started = loom.loom(&["skip", "last", "slow"]).exits(2);
    started.warns("error[L603]").warns("cannot skip task `slow`, which is running");
    loom.loom(&["skip", "last", "next", "--reason", "not today"])
        .exits(0)
        .says("without task `next`");
    run.until("↷ next  skipped: by ada: not today");
    run.until("↷ after  skipped");
    let loom = loom.file("go", "").file("side", "");
    run.end().exits(0).says("2 skipped");
    let document = loom.loom(&["show", "last", "--json"]).exits(0).json();
    assert_eq!(document[0]["interventions"][0]["act"], "skip");
}

#[test]
fn a_task_of_a_run_that_nobody_is_at_work_on_can_be_skipped_and_not_cancelled() {
    let loom = branches();
    let run = loom.start(&["run", "w.yaml"]);
    loom.until_file("begun", "begun\n");
    run.signal(libc::SIGKILL);
    run.end();
    let refused = loom.loom(&["cancel", "last", "next"]).exits(2);
    refused.warns("error[L603]").warns("nobody is at work on").warns("loom skip");
    let loom = loom.file("go", "").file("side", "");
    loom.loom(&["skip", "last", "next"]).exits(0).says("succeeded: 4 tasks").says("2 skipped");
}
