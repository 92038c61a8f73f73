//! Looking at the tasks of a run.

use super::look::Look;
use super::service::Runs;
use super::view;
use crate::access::{Caller, Permission};
use crate::problem::Problem;
use loom_core::{AttemptRecord, AttemptResult, History, Plan, SetBy, TaskIx, explain_inputs};
use loom_protocol::api::{
    AttemptDetail, InputView, RunGraphView, TaskDetail, TaskView, UndeclaredView,
};
use loom_protocol::{ErrorCode, MASK};
use loom_spec::draw::run_view;
use loom_store::QueryStore;
use std::collections::BTreeSet;

impl Runs {
    /// The graph of a run, with where each task stands.
    pub async fn graph(&self, caller: &Caller, id: &str) -> Result<RunGraphView, Problem> {
        let now = self.clock.now();
        let view = move |_: &mut dyn QueryStore, look: &Look| {
            Ok(run_view(&look.history, view::state(look.summary.state), now))
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }

    /// One task with its attempts and what it set.
    pub async fn task(&self, caller: &Caller, id: &str, name: &str) -> Result<TaskDetail, Problem> {
        let name = name.to_owned();
        let view = move |_: &mut dyn QueryStore, look: &Look| Ok(look.whole(look.find(&name)?));
        self.look(caller, id, Permission::RunsGet, view).await
    }

    /// One attempt with what it saw and emitted.
    pub async fn attempt(
        &self,
        caller: &Caller,
        id: &str,
        name: &str,
        number: u32,
        item: Option<u32>,
    ) -> Result<AttemptDetail, Problem> {
        let name = name.to_owned();
        let view = move |_: &mut dyn QueryStore, look: &Look| {
            look.whole_attempt(look.find(&name)?, number, item)
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }
}

impl Look {
    /// A task in one line.
    pub(crate) fn line(&self, ix: TaskIx) -> TaskView {
        view::task(&self.history, ix, self.history.task(ix))
    }

    /// A task with what it set, and those before and behind it.
    pub(crate) fn whole(&self, ix: TaskIx) -> TaskDetail {
        let history = &self.history;
        let own = history.emissions().filter(|set| set.set_by == SetBy::Task(ix));
        let plan = history.run().plan();
        TaskDetail {
            task: self.line(ix),
            outputs: own.map(|set| view::variable(history, set)).collect(),
            parents: names(plan, plan.upstream_of(ix)),
            children: names(plan, plan.downstream_of(ix)),
        }
    }

    /// An attempt of a task, or of one item of it, with what it saw and emitted.
    pub(crate) fn whole_attempt(
        &self,
        task: TaskIx,
        number: u32,
        item: Option<u32>,
    ) -> Result<AttemptDetail, Problem> {
        let attempt = self.attempt(task, number, item)?;
        Ok(detail(&self.history, task, attempt))
    }

    /// The task of this name.
    pub(crate) fn find(&self, name: &str) -> Result<TaskIx, Problem> {
        self.history.run().plan().find_task(name).ok_or_else(|| no_task(name))
    }

    /// An attempt of a task, or of one item of it.
    pub(super) fn attempt(
        &self,
        task: TaskIx,
        number: u32,
        item: Option<u32>,
    ) -> Result<&AttemptRecord, Problem> {
        let mut attempts = self.history.task(task).attempts.iter();
        attempts.find(|it| (it.number, it.item) == (number, item)).ok_or_else(|| {
            let problem = Problem::missing("attempt", &number.to_string());
            match (item, self.history.run().items(task)) {
                (None, Some(_)) => problem.help("the task is a `for_each`: name an `item`"),
                (Some(item), _) => problem.help(format!("item {item} of the task has none such")),
                (None, None) => problem.help("the task lists its attempts"),
            }
        })
    }
}

/// The names of tasks, in the order of the workflow.
fn names(plan: &Plan, tasks: impl Iterator<Item = TaskIx>) -> Vec<String> {
    let tasks: BTreeSet<TaskIx> = tasks.collect();
    tasks.into_iter().map(|task| plan.task(task).name.clone()).collect()
}

/// There is no such task in the run.
pub(super) fn no_task(name: &str) -> Problem {
    Problem::new(ErrorCode::NoSuchTask, format!("the workflow has no task `{name}`"))
}

fn detail(history: &History, ix: TaskIx, attempt: &AttemptRecord) -> AttemptDetail {
    let undeclared = match &attempt.result {
        AttemptResult::Succeeded { undeclared, .. } => &undeclared[..],
        _ => &[],
    };
    AttemptDetail {
        attempt: view::attempt(attempt),
        inputs: inputs(history, ix, attempt),
        undeclared: undeclared
            .iter()
            .map(|output| UndeclaredView {
                name: output.name.clone(),
                value: if output.secret { MASK.into() } else { output.value.clone() },
            })
            .collect(),
    }
}

fn inputs(history: &History, ix: TaskIx, attempt: &AttemptRecord) -> Vec<InputView> {
    let seen = explain_inputs(history, ix, attempt);
    seen.into_iter().map(|seen| view::input(history, seen)).collect()
}
