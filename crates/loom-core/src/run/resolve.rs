//! Settling a task by hand.

use super::Run;
use crate::{Event, Output, Refusal, TaskPhase, TaskRef, TaskStep, Timestamp, Variable};

impl Run {
    /// The task counts as succeeded; `outputs` are set as if it had emitted them. A failed run is
    /// under way again.
    pub(super) fn resolve(
        &mut self,
        by: String,
        name: &str,
        reason: String,
        outputs: Vec<Variable>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let task = self.named(name)?;
        self.ensure_can_reopen("resolve a task of")?;
        let phase = self.slots[task.at()].progress.phase;
        if phase != TaskPhase::Waiting && !self.has_come_to_grief(task) {
            let (task, wanted) = (name.to_owned(), TaskStep::Resolve.verb());
            return Err(Refusal::Task { task, wanted, phase });
        }
        if phase.is_final() {
            // What was skipped for its failure waits again.
            self.emit(Event::RunReopened { at: now, by: by.clone(), tasks: Vec::new() });
        }
        let outputs = outputs
            .into_iter()
            .map(|Variable { name, value, secret }| Output { name, value, secret, declared: true })
            .collect::<Vec<_>>();
        let outputs = self.classify(task, outputs);
        let task = TaskRef::whole(task);
        self.emit(Event::Resolved { at: now, task, by, reason, outputs });
        Ok(())
    }
}
