//! `loom run`: outcomes, output, variables.

use crate::harness::Loom;
use crate::watch::Watched;
use serde_json::json;
use std::fmt::Write as _;

/// So many tasks `t0`, `t1`, … that all say this, a line each.
fn many(count: usize, says: &str) -> String {
    let line = |n: usize| format!("  - {{ name: t{n}, {says} }}");
    (0..count).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn a_run_that_succeeds_exits_with_0_and_says_so() {
    let loom = Loom::with(
        r#"
name: two
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "echo A=41" } }
  - { name: b, plugin: cmd, inputs: [A], outputs: [B], params: { command: "echo B=$((A + 1))" } }
"#,
    );
    let said = loom.loom(&["run", "w.yaml"]).exits(0);
    said.says("run 0").says("✔ b").says("B=42").says("succeeded: 2 tasks");
}

#[test]
fn a_run_that_fails_exits_with_1_and_says_what_failed_why_and_what_was_skipped() {
    let loom = Loom::with(
        r#"
name: bad
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "echo last words; exit 3" } }
  - { name: b, plugin: cmd, inputs: [A], params: { command: "true" } }
  - { name: c, plugin: cmd, inputs: [A], params: { command: "true" } }
"#,
    );
    loom.loom(&["run", "w.yaml"])
        .exits(1)
        .says("✘ a")
        .says("[L401]")
        .says("│ last words")
        .says("loom why ")
        .says("↷ b, c  skipped: A stays unset: a failed")
        .says("failed: 3 tasks")
        .says("loom retry ");
}

/// What is recommended can be typed as it stands, and is about the same run.
#[test]
fn what_is_recommended_names_the_store_that_was_named() {
    let loom =
        Loom::with("name: bad\ntasks: [{ name: a, plugin: cmd, params: { command: \"false\" } }]");
    let said = loom.loom(&["run", "w.yaml", "--store", "my store.db"]).exits(1);
    let hint = said.out.lines().find_map(|line| line.strip_prefix("mend the cause, then: loom "));
    let hint = hint.unwrap_or_else(|| panic!("{}", said.out));
    let (options, run) = hint.rsplit_once(' ').unwrap();
    assert_eq!(options, "retry --store 'my store.db'");
    loom.loom(&["retry", "--store", "my store.db", run]).exits(1).says("loom retry --store");
}

#[test]
fn a_quiet_run_says_nothing_but_what_failed() {
    let loom = Loom::with("name: q\ntasks:\n  - { name: a, plugin: noop }");
    let said = loom.loom(&["run", "w.yaml", "--quiet"]).exits(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
    let loom = Loom::with(
        "name: q\ntasks:\n  - { name: a, plugin: cmd, params: { command: \"exit 3\" } }",
    );
    let said = loom.loom(&["run", "w.yaml", "--quiet"]).exits(1).warns("✘ a");
    assert_eq!(said.out, "");
}

#[test]
fn json_is_one_event_a_line_numbered_without_a_gap() {
    let loom = Loom::with(
        r#"
name: j
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "echo A=1" } }
  - { name: each, plugin: cmd, for_each: [x, y], params: { command: "true" } }
  - { name: f, plugin: cmd, inputs: [A], params: { command: "exit 7" } }
"#,
    );
    let events = loom.loom(&["run", "w.yaml", "--json"]).exits(1).json();
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());
    let runs: Vec<&str> = events.iter().map(|event| event["run"].as_str().unwrap()).collect();
    assert!(runs.iter().all(|run| run.len() == 26 && *run == runs[0]));
    assert_eq!(events[0]["type"], "run.started");
    assert_eq!(events[0]["workflow"], "j");
    let find = |kind: &str, task: &str| {
        let is = |event: &&serde_json::Value| event["type"] == kind && event["task"] == task;
        events.iter().find(is).unwrap_or_else(|| panic!("no {kind} of {task}"))
    };
    assert_eq!(find("task.succeeded", "a")["outputs"], json!([{ "name": "A", "value": "1" }]));
    assert_eq!(find("task.fired", "each")["items"], json!(["x", "y"]));
    assert_eq!(find("task.gathered", "each")["failed"], 0);
    let failure = &find("task.failed", "f")["failure"];
    assert_eq!((&failure["code"], &failure["exit_status"]), (&json!("L401"), &json!(7)));
    let last = events.last().unwrap();
    assert_eq!((&last["type"], &last["outcome"]), (&json!("run.finished"), &json!("failed")));
}

#[test]
fn what_happens_is_told_while_it_happens_however_close_together() {
    let mut text = "name: close\ntasks:\n".to_owned();
    for (number, wait) in (0..12).zip([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24]) {
        let input = if number == 0 { String::new() } else { format!("V{}", number - 1) };
        let _ = write!(
            text,
            "  - {{ name: t{number}, plugin: cmd, inputs: [{input}], outputs: [V{number}], \
             params: {{ command: \"sleep 0.{wait:03}; echo V{number}=1\" }} }}\n  \
             - {{ name: wait{number}, plugin: cmd, inputs: [V{number}], \
             params: {{ command: \"until test -e go{number}; do sleep 0.01; done\" }} }}\n"
        );
    }
    let loom = Loom::with(&text);
    // Each that waits is let go once it is known to have started, and the next one not before.
    let mut run = Watched::start(&loom, &["run", "w.yaml", "--json", "--workers", "1"]);
    for _ in 0..12 {
        let name = loop {
            let event = run.event("task.started");
            if let Some(number) = event["task"].as_str().unwrap().strip_prefix("wait") {
                break format!("go{number}");
            }
        };
        std::fs::write(loom.path(&name), "").unwrap();
    }
    run.end().exits(0);
}

#[test]
fn the_callers_variables_go_before_the_files_and_keep_their_type() {
    let loom = Loom::with(
        r#"
name: v
env: { WHO: file, N: 1 }
tasks:
  - name: a
    plugin: cmd
    inputs: [WHO, N, LIST]
    params: { command: 'echo "$WHO $N $LIST" > seen' }
"#,
    )
    .file("vars.json", r#"{ "WHO": "json", "LIST": [1, 2] }"#);
    loom.loom(&["run", "w.yaml", "--var-file", "vars.json", "--var", "WHO=call", "--var", "N:=7"])
        .exits(0);
    assert_eq!(loom.read("seen"), "call 7 [1,2]\n");
}

#[test]
fn relative_paths_start_from_the_workflows_folder() {
    let loom = Loom::new().file(
        "deep/er/w.yaml",
        "workflow:\n  name: p\n  tasks:\n    - { name: a, plugin: cmd, params: { command: \"touch here\" } }\n",
    );
    loom.loom(&["run", "deep/er/w.yaml"]).exits(0);
    assert!(loom.path("deep/er/here").exists());
}

#[test]
fn max_workers_goes_before_the_call() {
    let task = "plugin: cmd, params: { command: \"mkdir busy && rmdir busy\" }";
    let tasks = many(12, task);
    let loom = Loom::with(&format!("name: m\nenv: {{ MAX_WORKERS: 1 }}\ntasks:\n{tasks}"));
    loom.loom(&["run", "w.yaml", "--workers", "8"]).exits(0);
    loom.loom(&["run", "w.yaml", "--var", "MAX_WORKERS=none"]).exits(2).warns("error[L605]");
}

#[test]
fn a_workflow_comes_from_standard_input() {
    use std::io::Write;
    use std::process::Stdio;
    let loom = Loom::new();
    let mut child = loom.command(&["run", "-", "--quiet"]).stdin(Stdio::piped()).spawn().unwrap();
    let text =
        b"workflow: { name: i, tasks: [{ name: a, plugin: cmd, params: { command: 'touch x' } }] }";
    child.stdin.take().unwrap().write_all(text).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(loom.path("x").exists());
}

#[test]
fn output_that_nobody_reads_disturbs_no_run() {
    use std::process::Stdio;
    let tasks = many(150, "plugin: noop");
    let last = "  - { name: z, plugin: cmd, inputs: [GO], params: { command: \"touch done\" } }";
    let loom = Loom::with(&format!("name: p\nenv: {{ GO: 1 }}\ntasks:\n{tasks}{last}"));
    let mut child = loom.command(&["run", "w.yaml"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(loom.path("done").exists());
    let mut list = loom.command(&["explain", "L601"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(list.stdout.take());
    assert_eq!(list.wait().unwrap().code(), Some(0));
}

#[test]
fn a_large_run_does_not_flood() {
    let tasks = many(3000, "plugin: noop");
    let loom = Loom::with(&format!("name: large\ntasks:\n{tasks}"));
    let said = loom.loom(&["run", "w.yaml"]).exits(0).says("succeeded: 3000 tasks");
    assert!(said.out.lines().count() < 30, "{}", said.out);
}

#[test]
fn the_last_words_say_where_the_time_went_waiting_included() {
    let loom = Loom::with(
        "name: t\ntasks:\n  \
         - { name: each, plugin: sleep, outputs: [\"S?\"], for_each: [1, 2, 3, 4], \
             execution: { workers: 1 }, params: { duration: 30ms } }\n  \
         - { name: then, plugin: noop, execution: { depends_on: [each] } }",
    );
    let said = loom.loom(&["run", "w.yaml"]).exits(0);
    said.says("longest on the critical path: each[3] ").says(" waiting)");
}

#[test]
fn a_terminal_is_drawn_on_and_no_color_is_honoured() {
    let loom = Loom::with("name: c\ntasks:\n  - { name: a, plugin: noop }");
    let said = loom.loom(&["run", "w.yaml", "--color", "always"]).exits(0);
    assert!(said.out.contains("\x1b[32m"), "{}", said.out);
    let said = loom.loom(&["run", "w.yaml"]).exits(0);
    assert!(!said.out.contains('\x1b'), "{}", said.out);
}
