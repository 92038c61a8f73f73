//! A run that is asked by name, and what every answer has to hold to.

use super::super::{
    ActiveChain, Cause, CauseEnd, ChainLink, Few, Hold, RunWhy, SkippedWhy, Standing, Toll, Via,
    WaitingWhy, Why, explain_run, explain_task, waiting,
};
use crate::history::History;
use crate::run::Command;
use crate::run::tests::driver::Driver;
use crate::test_support::task;
use crate::{Definition, TaskDef, TaskIx, TaskPhase, TaskRef, Timestamp, Value};

/// A run and its history, to be asked by name.
pub(super) struct Asked {
    pub(super) run: Driver,
    pub(super) history: History,
}

impl Asked {
    pub(super) fn of(run: Driver) -> Self {
        Self { history: run.history(), run }
    }

    pub(super) fn ix(&self, name: &str) -> TaskIx {
        self.history.run().plan().find_task(name).unwrap()
    }

    pub(super) fn why(&self, name: &str) -> Why<'_> {
        explain_task(&self.history, TaskRef::whole(self.ix(name)), self.run.now).why
    }

    pub(super) fn waiting(&self, name: &str) -> WaitingWhy {
        let Why::Waiting(why) = self.why(name) else { panic!("{name}: {:?}", self.why(name)) };
        why
    }

    pub(super) fn skipped(&self, name: &str) -> SkippedWhy<'_> {
        let Why::Skipped(why) = self.why(name) else { panic!("{name}: {:?}", self.why(name)) };
        why
    }

    pub(super) fn hold(&self, name: &str) -> Hold<'_> {
        let Why::Ready(hold) = self.why(name) else { panic!("{name}: {:?}", self.why(name)) };
        hold
    }

    pub(super) fn run_why(&self) -> RunWhy<'_> {
        explain_run(&self.history, self.run.now)
    }

    pub(super) fn name(&self, task: TaskIx) -> &str {
        &self.history.run().plan().task(task).name
    }

    /// `name phase`
    pub(super) fn stand(&self, standing: &Standing) -> String {
        format!("{} {}", self.name(standing.task.task), standing.phase)
    }

    pub(super) fn stands(&self, standings: &Few<Standing>) -> Vec<String> {
        standings.first.iter().map(|standing| self.stand(standing)).collect()
    }

    /// `via <- name phase` of each link of each chain.
    pub(super) fn chains(&self, why: &WaitingWhy) -> Vec<String> {
        let link = |link: &ChainLink| {
            let via = match &link.via {
                Via::Variable(name) => name.as_str(),
                Via::Dependency => "after",
                Via::Barrier => "barrier",
                Via::Circle => "circle",
            };
            format!("{via} <- {}", self.stand(&link.standing))
        };
        let chain =
            |chain: &ActiveChain| chain.links.iter().map(link).collect::<Vec<_>>().join(", ");
        why.chains.iter().map(chain).collect()
    }

    pub(super) fn end(&self, end: &CauseEnd) -> String {
        let name = self.name(end.task());
        match end {
            CauseEnd::Failed(_, failure) => format!("{name} failed: {}", failure.message),
            CauseEnd::DidNotEmit(_) => format!("{name} did not emit"),
            CauseEnd::Resolved(_, how) => format!("{name} settled by {}", how.by),
            CauseEnd::Skipped(..) => format!("{name} skipped"),
            CauseEnd::Cancelled(_) => format!("{name} cancelled"),
            CauseEnd::Nobody(_, variable) => format!("{name}: nobody sets {variable}"),
        }
    }

    /// The tree as nested brackets.
    pub(super) fn tree(&self, causes: &[Cause]) -> String {
        let cause = |cause: &Cause| match self.tree(&cause.behind) {
            behind if behind.is_empty() => self.end(&cause.end),
            behind => format!("{} ({behind})", self.end(&cause.end)),
        };
        causes.iter().map(cause).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn beginnings(&self, causes: &Few<(CauseEnd, Toll)>) -> Vec<String> {
        let told = |(end, toll): &(CauseEnd, Toll)| {
            format!("{}, for which {} skipped", self.end(end), toll.count)
        };
        causes.first.iter().map(told).collect()
    }

    pub(super) fn ends(&self, ends: &Few<CauseEnd>) -> Vec<String> {
        ends.first.iter().map(|end| self.end(end)).collect()
    }
}

/// Whatever happened, waiting leads to something open, and skipping to a first cause.
pub(crate) fn check(history: &History, now: Timestamp) {
    let is_open = |standing: &Standing| waiting::is_open(standing.phase);
    for (task, _) in history.tasks() {
        for item in 0..history.run().items(task).map_or(0, |(count, _)| count) {
            explain_task(history, TaskRef::item(task, item), now);
        }
        match explain_task(history, TaskRef::whole(task), now).why {
            Why::Waiting(why) => {
                assert!(!why.waits_for.is_empty() && !why.chains.is_empty(), "{task:?}: {why:?}");
                let last = |chain: &ActiveChain| chain.links[chain.links.len() - 1].standing;
                assert!(why.chains.iter().all(|chain| is_open(&last(chain))), "{why:?}");
            }
            Why::Skipped(why) => assert!(why.first.count() > 0, "{task:?}: {why:?}"),
            _ => {}
        }
    }
    let why = explain_run(history, now);
    let run = history.run();
    let fatal = run
        .plan()
        .tasks()
        .filter(|(task, def)| run.phase(*task) == TaskPhase::Failed && !def.allow_failure);
    assert!(why.first_causes.count() as usize >= fatal.count(), "{why:?}");
}

pub(super) fn run_of(definition: Definition, variables: &[(&str, Value)], workers: u32) -> Driver {
    let mut run = Driver::new(definition, variables, workers);
    run.apply(Command::Begin).unwrap();
    run
}

pub(super) fn alone(name: &str) -> TaskDef {
    task(name).with(|task| task.execution.exclusive = true)
}
