//! Why a run or a task stands where it does, as the API tells it, and `loom why --json` too.

mod words;

use super::look::Look;
use super::service::Runs;
use super::takers::{Taken, takers};
use crate::access::{Caller, Permission};
use crate::limits::{self, Limits};
use crate::plans::Plans;
use crate::problem::Problem;
use loom_core::{
    History, Hold, RunId, RunState, TaskIx, TaskRef, Timestamp, Why, explain_run, explain_task,
};
use loom_protocol::ErrorCode;
use loom_protocol::api::{LimitWait, RunWaits, RunWhyView, TaskWhyView};
use loom_store::{QueryStore, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use words::Words;

/// What is not recorded of a run itself, but matters to where it stands.
#[derive(Debug, Default)]
pub struct Beyond {
    /// When something last happened to the run, if it has not ended and nobody is at work on it.
    pub left_at: Option<Timestamp>,
    /// What a run that is queued waits for.
    pub waits: Option<RunWaits>,
    /// What other runs have, for tasks of which that was looked up.
    pub taken: HashMap<TaskIx, Taken>,
}

/// Why a run stands where it does.
pub fn run_why(history: &History, beyond: &Beyond, now: Timestamp) -> RunWhyView {
    Words { history, beyond, now }.run(&explain_run(history, now))
}

/// Why a task, or an item that exists, stands where it does.
pub fn task_why(history: &History, of: TaskRef, beyond: &Beyond, now: Timestamp) -> TaskWhyView {
    Words { history, beyond, now }.task(of.task, &explain_task(history, of, now))
}

impl Runs {
    /// Why a run stands where it does.
    pub async fn why(&self, caller: &Caller, id: &str) -> Result<RunWhyView, Problem> {
        let (now, visible) = (self.clock.now(), caller.namespaces(Permission::RunsGet)?);
        let (limits, plans) = (Arc::clone(&self.limits), self.plans.clone());
        let view = move |store: &mut dyn QueryStore, look: &Look| {
            let waits = waits(store, look, limits.wait(look.summary.id), now)?;
            let mut beyond = Beyond { waits, left_at: look.left_at(), taken: HashMap::new() };
            let why = explain_run(&look.history, now);
            let held = why.ready.first.iter().filter(|(_, hold)| is_shared(hold));
            let mut outlook = Outlook { store, plans: &plans, limits: &limits, look };
            for (task, _) in held {
                beyond.taken.insert(*task, outlook.taken(*task, visible.as_deref())?);
            }
            Ok(Words { history: &look.history, beyond: &beyond, now }.run(&why))
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }

    /// Why a task, or one item of it, stands where it does.
    pub async fn task_why(
        &self,
        caller: &Caller,
        id: &str,
        name: &str,
        item: Option<u32>,
    ) -> Result<TaskWhyView, Problem> {
        let (now, visible) = (self.clock.now(), caller.namespaces(Permission::RunsGet)?);
        let (name, plans) = (name.to_owned(), self.plans.clone());
        let limits = Arc::clone(&self.limits);
        let view = move |store: &mut dyn QueryStore, look: &Look| {
            let task = look.find(&name)?;
            let of = TaskRef { task, item };
            if look.history.run().phase_of(of).is_none() {
                let message = format!("task `{name}` has no item {}", item.unwrap_or_default());
                return Err(Problem::new(ErrorCode::NoSuchTask, message)
                    .help("items are counted from 0, and known once the task has fired"));
            }
            let mut beyond = Beyond { left_at: look.left_at(), ..Beyond::default() };
            let why = explain_task(&look.history, of, now);
            if let Why::Ready(hold) = &why.why
                && is_shared(hold)
            {
                let mut outlook = Outlook { store, plans: &plans, limits: &limits, look };
                beyond.taken.insert(task, outlook.taken(task, visible.as_deref())?);
            }
            Ok(Words { history: &look.history, beyond: &beyond, now }.task(task, &why))
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }
}

impl Look {
    /// When something last happened, if the run has not ended and nobody is at work on it.
    fn left_at(&self) -> Option<Timestamp> {
        let ended = self.summary.state.is_final();
        let is_left = !ended && !self.summary.alive && self.summary.meta.external.is_none();
        is_left.then(|| self.history.last_at())
    }
}

/// What a run that is queued waits for; `wait` is what its limits say.
fn waits(
    store: &mut dyn QueryStore,
    look: &Look,
    wait: Option<(LimitWait, Vec<RunId>)>,
    now: Timestamp,
) -> Result<Option<RunWaits>, StoreError> {
    if look.summary.state != RunState::Queued {
        return Ok(None);
    }
    if let Some(at) = limits::time_to_come(&look.summary, now) {
        return Ok(Some(RunWaits::Start { at: super::view::time(at) }));
    }
    let Some((wait, runs)) = wait else { return Ok(None) };
    Ok(Some(RunWaits::Limit { wait, holders: limits::holders(store, &runs)? }))
}

/// Whether tasks of other runs may hold a task back.
const fn is_shared(hold: &Hold<'_>) -> bool {
    matches!(hold, Hold::Instances { .. } | Hold::Queue { .. } | Hold::AboutToStart { .. })
}

/// Where to look for what other runs have.
struct Outlook<'a> {
    store: &'a mut dyn QueryStore,
    plans: &'a Plans,
    limits: &'a Limits,
    look: &'a Look,
}

impl Outlook<'_> {
    fn taken(&mut self, task: TaskIx, visible: Option<&[String]>) -> Result<Taken, StoreError> {
        let history = &self.look.history;
        let mut taken = takers(self.store, self.plans, history, task, visible)?;
        let queue = history.run().plan().task(task).execution.queue.as_deref();
        taken.elsewhere.queue_most = queue.and_then(|queue| self.limits.queue(queue));
        Ok(taken)
    }
}
