//! An engine on a real store, and workflows for it.

use loom_core::{
    Attempt, AttemptKey, Definition, Event, Failure, FailureKind, News, Plan, RunId, Stop, TaskDef,
    TaskKind,
};
use loom_engine::{
    Carried, Clock, Engine, Executor, Handle, Input, NewSubmission, Observer, Options, Started,
    SystemClock, channel,
};
use loom_sqlite::SqliteStore;
use loom_store::{RunCommit, StoreError, definition_hash};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;

/// Finishes every attempt at once: `noop` succeeds, anything else fails for now.
pub(crate) struct Inline;

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

    fn forget(&mut self, _: RunId) {}

    fn end_leftovers(&mut self, _: &[RunId]) -> Vec<(RunId, String)> {
        Vec::new()
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

pub(crate) struct Bench {
    pub(crate) handle: Handle,
    ends: Receiver<RunId>,
    thread: JoinHandle<Result<(), StoreError>>,
    next: u64,
    _folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn submission(&mut self, plan: &Arc<Plan>) -> NewSubmission {
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
    pub(crate) fn send(&mut self, submission: NewSubmission) {
        self.handle.send(Input::Submit(Box::new(submission), Box::new(drop)));
    }

    pub(crate) fn wait(&self, runs: usize) {
        for _ in 0..runs {
            self.ends.recv().expect("the engine lives");
        }
    }

    pub(crate) fn stop(self) {
        drop(self.handle);
        self.thread.join().expect("the engine ends well").expect("the store worked");
    }
}

pub(crate) fn noop(name: String) -> TaskDef {
    TaskDef { kind: TaskKind::Instant, ..TaskDef::new(name, "noop") }
}

pub(crate) fn independent(count: usize) -> Arc<Plan> {
    let tasks = (0..count).map(|nth| noop(format!("task-{nth}"))).collect();
    Arc::new(Plan::new(Definition::new("independent", tasks)))
}

pub(crate) fn chain(count: usize) -> Arc<Plan> {
    let tasks = (0..count).map(|nth| {
        let mut task = noop(format!("task-{nth}"));
        task.execution.depends_on =
            nth.checked_sub(1).map(|on| format!("task-{on}")).into_iter().collect();
        task
    });
    Arc::new(Plan::new(Definition::new("chain", tasks.collect())))
}
