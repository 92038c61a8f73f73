//! `loom why`.

use crate::harness::Loom;
use serde_json::json;

#[test]
fn a_task_that_waits_says_what_for_and_who_could_set_it() {
    let loom = Loom::with(
        r#"
name: w
tasks:
  - name: slow
    plugin: cmd
    outputs: [S]
    params: { command: "until test -e go; do sleep 0.01; done; echo S=1" }
  - { name: middle, plugin: cmd, inputs: [S], outputs: [M], params: { command: "echo M=1" } }
  - { name: last, plugin: cmd, inputs: [M], params: { command: "true" } }
"#,
    );
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ slow");
    let said = loom.loom(&["why", "last", "last"]).exits(0);
    let said = said.says("last  waiting for ").says("waits for M, which can be set by");
    said.says("middle  waiting for ").says("last ← M ← middle ← S ← slow  (running for ");
    loom.loom(&["why", "last"]).exits(0).says("is running: 0 of 3").says("next\n  middle");
    loom.loom(&["why", "last", "slow"]).exits(0).says("slow  running for ").says("try 1 of 1");
    let _loom = loom.file("go", "");
    run.end().exits(0);
}

#[test]
fn a_task_that_backs_off_says_when_it_is_tried_again_and_why_then() {
    let loom = Loom::with(
        r#"
name: b
tasks:
  - name: flaky
    plugin: cmd
    retry: { max_attempts: 3, backoff: linear, initial: 1m, max: 5m }
    params: { command: "echo not today; exit 9" }
"#,
    );
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("again in 1m 00s");
    loom.loom(&["why", "last", "flaky"])
        .exits(0)
        .says("backing off for ")
        .says("│ not today")
        .says("try 2 of 3 in 5")
        .says("linear backoff from 1m 00s, at most 5m 00s, comes to 1m 00s after failure 1");
    run.signal(libc::SIGINT);
    run.end().exits(130);
    loom.loom(&["why", "last"]).exits(0).says("(b) is paused: 0 of 1").says("nobody is at work");
    loom.loom(&["why", "last", "flaky"]).exits(0).says("nobody is at work");
    loom.loom(&["list", "--state", "interrupted"]).exits(0).says(" b ");
}

#[test]
fn of_a_run_whose_process_was_killed_it_says_that_nobody_is_at_work() {
    let loom = Loom::with(
        r#"
name: k
tasks:
  - name: slow
    plugin: cmd
    params: { command: "until test -e go; do sleep 0.01; done" }
"#,
    );
    let mut run = loom.start(&["run", "w.yaml"]);
    run.until("▶ slow");
    run.signal(libc::SIGKILL);
    run.end();
    let said = loom.loom(&["why", "last"]).exits(0).says("(k) was interrupted: 0 of 1");
    said.says("nobody is at work").says("cut off\n  slow  was running when the run was left");
    let said = loom.loom(&["why", "last", "slow"]).exits(0).says("slow  was running when");
    said.says("go on: loom resume");
    let loom = loom.file("go", "");
    loom.loom(&["resume", "last"]).exits(0).says("run ").says("  k 0.1.0\n");
}

#[test]
fn a_ready_task_names_the_limit_that_holds_it_and_who_took_it() {
    let loom = Loom::with(
        r#"
name: l
tasks:
  - name: first
    plugin: cmd
    execution: { queue: gpu }
    params: { command: "until test -e go; do sleep 0.01; done" }
  - { name: second, plugin: cmd, execution: { queue: gpu }, params: { command: "true" } }
  - name: each
    plugin: cmd
    for_each: [x, y]
    execution: { workers: 1 }
    params: { command: "until test -e go; do sleep 0.01; done" }
"#,
    );
    loom.loom(&["run", "w.yaml", "--queue", "cpu=1"])
        .exits(2)
        .warns("error[L605]")
        .warns("its queues are gpu");
    let mut run = loom.start(&["run", "w.yaml", "--queue", "gpu=1", "--workers", "4"]);
    run.until("▶ each[0]");
    let said = loom.loom(&["why", "last", "second"]).exits(0).says("second  ready for ");
    said.says("its queue `gpu` is taken by\n    first  running for ");
    let said = loom.loom(&["why", "last", "each[1]"]).exits(0).says("each[1]  ready for ");
    said.says("`execution.workers: 1` allows\n    each[0]  running for ");
    loom.loom(&["why", "last", "each[0]"]).exits(0).says("each[0]  running for ");
    loom.loom(&["why", "last", "each[2]"]).exits(2).warns("it has 2, counted from 0");
    loom.loom(&["why", "last", "first[0]"]).exits(2).warns("it has no `for_each`");
    let shown = loom.loom(&["show", "last"]).exits(0);
    let row = shown.out.lines().find(|line| line.contains(" second ")).unwrap();
    assert!(row.contains('░') && row.ends_with("… ready"), "{row}");
    let _loom = loom.file("go", "");
    run.end().exits(0);
}

#[test]
fn a_task_that_was_skipped_has_the_chain_back_to_the_first_cause() {
    let loom = Loom::with(
        r#"
name: s
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "exit 4" } }
  - { name: b, plugin: cmd, inputs: [A], outputs: [B], params: { command: "true" } }
  - { name: c, plugin: cmd, inputs: [B], params: { command: "true" } }
"#,
    );
    loom.loom(&["run", "w.yaml"]).exits(1);
    let said = loom.loom(&["why", "last", "c"]).exits(0).says("B stays unset: b was skipped");
    said.says("└ b, which was skipped").says("└ a, which failed: [L401]").says("it began with a");
    loom.loom(&["why", "last", "a"])
        .exits(0)
        .says("skipped for it: b, c")
        .says("1 of 1 tries used");
    let said =
        loom.loom(&["why", "last"]).exits(0).says("what went wrong first").says("a, which failed");
    said.says("skipped for it: b, c").says("critical path");
    loom.loom(&["why", "last", "d"]).exits(2).warns("error[L606]");
}

#[test]
fn what_a_chain_leaves_out_is_counted_and_its_first_cause_shown() {
    let link = |at: u32| {
        let before = if at == 1 { "root".to_owned() } else { format!("c{}", at - 1) };
        format!(
            "\n  - {{ name: c{at}, plugin: cmd, params: {{ command: 'true' }}, execution: {{ depends_on: [{before}] }} }}"
        )
    };
    let chain: String = (1..=12).map(link).collect();
    let root = "name: chain\ntasks:\n  - { name: root, plugin: cmd, params: { command: exit 3 } }";
    let loom = Loom::with(&format!("{root}{chain}\n"));
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    let said = loom.loom(&["why", "last", "c12"]).exits(0);
    let said = said.says("└ c6, which was skipped: c5,").says("… and 5 more");
    said.says("it began with root, which failed: [L401]");
}

#[test]
fn what_was_settled_by_hand_is_told_with_what_it_had_failed_with() {
    let loom = Loom::with(
        r#"
name: r
tasks:
  - { name: load, plugin: cmd, outputs: [X], params: { command: "exit 3" } }
  - { name: rep, plugin: cmd, inputs: [X], params: { command: "true" } }
"#,
    );
    loom.loom(&["run", "w.yaml", "-q"]).exits(1);
    let resolve = ["resolve", "last", "load", "--without-outputs", "--reason", "not needed", "-q"];
    loom.loom(&resolve).exits(0);
    let failed = "load, which failed: [L401] the command exited with status 3; settled by hand";
    for asked in [&["why", "last", "rep"][..], &["why", "last"]] {
        let said = loom.loom(asked).exits(0).says(failed).says(": not needed");
        assert!(!said.out.contains("succeeded without"), "{}", said.out);
    }
    loom.loom(&["why", "last"]).exits(0).says("what went wrong without failing the run");
    loom.loom(&["why", "last", "load"]).exits(0).says("it had failed:\n    [L401]");
    let why = &loom.loom(&["why", "last", "--json"]).exits(0).json()[0];
    let end = &why["first_causes"]["first"][0]["end"];
    assert_eq!((&end["kind"], &end["failure"]["code"]), (&json!("resolved"), &json!("L401")));
}

#[test]
fn the_critical_path_names_the_limit_that_held_and_goes_over_what_ran_alone() {
    let loom = Loom::with(
        r#"
name: l
tasks:
  - { name: alone, plugin: cmd, execution: { async: false }, params: { command: "sleep 0.2" } }
  - { name: g1, plugin: cmd, execution: { queue: gpu }, params: { command: "sleep 0.2" } }
  - { name: g2, plugin: cmd, execution: { queue: gpu }, params: { command: "sleep 0.2" } }
"#,
    );
    loom.loom(&["run", "w.yaml", "-q", "--queue", "gpu=1", "--workers", "8"]).exits(0);
    let said = loom.loom(&["why", "last"]).exits(0).says("\n  alone  ran ");
    let said = said.says("waited for a place in queue `gpu` ");
    assert!(!said.out.contains("waited for a worker"), "{}", said.out);
    let why = &loom.loom(&["why", "last", "--json"]).exits(0).json()[0];
    let path = &why["critical_path"]["last"];
    assert_eq!(
        (&path[0]["task"], &path[1]["counts_from"]),
        (&json!("alone"), &path[0]["ended_at"])
    );
    assert_eq!(path[1]["held"][0]["queue"], "gpu");
}

#[test]
fn a_condition_that_does_not_hold_is_nothing_wrong_and_shows_what_decided() {
    let loom = Loom::with(
        r#"
name: c
tasks:
  - { name: n, plugin: cmd, outputs: [N], params: { command: "echo N=2" } }
  - name: gated
    plugin: cmd
    inputs: [N]
    when: N|int > 3
    outputs: [G]
    params: { command: "true" }
  - { name: after, plugin: cmd, inputs: [G], params: { command: "true" } }
"#,
    );
    loom.loom(&["run", "w.yaml", "-q"]).exits(0);
    let said = loom.loom(&["why", "last"]).exits(0).says("why tasks were skipped\n  gated, which");
    assert!(!said.out.contains("went wrong"), "{}", said.out);
    let said = loom.loom(&["why", "last", "gated"]).exits(0);
    let said = said.says("`when: N|int > 3` does not hold\n    N=2\n");
    assert!(!said.out.contains("it began with"), "{}", said.out);
    let why = &loom.loom(&["why", "last", "gated", "--json"]).exits(0).json()[0];
    assert_eq!(why["why"]["decided_by"]["first"][0]["seen"]["value"], "2");
}

#[test]
fn what_other_runs_have_is_said_without_an_if() {
    let workflow = |limit: &str| {
        let waits = "until test -e go; do sleep 0.01; done";
        format!(
            "name: o\ntasks: [{{ name: a, plugin: cmd, execution: {{ {limit} }}, params: {{ command: '{waits}' }} }}]"
        )
    };
    for (limit, says) in [
        ("queue: gpu", "its queue `gpu` is taken by\n    a of run "),
        ("workers: 1", "`execution.workers: 1` allows\n    a of run "),
    ] {
        let loom = Loom::with(&workflow(limit));
        let queue = if limit.starts_with("queue") { &["--queue", "gpu=1"][..] } else { &[] };
        let args = [&["run", "w.yaml"][..], queue].concat();
        let mut first = loom.start(&args);
        first.until("▶ a");
        let mut second = loom.start(&args);
        second.until("run ");
        let ask = || loom.loom(&["why", "last", "a"]).exits(0);
        let said = std::iter::repeat_with(ask).take(200);
        let mut said = said.skip_while(|said| said.out.contains("the run has not begun"));
        let said = said.next().unwrap().says("a  ready for ").says(says);
        assert!(!said.out.contains("unless"), "{}", said.out);
        let _loom = loom.file("go", "");
        first.end().exits(0);
        second.end().exits(0);
    }
}
