//! Held attempts, stopping, idle attempts, shutting down.

use crate::support::{Bench, LONG};
use loom_protocol::{AttemptNews, StopHow};
use loom_worker::Immediate;
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn what_takes_no_time_has_ended_at_once() {
    let bench = Bench::new();
    for (plugin, params) in [
        ("noop", json!({})),
        ("start", json!({})),
        ("end", json!({})),
        ("sleep", json!({"duration": 0})),
    ] {
        let request = bench.request(plugin, params);
        let ended = bench.start_now(request);
        assert_eq!(ended, Immediate::Finished(AttemptNews::Succeeded(Vec::new())), "{plugin}");
    }
    let unknown = bench.request("nonesuch", json!({}));
    assert!(matches!(bench.start_now(unknown), Immediate::Finished(AttemptNews::Failed(_))));
    assert!(bench.quiet());
}

#[test]
fn a_held_attempt_begins_with_the_report_of_the_one_that_made_room() {
    let bench = Bench::new();
    let mut first = bench.command("read line < gate");
    let gate = bench.folder.path().join("gate");
    let made = std::process::Command::new("mkfifo").arg(&gate).status().unwrap();
    assert!(made.success());
    first.held = true;
    first.lane_width = 1;
    let first = bench.start(first);
    let mut second = bench.command("true");
    second.held = true;
    second.lane_width = 1;
    let second = bench.start(second);
    let began = bench.reports();
    assert_eq!(began.len(), 1);
    assert_eq!(began[0].id, first);
    assert!(matches!(began[0].news, AttemptNews::Began(micros) if micros > 1_600_000_000_000_000));
    assert!(bench.quiet());
    std::fs::write(gate, "go\n").unwrap();
    let both = bench.reports();
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].id, first);
    assert!(matches!(both[0].news, AttemptNews::Succeeded(_)));
    assert_eq!(both[1].id, second);
    assert!(matches!(both[1].news, AttemptNews::Began(_)));
    let last = bench.reports();
    assert!(matches!(last[0].news, AttemptNews::Succeeded(_)));
}

#[test]
fn held_attempts_that_take_no_time_go_through_in_one_report() {
    let bench = Bench::new();
    let mut first = bench.request("sleep", json!({"duration": "20ms"}));
    first.lane_width = 1;
    bench.start(first);
    for duration in ["0", "0", "1ms"] {
        let mut next = bench.request("sleep", json!({"duration": duration}));
        next.held = true;
        next.lane_width = 1;
        bench.start(next);
    }
    let news: Vec<_> =
        bench.reports().into_iter().map(|report| (report.id.task, report.news)).collect();
    assert_eq!(news.len(), 6, "{news:?}");
    assert_eq!(news.iter().map(|(task, _)| *task).collect::<Vec<_>>(), [0, 1, 1, 2, 2, 3]);
    assert!(matches!(news[5].1, AttemptNews::Began(_)));
    assert_eq!(bench.reports()[0].id.task, 3);
}

#[test]
fn stopping_a_held_attempt_removes_it() {
    let bench = Bench::new();
    let first = bench.start(bench.request("sleep", json!({"duration": "1h"})));
    let mut held = bench.command("touch ran");
    held.held = true;
    held.lane_width = 1;
    let held = bench.start(held);
    bench.worker.stop(&held, StopHow::Gently);
    let report = bench.reports().remove(0);
    assert_eq!((report.id, report.news), (held, AttemptNews::Stopped));
    bench.worker.stop(&first, StopHow::Gently);
    let report = bench.reports().remove(0);
    assert_eq!((report.id, report.news), (first, AttemptNews::Stopped));
    bench.worker.shutdown(StopHow::Gently);
    assert!(bench.quiet() && !bench.folder.path().join("ran").exists());
}

#[test]
fn five_thousand_sleepers_need_no_threads() {
    let bench = Bench::new();
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let start = Instant::now();
    for _ in 0..5000 {
        bench.start(bench.request("sleep", json!({"duration": "300ms", "outputs": {"A": 1}})));
    }
    assert!(threads() < 500, "{} threads", threads());
    for _ in 0..5000 {
        assert!(matches!(bench.reports()[0].news, AttemptNews::Succeeded(_)));
    }
    assert!(start.elapsed() >= Duration::from_millis(300) && start.elapsed() < LONG);
}

#[test]
fn a_sleep_that_is_too_long_times_out() {
    let bench = Bench::new();
    let mut request = bench.request("sleep", json!({"duration": "1h"}));
    request.timeout = Some(Duration::from_millis(10));
    let info = bench.failure(request);
    assert_eq!(info.code, loom_protocol::ErrorCode::TaskTimeout);
    assert!(info.retryable);
}

#[test]
fn shutting_down_reports_everything_and_refuses_the_rest() {
    let bench = Bench::new();
    bench.start(bench.request("sleep", json!({"duration": "1h"})));
    bench.start(bench.command("exec sleep 3600"));
    let mut held = bench.command("true");
    held.held = true;
    bench.start(held);
    bench.worker.shutdown(StopHow::Gently);
    let mut stopped = 0;
    while !bench.quiet_after(|news| stopped += usize::from(*news == AttemptNews::Stopped)) {}
    assert_eq!(stopped, 3);
    let late = bench.start_now(bench.command("true"));
    assert_eq!(late, Immediate::Finished(AttemptNews::Stopped));
}
