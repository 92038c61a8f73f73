//! An engine with all that is around it, which says what happens.

use crate::{
    Carried, Engine, EngineError, Executor, Input, NewSubmission, Observer, Options, Started,
};
use loom_core::{
    Attempt, AttemptKey, Definition, Failure, FailureKind, News, Plan, Report, RetryPolicy, RunId,
    RunState, Stop, TaskDef, Timestamp,
};
use loom_store::{
    Claim, MemoryStore, Posted, QueryStore, RunCommit, RunStore, SlotAsk, StoreError, StoredRun,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happened outside the engine, in order.
type Diary = Arc<Mutex<Vec<String>>>;

struct Scribe(Diary);

impl Executor for Scribe {
    fn start(&mut self, attempt: Attempt, _carried: &Carried) -> Started {
        let held = if attempt.held { " held" } else { "" };
        self.write(format!("start {}#{}{held}", attempt.task().name, attempt.key.attempt));
        Started::Running
    }

    fn stop(&mut self, key: AttemptKey, how: Stop) {
        self.write(format!("stop {} {how:?}", key.task.task.0));
    }

    fn recall(&mut self, key: AttemptKey) {
        self.write(format!("recall {}", key.task.task.0));
    }

    fn forget(&mut self, _: RunId) {}

    fn end_leftovers(&mut self, runs: &[RunId]) -> Vec<(RunId, String)> {
        self.write(format!("end leftovers of {}", runs.len()));
        Vec::new()
    }
}

impl Scribe {
    fn write(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Observer for Scribe {
    fn committed(&mut self, commits: &[RunCommit]) {
        self.write(format!("committed {} runs", commits.len()));
    }

    fn dropped(&mut self, run: RunId, why: &str) {
        self.write(format!("dropped a request for {run}: {why}"));
    }

    fn lost(&mut self, run: RunId, error: &StoreError) {
        self.write(format!("lost {run}: {error}"));
    }
}

/// The reference store, failing as it is told to.
struct Moody {
    inner: MemoryStore,
    moods: Arc<Mutex<Vec<StoreError>>>,
    /// Whether it is locked to who asks for slots or runs.
    busy: Arc<AtomicBool>,
    /// Whether no requests can be read.
    garbles: Arc<AtomicBool>,
}

impl RunStore for Moody {
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError> {
        match self.moods.lock().unwrap().pop() {
            Some(error) => Err(error),
            None => self.inner.commit(commits),
        }
    }

    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError> {
        match self.moods.lock().unwrap().pop() {
            Some(error) => Err(error),
            None => self.inner.load(run),
        }
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        if self.busy.load(Ordering::Relaxed) {
            return Err(StoreError::Busy(format!("asked for {run}")));
        }
        self.inner.claim(run)
    }

    fn release(&mut self, run: RunId) -> Result<(), StoreError> {
        self.inner.release(run)
    }

    fn requests(&mut self) -> Result<Vec<Posted>, StoreError> {
        let mut posted = self.inner.requests()?;
        if self.garbles.load(Ordering::Relaxed) {
            posted.iter_mut().for_each(|posted| posted.request = Err("garbled".into()));
        }
        Ok(posted)
    }

    fn share(&mut self, asks: &[SlotAsk], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        if self.busy.load(Ordering::Relaxed) {
            return Err(StoreError::Busy("test".into()));
        }
        self.inner.share(asks, now)
    }
}

pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) store: MemoryStore,
    pub(super) moods: Arc<Mutex<Vec<StoreError>>>,
    pub(super) busy: Arc<AtomicBool>,
    pub(super) garbles: Arc<AtomicBool>,
    pub(super) diary: Diary,
    pub(super) now: Timestamp,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::on(MemoryStore::new(), "first")
    }

    pub(super) fn on(store: MemoryStore, owner: &str) -> Self {
        let diary = Diary::default();
        let moods = Arc::<Mutex<Vec<StoreError>>>::default();
        let (busy, garbles) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let moody = Moody {
            inner: store.session(owner),
            moods: Arc::clone(&moods),
            busy: Arc::clone(&busy),
            garbles: Arc::clone(&garbles),
        };
        let scribe = Scribe(Arc::clone(&diary));
        let mut engine = Engine::new(Box::new(moody), Box::new(scribe), Options::default());
        engine.observe(Box::new(Scribe(Arc::clone(&diary))));
        Self { engine, store, moods, busy, garbles, diary, now: Timestamp(1_000_000) }
    }

    pub(super) fn turn(&mut self, inputs: Vec<Input>) -> Result<(), StoreError> {
        let mut inputs = inputs;
        self.engine.turn(&mut inputs, self.now)?;
        while self.engine.is_busy() {
            self.engine.turn(&mut inputs, self.now)?;
        }
        Ok(())
    }

    pub(super) fn submit(&self, number: u64, tasks: Vec<TaskDef>) -> Input {
        let plan = Arc::new(Plan::new(Definition::new("w", tasks)));
        let submission = NewSubmission {
            id: run(number),
            hash: loom_store::definition_hash(plan.definition()),
            plan,
            variables: Arc::default(),
            workers: 1,
            base: String::new(),
            meta: Arc::default(),
            hold: false,
        };
        Input::Submit(Box::new(submission), self.reply("submitted"))
    }

    pub(super) fn hold(&self, number: u64, tasks: Vec<TaskDef>) -> Input {
        let Input::Submit(submission, reply) = self.submit(number, tasks) else { unreachable!() };
        Input::Submit(Box::new(NewSubmission { hold: true, ..*submission }), reply)
    }

    pub(super) fn reply(&self, what: &'static str) -> crate::Reply {
        let diary = Scribe(Arc::clone(&self.diary));
        Box::new(move |answer: Result<(), EngineError>| match answer {
            Ok(()) => diary.write(what.into()),
            Err(error) => diary.write(format!("not {what}: {error}")),
        })
    }

    pub(super) fn diary(&self) -> Vec<String> {
        std::mem::take(&mut self.diary.lock().unwrap())
    }

    pub(super) fn state(&mut self, number: u64) -> RunState {
        self.store.run(run(number)).unwrap().state
    }
}

pub(super) fn run(number: u64) -> RunId {
    RunId::new(number, 0)
}

pub(super) fn task(name: &str) -> TaskDef {
    TaskDef::new(name, "cmd")
}

pub(super) fn report(number: u64, task: u32, attempt: u32, news: News) -> Input {
    let task = loom_core::TaskRef::whole(loom_core::TaskIx(task));
    Input::Reports(vec![(run(number), Report { task, attempt, news })])
}

pub(super) fn succeeded(number: u64, task: u32) -> Input {
    report(number, task, 1, News::Succeeded(Vec::new()))
}

/// Run 1 backs off for an hour.
pub(super) fn with_a_parked_run() -> Bench {
    let mut bench = Bench::new();
    let mut patient = task("a");
    let hour = Duration::from_hours(1);
    patient.retry = RetryPolicy { max_attempts: 2, initial: hour, max: hour, ..patient.retry };
    let inputs = vec![bench.submit(1, vec![patient])];
    bench.turn(inputs).unwrap();
    let failure = Failure::retryable(FailureKind::Exit, "exit 1");
    bench.turn(vec![report(1, 0, 1, News::Failed(failure))]).unwrap();
    bench
}
