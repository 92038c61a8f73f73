//! What the engine takes at worst, on a real store: the slowest of many runs, and memory. One line a
//! figure: `cargo bench -p loomwork --bench limits`.
//!
//! Not among the other benchmarks, since their harness tells neither percentiles nor what all
//! threads together hold.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use loom_core::{Backoff, Plan, RetryPolicy, RunId, TaskDef, Timestamp};
use loom_engine::{Engine, Input, NewSubmission, Options};
use loom_sqlite::SqliteStore;
use loom_store::definition_hash;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{Bench, Inline, chain, independent, noop};

/// Counts what is allocated now, and the most that was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator is unsafe by its signature; this one only counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    latency();
    peak("one run of 100,000 noop tasks", &independent(100_000), 1);
    peak("10,000 runs of 10 noop tasks", &independent(10), 10_000);
    parked();
}

fn latency() {
    let mut bench = Bench::new();
    let plan = chain(3);
    let mut times: Vec<Duration> = (0..2_200)
        .map(|_| {
            let submission = bench.submission(&plan);
            let start = Instant::now();
            bench.send(submission);
            bench.wait(1);
            start.elapsed()
        })
        .skip(200)
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100];
    println!("3 noop tasks in a chain, one run at a time: p50 {:?}, p99 {:?}", at(50), at(99));
    bench.stop();
}

/// The most memory that so many runs take together.
fn peak(what: &str, plan: &Arc<Plan>, runs: usize) {
    let mut bench = Bench::new();
    let template = bench.submission(plan);
    PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
    for nth in 0..runs as u128 {
        bench.send(NewSubmission { id: RunId::new(1, nth), ..template.clone() });
    }
    bench.wait(runs);
    println!("{what}: peak {} MiB", PEAK.load(Ordering::Relaxed) >> 20);
    bench.stop();
}

/// Runs whose first task waits out a long backoff: what each costs in memory.
fn parked() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("it can be written");
    let options = loom_sqlite::Options::default();
    let store = SqliteStore::open(folder.path().join("bench.db"), options).expect("it opens");
    let mut engine = Engine::new(Box::new(store), Box::new(Inline), Options::default());
    let mut tasks: Vec<TaskDef> = (0..10).map(|nth| noop(format!("task-{nth}"))).collect();
    tasks[0].plugin = "later".into();
    let hour = Duration::from_hours(1);
    tasks[0].retry = RetryPolicy {
        max_attempts: 9,
        backoff: Backoff::Fixed,
        initial: hour,
        max: hour,
        jitter: 0.0,
    };
    let plan = Arc::new(Plan::new(loom_core::Definition::new("parked", tasks)));
    let hash = definition_hash(plan.definition());
    let submit = |engine: &mut Engine, nths: std::ops::Range<u64>| {
        for nth in nths {
            let submission = NewSubmission {
                id: RunId::new(1, u128::from(nth)),
                plan: Arc::clone(&plan),
                hash,
                variables: Arc::new(Vec::new()),
                workers: 2,
                base: String::new(),
                meta: Arc::default(),
                hold: false,
            };
            let mut inputs = vec![Input::Submit(Box::new(submission), Box::new(drop))];
            while !inputs.is_empty() || engine.is_busy() {
                engine.turn(&mut inputs, Timestamp(1_000_000)).expect("the store works");
            }
        }
    };
    submit(&mut engine, 0..100);
    let before = NOW.load(Ordering::Relaxed);
    submit(&mut engine, 100..10_100);
    let after = NOW.load(Ordering::Relaxed);
    println!(
        "10,000 parked runs of 10 tasks: {} KiB, {} bytes a run, {:?} in memory and parked",
        (after - before) >> 10,
        (after - before) / 10_000,
        engine.load()
    );
}
