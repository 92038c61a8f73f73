//! What requests about one task have in common.

use super::Run;
use crate::{
    AttemptKey, Effect, Event, Refusal, RunState, Stop, TaskIx, TaskPhase, TaskRef, Timestamp,
};

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
    pub(crate) fn has_come_to_grief(&self, task: TaskIx) -> bool {
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

    /// Whether a task is to end as soon as none of its attempts is with the executor.
    pub(super) fn is_leaving(&self, task: TaskIx) -> bool {
        self.slots[task.at()].unwanted || self.to_skip.contains_key(&task)
    }

    /// Whether it is to end as skipped.
    pub(super) fn is_to_be_skipped(&self, task: TaskIx) -> bool {
        self.to_skip.contains_key(&task) && !self.slots[task.at()].unwanted
    }

    /// Ends such a task, if it is time.
    pub(super) fn leave_if_idle(&mut self, task: TaskIx, now: Timestamp) {
        if !self.attempts_out_of(task).is_empty() {
            return;
        }
        let whole = TaskRef::whole(task);
        let skipped = self.to_skip.get(&task).filter(|_| self.is_to_be_skipped(task));
        let event = match (skipped, self.fans.get(&task)) {
            (Some(reason), _) => Event::Skipped { at: now, task: whole, reason: reason.clone() },
            (None, Some(fan)) => self.end_of_fan(task, fan, now),
            (None, None) => Event::Cancelled { at: now, task: whole },
        };
        self.emit(event);
    }

    /// Takes back what was handed over of a task and has not begun.
    pub(super) fn recall_held(&mut self, task: TaskIx) {
        for (task, attempt) in self.attempts_out_of(task) {
            if self.progress(task).held {
                let key = AttemptKey { run: self.id, task, attempt };
                self.out.effects.push(Effect::Recall(key));
            }
        }
    }

    /// Asks for the end of a task's attempts.
    pub(super) fn stop_attempts_of(&mut self, task: TaskIx) {
        for (task, attempt) in self.attempts_out_of(task) {
            let key = AttemptKey { run: self.id, task, attempt };
            self.out.effects.push(Effect::Stop(key, Stop::Gently));
        }
    }
}
