//! A store that another program keeps locked.

use crate::harness::{Lock, Loom};
use crate::watch::{Next, Watched};
use std::fs;
use std::time::Duration;

/// A task that ends when `go` is there, and one behind it.
fn two_steps() -> Loom {
    Loom::with(
        r#"
name: locked
tasks:
  - name: a
    plugin: cmd
    outputs: [A]
    params: { command: "echo a >> ran; until test -e go; do sleep 0.01; done; echo A=1; echo end >> ran" }
  - { name: b, plugin: cmd, inputs: [A], params: { command: "echo b >> ran" } }
"#,
    )
}

/// Starts the run, and locks the store while its first task is under way.
fn locked(loom: &Loom) -> (Watched, Lock) {
    let mut run = Watched::start(loom, &["run", "w.yaml", "--json"]);
    run.event("task.started");
    let lock = Lock::hold(loom);
    fs::write(loom.path("go"), "").unwrap();
    (run, lock)
}

#[test]
fn a_short_lock_is_waited_for_and_nothing_is_done_meanwhile() {
    let loom = two_steps();
    let (mut run, lock) = locked(&loom);
    assert!(matches!(run.next(Duration::from_millis(700)), Next::Silence));
    assert!(!loom.read("ran").contains('b'), "a dependent started before its cause was durable");
    // Looking is not hindered.
    loom.loom(&["show", "last"]).exits(0).says("0 of 2 tasks done");
    drop(lock);
    run.end().exits(0).says("run.finished");
    assert_eq!(loom.read("ran"), "a\nend\nb\n");
}

#[test]
fn a_lock_beyond_patience_ends_the_run_in_order_and_it_can_be_resumed() {
    let loom = two_steps();
    let (run, lock) = locked(&loom);
    run.end().exits(3).warns("error[L501]").warns("is locked").warns("loom resume ");
    assert!(!loom.read("ran").contains('b'));
    loom.loom(&["list"]).exits(0).says("interrupted");
    drop(lock);
    loom.loom(&["resume", "last"]).exits(0).says("succeeded: 2 tasks");
    assert_eq!(loom.read("ran"), "a\nend\na\nend\nb\n", "what was not recorded runs again");
}

#[test]
fn a_run_is_not_accepted_by_a_locked_store() {
    let loom = two_steps();
    fs::write(loom.path("go"), "").unwrap();
    loom.loom(&["run", "w.yaml"]).exits(0);
    fs::remove_file(loom.path("ran")).unwrap();
    let lock = Lock::hold(&loom);
    loom.loom(&["run", "w.yaml"]).exits(3).warns("error[L501]").warns("try again");
    assert!(!loom.path("ran").exists());
    drop(lock);
    assert_eq!(loom.loom(&["list", "--json"]).exits(0).json().len(), 1);
}
