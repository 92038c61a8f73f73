//! The beginning of a run, and the passing of time.

use super::Run;
use crate::{Event, Refusal, RunState, TaskStep, Timestamp};

impl Run {
    pub(super) fn begin(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.state != RunState::Queued {
            return Err(Refusal::Run { wanted: "begin", state: self.state });
        }
        self.emit(Event::RunStarted { at: now });
        Ok(())
    }

    /// Ends the backoffs that are over. Not an event: the attempt that follows is one.
    pub(super) fn wake(&mut self, now: Timestamp) {
        while let Some(task) = self.backoffs.pop_due(now) {
            self.progress_mut(task).step(TaskStep::Due);
            self.enqueue(task);
        }
    }
}
