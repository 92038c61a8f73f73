//! What an executor is given.

use super::Run;
use crate::{Attempt, AttemptKey, TaskRef};
use std::sync::Arc;

impl Run {
    /// The attempt as it is dispatched now: rule 3, a task sees the variables as they are at this
    /// moment. What it sees follows from the journal, so that is where the snapshot is recorded.
    pub(super) fn attempt(&self, task: TaskRef, attempt: u32, held: bool) -> Attempt {
        let inputs = self.plan.inputs.of(task.task.0).iter();
        let item = task.item.map(|item| self.fans[&task.task].items[item as usize].clone());
        Attempt {
            key: AttemptKey { run: self.id, task, attempt },
            plan: Arc::clone(&self.plan),
            shared: Arc::clone(&self.shared),
            inputs: inputs.filter_map(|&var| self.input(task.task, var).cloned()).collect(),
            item,
            secrets: Arc::clone(&self.secrets),
            held,
            lane_width: self.workers,
        }
    }
}
