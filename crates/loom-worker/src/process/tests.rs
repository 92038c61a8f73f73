//! What the tests of the worker as a whole cannot reach.

use super::*;
use crate::sys::WITHOUT_PIDFD;
use crate::testing::{job, request};
use serde_json::json;
use std::time::Instant;

fn run_line(line: &str, change: impl FnOnce(&mut Job)) -> Result<Vec<AttemptOutput>, Ended> {
    let folder = tempfile::tempdir().unwrap();
    let mut request = request("cmd", json!({}));
    request.base = folder.path().to_owned();
    let mut job = job(request, folder.path());
    change(&mut job);
    let launch = Launch {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), line.into()],
        cwd: folder.path().to_owned(),
        env: Vec::new(),
        stdin: Some(b"given\n".to_vec()),
    };
    run(&mut job, launch)
}

#[test]
fn a_kernel_that_does_not_tell_of_exits_makes_no_difference() {
    for without in [false, true] {
        WITHOUT_PIDFD.set(without);
        let outputs = run_line("read A; echo \"A=$A\"; sleep 0.03; echo B=late", |_| ()).unwrap();
        let values: Vec<_> = outputs.iter().map(|output| output.value.clone()).collect();
        assert_eq!(values, [json!("given"), json!("late")]);
        // One that closes its output long before it exits.
        let quiet = run_line("exec >&- 2>&-; sleep 0.05; exit 3", |_| ()).unwrap_err();
        let Ended::Failed(info) = quiet else { panic!("stopped") };
        assert_eq!(info.exit_status, Some(3));
        let start = Instant::now();
        let timeout = |job: &mut Job| {
            job.request.timeout = Some(Duration::from_millis(50));
            job.deadline = Some(Instant::now() + Duration::from_millis(50));
        };
        let Err(Ended::Failed(info)) = run_line("exec sleep 3600", timeout) else { panic!() };
        assert_eq!(info.code, ErrorCode::TaskTimeout);
        assert!(start.elapsed() < Duration::from_secs(30));
        let left = run_line("sleep 3600 & echo P=$!", |_| ()).unwrap();
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", left[0].value.as_str().unwrap()));
        assert!(stat.is_err() || stat.unwrap().contains(") Z"), "the child is alive");
    }
    WITHOUT_PIDFD.set(false);
}

#[test]
fn a_process_that_nobody_collects_any_more_is_killed_with_its_group() {
    use std::io::{BufRead, BufReader, Read};
    let folder = tempfile::tempdir().unwrap();
    let job = job(request("cmd", json!({})), folder.path());
    let launch = Launch {
        program: "sh".into(),
        args: vec!["-c".into(), "sleep 3600 & echo up; wait".into()],
        cwd: folder.path().to_owned(),
        env: Vec::new(),
        stdin: None,
    };
    let started = launch::start(&launch, &job.host.inherited, &[]).unwrap();
    drop(started.ends);
    let mut stdout = BufReader::new(started.stdout);
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    let group = started.child.id();
    // As when the thread that waits for it panics.
    drop(started.child);
    // Ends only once the last process that holds the pipe has.
    assert_eq!(stdout.read(&mut [0]).unwrap(), 0);
    // It closes its end of the pipe a moment before it is gone.
    let until = Instant::now() + Duration::from_secs(30);
    while crate::group::alive(group) {
        assert!(Instant::now() < until, "the group lives");
        std::thread::yield_now();
    }
}
