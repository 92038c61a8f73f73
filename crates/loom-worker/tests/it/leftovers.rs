//! Ending what a crash left behind.

use loom_worker::end_leftovers;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A process in a group of its own that carries a run's identity and has said that it is ready.
fn leftover(run: &str, script: &str) -> Child {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .env("LOOM_RUN_ID", run)
        .process_group(0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    child
}

#[test]
fn only_the_run_s_processes_are_ended() {
    let mut other = leftover("leftover-test-10", "echo ready; exec sleep 3600");
    let mut gentle = leftover("leftover-test-1", "echo ready; exec sleep 3600");
    let mut stubborn =
        leftover("leftover-test-1", "trap '' TERM; echo ready; while :; do sleep 1; done");
    let start = Instant::now();
    let ended = end_leftovers("leftover-test-1", Duration::from_millis(200)).unwrap();
    assert_eq!(ended, 2);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(gentle.wait().unwrap().signal(), Some(libc::SIGTERM));
    assert_eq!(stubborn.wait().unwrap().signal(), Some(libc::SIGKILL));
    assert_eq!(other.try_wait().unwrap(), None);
    assert_eq!(end_leftovers("leftover-test-1", Duration::ZERO).unwrap(), 0);
    other.kill().unwrap();
    other.wait().unwrap();
}
