//! Signals while commands are under way, and what commands leave behind when `loom` is killed.

use crate::harness::Loom;
use crate::watch::{Watched, eventually, is_alive};
use std::fs;

/// A task that hears nothing but KILL until `go` is there, and one behind it.
fn deaf() -> Loom {
    Loom::with(
        r#"
name: deaf
tasks:
  - { name: first, plugin: cmd, outputs: [F], params: { command: "echo first >> ran; echo F=1" } }
  - name: long
    plugin: cmd
    inputs: [F]
    outputs: [L]
    params: { command: "trap '' TERM INT HUP; echo $$ > pid; echo long >> ran; until test -e go; do sleep 0.01; done; echo L=1" }
  - { name: last, plugin: cmd, inputs: [L], params: { command: "echo last >> ran" } }
"#,
    )
}

/// Starts the run and waits for its long command; answers with its process.
fn under_way(loom: &Loom) -> (Watched, u32) {
    let run = Watched::start(loom, &["run", "w.yaml", "--json"]);
    let command = eventually("the long command", || {
        fs::read_to_string(loom.path("pid")).ok()?.trim().parse().ok()
    });
    (run, command)
}

#[test]
fn two_interrupts_end_even_a_command_that_ignores_them() {
    let loom = deaf();
    let (run, command) = under_way(&loom);
    run.signal("INT");
    eventually("the answer", || run.errors().contains("again to kill").then_some(()));
    assert!(is_alive(command), "the first lets end what is under way");
    run.signal("INT");
    run.end().exits(130);
    assert!(!is_alive(command), "nothing stays behind");
    fs::write(loom.path("go"), "").unwrap();
    loom.loom(&["resume", "last"]).exits(0).says("succeeded: 3 tasks");
    assert_eq!(loom.read("ran"), "first\nlong\nlong\nlast\n");
}

#[test]
fn term_lets_end_what_is_under_way_and_nothing_is_repeated() {
    let loom = deaf();
    let (run, _) = under_way(&loom);
    run.signal("TERM");
    eventually("the answer", || run.errors().contains("again to kill").then_some(()));
    fs::write(loom.path("go"), "").unwrap();
    let said = run.end().exits(130);
    assert!(said.out.contains(r#""task":"long","attempt":1,"outputs""#), "{said:?}");
    loom.loom(&["resume", "last"]).exits(0).says("succeeded: 3 tasks");
    assert_eq!(loom.read("ran"), "first\nlong\nlast\n");
}

#[test]
fn leftovers_in_sessions_of_their_own_are_ended_before_anything_starts() {
    let loom = Loom::with(
        r#"
name: away
tasks:
  - name: a
    plugin: cmd
    params: { command: "sh away.sh" }
"#,
    )
    .file(
        "away.sh",
        r#"
if test -e go; then
  exec 9>> lock
  flock -n 9 || echo overlap >> ran
  echo again >> ran
  exit
fi
setsid sh -c 'exec 9>> lock; flock 9; trap "" TERM; echo $$ > away; while :; do sleep 0.02; done' &
sleep 600
"#,
    );
    let run = Watched::start(&loom, &["run", "w.yaml", "--json"]);
    let away: u32 = eventually("the one that left", || {
        fs::read_to_string(loom.path("away")).ok()?.trim().parse().ok()
    });
    run.kill();
    assert!(is_alive(away));
    fs::write(loom.path("go"), "").unwrap();
    loom.loom(&["resume", "last"]).exits(0);
    assert!(!is_alive(away));
    assert_eq!(loom.read("ran"), "again\n");
}

#[test]
fn a_persistent_plugin_does_not_outlive_loom() {
    let loom = Loom::with("name: host\ntasks:\n  - { name: a, plugin: snake, outputs: [A] }").file(
        "plugins/snake.py",
        r#"
import os, subprocess, time

class Plugin:
    def execute(self, env, params):
        if os.path.exists("go"):
            return {"A": "2"}
        child = subprocess.Popen(["sleep", "600"])
        with open("pids", "w") as file:
            file.write(f"{os.getpid()} {child.pid}\n")
        time.sleep(600)
"#,
    );
    let run = Watched::start(&loom, &["run", "w.yaml", "--json"]);
    let pids: Vec<u32> = eventually("the plugin's process", || {
        let text =
            fs::read_to_string(loom.path("pids")).ok().filter(|text| text.ends_with('\n'))?;
        Some(text.split_whitespace().map(|pid| pid.parse().unwrap()).collect())
    });
    run.kill();
    for pid in pids {
        eventually("its end", || (!is_alive(pid)).then_some(()));
    }
    fs::write(loom.path("go"), "").unwrap();
    loom.loom(&["resume", "last"]).exits(0).says("A=2");
}
