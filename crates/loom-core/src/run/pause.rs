//! Pausing and going on.

use super::Run;
use crate::{AttemptKey, Effect, Event, Refusal, RunState, Timestamp};

impl Run {
    /// Nothing new starts. Attempts under way go on; those still held are taken back.
    pub(super) fn pause(&mut self, by: String, now: Timestamp) -> Result<(), Refusal> {
        if self.state != RunState::Running || self.is_ending() {
            return Err(Refusal::Run { wanted: "pause", state: self.state });
        }
        self.emit(Event::RunPaused { at: now, by });
        for (task, attempt) in self.attempts_out() {
            if self.progress(task).held {
                let key = AttemptKey { run: self.id, task, attempt };
                self.out.effects.push(Effect::Recall(key));
            }
        }
        Ok(())
    }

    pub(super) fn resume(&mut self, by: String, now: Timestamp) -> Result<(), Refusal> {
        if self.state != RunState::Paused {
            return Err(Refusal::Run { wanted: "resume", state: self.state });
        }
        self.emit(Event::RunResumed { at: now, by });
        Ok(())
    }
}
