//! Settling a task by hand.

use super::Run;
use crate::{Event, Output, Refusal, RunState, TaskPhase, TaskRef, TaskStep, Timestamp, Variable};

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
        let Some(task) = self.plan.find_task(name) else {
            return Err(Refusal::UnknownTask(name.to_owned()));
        };
        if !matches!(self.state, RunState::Failed | RunState::Running | RunState::Paused)
            || self.is_ending() && !self.state.is_final()
        {
            return Err(Refusal::Run { wanted: "resolve a task of", state: self.state });
        }
        let phase = self.slots[task.at()].progress.phase;
        if phase.next(TaskStep::Resolve).is_none() {
            return Err(Refusal::Task { task: name.to_owned(), wanted: TaskStep::Resolve, phase });
        }
        if phase == TaskPhase::Failed {
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
