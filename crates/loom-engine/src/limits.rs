//! Limits that reach beyond one run: of a task over all runs, and of queues.

use loom_core::{Event, Gate, Plan, RunId, TaskIx};
use std::collections::{HashMap, HashSet};

/// What one attempt counts against.
#[derive(Clone, Debug, Default)]
struct Permit {
    task: Option<String>,
    queue: Option<String>,
}

/// Counts what is under way against the limits. Tasks without limits cost nothing.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    queue_max: HashMap<String, u32>,
    used: HashMap<String, u32>,
    held: HashMap<(RunId, TaskIx), Vec<Permit>>,
    /// Runs that were turned away since a permit was last given back.
    turned_away: HashSet<RunId>,
}

impl Limits {
    pub(crate) fn new(queues: HashMap<String, u32>) -> Self {
        let queue_max = queues.into_iter().map(|(name, most)| (queue_key(&name), most)).collect();
        Self { queue_max, ..Self::default() }
    }

    /// The gate that one run's attempts pass.
    pub(crate) const fn gate(&mut self, run: RunId) -> RunGate<'_> {
        RunGate { limits: self, run }
    }

    /// Gives back what an event ends. Answers with the runs that may start something now.
    pub(crate) fn release(&mut self, run: RunId, event: &Event) -> Vec<RunId> {
        let (Event::Succeeded { task, .. }
        | Event::Failed { task, .. }
        | Event::Interrupted { task, .. }
        | Event::Cancelled { task, .. }) = event
        else {
            return Vec::new();
        };
        if self.held.is_empty() {
            return Vec::new();
        }
        self.give_back(run, task.task, 1)
    }

    /// Gives back all that a run has. Answers with the runs that may start something now.
    pub(crate) fn forget(&mut self, run: RunId) -> Vec<RunId> {
        let held = self.held.keys().filter(|(of, _)| *of == run);
        let tasks: Vec<TaskIx> = held.map(|(_, task)| *task).collect();
        tasks.into_iter().flat_map(|task| self.give_back(run, task, usize::MAX)).collect()
    }

    fn give_back(&mut self, run: RunId, task: TaskIx, most: usize) -> Vec<RunId> {
        let Some(permits) = self.held.get_mut(&(run, task)) else { return Vec::new() };
        let over = permits.split_off(permits.len().saturating_sub(most));
        if permits.is_empty() {
            self.held.remove(&(run, task));
        }
        for key in over.into_iter().flat_map(|permit| [permit.task, permit.queue]).flatten() {
            if let Some(used) = self.used.get_mut(&key) {
                *used -= 1;
            }
        }
        self.turned_away.drain().collect()
    }

    fn admit(&mut self, run: RunId, plan: &Plan, task: TaskIx) -> bool {
        let def = plan.task(task);
        let queue = def.execution.queue.as_deref().map(queue_key);
        let queue = queue.and_then(|key| self.queue_max.get(&key).map(|&most| (key, most)));
        let own = def.execution.workers.map(|most| (task_key(plan, &def.name), most));
        if queue.is_none() && own.is_none() {
            return true;
        }
        let is_full = |(key, most): &(String, u32)| self.used.get(key).copied() >= Some(*most);
        if queue.iter().chain(&own).any(is_full) {
            self.turned_away.insert(run);
            return false;
        }
        for (key, _) in queue.iter().chain(&own) {
            *self.used.entry(key.clone()).or_default() += 1;
        }
        let permit = Permit { task: own.map(|own| own.0), queue: queue.map(|queue| queue.0) };
        self.held.entry((run, task)).or_default().push(permit);
        true
    }
}

fn queue_key(name: &str) -> String {
    format!("queue {name}")
}

fn task_key(plan: &Plan, task: &str) -> String {
    let definition = plan.definition();
    format!("task {}\n{}\n{task}", definition.namespace, definition.name)
}

/// The limits as one run meets them.
pub(crate) struct RunGate<'a> {
    limits: &'a mut Limits,
    run: RunId,
}

impl Gate for RunGate<'_> {
    fn admit(&mut self, plan: &Plan, task: TaskIx) -> bool {
        self.limits.admit(self.run, plan, task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Definition, TaskDef, TaskRef, Timestamp};

    #[test]
    fn a_tasks_limit_holds_over_runs_and_a_permit_is_given_back_once() {
        let mut task = TaskDef::new("a", "cmd");
        task.execution.workers = Some(1);
        let plan = Plan::new(Definition::new("w", vec![task]));
        let [one, two] = [1, 2].map(|n| RunId::new(n, 0));
        let mut limits = Limits::new(HashMap::new());
        assert!(limits.gate(one).admit(&plan, TaskIx(0)));
        assert!(!limits.gate(two).admit(&plan, TaskIx(0)));
        let task = TaskRef::whole(TaskIx(0));
        let over = Event::Cancelled { at: Timestamp(0), task };
        assert_eq!(limits.release(one, &over), [two]);
        assert_eq!(limits.release(one, &over), []);
        assert!(limits.gate(two).admit(&plan, TaskIx(0)));
        assert!(!limits.gate(one).admit(&plan, TaskIx(0)));
    }

    #[test]
    fn a_queues_limit_holds_over_tasks() {
        let queued = |name: &str| {
            let mut task = TaskDef::new(name, "cmd");
            task.execution.queue = Some("gpu".into());
            task
        };
        let plan = Plan::new(Definition::new("w", vec![queued("a"), queued("b")]));
        let run = RunId::new(1, 0);
        let mut limits = Limits::new(HashMap::from([("gpu".to_owned(), 1)]));
        assert!(limits.gate(run).admit(&plan, TaskIx(0)));
        assert!(!limits.gate(run).admit(&plan, TaskIx(1)));
    }

    #[test]
    fn a_run_that_is_forgotten_gives_all_back() {
        let mut task = TaskDef::new("a", "cmd");
        task.execution.workers = Some(2);
        let plan = Plan::new(Definition::new("w", vec![task]));
        let [one, two] = [1, 2].map(|n| RunId::new(n, 0));
        let mut limits = Limits::new(HashMap::new());
        assert!((0..2).all(|_| limits.gate(one).admit(&plan, TaskIx(0))));
        assert!(!limits.gate(two).admit(&plan, TaskIx(0)));
        assert_eq!(limits.forget(one), [two]);
        assert!((0..2).all(|_| limits.gate(two).admit(&plan, TaskIx(0))));
    }
}
