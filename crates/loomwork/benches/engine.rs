//! The engine on a real store: latency, throughput, growth and memory. Prints one line a figure.
//!
//! `cargo bench -p loomwork --bench engine`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use loom_core::{
    Attempt, AttemptKey, Backoff, Definition, Event, Failure, FailureKind, News, Plan, RetryPolicy,
    RunId, Stop, TaskDef, TaskKind, Timestamp,
};
use loom_engine::{
    Carried, Clock, Engine, Executor, Handle, Input, NewSubmission, Observer, Options, Started,
    SystemClock, channel,
};
use loom_sqlite::SqliteStore;
use loom_store::{RunCommit, StoreError, definition_hash};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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

/// Finishes every attempt at once: `noop` succeeds, anything else fails for now.
struct Inline;

impl Executor for Inline {
    fn start(&mut self, attempt: Attempt, _carried: &Carried) -> Started {
        Started::Finished(if attempt.task().plugin == "noop" {
            News::Succeeded(Vec::new())
        } else {
            News::Failed(Failure::retryable(FailureKind::Connection, "not yet"))
        })
    }

    fn stop(&mut self, _: AttemptKey, _: Stop) {}

    fn recall(&mut self, _: AttemptKey) {}

    fn end_leftovers(&mut self, _: &[RunId]) -> Result<(), String> {
        Ok(())
    }
}

/// Tells when runs end.
struct Ends(Sender<RunId>);

impl Observer for Ends {
    fn committed(&mut self, commits: &[RunCommit]) {
        for commit in commits {
            if matches!(commit.events.last(), Some(Event::RunFinished { .. })) {
                // The bench may have stopped listening.
                let _ = self.0.send(commit.run);
            }
        }
    }
}

struct Bench {
    handle: Handle,
    ends: Receiver<RunId>,
    thread: JoinHandle<Result<(), StoreError>>,
    next: u64,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("it can be written");
        let options = loom_sqlite::Options::default();
        let store = SqliteStore::open(folder.path().join("bench.db"), options).expect("it opens");
        let options = Options::default();
        let (handle, inbox) = channel(&options);
        let mut engine = Engine::new(Box::new(store), Box::new(Inline), options);
        let (sender, ends) = std::sync::mpsc::channel();
        engine.observe(Box::new(Ends(sender)));
        let thread = engine.spawn(inbox, Arc::new(SystemClock));
        Self { handle, ends, thread, next: 0, _folder: folder }
    }

    fn submission(&mut self, plan: &Arc<Plan>) -> NewSubmission {
        self.next += 1;
        NewSubmission {
            id: RunId::new(SystemClock.now().as_millis(), u128::from(self.next)),
            plan: Arc::clone(plan),
            hash: definition_hash(plan.definition()),
            variables: Arc::new(Vec::new()),
            workers: 2,
            base: String::new(),
            meta: Arc::default(),
            hold: false,
        }
    }

    /// Submits without waiting for the answer.
    fn send(&mut self, submission: NewSubmission) {
        self.handle.send(Input::Submit(Box::new(submission), Box::new(drop)));
    }

    fn wait(&self, runs: usize) {
        for _ in 0..runs {
            self.ends.recv().expect("the engine lives");
        }
    }

    fn stop(self) {
        drop(self.handle);
        self.thread.join().expect("the engine ends well").expect("the store worked");
    }
}

fn noop(name: String) -> TaskDef {
    TaskDef { kind: TaskKind::Instant, ..TaskDef::new(name, "noop") }
}

fn independent(count: usize) -> Arc<Plan> {
    let tasks = (0..count).map(|nth| noop(format!("task-{nth}"))).collect();
    Arc::new(Plan::new(Definition::new("independent", tasks)))
}

fn chain(count: usize) -> Arc<Plan> {
    let tasks = (0..count).map(|nth| {
        let mut task = noop(format!("task-{nth}"));
        task.execution.depends_on =
            nth.checked_sub(1).map(|on| format!("task-{on}")).into_iter().collect();
        task
    });
    Arc::new(Plan::new(Definition::new("chain", tasks.collect())))
}

fn main() {
    latency();
    many_small();
    many_submitters();
    let small = one_run(1_000, 100);
    let large = one_run(100_000, 3);
    println!("growth: cost per task at 100,000 is {:.2} x that at 1,000", large / small);
    many_runs();
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

fn many_small() {
    let mut bench = Bench::new();
    let plan = chain(3);
    let runs = 20_000;
    let start = Instant::now();
    let template = bench.submission(&plan);
    for nth in 0..runs {
        bench.send(NewSubmission { id: RunId::new(1, nth as u128), ..template.clone() });
        if nth >= 1_000 {
            bench.wait(1);
        }
    }
    bench.wait(1_000);
    let rate = f64::from(runs) / start.elapsed().as_secs_f64();
    println!("3 noop tasks in a chain, 1,000 runs in flight: {rate:.0} runs a second");
    bench.stop();
}

/// Threads that each wait until a run is durable before they submit the next.
fn many_submitters() {
    let mut bench = Bench::new();
    let (threads, each) = (64_u32, 400_u32);
    let template = bench.submission(&chain(3));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (handle, template) = (&bench.handle, &template);
            scope.spawn(move || {
                for nth in 0..each {
                    let id = RunId::new(1, (thread * each + nth) as u128);
                    let accepted = handle.submit(NewSubmission { id, ..template.clone() });
                    accepted.expect("the engine lives");
                }
            });
        }
    });
    let rate = f64::from(threads * each) / start.elapsed().as_secs_f64();
    println!("64 threads, each waiting for its run to be durable: {rate:.0} runs a second");
    bench.stop();
}

/// Answers with seconds per task.
fn one_run(tasks: usize, rounds: u32) -> f64 {
    let mut bench = Bench::new();
    let plan = independent(tasks);
    PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
    let submissions: Vec<_> = (0..rounds).map(|_| bench.submission(&plan)).collect();
    let mut times = Vec::new();
    for submission in submissions {
        let start = Instant::now();
        bench.send(submission);
        bench.wait(1);
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_unstable_by(f64::total_cmp);
    let seconds = times[times.len() / 2];
    println!(
        "one run of {tasks} noop tasks: {:.0} tasks a second, {seconds:.4} s, peak {} MiB",
        tasks as f64 / seconds,
        PEAK.load(Ordering::Relaxed) >> 20
    );
    bench.stop();
    seconds / tasks as f64
}

fn many_runs() {
    let mut bench = Bench::new();
    let plan = independent(10);
    let template = bench.submission(&plan);
    PEAK.store(NOW.load(Ordering::Relaxed), Ordering::Relaxed);
    let start = Instant::now();
    for nth in 0..10_000 {
        bench.send(NewSubmission { id: RunId::new(1, nth), ..template.clone() });
    }
    bench.wait(10_000);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "10,000 runs of 10 noop tasks: {:.0} tasks a second, peak {} MiB",
        100_000.0 / seconds,
        PEAK.load(Ordering::Relaxed) >> 20
    );
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
    let plan = Arc::new(Plan::new(Definition::new("parked", tasks)));
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
