//! Random workflows and histories: the run agrees with the oracle, with its own journal, and with
//! the invariants.

use super::driver::{Driver, tasks_of};
use super::oracle::Oracle;
use super::workflows::{LIST, NAMES, Workflow, any_workflow};
use crate::history::tests::check as check_history;
use crate::run::{Command, Run};
use crate::why::tests::check as check_why;
use crate::{
    AttemptKey, Event, Failure, FailureKind, News, Output, Request, RunState, TaskIx, TaskKind,
    TaskPhase, TaskRef, Value, Variable,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashMap;

#[derive(Clone, Debug)]
enum Step {
    Succeed(Index, u8),
    Fail(Index, bool),
    Began(Index),
    GiveUp(Index),
    Wake,
    Crash,
    Reopen,
    Skip(Index),
    Cancel(Index),
    Amend(Index, u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(which, mask)| Step::Succeed(which, mask)),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(which, again)| Step::Fail(which, again)),
        2 => any::<Index>().prop_map(Step::Began),
        1 => any::<Index>().prop_map(Step::GiveUp),
        1 => Just(Step::Wake),
        1 => Just(Step::Crash),
        1 => Just(Step::Reopen),
        1 => any::<Index>().prop_map(Step::Skip),
        1 => any::<Index>().prop_map(Step::Cancel),
        1 => (any::<Index>(), 0..5u32).prop_map(|(which, most)| Step::Amend(which, most)),
    ]
}

struct Pair {
    driver: Driver,
    oracle: Oracle,
    lists: Vec<Value>,
}

impl Pair {
    fn new(workflow: &Workflow, workers: u32, ahead: u32) -> Self {
        let Workflow { definition, lists } = workflow.clone();
        let oracle = Oracle::new(&definition);
        let mut driver = Driver::new(definition, &[], workers);
        driver.ahead = ahead;
        driver.apply(Command::Begin).unwrap();
        Self { driver, oracle, lists }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Succeed(which, mask) => self.succeed(*which, *mask),
            Step::Fail(which, again) => self.fail(*which, *again),
            Step::Began(which) => {
                let held = self.keys(|held| held);
                let busy = self.driver.out.len() - held.len();
                if !held.is_empty() && busy < self.driver.run.workers() as usize {
                    let news = News::Began(self.driver.now);
                    let key = *which.get(&held);
                    self.driver.news(key, news).unwrap();
                    self.oracle.began(key.task);
                }
            }
            Step::GiveUp(which) => {
                let out = self.keys(|_| true);
                if !out.is_empty() {
                    let key = *which.get(&out);
                    let others = self.others(key);
                    self.driver.news(key, News::Stopped).unwrap();
                    self.oracle.give_up(key.task, &others);
                }
            }
            Step::Wake => {
                if let Some(due) = self.driver.run.next_wake() {
                    self.driver.now = self.driver.now.max(due);
                    self.driver.apply(Command::Wake).unwrap();
                }
            }
            Step::Crash => {
                self.driver.run = self.driver.replayed();
                self.driver.out.clear();
                self.driver.apply(Command::Recover).unwrap();
                self.oracle.crash();
            }
            Step::Reopen => self.reopen(),
            Step::Skip(which) => self.skip(*which),
            Step::Cancel(which) => self.cancel(*which),
            Step::Amend(which, most) => self.amend(*which, *most),
        }
    }

    /// Attempts with the executor, by whether they are held.
    fn keys(&self, wanted: impl Fn(bool) -> bool) -> Vec<AttemptKey> {
        let out = self.driver.out.iter().filter(|(_, held)| wanted(*held));
        out.map(|(key, _)| *key).collect()
    }

    fn others(&self, key: AttemptKey) -> Vec<TaskRef> {
        self.keys(|_| true).iter().map(|other| other.task).filter(|of| *of != key.task).collect()
    }

    fn reopen(&mut self) {
        let has_failed = (0..self.oracle.phases.len()).any(|task| self.oracle.can_be_retried(task));
        let allowed = match self.driver.run.state() {
            RunState::Failed => true,
            RunState::Running => has_failed && !self.oracle.stopping,
            _ => false,
        };
        let asked = self.driver.request(Request::Retry { by: "x".into(), task: None });
        assert_eq!(asked.is_ok(), allowed, "{asked:?}");
        if allowed {
            let out: Vec<TaskRef> = self.keys(|_| true).iter().map(|key| key.task).collect();
            self.oracle.reopen(&out);
        }
    }

    /// Any task, whether anything may be asked of it alone, and attempts with the executor.
    fn any_task(&self, which: Index) -> (TaskIx, bool, Vec<TaskRef>) {
        let task = *which.get(&tasks_of(&self.driver.run));
        let is_open = self.driver.run.state() == RunState::Running
            && !self.oracle.stopping
            && !self.oracle.unwanted.contains(&task.at());
        (task, is_open, self.keys(|_| true).iter().map(|key| key.task).collect())
    }

    fn skip(&mut self, which: Index) {
        let (task, is_open, out) = self.any_task(which);
        let phase = self.driver.run.phase(task);
        let allowed = is_open
            && !self.oracle.to_skip.contains(&task.at())
            && matches!(phase, TaskPhase::Waiting | TaskPhase::Ready);
        let (by, reason, name) = ("x".into(), String::new(), format!("t{}", task.0));
        let asked = self.driver.request(Request::Skip { by, reason, task: name });
        assert_eq!(asked.is_ok(), allowed, "{asked:?}");
        if allowed {
            self.oracle.skip(task.at(), &out);
        }
    }

    fn cancel(&mut self, which: Index) {
        let (task, is_open, out) = self.any_task(which);
        let allowed = is_open && !self.driver.run.phase(task).is_final();
        let (by, reason, name) = ("x".into(), String::new(), format!("t{}", task.0));
        let asked = self.driver.request(Request::CancelTask { by, reason, task: name });
        assert_eq!(asked.is_ok(), allowed, "{asked:?}");
        if allowed {
            self.oracle.cancel(task.at(), &out);
        }
    }

    fn amend(&mut self, which: Index, most: u32) {
        let (task, ..) = self.any_task(which);
        let name = format!("t{}", task.0);
        let inputs = self.driver.run.plan().task(task).inputs.iter().filter(|name| *name != LIST);
        let inputs = inputs.map(|name| Variable {
            name: name.clone(),
            value: Value::from("amended"),
            secret: false,
        });
        let (by, inputs) = ("x".into(), inputs.collect());
        let request = Request::Amend { by, task: name, max_attempts: Some(most), inputs };
        if self.driver.request(request).is_ok() {
            assert_ne!(most, 0, "one attempt is the least");
            self.oracle.amend(task.at(), most);
        }
    }

    fn succeed(&mut self, which: Index, mask: u8) {
        let working = self.keys(|held| !held);
        if working.is_empty() {
            return;
        }
        let key = *which.get(&working);
        let others = self.others(key);
        let def = self.driver.run.plan().task(key.task.task).clone();
        let declared = def.outputs.names.iter().enumerate();
        let emitted: Vec<(String, Value)> = declared
            .filter(|(nth, output)| !output.optional || mask >> nth & 1 == 1)
            .map(|(_, output)| match output.name.as_str() {
                LIST => (LIST.into(), self.lists[usize::from(mask) % self.lists.len()].clone()),
                name => (name.into(), Value::from(u64::from(mask))),
            })
            .collect();
        let outputs = emitted.iter().map(|(name, value)| Output {
            name: name.clone(),
            value: value.clone(),
            declared: false,
            secret: false,
        });
        self.driver.news(key, News::Succeeded(outputs.collect())).unwrap();
        self.oracle.succeed(key.task, emitted, &others);
    }

    fn fail(&mut self, which: Index, again: bool) {
        let working = self.keys(|held| !held);
        if working.is_empty() {
            return;
        }
        let key = *which.get(&working);
        let others = self.others(key);
        let failure = if again {
            Failure::retryable(FailureKind::Exit, "again")
        } else {
            Failure::permanent(FailureKind::Exit, "never")
        };
        self.driver.news(key, News::Failed(failure)).unwrap();
        self.oracle.fail(key.task, again, &others);
    }

    fn check(&self) {
        let run = &self.driver.run;
        for task in tasks_of(run) {
            let expected = self.oracle.phases[task.at()];
            let phase = run.phase(task);
            assert_eq!(plain(phase), plain(expected), "{task:?} of {}", self.driver.phases());
            if expected == TaskPhase::Ready || expected.is_success() {
                self.check_items(task);
            }
        }
        check_limits(&self.driver);
        check_announced(&self.driver);
        let settled = tasks_of(run).iter().all(|&task| run.phase(task).is_final());
        assert_eq!(settled, run.state().is_final(), "a run ends exactly when all has settled");
        if settled {
            assert_eq!(run.state() == RunState::Failed, self.oracle.has_failed());
        }
        check_same(run, &self.driver.replayed());
        let history = self.driver.history();
        check_history(&history);
        check_why(&history, self.driver.now);
    }

    fn check_items(&self, task: TaskIx) {
        let run = &self.driver.run;
        let expected = self.oracle.items.get(&task.at());
        assert_eq!(run.items(task).is_some(), expected.is_some(), "{task:?}");
        for (item, expected) in (0..).zip(expected.into_iter().flatten()) {
            let phase = run.phase_of(TaskRef::item(task, item)).expect("the item exists");
            assert_eq!(plain(phase), plain(*expected), "{task:?}[{item}]");
        }
    }
}

/// What the oracle tells apart. A task that became ready in the instant in which a failure stopped
/// the run may have been cancelled or skipped: it comes to the same.
fn plain(phase: TaskPhase) -> TaskPhase {
    match phase {
        TaskPhase::Running | TaskPhase::BackingOff => TaskPhase::Ready,
        TaskPhase::Cancelled => TaskPhase::Skipped,
        phase => phase,
    }
}

fn check_limits(driver: &Driver) {
    let plan = driver.run.plan();
    let works = |kind: TaskKind| kind == TaskKind::Work;
    let working: Vec<TaskIx> = (driver.out.iter().filter(|(_, held)| !held))
        .map(|(key, _)| key.task.task)
        .filter(|&task| works(plan.task(task).kind))
        .collect();
    assert!(working.len() <= driver.run.workers() as usize, "{working:?}");
    if working.iter().any(|&task| plan.task(task).execution.exclusive) {
        assert_eq!(driver.out.len(), 1, "alone within its run");
    }
    let mut last_attempt = HashMap::new();
    for event in &driver.events {
        if let Event::Started { task, attempt, .. } = event {
            let before = last_attempt.insert(*task, *attempt);
            assert!(before < Some(*attempt), "attempts count up");
        }
    }
}

/// Every task that announces something does so once each time that it settles.
fn check_announced(driver: &Driver) {
    for (task, def) in driver.run.plan().tasks() {
        let whole = TaskRef::whole(task);
        let settles = driver.events.iter().filter(|event| match event {
            Event::Succeeded { task, .. }
            | Event::Gathered { task, .. }
            | Event::Skipped { task, .. }
            | Event::Cancelled { task, .. } => *task == whole,
            Event::Failed { task, retry_at, .. } => *task == whole && retry_at.is_none(),
            _ => false,
        });
        let announced = driver
            .events
            .iter()
            .filter(|event| matches!(event, Event::Emitted { task, .. } if *task == whole));
        let expected = if def.events.is_empty() { 0 } else { settles.count() };
        assert_eq!(announced.count(), expected, "{}", def.name);
    }
}

fn check_same(run: &Run, replayed: &Run) {
    assert_eq!(run.state(), replayed.state());
    assert_eq!(run.events_so_far(), replayed.events_so_far());
    for task in tasks_of(run) {
        let (phase, again) = (run.phase(task), replayed.phase(task));
        // That a backoff is over is not an event.
        let woken = again == TaskPhase::BackingOff && phase == TaskPhase::Ready;
        assert!(phase == again || woken, "{task:?}: {phase} live, {again} replayed");
        assert_eq!(run.missing(task), replayed.missing(task));
    }
    for name in NAMES {
        assert_eq!(run.variable(name), replayed.variable(name));
    }
}

/// 3,000 cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let usual = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => ProptestConfig { cases: 3000, ..usual },
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn runs_agree_with_the_oracle_and_with_their_journal(
        workflow in any_workflow(),
        workers in 1..4u32,
        ahead in 0..3u32,
        steps in prop::collection::vec(any_step(), 0..40),
        which in any::<Index>(),
    ) {
        let mut pair = Pair::new(&workflow, workers, ahead);
        pair.check();
        for step in &steps {
            pair.step(step);
            pair.check();
        }
        // Left to itself, every run ends.
        let mut rounds = 0;
        while !pair.driver.run.state().is_final() {
            rounds += 1;
            prop_assert!(rounds < 200, "stuck: {}", pair.driver.phases());
            pair.step(&Step::Began(which));
            pair.step(&Step::Succeed(which, 0));
            pair.step(&Step::Wake);
            pair.check();
        }
    }
}
