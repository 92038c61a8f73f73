//! Measures the store: how fast it opens, how many journal rows a second it records at different
//! sizes of commit, and how long the slowest commits take.
//!
//! `cargo run --release -p loom-sqlite --example commits [FOLDER]`; the folder decides which disk
//! is measured. Without one it is the current folder.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "this is a program for people")]

use loom_sqlite::{Options, SqliteStore};
use loom_store::conformance::samples;
use loom_store::{NewRun, QueryStore, RunCommit, RunStore, UpkeepStore};
use std::path::Path;
use std::time::{Duration, Instant};

const FOR: Duration = Duration::from_millis(1500);

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::tempdir_in(folder).unwrap();
    opening(folder.path());
    println!("\nruns a commit   rows/s   commits/s   p50 µs   p99 µs   p99.9 µs   slowest µs");
    for runs in [1, 10, 100, 1000] {
        recording(&folder.path().join(format!("{runs}.db")), runs);
    }
    creating(&folder.path().join("creating.db"));
    polling(&folder.path().join("1.db"));
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap()
}

fn new_run() -> NewRun {
    samples::new_run(samples::definition("sample"))
}

/// A store that is opened and a first run that is recorded in it, as a whole process would.
fn opening(folder: &Path) {
    let new = new_run();
    let measure = |name: &dyn Fn(u64) -> String| {
        let times = |n: u64| {
            let started = Instant::now();
            let mut store = open(&folder.join(name(n)));
            let opened = started.elapsed();
            let id = samples::run_id(n);
            store.commit(&[samples::creates(id, new.clone())]).unwrap();
            let committed = started.elapsed();
            drop(store);
            [opened, committed, started.elapsed()]
        };
        let runs: Vec<[Duration; 3]> = (0..40).map(times).collect();
        [0, 1, 2].map(|step| {
            let mut step: Vec<Duration> = runs.iter().map(|times| times[step]).collect();
            step.sort();
            step[step.len() / 2].as_micros()
        })
    };
    println!("median µs since the start:   opened   first commit   closed");
    let fresh = measure(&|n| format!("new-{n}/loom.db"));
    println!("a new store               {:>9} {:>14} {:>8}", fresh[0], fresh[1], fresh[2]);
    let again = measure(&|_| "again.db".into());
    println!("an existing one           {:>9} {:>14} {:>8}", again[0], again[1], again[2]);
}

/// Commits of one event for each of so many runs.
fn recording(path: &Path, runs: u64) {
    let mut store = open(path);
    let create = |n| samples::creates(samples::run_id(n), new_run());
    store.commit(&(0..runs).map(create).collect::<Vec<_>>()).unwrap();
    let mut times = Vec::new();
    let begun = Instant::now();
    for seq in 1.. {
        let record = |n| samples::records(samples::run_id(n), seq, vec![samples::event(seq)]);
        let commits: Vec<RunCommit> = (0..runs).map(record).collect();
        let started = Instant::now();
        store.commit(&commits).unwrap();
        times.push(started.elapsed());
        if begun.elapsed() > FOR {
            break;
        }
    }
    let total: Duration = times.iter().sum();
    times.sort();
    let per_second = times.len() as f64 / total.as_secs_f64();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_micros();
    println!(
        "{runs:>13} {:>8.0} {per_second:>11.0} {:>8} {:>8} {:>10} {:>12}",
        per_second * runs as f64,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
    );
}

/// The whole life of runs, a hundred at once: created, started, ended, pruned.
fn creating(path: &Path) {
    let mut store = open(path);
    let new = new_run();
    let (mut runs, started) = (0, Instant::now());
    while started.elapsed() < FOR {
        let create = |n| samples::ended(samples::run_id(n), new.clone(), 1);
        store.commit(&(runs..runs + 100).map(create).collect::<Vec<_>>()).unwrap();
        runs += 100;
    }
    let took = started.elapsed();
    println!("\nwhole runs, 100 a commit: {:.0}/s", runs as f64 / took.as_secs_f64());
    let started = Instant::now();
    let pruned = store.prune(&samples::older_than(99, usize::MAX)).unwrap().len();
    println!("pruned: {:.0}/s", pruned as f64 / started.elapsed().as_secs_f64());
}

/// What asking for requests costs when there are none.
fn polling(path: &Path) {
    let mut store = open(path);
    let run = store.find("", 1).unwrap()[0];
    store.claim(run).unwrap();
    let started = Instant::now();
    let polls = 100_000;
    for _ in 0..polls {
        assert!(store.requests().unwrap().is_empty());
    }
    println!("asking for requests: {} ns", (started.elapsed() / polls).as_nanos());
    let events = store.load(run).unwrap().events.len();
    let started = Instant::now();
    store.load(run).unwrap();
    println!("loading: {:.0} events/s", events as f64 / started.elapsed().as_secs_f64());
}
