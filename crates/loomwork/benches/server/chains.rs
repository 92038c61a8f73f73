//! Whole runs: from the request to the event that tells of their end.

use super::client::storm;
use super::daemon::{Daemon, THREE};
use super::figures::{rate, spread};
use serde_json::Value;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const ALONE: usize = 2000;
const MANY: usize = 30_000;
const CONNECTIONS: usize = 64;
const ENDS: &str = "/api/v1/events?types=run.finished";
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs of three `noop` tasks in a chain.
pub(crate) fn loom() {
    let daemon = Daemon::start();
    println!("3 noop tasks in a chain, request to finished event: {}", spread(alone(&daemon)));
    let took = many(&daemon, MANY);
    println!("such runs, {CONNECTIONS} connections, to the last event: {}", rate(MANY, took));
}

/// One run at a time.
fn alone(daemon: &Daemon) -> Vec<Duration> {
    let mut ends = daemon.client().follow(ENDS);
    let mut client = daemon.client();
    let mut run = || {
        let begun = Instant::now();
        let id = Daemon::begin(&mut client, THREE);
        let ended = ends.next(PATIENCE).unwrap();
        assert_eq!(ended["run"], Value::String(id));
        begun.elapsed()
    };
    for _ in 0..ALONE / 10 {
        run();
    }
    (0..ALONE).map(|_| run()).collect()
}

/// Many at once; answers with the time to the event of the last end.
fn many(daemon: &Daemon, runs: usize) -> Duration {
    let mut ends = daemon.client().follow(ENDS);
    let (tell, told) = channel();
    std::thread::spawn(move || {
        (0..runs).for_each(|_| drop(ends.next(PATIENCE).unwrap()));
        // The bench may have failed meanwhile.
        let _ = tell.send(());
    });
    let begun = Instant::now();
    storm(daemon.host, CONNECTIONS, runs, |client, _| {
        client.send("POST", "/api/v1/runs", THREE);
    });
    told.recv().unwrap();
    begun.elapsed()
}

/// What the server holds after ever more runs, while a rule deletes what has ended.
pub(crate) fn memory() {
    let daemon = Daemon::start();
    let rule = r#"{"keep_s": 1}"#;
    daemon.client().send("PUT", "/api/v1/retention/all", rule);
    let mut runs = 0;
    for upto in [10_000, 50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000] {
        many(&daemon, upto - runs);
        runs = upto;
        println!("memory after {runs} runs: {:.1} MiB", daemon.memory() as f64 / 1024.0);
    }
}
