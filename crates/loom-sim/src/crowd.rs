//! Several engines on one store with runs of one workflow, whose limits they have to keep together:
//! never are more attempts under way than a limit allows, and every run comes to its end, although
//! engines die and the store is locked now and then.

use crate::executor::{Machine, SimExecutor};
use crate::ledger::Ledger;
use crate::random::Random;
use crate::store::{Faults, FaultyStore};
use crate::world::{ROUNDS_MAX, Totals};
use loom_core::{
    Definition, Failure, FailureKind, ForEach, News, Plan, Report, RunId, TaskDef, Timestamp, Value,
};
use loom_engine::{Engine, Input, NewSubmission, Options};
use loom_store::{MemoryStore, QueryStore, RunFilter};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const QUEUE: &str = "q";

pub(crate) struct Crowd {
    random: Random,
    now: Arc<Mutex<u64>>,
    content: MemoryStore,
    ledger: Arc<Mutex<Ledger>>,
    plan: Arc<Plan>,
    queue_max: u32,
    busy_odds: usize,
    members: Vec<Member>,
    runs: u64,
    lives: u64,
    deaths_left: usize,
}

/// An engine and its processes, which die together.
struct Member {
    engine: Engine,
    machine: Arc<Mutex<Machine>>,
    owner: String,
}

impl Crowd {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0xc70fd);
        let plan = Arc::new(Plan::new(workflow(&mut random)));
        let mut crowd = Self {
            now: Arc::new(Mutex::new(1_000_000)),
            content: MemoryStore::new(),
            ledger: Arc::default(),
            plan,
            queue_max: 1 + random.below(3) as u32,
            busy_odds: 2 + random.below(40),
            members: Vec::new(),
            runs: 0,
            lives: 0,
            deaths_left: random.below(4),
            random,
        };
        for place in 0..2 + crowd.random.below(3) {
            let member = crowd.member();
            crowd.members.push(member);
            let runs = 1 + crowd.random.below(2);
            let inputs = (0..runs).map(|_| crowd.submission()).collect();
            crowd.turn(place, inputs);
        }
        crowd
    }

    pub(crate) fn live(mut self) -> Totals {
        for round in 0.. {
            assert!(round < ROUNDS_MAX, "in a crowd: {:?} do not end", self.open_runs());
            let place = self.random.below(self.members.len());
            if self.deaths_left > 0 && self.random.one_in(30) {
                self.deaths_left -= 1;
                self.die(place);
            } else {
                self.go_on(place);
            }
            if self.random.one_in(20) {
                self.widen();
            }
            self.assert_limits();
            *self.now() += self.random.below(20_000) as u64;
            if self.open_runs().is_empty() {
                break;
            }
        }
        let ledger = self.ledger.lock().expect("simulation has one thread");
        Totals {
            runs: self.runs,
            commits: ledger.commits,
            crashes: self.lives - self.members.len() as u64,
            processes: ledger.began,
            lost: 0,
        }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, u64> {
        self.now.lock().expect("simulation has one thread")
    }

    fn member(&mut self) -> Member {
        self.lives += 1;
        let owner = format!("member {}", self.lives);
        let machine = Arc::<Mutex<Machine>>::default();
        let faults = Faults::locked(Random::new(self.random.next()), self.busy_odds);
        let faults = Arc::new(Mutex::new(faults));
        let store = FaultyStore {
            inner: self.content.session(owner.as_str()),
            faults: Arc::clone(&faults),
            ledger: Arc::clone(&self.ledger),
        };
        let executor = SimExecutor {
            faults,
            machine: Arc::clone(&machine),
            ledger: Arc::clone(&self.ledger),
            now: Arc::clone(&self.now),
        };
        let is_told = self.random.one_in(2);
        let options = Options {
            ahead_max: self.random.below(3) as u32,
            starts_per_turn: 1 + self.random.below(5),
            queues: if is_told { HashMap::new() } else { self.queues() },
            ..Options::default()
        };
        let mut engine = Engine::new(Box::new(store), Box::new(executor), options);
        if is_told {
            let mut inputs = vec![Input::Queues(self.queues())];
            engine.turn(&mut inputs, Timestamp(*self.now())).expect("it has nothing to ask");
        }
        Member { engine, machine, owner }
    }

    fn queues(&self) -> HashMap<String, u32> {
        HashMap::from([(QUEUE.to_owned(), self.queue_max)])
    }

    /// The queue's limit is raised, as one member learns now and the others when they begin anew.
    fn widen(&mut self) {
        self.queue_max += 1;
        let place = self.random.below(self.members.len());
        self.turn(place, vec![Input::Queues(self.queues())]);
    }

    fn submission(&mut self) -> Input {
        self.runs += 1;
        let submission = NewSubmission {
            id: RunId::new(self.runs, u128::from(self.random.next())),
            plan: Arc::clone(&self.plan),
            hash: [7; 32],
            variables: Arc::default(),
            workers: 1 + self.random.below(6) as u32,
            base: String::new(),
            meta: std::sync::Arc::default(),
            hold: false,
        };
        Input::Submit(Box::new(submission), Box::new(drop))
    }

    /// Some of a member's processes end, and its engine has a round.
    fn go_on(&mut self, place: usize) {
        let now = *self.now();
        let mut machine = self.members[place].machine.lock().expect("simulation has one thread");
        let mut ledger = self.ledger.lock().expect("simulation has one thread");
        while !machine.running.is_empty() && !self.random.one_in(3) {
            let nth = self.random.below(machine.running.len());
            let news = match self.random.below(8) {
                0 => News::Failed(Failure::permanent(FailureKind::Exit, "simulated")),
                _ => News::Succeeded(Vec::new()),
            };
            machine.finish(nth, news, now, &mut ledger);
        }
        let report = |(key, news): (loom_core::AttemptKey, News)| {
            (key.run, Report { task: key.task, attempt: key.attempt, news })
        };
        let reports = machine.news.drain(..).map(report).collect();
        drop((machine, ledger));
        self.members[place].engine.look_for_slots();
        self.turn(place, vec![Input::Reports(reports)]);
    }

    /// A member's process is gone, and another takes its runs up.
    fn die(&mut self, place: usize) {
        let next = self.member();
        let dead = std::mem::replace(&mut self.members[place], next);
        self.content.end_owner(&dead.owner);
        let mut machine = dead.machine.lock().expect("simulation has one thread");
        let mut ledger = self.ledger.lock().expect("simulation has one thread");
        for attempt in machine.running.drain(..) {
            ledger.ended(&attempt, &News::Stopped);
        }
        drop(ledger);
        let left = self.open_runs().into_iter().filter(|(_, alive)| !alive);
        let inputs = left.map(|(run, _)| Input::Adopt(run, None, Box::new(drop))).collect();
        self.turn(place, inputs);
    }

    fn turn(&mut self, place: usize, mut inputs: Vec<Input>) {
        loop {
            let now = Timestamp(*self.now());
            let engine = &mut self.members[place].engine;
            match engine.turn(&mut inputs, now) {
                Ok(()) if engine.is_busy() => {}
                Ok(()) => return,
                Err(error) if error.may_retry() => *self.now() += 1000,
                Err(error) => panic!("in a crowd: {error}"),
            }
        }
    }

    fn assert_limits(&self) {
        let (mut of_task, mut of_queue) = (HashMap::<String, u32>::new(), 0);
        for member in &self.members {
            let machine = member.machine.lock().expect("simulation has one thread");
            for attempt in &machine.running {
                *of_task.entry(attempt.task().name.clone()).or_default() += 1;
                of_queue += u32::from(attempt.task().execution.queue.is_some());
            }
        }
        assert!(of_queue <= self.queue_max, "{of_queue} of a queue of {}", self.queue_max);
        for task in &self.plan.definition().tasks {
            let used = of_task.get(&task.name).copied().unwrap_or_default();
            let most = task.execution.workers.unwrap_or(u32::MAX);
            assert!(used <= most, "{used} of task {}, which has {most}", task.name);
        }
    }

    /// The runs that have not ended, and whether a living engine has them.
    fn open_runs(&mut self) -> Vec<(RunId, bool)> {
        let page = self.content.list(&RunFilter::default()).expect("the reference store reads");
        let open = page.runs.into_iter().filter(|run| !run.state.is_final());
        open.map(|run| (run.id, run.alive)).collect()
    }
}

/// Tasks with a limit of their own, of a queue, with both and with neither, each with some items.
fn workflow(random: &mut Random) -> Definition {
    let tasks = ["own", "queued", "both", "free"].map(|name| {
        let mut task = TaskDef::new(name, "cmd");
        let own = matches!(name, "own" | "both");
        task.execution.workers = own.then(|| 1 + random.below(3) as u32);
        task.execution.queue = matches!(name, "queued" | "both").then(|| QUEUE.to_owned());
        task.execution.priority = random.below(3) as i32;
        task.for_each = Some(ForEach::Items((0..random.below(8)).map(Value::from).collect()));
        task
    });
    Definition::new("crowd", tasks.into())
}
