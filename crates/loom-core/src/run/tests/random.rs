//! Random workflows and histories: the run agrees with the oracle, with its own journal, and with
//! the invariants.

use super::driver::{Driver, tasks_of};
use super::oracle::Oracle;
use crate::history::tests::check as check_history;
use crate::run::{Command, Run};
use crate::test_support::{barrier, instant, task};
use crate::why::tests::check as check_why;
use crate::{
    Definition, Event, Failure, FailureKind, News, Output, Request, RetryPolicy, RunState, TaskDef,
    TaskIx, TaskKind, TaskPhase, Value,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::HashMap;

const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "TRUE"];

fn any_task(place: usize) -> impl Strategy<Value = TaskDef> {
    let name = prop::sample::select(&NAMES[..]);
    let flags = (0..8u8, any::<bool>(), any::<bool>(), 1..3u32);
    (
        prop::collection::vec(name.clone(), 0..3),
        prop::collection::vec((name, any::<bool>()), 0..3),
        prop::collection::vec(0..10usize, 0..2),
        flags,
    )
        .prop_map(
            move |(inputs, outputs, after, (kind, allow_failure, exclusive, attempts))| {
                let name = format!("t{place}");
                let mut def = match kind {
                    0 => barrier(&name),
                    1 | 2 => instant(&name),
                    _ => task(&name),
                };
                inputs.into_iter().for_each(|input| def.inputs.push(input.into()));
                for (output, optional) in outputs {
                    def = def.out(&format!("{output}{}", if optional { "?" } else { "" }));
                }
                // Later tasks depend on earlier ones, and one in five the other way round.
                after.into_iter().filter(|&on| on < place || on % 5 == 4).for_each(|on| {
                    def.execution.depends_on.push(format!("t{on}"));
                });
                def.allow_failure = allow_failure;
                def.execution.exclusive = exclusive && kind == 3;
                def.retry = RetryPolicy { max_attempts: attempts, ..RetryPolicy::default() };
                def
            },
        )
}

/// A workflow that prints as one line a task.
#[derive(Clone)]
struct Workflow(Definition);

impl std::fmt::Debug for Workflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for task in &self.0.tasks {
            let outputs = task.outputs.names.iter().map(|out| (&out.name, out.optional));
            writeln!(
                f,
                "{} {:?} in {:?} out {:?} after {:?} alone {} attempts {}",
                task.name,
                task.kind,
                task.inputs,
                outputs.collect::<Vec<_>>(),
                task.execution.depends_on,
                task.execution.exclusive,
                task.retry.max_attempts
            )?;
        }
        Ok(())
    }
}

fn any_workflow() -> impl Strategy<Value = Workflow> {
    (1..10usize).prop_flat_map(|count| (0..count).map(any_task).collect::<Vec<_>>()).prop_map(
        |mut tasks| {
            let count = tasks.len();
            for def in &mut tasks {
                def.execution.depends_on.retain(|on| on[1..].parse::<usize>().unwrap() < count);
            }
            Workflow(Definition::new("random", tasks))
        },
    )
}

#[derive(Clone, Debug)]
enum Step {
    Succeed(Index, u8),
    Fail(Index, bool),
    Began(Index),
    Wake,
    Crash,
    Reopen,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(which, mask)| Step::Succeed(which, mask)),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(which, again)| Step::Fail(which, again)),
        2 => any::<Index>().prop_map(Step::Began),
        1 => Just(Step::Wake),
        1 => Just(Step::Crash),
        1 => Just(Step::Reopen),
    ]
}

struct Pair {
    driver: Driver,
    oracle: Oracle,
}

impl Pair {
    fn new(definition: &Definition, workers: u32, ahead: u32) -> Self {
        let mut driver = Driver::new(definition.clone(), &[], workers);
        driver.ahead = ahead;
        driver.apply(Command::Begin).unwrap();
        Self { driver, oracle: Oracle::new(definition) }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Succeed(which, mask) => self.succeed(*which, *mask),
            Step::Fail(which, again) => self.fail(*which, *again),
            Step::Began(which) => {
                let held: Vec<_> =
                    self.driver.out.iter().filter(|(_, held)| *held).map(|(key, _)| *key).collect();
                let busy = self.driver.out.len() - held.len();
                if !held.is_empty() && busy < self.driver.run.workers() as usize {
                    let news = News::Began(self.driver.now);
                    self.driver.news(*which.get(&held), news).unwrap();
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
            }
            Step::Reopen if self.driver.run.state() == RunState::Failed => {
                self.driver.request(Request::Retry { by: "x".into(), task: None }).unwrap();
                self.oracle.reopen();
            }
            Step::Reopen => {}
        }
    }

    fn succeed(&mut self, which: Index, mask: u8) {
        let working: Vec<_> =
            self.driver.out.iter().filter(|(_, held)| !held).map(|(key, _)| *key).collect();
        if working.is_empty() {
            return;
        }
        let key = *which.get(&working);
        let def = self.driver.run.plan().task(key.task.task).clone();
        let declared = def.outputs.names.iter().enumerate();
        let emitted: Vec<String> = declared
            .filter(|(nth, output)| !output.optional || mask >> nth & 1 == 1)
            .map(|(_, output)| output.name.clone())
            .collect();
        let outputs = emitted.iter().map(|name| Output {
            name: name.clone(),
            value: Value::from(u64::from(mask)),
            declared: false,
            secret: false,
        });
        self.driver.news(key, News::Succeeded(outputs.collect())).unwrap();
        self.oracle.end(key.task.task.at(), TaskPhase::Succeeded, &emitted);
    }

    fn fail(&mut self, which: Index, again: bool) {
        let working: Vec<_> =
            self.driver.out.iter().filter(|(_, held)| !held).map(|(key, _)| *key).collect();
        if working.is_empty() {
            return;
        }
        let key = *which.get(&working);
        let failure = if again {
            Failure::retryable(FailureKind::Exit, "again")
        } else {
            Failure::permanent(FailureKind::Exit, "never")
        };
        self.driver.news(key, News::Failed(failure)).unwrap();
        if self.driver.run.phase(key.task.task) == TaskPhase::Failed {
            self.oracle.end(key.task.task.at(), TaskPhase::Failed, &[]);
        }
    }

    fn check(&self) {
        let run = &self.driver.run;
        for task in tasks_of(run) {
            let phase = match run.phase(task) {
                TaskPhase::Running | TaskPhase::BackingOff => TaskPhase::Ready,
                phase => phase,
            };
            let expected = self.oracle.phases[task.at()];
            assert_eq!(phase, expected, "task {task:?} of {}", self.driver.phases());
        }
        check_limits(&self.driver);
        let settled = tasks_of(run).iter().all(|&task| run.phase(task).is_final());
        assert_eq!(settled, run.state().is_final(), "a run ends exactly when all has settled");
        check_same(run, &self.driver.replayed());
        let history = self.driver.history();
        check_history(&history);
        check_why(&history, self.driver.now);
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_agree_with_the_oracle_and_with_their_journal(
        Workflow(definition) in any_workflow(),
        workers in 1..4u32,
        ahead in 0..3u32,
        steps in prop::collection::vec(any_step(), 0..40),
        which in any::<Index>(),
    ) {
        let mut pair = Pair::new(&definition, workers, ahead);
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
