//! What requests about one task have in common.

use super::Run;
use crate::{AttemptKey, Effect, Refusal, RunState, Stop, TaskIx, TaskPhase};

impl Run {
    /// The task of this name.
    pub(super) fn named(&self, name: &str) -> Result<TaskIx, Refusal> {
        self.plan.find_task(name).ok_or_else(|| Refusal::UnknownTask(name.to_owned()))
    }

    /// Refuses unless the run has not ended and is not being ended. One that has not begun will do.
    pub(super) fn ensure_open(&self, wanted: &'static str) -> Result<(), Refusal> {
        if self.state.is_final() || self.is_ending() {
            return Err(Refusal::Run { wanted, state: self.state });
        }
        Ok(())
    }

    /// Refuses unless the run is under way, or has failed.
    pub(super) fn ensure_can_reopen(&self, wanted: &'static str) -> Result<(), Refusal> {
        match self.state {
            RunState::Failed => Ok(()),
            RunState::Running | RunState::Paused => self.ensure_open(wanted),
            state => Err(Refusal::Run { wanted, state }),
        }
    }

    /// Whether a task has failed, or was cancelled alone, so that it can be taken up again.
    pub(super) fn has_come_to_grief(&self, task: TaskIx) -> bool {
        let slot = &self.slots[task.at()];
        match slot.progress.phase {
            TaskPhase::Failed => true,
            TaskPhase::Cancelled => slot.unwanted,
            _ => false,
        }
    }

    /// Whether a task's attempts are being stopped, alone or with the run's.
    pub(super) fn is_stopping(&self, task: TaskIx) -> bool {
        self.is_ending() || self.slots[task.at()].unwanted
    }

    /// Asks for the end of a task's attempts.
    pub(super) fn stop_attempts_of(&mut self, task: TaskIx) {
        for (task, attempt) in self.attempts_out_of(task) {
            let key = AttemptKey { run: self.id, task, attempt };
            self.out.effects.push(Effect::Stop(key, Stop::Gently));
        }
    }
}
