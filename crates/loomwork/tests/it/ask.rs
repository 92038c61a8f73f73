//! `retry`, `resolve`, `cancel`, from this process and from another.

use crate::harness::Loom;

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
