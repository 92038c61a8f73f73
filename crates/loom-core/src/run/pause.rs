//! Pausing and going on.

use super::Run;
use crate::{Event, Refusal, RunState, Timestamp};

impl Run {
    /// Nothing new starts. Attempts under way go on, held ones included: they were promised.
    pub(super) fn pause(&mut self, by: String, now: Timestamp) -> Result<(), Refusal> {
        if self.state != RunState::Running || self.is_winding_down() {
            return Err(Refusal::Run { wanted: "pause", state: self.state });
        }
        self.emit(Event::RunPaused { at: now, by });
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
