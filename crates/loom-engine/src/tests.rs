//! The engine on a manual clock, the reference store and an executor that does nothing by itself.

mod posted;

use crate::{
    Carried, Engine, EngineError, Executor, Input, NewSubmission, Observer, Options, Started,
};
use loom_core::{
    Attempt, AttemptKey, Definition, Failure, FailureKind, News, Plan, Report, Request,
    RetryPolicy, RunId, RunState, Stop, TaskDef, Timestamp,
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
    /// Whether no slots can be asked for.
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

struct Bench {
    engine: Engine,
    store: MemoryStore,
    moods: Arc<Mutex<Vec<StoreError>>>,
    busy: Arc<AtomicBool>,
    garbles: Arc<AtomicBool>,
    diary: Diary,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        Self::on(MemoryStore::new(), "first")
    }

    fn on(store: MemoryStore, owner: &str) -> Self {
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

    fn turn(&mut self, inputs: Vec<Input>) -> Result<(), StoreError> {
        let mut inputs = inputs;
        self.engine.turn(&mut inputs, self.now)?;
        while self.engine.is_busy() {
            self.engine.turn(&mut inputs, self.now)?;
        }
        Ok(())
    }

    fn submit(&self, number: u64, tasks: Vec<TaskDef>) -> Input {
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

    fn hold(&self, number: u64, tasks: Vec<TaskDef>) -> Input {
        let Input::Submit(submission, reply) = self.submit(number, tasks) else { unreachable!() };
        Input::Submit(Box::new(NewSubmission { hold: true, ..*submission }), reply)
    }

    fn reply(&self, what: &'static str) -> crate::Reply {
        let diary = Scribe(Arc::clone(&self.diary));
        Box::new(move |answer: Result<(), EngineError>| match answer {
            Ok(()) => diary.write(what.into()),
            Err(error) => diary.write(format!("not {what}: {error}")),
        })
    }

    fn diary(&self) -> Vec<String> {
        std::mem::take(&mut self.diary.lock().unwrap())
    }

    fn state(&mut self, number: u64) -> RunState {
        self.store.run(run(number)).unwrap().state
    }
}

fn run(number: u64) -> RunId {
    RunId::new(number, 0)
}

fn task(name: &str) -> TaskDef {
    TaskDef::new(name, "cmd")
}

fn report(number: u64, task: u32, attempt: u32, news: News) -> Input {
    let task = loom_core::TaskRef::whole(loom_core::TaskIx(task));
    Input::Reports(vec![(run(number), Report { task, attempt, news })])
}

fn succeeded(number: u64, task: u32) -> Input {
    report(number, task, 1, News::Succeeded(Vec::new()))
}

#[test]
fn what_is_gathered_is_committed_at_once_and_effects_come_after() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")]), bench.submit(2, vec![task("b")])];
    bench.turn(inputs).unwrap();
    let expected = ["committed 2 runs", "submitted", "submitted", "start a#1", "start b#1"];
    assert_eq!(bench.diary(), expected);
}

#[test]
fn a_locked_store_delays_everything_and_loses_nothing() {
    let mut bench = Bench::new();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    let inputs = vec![bench.submit(1, vec![task("a")])];
    assert!(bench.turn(inputs).unwrap_err().may_retry());
    assert_eq!(bench.diary(), [""; 0], "nothing is told or done before the commit");
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted", "start a#1"]);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert_eq!(bench.state(1), RunState::Succeeded);
}

#[test]
fn a_store_that_fails_for_good_ends_what_is_under_way_and_tells_who_waits() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    bench.moods.lock().unwrap().push(StoreError::Full("test".into()));
    let inputs = vec![bench.submit(2, vec![task("b")])];
    let error = bench.turn(inputs).unwrap_err();
    bench.engine.halt(error);
    let full = "not submitted: the store has no room left: test";
    // One for each run; the second was never started, which an executor does not mind.
    assert_eq!(bench.diary(), [full, "stop 0 Now", "stop 0 Now"]);
}

#[test]
fn after_short_attempts_more_are_handed_over_ahead_and_taken_back_by_a_drain() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, ["a", "b", "c", "d"].map(task).into())];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary()[2..], ["start a#1"]);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    bench.now.0 += 4_000;
    bench.turn(vec![succeeded(1, 1)]).unwrap();
    let diary = bench.diary();
    assert_eq!(diary[diary.len() - 2..], ["start c#1", "start d#1 held"], "{diary:?}");
    assert_eq!(bench.engine.may_linger(), Duration::from_millis(2));
    bench.turn(vec![Input::Drain { by: "me".into() }]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "recall 3"]);
    assert!(!bench.engine.has_stopped());
    bench.turn(vec![report(1, 3, 1, News::Stopped), succeeded(1, 2)]).unwrap();
    assert!(bench.engine.has_stopped());
    assert_eq!(bench.state(1), RunState::Paused);
}

#[test]
fn a_kill_ends_what_is_under_way_and_the_run_can_be_taken_up() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    bench.turn(vec![Input::Kill { by: "me".into() }]).unwrap();
    assert_eq!(bench.diary(), ["stop 0 Now", "committed 1 runs"]);
    bench.turn(vec![report(1, 0, 1, News::Stopped)]).unwrap();
    assert!(bench.engine.has_stopped());
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let resume = Request::Resume { by: "me".into() };
    let adopt = Input::Adopt(run(1), Some(resume), next.reply("adopted"));
    next.turn(vec![adopt]).unwrap();
    assert_eq!(next.diary(), ["end leftovers of 1", "committed 1 runs", "adopted", "start a#2"]);
}

#[test]
fn a_living_owners_run_is_not_taken_over() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    let mut other = Bench::on(bench.store.session("x"), "second");
    let adopt = Input::Adopt(run(1), None, other.reply("adopted"));
    other.turn(vec![adopt]).unwrap();
    assert_eq!(other.diary(), ["not adopted: the run belongs to a living process (first)"]);
}

#[test]
fn a_run_that_has_ended_is_anybodys_while_its_engine_lives() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    let failure = Failure::permanent(FailureKind::Exit, "exit 1");
    bench.turn(vec![report(1, 0, 1, News::Failed(failure))]).unwrap();
    for (store, retry) in [("second", "b"), ("third", "a")] {
        let mut next = Bench::on(bench.store.session("x"), store);
        let retry = Request::Retry { by: "me".into(), task: Some(retry.into()) };
        let adopt = Input::Adopt(run(1), Some(retry), next.reply("adopted"));
        next.turn(vec![adopt]).unwrap();
        let told = next.diary();
        if store == "second" {
            let refused = "not adopted: the workflow has no task `b`";
            assert_eq!(told, ["end leftovers of 1", "committed 1 runs", refused], "in vain");
            assert_eq!(next.engine.load(), (0, 0));
        } else {
            assert_eq!(told, ["end leftovers of 1", "committed 1 runs", "adopted", "start a#2"]);
        }
    }
}

#[test]
fn a_run_that_cannot_be_taken_up_is_given_up() {
    let bench = with_a_parked_run();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    next.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    let adopt = Input::Adopt(run(1), None, next.reply("adopted"));
    next.turn(vec![adopt]).unwrap();
    let busy = "not adopted: the store is locked by another process: test";
    assert_eq!(next.diary(), ["end leftovers of 1", busy]);
    assert_eq!(bench.store.session("third").claim(run(1)).unwrap(), Claim::Claimed);
}

/// Run 1 backs off for an hour.
fn with_a_parked_run() -> Bench {
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

#[test]
fn an_engine_that_leaves_starts_nothing_and_its_runs_stay_as_they_are() {
    let mut bench = Bench::new();
    let mut second = task("b");
    second.execution.depends_on = vec!["a".into()];
    let inputs = vec![bench.submit(1, vec![task("a"), second])];
    bench.turn(inputs).unwrap();
    bench.turn(vec![Input::Leave]).unwrap();
    assert!(!bench.engine.has_stopped(), "an attempt is under way");
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert!(bench.engine.has_stopped());
    assert!(!bench.diary().iter().any(|line| line.starts_with("start b")));
    assert_eq!(bench.state(1), RunState::Running);
}

#[test]
fn a_run_that_only_waits_leaves_the_memory_and_comes_back_in_time() {
    let mut bench = with_a_parked_run();
    assert_eq!(bench.engine.load(), (0, 1));
    bench.diary();
    bench.now = bench.engine.next_wake().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.engine.load(), (1, 0));
    assert_eq!(bench.diary(), ["committed 1 runs", "start a#2"]);
}

#[test]
fn a_run_that_can_never_be_read_is_let_go_of_and_told() {
    let mut bench = with_a_parked_run();
    let inputs = vec![bench.submit(2, vec![task("b")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    bench.now = bench.engine.next_wake().unwrap();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), Vec::<String>::new(), "it is tried again");
    bench.now = bench.engine.next_wake().unwrap();
    bench.moods.lock().unwrap().push(StoreError::Corrupt("test".into()));
    bench.turn(vec![succeeded(2, 0)]).unwrap();
    let lost = format!("lost {}: {}", run(1), StoreError::Corrupt("test".into()));
    assert_eq!(bench.diary(), [lost.as_str(), "committed 1 runs"], "the others go on");
    assert_eq!(bench.engine.load(), (0, 0));
    assert_eq!(bench.engine.next_wake(), None);
    assert_eq!(bench.store.session("other").claim(run(1)).unwrap(), Claim::Claimed);
}

#[test]
fn a_report_that_comes_again_brings_no_parked_run_back() {
    let mut bench = with_a_parked_run();
    bench.diary();
    bench.moods.lock().unwrap().push(StoreError::Corrupt("test".into()));
    let failure = Failure::retryable(FailureKind::Exit, "exit 1");
    bench.turn(vec![report(1, 0, 1, News::Failed(failure))]).unwrap();
    assert_eq!(bench.moods.lock().unwrap().len(), 1, "the store was not asked");
    assert_eq!((bench.engine.load(), bench.diary().len()), ((0, 1), 0));
}

#[test]
fn a_run_wakes_for_the_same_time_twice_if_the_clock_is_set_back() {
    let mut bench = Bench::new();
    let mut patient = task("a");
    let second = Duration::from_secs(1);
    patient.retry = RetryPolicy { max_attempts: 3, initial: second, max: second, ..patient.retry };
    let inputs = vec![bench.submit(1, vec![patient])];
    bench.turn(inputs).unwrap();
    let start = bench.now;
    for attempt in 1..=2 {
        bench.now = start;
        let failure = Failure::retryable(FailureKind::Exit, "exit 1");
        bench.turn(vec![report(1, 0, attempt, News::Failed(failure))]).unwrap();
        bench.diary();
        bench.now = bench.engine.next_wake().expect("it backs off");
        bench.turn(vec![]).unwrap();
        let again = format!("start a#{}", attempt + 1);
        assert_eq!(bench.diary(), ["committed 1 runs", again.as_str()]);
    }
}

#[test]
fn all_runs_taken_up_in_a_round_are_cleared_of_leftovers_at_once() {
    let mut bench = Bench::new();
    let inputs = (1..=3).map(|nth| bench.submit(nth, vec![task("a")])).collect();
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let adopt = |nth| Input::Adopt(run(nth), None, next.reply("adopted"));
    // One of them twice.
    let inputs = vec![adopt(1), adopt(2), adopt(3), adopt(2)];
    next.turn(inputs).unwrap();
    let diary = next.diary();
    let cleared: Vec<_> = diary.iter().filter(|line| line.starts_with("end left")).collect();
    assert_eq!(cleared, ["end leftovers of 3"]);
    assert_eq!(diary.iter().filter(|line| *line == "adopted").count(), 4);
    assert_eq!(next.engine.load(), (3, 0));
}

#[test]
fn what_is_claimed_for_an_input_that_is_refused_is_given_back() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let adopt = Input::Adopt(run(1), None, next.reply("adopted"));
    next.turn(vec![Input::Leave, adopt]).unwrap();
    assert!(next.diary().contains(&"not adopted: the engine has stopped".into()));
    assert_eq!(bench.store.session("third").claim(run(1)).unwrap(), Claim::Claimed);
}

#[test]
fn a_run_that_cannot_be_loaded_for_a_request_still_wakes() {
    let mut bench = with_a_parked_run();
    bench.diary();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    let resume = Request::Resume { by: "me".into() };
    let inputs = vec![Input::Request(run(1), resume, bench.reply("resumed"))];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary().len(), 1, "only the refusal");
    bench.now = bench.engine.next_wake().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "start a#2"]);
}

#[test]
fn a_drain_pauses_runs_outside_the_memory_too() {
    let mut bench = with_a_parked_run();
    bench.turn(vec![Input::Drain { by: "me".into() }]).unwrap();
    assert_eq!(bench.state(1), RunState::Paused);
}

#[test]
fn a_paused_run_goes_on_when_it_is_taken_up_for_anything_but_its_end() {
    let by = || "me".to_owned();
    let cases = [
        (Some(Request::Resume { by: by() }), RunState::Running),
        (Some(Request::Pause { by: by() }), RunState::Paused),
        (Some(Request::Cancel { by: by(), reason: by() }), RunState::Cancelled),
        (None, RunState::Paused),
    ];
    for (request, expected) in cases {
        let mut bench = Bench::new();
        let inputs = vec![bench.submit(1, vec![task("a")])];
        bench.turn(inputs).unwrap();
        bench.turn(vec![Input::Kill { by: by() }, report(1, 0, 1, News::Stopped)]).unwrap();
        assert_eq!(bench.state(1), RunState::Paused);
        bench.store.end_owner("first");
        let mut next = Bench::on(bench.store.session("x"), "second");
        let adopt = Input::Adopt(run(1), request.clone(), next.reply("adopted"));
        next.turn(vec![adopt]).unwrap();
        assert_eq!(next.state(1), expected, "{request:?}");
    }
}

#[test]
fn to_resume_an_interrupted_run_is_to_take_it_up() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let resume = Some(Request::Resume { by: "me".into() });
    let inputs = vec![Input::Adopt(run(1), resume, next.reply("adopted"))];
    next.turn(inputs).unwrap();
    assert_eq!(next.diary(), ["end leftovers of 1", "committed 1 runs", "adopted", "start a#2"]);
}

#[test]
fn a_tasks_own_limit_holds_over_runs() {
    let mut bench = Bench::new();
    let limited = || {
        let mut limited = task("a");
        limited.execution.workers = Some(1);
        vec![limited]
    };
    let inputs = vec![bench.submit(1, limited()), bench.submit(2, limited())];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary().iter().filter(|line| line.starts_with("start")).count(), 1);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert!(bench.diary().contains(&"start a#1".to_owned()));
    assert_eq!(bench.state(1), RunState::Succeeded);
}

#[test]
fn a_tasks_own_limit_holds_over_engines_and_the_one_that_waits_is_next() {
    let limited = || {
        let mut limited = task("a");
        limited.execution.workers = Some(2);
        limited.for_each = Some(loom_core::ForEach::Items((0..4).map(Into::into).collect()));
        vec![limited]
    };
    let wide = |bench: &Bench, number| {
        let Input::Submit(mut submission, reply) = bench.submit(number, limited()) else {
            unreachable!("that is what it makes")
        };
        submission.workers = 8;
        vec![Input::Submit(submission, reply)]
    };
    let item = |number, item| {
        let task = loom_core::TaskRef::item(loom_core::TaskIx(0), item);
        let report = Report { task, attempt: 1, news: News::Succeeded(Vec::new()) };
        Input::Reports(vec![(run(number), report)])
    };
    let starts =
        |bench: &Bench| bench.diary().into_iter().filter(|line| line.starts_with("start")).count();
    let mut first = Bench::new();
    let mut second = Bench::on(first.store.session("x"), "second");
    let inputs = wide(&first, 1);
    first.turn(inputs).unwrap();
    assert_eq!(starts(&first), 2);
    second.now.0 += 1;
    let inputs = wide(&second, 2);
    second.turn(inputs).unwrap();
    assert_eq!(starts(&second), 0);
    assert!(second.engine.waits_for_slots());

    first.now.0 += 2;
    first.turn(vec![item(1, 0)]).unwrap();
    assert_eq!(starts(&first), 1, "it waits longer, for its third");
    first.turn(vec![item(1, 1)]).unwrap();
    assert_eq!(starts(&first), 0, "the other waits longer");
    second.engine.look_for_slots();
    second.turn(vec![]).unwrap();
    assert_eq!(starts(&second), 1);

    first.store.end_owner("first");
    second.engine.look_for_slots();
    second.turn(vec![]).unwrap();
    assert_eq!(starts(&second), 1, "the dead use nothing");
}

#[test]
fn a_queue_that_gets_a_limit_counts_what_is_under_way_and_goes_on_when_it_is_raised() {
    let queued = || {
        let mut queued = task("a");
        queued.execution.queue = Some("gpu".into());
        vec![queued]
    };
    let mut bench = Bench::new();
    let queues =
        |most: u32| Input::Queues(std::collections::HashMap::from([("gpu".to_owned(), most)]));
    let starts = |bench: &Bench| {
        let diary = bench.diary();
        diary.into_iter().filter(|line| line.starts_with("start")).count()
    };
    let inputs = vec![bench.submit(1, queued()), bench.submit(2, queued())];
    bench.turn(inputs).unwrap();
    assert_eq!(starts(&bench), 2, "there is no limit yet");
    let inputs = vec![queues(2), bench.submit(3, queued()), bench.submit(4, queued())];
    bench.turn(inputs).unwrap();
    assert_eq!(starts(&bench), 0);
    assert!(bench.engine.waits_for_slots());
    bench.turn(vec![report(1, 0, 1, News::Succeeded(Vec::new()))]).unwrap();
    assert_eq!(starts(&bench), 1);
    bench.turn(vec![queues(3)]).unwrap();
    assert_eq!(starts(&bench), 1);
    let inputs = vec![bench.submit(5, queued()), bench.submit(6, queued())];
    bench.turn(inputs).unwrap();
    assert_eq!(starts(&bench), 0);
    bench.turn(vec![Input::Queues(std::collections::HashMap::new())]).unwrap();
    assert_eq!(starts(&bench), 2, "the limit is gone");
    assert!(!bench.engine.waits_for_slots());
}

#[test]
fn a_task_with_a_limit_waits_out_a_locked_store() {
    let mut bench = Bench::new();
    let mut limited = task("a");
    limited.execution.workers = Some(1);
    let inputs = vec![bench.submit(1, vec![limited])];
    bench.busy.store(true, Ordering::Relaxed);
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted"]);
    assert!(bench.engine.waits_for_slots());
    bench.busy.store(false, Ordering::Relaxed);
    bench.engine.look_for_slots();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "start a#1"]);
}

#[test]
fn requests_for_runs_elsewhere_are_refused() {
    let mut bench = Bench::new();
    let resume = Request::Resume { by: "me".into() };
    let ask = Input::Request(run(9), resume, bench.reply("asked"));
    bench.turn(vec![ask]).unwrap();
    assert_eq!(bench.diary(), [format!("not asked: run {} is not under way here", run(9))]);
}

#[test]
fn a_held_run_is_parked_until_it_is_begun() {
    let mut bench = Bench::new();
    let inputs = vec![bench.hold(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted"]);
    assert_eq!((bench.state(1), bench.engine.load()), (RunState::Queued, (0, 1)));
    let pause = Request::Pause { by: "me".into() };
    let refused = Input::Request(run(1), pause, bench.reply("paused"));
    bench.turn(vec![refused]).unwrap();
    assert_eq!(bench.diary(), ["not paused: cannot pause a run that is queued"]);
    assert_eq!(bench.engine.load(), (0, 1), "what is refused leaves it parked");
    let inputs = [1, 2].map(|_| Input::Begin(run(1), bench.reply("begun"))).into();
    bench.turn(inputs).unwrap();
    let twice = "not begun: cannot begin a run that is running";
    assert_eq!(bench.diary(), ["committed 1 runs", "begun", twice, "start a#1"]);
}

#[test]
fn a_held_run_can_be_cancelled_before_it_begins() {
    let mut bench = Bench::new();
    let cancel = Request::Cancel { by: "me".into(), reason: String::new() };
    let inputs = vec![
        bench.hold(1, vec![task("a")]),
        Input::Request(run(1), cancel, bench.reply("cancelled")),
    ];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted", "cancelled"]);
    assert_eq!((bench.state(1), bench.engine.load()), (RunState::Cancelled, (0, 0)));
}

#[test]
fn a_held_run_stays_held_when_it_is_adopted_and_begins_when_that_is_asked() {
    let by = || "me".to_owned();
    let cases = [
        (None, RunState::Queued),
        (Some(Request::Resume { by: by() }), RunState::Running),
        (Some(Request::Skip { by: by(), reason: by(), task: "a".into() }), RunState::Running),
        (Some(Request::Cancel { by: by(), reason: by() }), RunState::Cancelled),
    ];
    for (request, expected) in cases {
        let mut bench = Bench::new();
        let inputs = vec![bench.hold(1, vec![task("a"), task("b")])];
        bench.turn(inputs).unwrap();
        bench.store.end_owner("first");
        let mut next = Bench::on(bench.store.session("x"), "second");
        let adopt = Input::Adopt(run(1), request.clone(), next.reply("adopted"));
        next.turn(vec![adopt]).unwrap();
        assert_eq!(next.state(1), expected, "{request:?}");
        assert_eq!(next.engine.load().1, usize::from(request.is_none()), "{request:?}");
    }
    let mut bench = Bench::new();
    let inputs = vec![bench.hold(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let begin = Input::Begin(run(1), next.reply("begun"));
    next.turn(vec![begin]).unwrap();
    assert_eq!(next.diary(), ["end leftovers of 1", "committed 1 runs", "begun", "start a#1"]);
}

#[test]
fn a_run_that_exists_is_not_created_again_and_harms_nothing_else() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")]), bench.submit(1, vec![task("x")])];
    bench.turn(inputs).unwrap();
    let exists = format!("not submitted: run {} exists already", run(1));
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted", &exists, "start a#1"]);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert_eq!((bench.state(1), bench.engine.load()), (RunState::Succeeded, (0, 0)));
    bench.diary();

    // Now only the store knows of it, or another process has it.
    let limited = || {
        let mut limited = task("b");
        limited.execution.workers = Some(1);
        vec![limited]
    };
    let cancel = Request::Cancel { by: "me".into(), reason: String::new() };
    for store in ["first", "second"] {
        let mut next = Bench::on(bench.store.session("x"), store);
        let number = if store == "first" { 2 } else { 3 };
        let inputs = vec![
            next.submit(1, limited()),
            next.submit(number, limited()),
            Input::Request(run(1), cancel.clone(), next.reply("cancelled")),
        ];
        next.turn(inputs).unwrap();
        let told = next.diary();
        let refused = format!("not cancelled: run {} exists already", run(1));
        assert_eq!(told[..4], ["committed 1 runs", &exists, "submitted", &refused]);
        // What the run that was not created would have taken of a limit is given back.
        next.turn(vec![]).unwrap();
        assert_eq!([&told[4..], &next.diary()].concat(), ["start b#1"]);
        next.turn(vec![succeeded(number, 0)]).unwrap();
        assert_eq!((next.state(1), next.state(number)), (RunState::Succeeded, RunState::Succeeded));
    }
}
