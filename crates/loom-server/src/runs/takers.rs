//! Which tasks of other runs count against the limits of a task: found in the store, and so whichever
//! process runs them.

use super::look::Look;
use crate::plans::Plans;
use loom_core::{History, Plan, RunId, RunState, TaskIx, Timestamp};
use loom_store::{DefinitionHash, QueryStore, RunFilter, StoreError};
use std::collections::HashMap;

/// The most runs that are asked whether their workflow has such tasks, the oldest.
const RUNS_MAX: usize = 1000;
/// The most runs that are read back.
const LOOKS_MAX: usize = 32;
/// The most tasks that are found.
const FOUND_MAX: usize = 100;

/// A task of another run with an attempt under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    /// The run.
    pub run: RunId,
    /// Its workflow's namespace.
    pub namespace: String,
    /// Its workflow.
    pub workflow: String,
    /// The task.
    pub task: String,
    /// The item.
    pub item: Option<u32>,
    /// Since when an attempt is under way.
    pub since: Timestamp,
}

/// The tasks of other runs that are under way in the queue of this task, or are instances of it if
/// there may be only so many.
pub fn takers(
    store: &mut dyn QueryStore,
    plans: &Plans,
    history: &History,
    task: TaskIx,
) -> Result<Vec<Taker>, StoreError> {
    let claim = Claim::of(history.run().plan(), task);
    let mut found = Vec::new();
    if claim.is_free() {
        return Ok(found);
    }
    let filter = RunFilter {
        states: vec![RunState::Running, RunState::Paused],
        sort: loom_store::RunSort::CreatedAsc,
        limit: RUNS_MAX,
        ..RunFilter::default()
    };
    let own = history.run().id();
    let mut shares: HashMap<DefinitionHash, bool> = HashMap::new();
    let mut looks = 0;
    // What a process that is gone had under way counts no more.
    let others = store.list(&filter)?.runs.into_iter().filter(|run| run.id != own && run.alive);
    for run in others {
        let shares = if let Some(shares) = shares.get(&run.definition) {
            *shares
        } else {
            let plan = plans.of(store, run.definition)?;
            let any = plan.tasks().any(|(task, _)| claim.is_shared(&plan, task));
            *shares.entry(run.definition).or_insert(any)
        };
        if !shares {
            continue;
        }
        if looks == LOOKS_MAX || found.len() >= FOUND_MAX {
            break;
        }
        looks += 1;
        match Look::at(store, plans, run.id) {
            Ok(look) => found.extend(claim.taken(&look)),
            // It was deleted meanwhile.
            Err(StoreError::NoRun(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What a task counts against beyond its run.
struct Claim<'a> {
    queue: Option<&'a str>,
    /// Namespace, workflow and task, if there may be only so many instances.
    task: Option<[&'a str; 3]>,
}

impl<'a> Claim<'a> {
    fn of(plan: &'a Plan, task: TaskIx) -> Self {
        let (definition, def) = (plan.definition(), plan.task(task));
        let names = [definition.namespace.as_str(), &definition.name, &def.name];
        Self { queue: def.execution.queue.as_deref(), task: def.execution.workers.map(|_| names) }
    }

    const fn is_free(&self) -> bool {
        self.queue.is_none() && self.task.is_none()
    }

    fn is_shared(&self, plan: &Plan, task: TaskIx) -> bool {
        let other = Claim::of(plan, task);
        let same_queue = self.queue.is_some() && other.queue == self.queue;
        same_queue || self.task.is_some() && other.task == self.task
    }

    fn taken(&self, look: &Look) -> Vec<Taker> {
        let (history, plan) = (&look.history, look.history.run().plan());
        let out = history.run().attempts_under_way().into_iter().map(|attempt| attempt.task);
        let shared = out.filter(|of| self.is_shared(plan, of.task));
        let taker = |of: loom_core::TaskRef| {
            let last = history.task(of.task).last_attempt(of.item);
            let since = last.map(|attempt| attempt.started_at.unwrap_or(attempt.ready_at));
            Taker {
                run: look.summary.id,
                namespace: look.summary.namespace.clone(),
                workflow: look.summary.workflow.clone(),
                task: plan.task(of.task).name.clone(),
                item: of.item,
                since: since.unwrap_or(look.summary.created_at),
            }
        };
        shared.map(taker).collect()
    }
}
