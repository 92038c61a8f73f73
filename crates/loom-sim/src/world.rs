//! One simulated world, from its seed to the end of all its runs.

use crate::crowd::Crowd;
use crate::executor::{Machine, SimExecutor};
use crate::ledger::{Clerk, Ledger};
use crate::random::Random;
use crate::store::{Faults, FaultyStore};
use crate::workflows::{variable, workflow};
use loom_core::{
    Event, Failure, FailureKind, News, Plan, Report, Request, RunId, RunState, Timestamp, Variable,
};
use loom_engine::{Engine, EngineError, Input, NewSubmission, Options};
use loom_store::{
    MemoryStore, QueryStore, RequestId, RequestState, RunFilter, StoreError, Verdict,
};
use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The most rounds that a world may take; every one needs far fewer.
pub(crate) const ROUNDS_MAX: usize = 50_000;

/// Every so many seeds are a crowd, too, which takes longer than a world.
const CROWD_ODDS: u64 = 5;

/// What happened in the worlds so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub(crate) runs: u64,
    pub(crate) commits: u64,
    pub(crate) crashes: u64,
    pub(crate) processes: u64,
    pub(crate) lost: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.commits += other.commits;
        self.crashes += other.crashes;
        self.processes += other.processes;
        self.lost += other.lost;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, commits, crashes, processes, lost } = self;
        write!(f, "{runs} runs, {processes} processes, {commits} commits, {crashes} crashes, ")?;
        write!(f, "{lost} runs damaged beyond reading")
    }
}

/// Simulates the world of this seed, and its crowd of engines if it has one. Panics, naming the seed,
/// if a promise is broken.
pub fn simulate(seed: u64) -> Totals {
    let world = std::panic::AssertUnwindSafe(|| {
        let mut totals = World::new(seed).live();
        if seed.is_multiple_of(CROWD_ODDS) {
            totals += Crowd::new(seed).live();
        }
        totals
    });
    match std::panic::catch_unwind(world) {
        Ok(totals) => totals,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            panic!("seed {seed}: {} (replay: loom-sim 1 {seed})", text.unwrap_or("see above"))
        }
    }
}

struct World {
    random: Random,
    now: Arc<Mutex<u64>>,
    content: MemoryStore,
    faults: Arc<Mutex<Faults>>,
    ledger: Arc<Mutex<Ledger>>,
    machine: Arc<Mutex<Machine>>,
    /// Runs that were accepted: the answer said so.
    accepted: Arc<Mutex<Vec<RunId>>>,
    /// Runs that are to be taken up, and have not been yet.
    adrift: Arc<Mutex<BTreeSet<RunId>>>,
    /// What was told the engine, and is once more later.
    echoes: Vec<(RunId, Report)>,
    /// What was left in the store for the engine, and by whom: each is by another.
    posted: Vec<(RunId, RequestId, String)>,
    engine: Engine,
    lives: u64,
    to_submit: u64,
    /// The last answered request, so that a world ends.
    requests_left: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let now = Arc::new(Mutex::new(1_000_000));
        let faults = Faults {
            random: Random::new(seed ^ 0xfau64),
            crash_odds: 3 + random.below(60),
            busy_odds: 2 + random.below(40),
            call_odds: 2 + random.below(40),
            damage_odds: if random.one_in(3) { 5 + random.below(40) } else { usize::MAX },
            damaged: BTreeSet::new(),
            crashed: false,
        };
        let content = MemoryStore::new();
        let faults = Arc::new(Mutex::new(faults));
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let machine = Arc::new(Mutex::new(Machine::default()));
        let engine = engine(&mut random, &content, &faults, &ledger, &machine, &now, 0);
        Self {
            to_submit: 1 + random.below(4) as u64,
            requests_left: random.below(4),
            random,
            now,
            content,
            faults,
            ledger,
            machine,
            accepted: Arc::default(),
            adrift: Arc::default(),
            echoes: Vec::new(),
            posted: Vec::new(),
            engine,
            lives: 0,
        }
    }

    fn live(mut self) -> Totals {
        let mut submitted = 0;
        for round in 0.. {
            assert!(round < ROUNDS_MAX, "the runs do not end: {}", self.describe());
            let mut inputs = Vec::new();
            if submitted < self.to_submit && self.random.one_in(3) {
                submitted += 1;
                inputs.push(self.submission(submitted));
            }
            self.let_processes_end();
            self.deliver(&mut inputs);
            self.ask_something(&mut inputs);
            self.begin_something(&mut inputs);
            self.submit_again(&mut inputs);
            self.take_up_adrift(&mut inputs);
            if let Err(error) = self.engine.read_requests() {
                assert!(error.may_retry(), "{error}");
            }
            self.engine.look_for_slots();
            self.turn(&mut inputs);
            self.pass_time();
            if submitted == self.to_submit && self.all_ended() {
                break;
            }
        }
        self.check_at_the_end();
        let ledger = self.ledger.lock().expect("simulation has one thread");
        Totals {
            runs: self.to_submit,
            commits: ledger.commits,
            crashes: self.lives,
            processes: ledger.began,
            lost: ledger.lost.len() as u64,
        }
    }

    fn submission(&mut self, number: u64) -> Input {
        let definition = workflow(&mut self.random, format!("w{number}"));
        let hash = [number as u8; 32];
        let id = RunId::new(number, u128::from(self.random.next()));
        let variables = Arc::new(vec![Variable {
            name: "START".into(),
            value: loom_core::Value::from(number),
            secret: false,
        }]);
        let submission = NewSubmission {
            id,
            plan: Arc::new(Plan::new(definition)),
            hash,
            variables,
            workers: 1 + self.random.below(4) as u32,
            base: String::new(),
            meta: Arc::default(),
            hold: self.random.one_in(4),
        };
        let accepted = Arc::clone(&self.accepted);
        let reply = Box::new(move |answer: Result<(), EngineError>| {
            if answer.is_ok() {
                accepted.lock().expect("simulation has one thread").push(id);
            }
        });
        Input::Submit(Box::new(submission), reply)
    }

    fn let_processes_end(&mut self) {
        let mut machine = self.machine.lock().expect("simulation has one thread");
        let mut ledger = self.ledger.lock().expect("simulation has one thread");
        let now = *self.now.lock().expect("simulation has one thread");
        while !machine.running.is_empty() && !self.random.one_in(3) {
            let place = self.random.below(machine.running.len());
            let mask = self.random.next();
            let news = match self.random.below(10) {
                0 => News::Failed(Failure::permanent(FailureKind::Exit, "simulated")),
                1 | 2 => News::Failed(Failure::retryable(FailureKind::Timeout, "simulated")),
                _ => News::Succeeded(Ledger::outputs(&machine.running[place], mask)),
            };
            machine.finish(place, news, now, &mut ledger);
        }
    }

    /// Tells the engine some of the news, in order, now and then twice, at once or later.
    fn deliver(&mut self, inputs: &mut Vec<Input>) {
        let mut machine = self.machine.lock().expect("simulation has one thread");
        let most = machine.news.len();
        let count = if self.random.one_in(4) { self.random.below(most + 1) } else { most };
        let mut reports = Vec::new();
        if self.random.one_in(4) {
            reports.append(&mut self.echoes);
        }
        for (key, news) in machine.news.drain(..count) {
            let report = Report { task: key.task, attempt: key.attempt, news };
            if self.random.one_in(10) {
                reports.push((key.run, report.clone()));
                self.echoes.push((key.run, report.clone()));
            }
            reports.push((key.run, report));
        }
        inputs.push(Input::Reports(reports));
    }

    fn ask_something(&mut self, inputs: &mut Vec<Input>) {
        let accepted = self.accepted.lock().expect("simulation has one thread");
        if accepted.is_empty() {
            return;
        }
        let run = accepted[self.random.below(accepted.len())];
        // Whatever was paused is resumed at some time.
        if self.random.one_in(20) {
            let by = "sim".to_owned();
            inputs.push(Input::Request(run, Request::Resume { by }, Box::new(drop)));
        }
        if self.requests_left == 0 || !self.random.one_in(15) {
            return;
        }
        self.requests_left -= 1;
        let by = format!("asker {}", self.requests_left);
        let task = format!("t{}", self.random.below(4));
        let request = match self.random.below(8) {
            5 => Request::Skip { by, reason: "simulated".into(), task },
            6 => Request::CancelTask { by, reason: "simulated".into(), task },
            7 => Request::Amend {
                by,
                task,
                max_attempts: Some(1 + self.random.below(4) as u32),
                inputs: vec![Variable {
                    name: variable(self.random.below(4)),
                    value: loom_core::Value::from("amended"),
                    secret: false,
                }],
            },
            0 => Request::Cancel { by, reason: "simulated".into() },
            1 => Request::Pause { by },
            2 => Request::Retry { by, task: None },
            3 => Request::Retry { by, task: Some("t0".into()) },
            _ => Request::Resolve {
                by,
                task,
                reason: "simulated".into(),
                outputs: Vec::new(),
                without_outputs: true,
            },
        };
        match self.random.below(3) {
            0 => inputs.push(Input::Request(run, request, Box::new(drop))),
            1 => inputs.push(Input::Adopt(run, Some(request), Box::new(drop))),
            _ => {
                let by = request.by().to_owned();
                // Refused if the run has ended.
                let posted = self.content.post(run, &request);
                self.posted.extend(posted.map(|id| (run, id, by)));
            }
        }
    }

    /// Whatever is held begins at some time, in whatever life of the engine.
    fn begin_something(&mut self, inputs: &mut Vec<Input>) {
        if !self.random.one_in(10) {
            return;
        }
        let held = self.open_runs().into_iter().filter(|(_, state)| *state == RunState::Queued);
        inputs.extend(held.map(|(run, _)| Input::Begin(run, Box::new(drop))));
    }

    /// Somebody submits a run of an identity that is taken, among other inputs.
    fn submit_again(&mut self, inputs: &mut Vec<Input>) {
        let taken = self.accepted.lock().expect("simulation has one thread").first().copied();
        let Some(taken) = taken.filter(|_| self.random.one_in(20)) else { return };
        let Input::Submit(submission, _) = self.submission(0) else { return };
        let reply = Box::new(move |answer: Result<(), EngineError>| {
            let refused = matches!(
                answer,
                Err(EngineError::Exists(run)) if run == taken
            ) || matches!(answer, Err(EngineError::Store(_)));
            assert!(refused, "a run is created twice: {answer:?}");
        });
        let again = NewSubmission { id: taken, ..*submission };
        inputs.push(Input::Submit(Box::new(again), reply));
    }

    fn turn(&mut self, inputs: &mut Vec<Input>) {
        loop {
            let now = Timestamp(*self.now.lock().expect("simulation has one thread"));
            match self.engine.turn(inputs, now) {
                Ok(()) if self.engine.is_busy() => {}
                Ok(()) => return,
                Err(error) if error.may_retry() => {
                    *self.now.lock().expect("simulation has one thread") += 20_000;
                }
                Err(error) => {
                    let died = self.faults.lock().expect("simulation has one thread").crashed;
                    assert!(died, "an engine stops for what others could go on without: {error}");
                    return self.crash();
                }
            }
        }
    }

    /// The engine's process is gone. A new one takes up every run that has not ended.
    fn crash(&mut self) {
        self.lives += 1;
        self.content.end_owner(&owner(self.lives - 1));
        self.machine.lock().expect("simulation has one thread").lose_engine();
        let mut faults = self.faults.lock().expect("simulation has one thread");
        faults.crashed = false;
        // So that every world ends.
        faults.crash_odds += 3;
        drop(faults);
        self.engine = engine(
            &mut self.random,
            &self.content,
            &self.faults,
            &self.ledger,
            &self.machine,
            &self.now,
            self.lives,
        );
        let open = self.open_runs().into_iter().map(|(run, _)| run).collect();
        *self.adrift.lock().expect("simulation has one thread") = open;
        let mut inputs = Vec::new();
        self.take_up_adrift(&mut inputs);
        self.turn(&mut inputs);
    }

    /// Takes up the runs of engines that died. A store that is locked or processes that cannot be ended
    /// may be in the way, or this engine dies too; then it is tried again. Of a run that is damaged, it
    /// is the answer.
    fn take_up_adrift(&self, inputs: &mut Vec<Input>) {
        for &run in self.adrift.lock().expect("simulation has one thread").iter() {
            let (adrift, ledger) = (Arc::clone(&self.adrift), Arc::clone(&self.ledger));
            let reply = Box::new(move |answer: Result<(), EngineError>| {
                match answer {
                    // In one round with a submission of the same identity, it fails with that.
                    Err(EngineError::Leftovers(_) | EngineError::Exists(_)) => return,
                    Err(EngineError::Store(error)) if !matches!(*error, StoreError::Corrupt(_)) => {
                        return;
                    }
                    Err(EngineError::Store(_)) => {
                        ledger.lock().expect("simulation has one thread").lost.insert(run);
                    }
                    answer => {
                        assert!(answer.is_ok(), "a dead engine's run is not taken up: {answer:?}");
                    }
                }
                adrift.lock().expect("simulation has one thread").remove(&run);
            });
            inputs.push(Input::Adopt(run, None, reply));
        }
    }

    fn pass_time(&mut self) {
        let mut now = self.now.lock().expect("simulation has one thread");
        *now += self.random.below(1000) as u64;
        let idle = self.machine.lock().expect("simulation has one thread").running.is_empty();
        if let Some(wake) = self.engine.next_wake().filter(|_| idle) {
            *now = (*now).max(wake.0);
        }
    }

    /// What is left when a world does not end.
    fn describe(&mut self) -> String {
        let open = self.open_runs();
        let mut lines = vec![format!("{open:?}, in memory and parked {:?}", self.engine.load())];
        for (run, _) in open {
            let stored = loom_store::RunStore::load(&mut self.content, run);
            let stored = stored.expect("the reference store reads");
            lines.extend(stored.new.definition.tasks.iter().map(|task| format!("{task:?}")));
            lines.extend(stored.events.iter().map(|event| format!("{event:?}")));
        }
        lines.join("\n")
    }

    fn open_runs(&mut self) -> Vec<(RunId, RunState)> {
        let page = self.content.list(&RunFilter::default()).expect("the reference store reads");
        let open = page.runs.into_iter().filter(|run| !run.state.is_final());
        open.map(|run| (run.id, run.state)).collect()
    }

    fn all_ended(&mut self) -> bool {
        let open = self.open_runs();
        let faults = self.faults.lock().expect("simulation has one thread");
        let at_rest = self.engine.load().0 == 0 && self.engine.next_wake().is_none();
        open.iter().all(|(run, _)| faults.damaged.contains(run))
            && (open.is_empty() || at_rest)
            && self.adrift.lock().expect("simulation has one thread").is_empty()
            && !self.engine.is_busy()
            && self.machine.lock().expect("simulation has one thread").news.is_empty()
    }

    fn check_at_the_end(&mut self) {
        let open = self.open_runs();
        let ledger = self.ledger.lock().expect("simulation has one thread");
        for &run in self.accepted.lock().expect("simulation has one thread").iter() {
            assert!(ledger.knows(run), "accepted run {run} was lost");
        }
        ledger.assert_nothing_runs();
        // What waits for nothing but a request is not read before there is one.
        let untold = open.iter().filter(|(run, _)| !ledger.lost.contains(run)).count();
        assert!(untold <= self.engine.load().1, "not told, and let go of: some of {open:?}");
        let machine = self.machine.lock().expect("simulation has one thread");
        assert!(machine.kept.is_empty(), "the executor keeps ended runs {:?}", machine.kept);
        let ended = |run: &RunId| !open.iter().any(|(open, _)| open == run);
        for (run, id, by) in self.posted.iter().filter(|(run, ..)| ended(run)) {
            let state = self.content.request_state(*run, *id);
            let RequestState::Settled(verdict) = state.expect("the reference store reads") else {
                panic!("a request for the ended run {run} has no answer");
            };
            let journal = self.content.journal(*run, 0, usize::MAX).expect("the run is there");
            let names = |event: &Event| format!("{event:?}").contains(&format!("{by:?}"));
            let took_effect = journal.events.iter().any(|recorded| names(&recorded.event));
            let granted = verdict == Verdict::Granted;
            assert_eq!(took_effect, granted, "a request for {run} was answered {verdict:?}");
        }
    }
}

fn owner(life: u64) -> String {
    format!("life {life}")
}

fn engine(
    random: &mut Random,
    content: &MemoryStore,
    faults: &Arc<Mutex<Faults>>,
    ledger: &Arc<Mutex<Ledger>>,
    machine: &Arc<Mutex<Machine>>,
    now: &Arc<Mutex<u64>>,
    life: u64,
) -> Engine {
    let store = FaultyStore {
        inner: content.session(owner(life)),
        faults: Arc::clone(faults),
        ledger: Arc::clone(ledger),
    };
    let executor = SimExecutor {
        faults: Arc::clone(faults),
        machine: Arc::clone(machine),
        ledger: Arc::clone(ledger),
        now: Arc::clone(now),
    };
    let options = Options {
        starts_per_turn: 1 + random.below(5),
        ahead_max: random.below(3) as u32,
        park_after: Duration::from_millis(random.below(3000) as u64),
        ..Options::default()
    };
    let mut engine = Engine::new(Box::new(store), Box::new(executor), options);
    engine.observe(Box::new(Clerk(Arc::clone(ledger))));
    engine
}
