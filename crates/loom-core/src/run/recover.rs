//! Taking up a run whose process has ended.

use super::Run;
use crate::{Event, Timestamp};

impl Run {
    /// Attempts that were under way, or handed over, were cut off. They run again as new attempts
    /// and do not count as failures.
    pub(super) fn recover(&mut self, now: Timestamp) {
        for (task, attempt) in self.attempts_out() {
            self.emit(Event::Interrupted { at: now, task, attempt });
        }
        self.wake(now);
    }
}
