//! Several `loom` processes at once on one store, each with its own runs.

use crate::harness::Loom;
use crate::watch::{Watched, eventually, is_alive};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

const PROCESSES: usize = 8;

/// Twenty tasks in four chains.
fn twenty() -> Loom {
    let mut text = "name: twenty\ntasks:\n".to_owned();
    for chain in 0..4 {
        for link in 0..5 {
            let input = if link == 0 { String::new() } else { format!("V{chain}_{}", link - 1) };
            let output = format!("V{chain}_{link}");
            let _ = writeln!(
                text,
                "  - name: t{chain}-{link}\n    plugin: cmd\n    inputs: [{input}]\n    \
                 outputs: [{output}]\n    params: {{ command: \"echo $LOOM_RUN_ID $LOOM_TASK >> ran; \
                 echo {output}=1\" }}"
            );
        }
    }
    Loom::with(&text)
}

#[test]
fn processes_that_start_at_once_on_a_new_store_all_succeed() {
    let loom = twenty();
    let all: Vec<_> =
        (0..PROCESSES).map(|_| Watched::start(&loom, &["run", "w.yaml", "--json"])).collect();
    let runs: BTreeSet<String> = all
        .into_iter()
        .map(|run| run.end().exits(0).json()[0]["run"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(runs.len(), PROCESSES);
    let ran = loom.read("ran");
    assert_eq!(ran.lines().count(), PROCESSES * 20);
    assert_eq!(ran.lines().collect::<BTreeSet<_>>().len(), PROCESSES * 20, "nothing ran twice");
    let listed = loom.loom(&["list", "--json"]).exits(0).json();
    assert_eq!(listed.len(), PROCESSES);
    assert!(listed.iter().all(|run| run["state"] == "succeeded"), "{listed:?}");
}

/// A task that says its process and waits for `go` with the variable's value behind it.
const WAITS: &str = r#"
name: waits
tasks:
  - name: a
    plugin: cmd
    inputs: [WHO]
    outputs: [A]
    params: { command: "echo $$ > pid$WHO; echo a$WHO >> ran; until test -e go$WHO; do sleep 0.01; done; echo A=$WHO" }
  - { name: b, plugin: cmd, inputs: [A], params: { command: "echo b$A >> ran" } }
"#;

#[test]
fn a_living_processes_run_is_never_taken_over_and_a_dead_ones_is_resumable() {
    let loom = Loom::with(WAITS);
    let start = |who: &str| {
        let variable = format!("WHO={who}");
        let mut run = Watched::start(&loom, &["run", "w.yaml", "--json", "--var", &variable]);
        let id = run.event("task.started")["run"].as_str().unwrap().to_owned();
        let pid = format!("pid{who}");
        let command: u32 = eventually("the task's process", || {
            fs::read_to_string(loom.path(&pid)).ok()?.trim().parse().ok()
        });
        (run, id, command)
    };
    let (first, first_id, first_command) = start("1");
    let (second, second_id, second_command) = start("2");
    for (id, pid) in [(&first_id, first.pid()), (&second_id, second.pid())] {
        let refused = loom.loom(&["resume", id]).exits(2).warns("error[L604]");
        refused.warns(&format!("pid {pid} "));
    }
    first.kill();
    let listed = loom.loom(&["list", "--json", "--state", "interrupted"]).exits(0).json();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["id"], first_id.as_str());
    loom.loom(&["resume", &second_id]).exits(2).warns("error[L604]");
    assert!(is_alive(first_command), "a command outlives loom, which makes it a leftover");

    fs::write(loom.path("go1"), "").unwrap();
    eventually("the leftover's end", || (!is_alive(first_command)).then_some(()));
    loom.loom(&["resume", &first_id]).exits(0).says("succeeded: 2 tasks");
    assert!(is_alive(second_command), "the other run's command was ended");
    fs::write(loom.path("go2"), "").unwrap();
    second.end().exits(0);
    let ran = loom.read("ran");
    let mut ran: Vec<&str> = ran.lines().collect();
    ran.sort_unstable();
    assert_eq!(ran, ["a1", "a1", "a2", "b1", "b2"]);
}

#[test]
fn of_several_that_resume_one_run_at_once_one_does() {
    let loom = Loom::with(WAITS);
    let mut run = Watched::start(&loom, &["run", "w.yaml", "--json", "--var", "WHO=1"]);
    let id = run.event("task.started")["run"].as_str().unwrap().to_owned();
    run.kill();
    fs::write(loom.path("go1"), "").unwrap();
    let all: Vec<_> =
        (0..PROCESSES).map(|_| Watched::start(&loom, &["resume", &id, "--json"])).collect();
    let mut done = 0;
    for resume in all {
        let said = resume.end();
        match said.code {
            0 => done += 1,
            // Alive, or over by the time that it was looked at.
            2 => assert!(said.err.contains("[L604]") || said.err.contains("[L603]"), "{said:?}"),
            _ => panic!("{said:?}"),
        }
    }
    assert_eq!(done, 1);
    let ran = loom.read("ran");
    assert_eq!(ran.lines().filter(|line| *line == "b1").count(), 1, "{ran}");
}
