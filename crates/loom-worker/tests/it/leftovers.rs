//! Ending what a crash left behind.

use loom_worker::end_leftovers;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process in a group of its own that carries this mark and has said that it is ready.
fn leftover(mark: (&str, &str), script: &str) -> Child {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .env(mark.0, mark.1)
        .process_group(0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn of<const N: usize>(runs: [&str; N]) -> BTreeSet<String> {
    runs.map(str::to_owned).into()
}

#[test]
fn only_the_runs_processes_are_ended() {
    let mut other = leftover(("LOOM_RUN_ID", "leftover-test-10"), "echo ready; exec sleep 3600");
    let mut gentle = leftover(("LOOM_RUN_ID", "leftover-test-1"), "echo ready; exec sleep 3600");
    let stubborn = "trap '' TERM; echo ready; while :; do sleep 1; done";
    let mut stubborn = leftover(("LOOM_RUN_ID", "leftover-test-2"), stubborn);
    let start = Instant::now();
    let runs = of(["leftover-test-1", "leftover-test-2", "leftover-test-3"]);
    assert!(end_leftovers(&runs, Duration::from_millis(200)).is_empty());
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(gentle.wait().unwrap().signal(), Some(libc::SIGTERM));
    assert_eq!(stubborn.wait().unwrap().signal(), Some(libc::SIGKILL));
    assert_eq!(other.try_wait().unwrap(), None);
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_dead_looms_plugins_are_ended_and_a_living_ones_are_not() {
    use std::os::unix::fs::MetadataExt;
    let space = std::fs::metadata("/proc/self/ns/pid").unwrap().ino();
    let started = |process: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        fields.split(' ').nth(19).unwrap().to_owned()
    };
    let us = std::process::id();
    let living = format!("{us}-{}-{space}", started(us));
    // This process's number, but of one that started before.
    let dead = format!("{us}-1-{space}");
    // Another space of numbers, of which nothing is known here.
    let elsewhere = format!("{us}-1-{}", space - 1);
    let sleeper = "echo ready; exec sleep 3600";
    let start = |keeper: &str| leftover(("LOOM_KEEPER", keeper), sleeper);
    let (mut kept, mut orphan, mut foreign) = (start(&living), start(&dead), start(&elsewhere));
    let mut odd = start("odd");
    assert!(end_leftovers(&of(["leftover-test-4"]), Duration::from_secs(20)).is_empty());
    assert_eq!(orphan.wait().unwrap().signal(), Some(libc::SIGTERM));
    for child in [&mut kept, &mut foreign, &mut odd] {
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
