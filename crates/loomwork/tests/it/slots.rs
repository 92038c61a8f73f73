//! Limits that several `loom` processes on one store keep together.

use crate::harness::{Loom, Running};
use crate::watch::eventually;
use std::fs;

/// A task whose instances note in `log` that they begin and end, and in `seen` how many are under
/// way; they end once `go` is there.
fn counted(execution: &str) -> Loom {
    let command = "mkdir -p busy && echo x > busy/$$ && ls busy | wc -l >> seen && echo b >> log; \
         until test -e go; do sleep 0.01; done; rm busy/$$; echo e >> log";
    let workflow = format!(
        "
name: shared
tasks:
  - name: each
    plugin: cmd
    for_each: [1, 2, 3, 4]
    execution: {execution}
    params: {{ command: \"{command}\" }}
"
    );
    Loom::with(&workflow)
}

fn begun(loom: &Loom) -> usize {
    fs::read_to_string(loom.path("log")).unwrap_or_default().matches('b').count()
}

/// Three processes with four instances each; answers with the most instances seen at once.
fn most_at_once(loom: Loom, args: &[&str], most: usize) -> usize {
    let args = [&["run", "w.yaml", "--workers", "8"], args].concat();
    let runs: Vec<Running> = (0..3).map(|_| loom.start(&args)).collect();
    eventually("the first instances", || (begun(&loom) == most).then_some(()));
    let loom = loom.file("go", "");
    for run in runs {
        run.end().exits(0);
    }
    assert_eq!(begun(&loom), 12);
    loom.read("seen").lines().map(|line| line.trim().parse().unwrap()).max().unwrap()
}

#[test]
fn a_tasks_own_limit_holds_over_processes() {
    assert_eq!(most_at_once(counted("{ workers: 2 }"), &[], 2), 2);
}

#[test]
fn a_queues_limit_holds_over_processes() {
    assert_eq!(most_at_once(counted("{ queue: gpu }"), &["--queue", "gpu=3"], 3), 3);
}

#[test]
fn what_a_killed_process_used_is_free_again() {
    let loom = counted("{ workers: 1 }");
    let first = loom.start(&["run", "w.yaml"]);
    eventually("the first instance", || (begun(&loom) == 1).then_some(()));
    let second = loom.start(&["run", "w.yaml"]);
    eventually("the second run", || {
        (loom.loom(&["list", "--json"]).json().len() == 2).then_some(())
    });
    first.signal(libc::SIGKILL);
    first.end();
    eventually("the second instance", || (begun(&loom) == 2).then_some(()));
    let loom = loom.file("go", "");
    second.end().exits(0);
    loom.loom(&["resume", "last"]).exits(2);
    let killed = loom.loom(&["list", "--json"]).json();
    let killed = killed.iter().find(|run| run["state"] == "running").unwrap();
    loom.loom(&["resume", killed["id"].as_str().unwrap()]).exits(0);
}

/// Of two processes with many short instances, none has to wait for the other's last.
#[test]
fn processes_take_turns() {
    let workflow = "
name: turns
tasks:
  - name: each
    plugin: cmd
    for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    execution: { workers: 1 }
    params: { command: \"echo $LOOM_RUN_ID >> log; sleep 0.02\" }
";
    let loom = Loom::with(workflow);
    let first = loom.start(&["run", "w.yaml"]);
    eventually("the first instance", || loom.path("log").exists().then_some(()));
    let second = loom.start(&["run", "w.yaml"]);
    first.end().exits(0);
    second.end().exits(0);
    let log = loom.read("log");
    let runs: Vec<&str> = log.lines().collect();
    assert_eq!(runs.len(), 24);
    let of_second = runs.iter().position(|run| *run != runs[0]).unwrap();
    let last_of_first = runs.iter().rposition(|run| *run == runs[0]).unwrap();
    assert!(of_second < last_of_first, "the second began only when the first had ended: {log}");
    let together = &runs[of_second..last_of_first];
    let repeats = together.windows(3).filter(|three| three.iter().all(|run| run == &three[0]));
    assert!(repeats.count() <= together.len() / 4, "{log}");
}
