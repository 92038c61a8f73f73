//! Which tasks of other runs count against the limits of a task: found in the store, and so whichever
//! process runs them.

use super::look::Look;
use crate::plans::Plans;
use loom_core::{Elsewhere, History, Plan, RunId, RunState, TaskIx, TaskRef, Timestamp};
use loom_store::{DefinitionHash, QueryStore, RunFilter, StoreError};
use std::collections::HashMap;

/// The most runs that are asked whether their workflow has such tasks, the oldest.
const RUNS_MAX: usize = 1000;
/// The most runs that are read back.
const LOOKS_MAX: usize = 32;
/// The most tasks that are found.
const FOUND_MAX: u32 = 100;
/// The most tasks that are named.
const SHOWN: usize = 5;

/// A task of another run with an attempt under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taker {
    /// The run.
    pub run: RunId,
    /// Its workflow.
    pub workflow: String,
    /// The task.
    pub task: String,
    /// The item.
    pub item: Option<u32>,
    /// Since when an attempt is under way.
    pub since: Timestamp,
}

/// What other runs have that counts against the limits of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How much it is.
    pub elsewhere: Elsewhere,
    /// The first few that may be shown.
    pub first: Vec<Taker>,
    /// How many more were found.
    pub more: u32,
}

/// The tasks of other runs that are under way in the queue of this task, or are instances of it if
/// there may be only so many. Only those in the `visible` namespaces are named; `None` is all.
pub fn takers(
    store: &mut dyn QueryStore,
    plans: &Plans,
    history: &History,
    task: TaskIx,
    visible: Option<&[String]>,
) -> Result<Taken, StoreError> {
    let claim = Claim::of(history.run().plan(), task);
    let mut found = Taken::default();
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
        if looks == LOOKS_MAX || found.count() >= FOUND_MAX {
            break;
        }
        looks += 1;
        match Look::at(store, plans, run.id) {
            Ok(look) => claim.find(&look, visible, &mut found),
            // It was deleted meanwhile.
            Err(StoreError::NoRun(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

impl Taken {
    fn count(&self) -> u32 {
        self.first.len() as u32 + self.more
    }
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

    /// Whether a task counts against the same: as an instance, and in the queue.
    fn shares(&self, plan: &Plan, task: TaskIx) -> (bool, bool) {
        let other = Claim::of(plan, task);
        let same_task = self.task.is_some() && other.task == self.task;
        (same_task, self.queue.is_some() && other.queue == self.queue)
    }

    fn is_shared(&self, plan: &Plan, task: TaskIx) -> bool {
        self.shares(plan, task) != (false, false)
    }

    /// Adds what a run has.
    fn find(&self, look: &Look, visible: Option<&[String]>, found: &mut Taken) {
        let sees = visible.is_none_or(|names| names.contains(&look.summary.namespace));
        for attempt in look.history.run().attempts_under_way() {
            let (instance, queue) = self.shares(look.history.run().plan(), attempt.task.task);
            if !instance && !queue {
                continue;
            }
            found.elsewhere.instances += u32::from(instance);
            found.elsewhere.queue += u32::from(queue);
            if sees && found.first.len() < SHOWN {
                found.first.push(Taker::of(look, attempt.task));
            } else {
                found.more += 1;
            }
        }
    }
}

impl Taker {
    fn of(look: &Look, of: TaskRef) -> Self {
        let last = look.history.task(of.task).last_attempt(of.item);
        let since = last.map(|attempt| attempt.started_at.unwrap_or(attempt.ready_at));
        Self {
            run: look.summary.id,
            workflow: look.summary.workflow.clone(),
            task: look.history.run().plan().task(of.task).name.clone(),
            item: of.item,
            since: since.unwrap_or(look.summary.created_at),
        }
    }
}
