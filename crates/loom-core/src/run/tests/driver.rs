//! Drives a run by hand.

use crate::plan::Plan;
use crate::run::{Changes, Command, OpenGate, Run, Submission};
use crate::{
    AttemptKey, Definition, Effect, Event, Failure, FailureKind, History, News, Output, Refusal,
    Report, Request, RunId, TaskDef, TaskIx, TaskPhase, TaskRef, Timestamp, Value, Variable,
};
use std::sync::Arc;

pub(crate) struct Driver {
    pub(crate) run: Run,
    pub(crate) now: Timestamp,
    /// Everything that happened.
    pub(crate) events: Vec<Event>,
    /// Attempts with the executor; held ones among them.
    pub(crate) out: Vec<(AttemptKey, bool)>,
    pub(crate) ahead: u32,
}

impl Driver {
    pub(crate) fn new(definition: Definition, variables: &[(&str, Value)], workers: u32) -> Self {
        let variables = variables.iter().map(|(name, value)| Variable {
            name: (*name).into(),
            value: value.clone(),
            secret: false,
        });
        let run = Run::new(Submission {
            id: RunId::new(1, 1),
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::new(variables.collect()),
            workers,
        });
        Self { run, now: Timestamp(1), events: Vec::new(), out: Vec::new(), ahead: 0 }
    }

    /// A run of these tasks that has begun.
    pub(crate) fn begun(tasks: Vec<TaskDef>) -> Self {
        let mut driver = Self::new(Definition::new("test", tasks), &[], 4);
        driver.apply(Command::Begin).unwrap();
        driver
    }

    pub(crate) fn apply(&mut self, command: Command) -> Result<(), Refusal> {
        self.now.0 += 1;
        let changes = self.run.apply(command, self.now)?;
        self.take(changes);
        let changes = self.run.fill(self.now, usize::MAX, self.ahead, &mut OpenGate);
        self.take(changes);
        Ok(())
    }

    fn take(&mut self, changes: Changes) {
        for event in changes.events {
            let over = match &event {
                Event::Succeeded { task, .. }
                | Event::Failed { task, .. }
                | Event::Interrupted { task, .. }
                | Event::Cancelled { task, .. } => Some(*task),
                Event::Started { task, .. } => {
                    self.out.iter_mut().filter(|out| out.0.task == *task).for_each(|o| o.1 = false);
                    None
                }
                _ => None,
            };
            if let Some(task) = over {
                self.out.retain(|(key, _)| key.task != task);
            }
            self.events.push(event);
        }
        for effect in changes.effects {
            if let Effect::Dispatch(attempt) = effect {
                self.out.push((attempt.key, attempt.held));
            }
        }
    }

    pub(crate) fn news(&mut self, key: AttemptKey, news: News) -> Result<(), Refusal> {
        self.apply(Command::Report(Report { task: key.task, attempt: key.attempt, news }))
    }

    pub(crate) fn key(&self, name: &str) -> AttemptKey {
        let task = self.run.plan().find_task(name).expect("the task exists");
        let found = self.out.iter().find(|(key, _)| key.task.task == task);
        found.unwrap_or_else(|| panic!("{name} is not running: {:?}", self.phases())).0
    }

    pub(crate) fn succeed(&mut self, name: &str, outputs: &[&str]) {
        let key = self.key(name);
        self.news(key, News::Succeeded(outputs.iter().map(|name| output(name)).collect())).unwrap();
    }

    pub(crate) fn fail(&mut self, name: &str) {
        let key = self.key(name);
        self.news(key, News::Failed(Failure::permanent(FailureKind::Exit, "exit 1"))).unwrap();
    }

    pub(crate) fn fail_retryably(&mut self, name: &str) {
        let key = self.key(name);
        self.news(key, News::Failed(Failure::retryable(FailureKind::Exit, "exit 1"))).unwrap();
    }

    pub(crate) fn request(&mut self, request: Request) -> Result<(), Refusal> {
        self.apply(Command::Request(request))
    }

    pub(crate) fn phase(&self, name: &str) -> TaskPhase {
        self.run.phase(self.run.plan().find_task(name).expect("the task exists"))
    }

    /// `name=phase` of every task.
    pub(crate) fn phases(&self) -> String {
        let tasks = self.run.plan().tasks();
        let phases = tasks.map(|(ix, task)| format!("{}={}", task.name, self.run.phase(ix)));
        phases.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn running(&self) -> Vec<&str> {
        let running = self.out.iter().filter(|(_, held)| !held);
        running.map(|(key, _)| self.run.plan().task(key.task.task).name.as_str()).collect()
    }

    /// The run as the journal alone rebuilds it.
    pub(crate) fn replayed(&self) -> Run {
        let mut run = Run::new(self.submission());
        self.events.iter().for_each(|event| run.replay(event));
        run
    }

    /// The run's history as it would be read back from the store.
    pub(crate) fn history(&self) -> History {
        let mut history = History::new(self.submission(), Timestamp(1));
        for (event, seq) in self.events.iter().zip(1..) {
            assert!(history.admits(event), "{event:?}");
            history.record(seq, event);
        }
        history
    }

    fn submission(&self) -> Submission {
        Submission {
            id: self.run.id(),
            plan: Arc::clone(self.run.plan()),
            variables: Arc::clone(self.run.shared()),
            workers: self.run.workers(),
        }
    }

    pub(crate) fn skip_reason(&self, name: &str) -> &crate::SkipReason {
        let task = TaskRef::whole(self.run.plan().find_task(name).expect("the task exists"));
        let reason = self.events.iter().rev().find_map(|event| match event {
            Event::Skipped { task: skipped, reason, .. } if *skipped == task => Some(reason),
            _ => None,
        });
        reason.expect("the task was skipped")
    }
}

pub(crate) fn output(name: &str) -> Output {
    let (name, value) = name.split_once('=').unwrap_or((name, "1"));
    Output { name: name.into(), value: Value::from(value), declared: false, secret: false }
}

pub(crate) fn tasks_of(run: &Run) -> Vec<TaskIx> {
    run.plan().tasks().map(|(ix, _)| ix).collect()
}
