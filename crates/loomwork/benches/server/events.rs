//! How soon events arrive, and what it costs to wait for them.

use super::daemon::{Daemon, ONE};
use super::figures::spread;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const READERS: usize = 100;
const RUNS: usize = 300;
const IDLE: usize = 1000;
/// Longer than anything but a hang.
const PATIENCE: Duration = Duration::from_secs(10);

/// From the moment that an event tells, which is before its commit, to its arrival at each of many
/// readers.
pub(crate) fn latency() {
    let daemon = Daemon::start();
    let follow = || daemon.client().follow("/api/v1/events?types=run.finished");
    let mut readers: Vec<_> = (0..READERS).map(|_| follow()).collect();
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let read = readers.iter_mut().map(|reader| {
            scope.spawn(|| {
                let arrived = (0..RUNS).map(|_| since(&reader.next(PATIENCE).unwrap()));
                arrived.collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = read.collect();
        let mut client = daemon.client();
        for _ in 0..RUNS {
            client.send("POST", "/api/v1/runs", ONE);
            // One run's events are to arrive alone.
            std::thread::sleep(Duration::from_millis(5));
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    println!("an event to each of {READERS} readers: {}", spread(times));
}

fn since(event: &Value) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at: jiff::Timestamp = event["at"].as_str().unwrap().parse().unwrap();
    now.saturating_sub(Duration::from_micros(at.as_microsecond() as u64))
}

/// What readers that hear nothing take up.
pub(crate) fn idle() {
    let daemon = Daemon::start();
    let before = daemon.memory();
    let follow = || daemon.client().follow("/api/v1/events?types=run.finished");
    let mut readers: Vec<_> = (0..IDLE).map(|_| follow()).collect();
    // Each is there once it hears of a run.
    let mut client = daemon.client();
    let after = daemon.memory();
    client.send("POST", "/api/v1/runs", ONE);
    readers.iter_mut().for_each(|reader| drop(reader.next(PATIENCE).unwrap()));
    println!(
        "{IDLE} idle readers: {:.1} MiB more, {:.1} MiB once each has heard of a run",
        (after - before) as f64 / 1024.0,
        (daemon.memory() - before) as f64 / 1024.0,
    );
}
