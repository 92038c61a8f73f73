//! What goes wrong inside: panics, and threads that cannot be made.

use super::*;
use crate::job::{Idle, Job};
use crate::testing::request;
use loom_protocol::{AttemptOutput, PluginManifest};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_mins(1);

/// Panics where its attempt's parameter `at` says.
struct Fragile(PluginManifest, AtomicBool);

impl Fragile {
    fn at(params: &Map<String, Value>, place: &str) -> bool {
        params.get("at").is_some_and(|at| at == place)
    }
}

impl Plugin for Fragile {
    fn manifest(&self) -> &PluginManifest {
        assert!(!self.1.load(Ordering::SeqCst), "a panic while the attempt is authorised");
        &self.0
    }

    fn verbatim_param(&self) -> Option<&'static str> {
        assert!(!self.1.load(Ordering::SeqCst), "a panic while parameters are filled in");
        None
    }

    fn idle(
        &self,
        request: &AttemptRequest,
        params: &Map<String, Value>,
    ) -> Option<Result<Idle, crate::job::Ended>> {
        assert!(!Self::at(params, "idle"), "a panic in idle work");
        let takes = Duration::from_millis(5);
        (request.plugin == "idle").then(|| Ok(Idle { takes, outputs: Vec::new() }))
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, crate::job::Ended> {
        assert!(!Self::at(&job.params, "run"), "a panic in run");
        Ok(Vec::new())
    }
}

struct Source(Arc<Fragile>);

impl PluginSource for Source {
    fn find(&self, name: &str) -> Option<Arc<dyn Plugin>> {
        assert!(name != "unfindable", "a panic while a plugin is looked for");
        Some(Arc::clone(&self.0) as Arc<dyn Plugin>)
    }
}

enum Heard {
    News(AttemptReport),
    Trouble(String),
}

struct Ear(Mutex<mpsc::Sender<Heard>>);

impl Reporter for Ear {
    fn report(&self, reports: Vec<AttemptReport>) {
        for report in reports {
            self.0.lock().unwrap().send(Heard::News(report)).unwrap();
        }
    }

    fn trouble(&self, _id: &AttemptId, what: &str) {
        self.0.lock().unwrap().send(Heard::Trouble(what.to_owned())).unwrap();
    }
}

/// A worker with one thread at most, so that a lost one would be missed.
struct Bench {
    worker: Worker,
    plugin: Arc<Fragile>,
    reporter: Arc<dyn Reporter>,
    heard: mpsc::Receiver<Heard>,
}

impl Bench {
    fn new(pool: Pool) -> Self {
        let plugin = Arc::new(Fragile(PluginManifest::default(), AtomicBool::new(false)));
        let source = Arc::new(Source(Arc::clone(&plugin)));
        let worker = Worker::on(pool, WorkerOptions::default(), source).unwrap();
        let (sender, heard) = mpsc::channel();
        Self { worker, plugin, reporter: Arc::new(Ear(Mutex::new(sender))), heard }
    }

    fn start(&self, task: u32, at: &str, change: impl FnOnce(&mut AttemptRequest)) -> Immediate {
        let mut request = request("fragile", json!({"at": at}));
        request.id.task = task;
        request.lane_width = 1;
        change(&mut request);
        self.worker.start(request, Arc::clone(&self.reporter))
    }

    /// The next end of an attempt, whatever begins before.
    fn ended(&self) -> (u32, AttemptNews) {
        loop {
            match self.heard.recv_timeout(LONG).expect("the attempt ends") {
                Heard::News(AttemptReport { news: AttemptNews::Began(_), .. }) => {}
                Heard::News(report) => return (report.id.task, report.news),
                Heard::Trouble(what) => panic!("{what}"),
            }
        }
    }
}

fn panicked(news: &AttemptNews) -> bool {
    let AttemptNews::Failed(info) = news else { return false };
    assert!(info.message.contains("panicked") && info.message.contains("report it"), "{info:?}");
    assert!(!info.message.contains("a panic"), "its text may hold a secret: {info:?}");
    info.code == ErrorCode::PluginFailed && !info.retryable
}

#[test]
fn a_panic_ends_its_attempt_alone_wherever_it_is() {
    let bench = Bench::new(Pool::new(1));
    let now = |started| match started {
        Immediate::Finished(news) => panicked(&news),
        Immediate::Running => false,
    };
    // On the caller's thread, which is the engine's.
    assert!(now(bench.start(0, "", |request| request.plugin = "unfindable".into())));
    assert!(now(bench.start(0, "idle", |_| ())));
    // On a thread of the pool.
    assert_eq!(bench.start(1, "run", |_| ()), Immediate::Running);
    assert!(panicked(&bench.ended().1));
    bench.plugin.1.store(true, Ordering::SeqCst);
    let needs = |request: &mut AttemptRequest| request.permissions = vec!["can".into()];
    assert_eq!(bench.start(2, "", needs), Immediate::Running);
    assert!(panicked(&bench.ended().1));
    assert!(now(bench.start(3, "", |_| ())), "filling in the parameters");
    bench.plugin.1.store(false, Ordering::SeqCst);
    // The worker goes on.
    assert_eq!(bench.start(4, "", |_| ()), Immediate::Running);
    assert_eq!(bench.ended(), (4, AttemptNews::Succeeded(Vec::new())));
}

#[test]
fn held_attempts_go_on_behind_one_that_panicked() {
    let bench = Bench::new(Pool::new(1));
    let held = |plugin: &'static str| {
        move |request: &mut AttemptRequest| {
            request.held = true;
            request.plugin = plugin.into();
        }
    };
    for (task, at, plugin) in [
        (0, "", "idle"),
        (1, "idle", "idle"),
        (2, "run", "fragile"),
        (3, "idle", "idle"),
        (4, "", "idle"),
    ] {
        assert_eq!(bench.start(task, at, held(plugin)), Immediate::Running);
    }
    for task in 0..5 {
        let (ended, news) = bench.ended();
        assert_eq!(ended, task);
        assert_eq!(panicked(&news), (1..4).contains(&task), "{news:?}");
    }
    bench.worker.shutdown(StopHow::Gently);
}

#[test]
fn an_attempt_without_a_thread_says_so_and_begins_once_there_is_one() {
    let room = Arc::new(AtomicBool::new(false));
    let ours = Arc::clone(&room);
    let make = move |pool: Pool| {
        if !ours.load(Ordering::SeqCst) {
            return Err(io::Error::other("no room"));
        }
        std::thread::spawn(move || pool.serve());
        Ok(())
    };
    let bench = Bench::new(Pool::with(4, Box::new(make)));
    assert_eq!(bench.start(0, "", |_| ()), Immediate::Running);
    let Ok(Heard::Trouble(what)) = bench.heard.recv_timeout(LONG) else { panic!("no trouble") };
    assert!(what.contains("no thread can be made") && what.contains("no room"), "{what}");
    room.store(true, Ordering::SeqCst);
    assert_eq!(bench.ended(), (0, AttemptNews::Succeeded(Vec::new())));
}
