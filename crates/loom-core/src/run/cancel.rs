//! Ending a run by request.

use super::Run;
use crate::{Event, Refusal, Timestamp};

impl Run {
    /// What is not under way is cancelled at once; what is gets stopped, and the run ends with the
    /// last report.
    pub(super) fn cancel(
        &mut self,
        by: String,
        reason: String,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.state.is_final() || self.cancelling {
            return Err(Refusal::Run { wanted: "cancel", state: self.state });
        }
        self.emit(Event::CancelRequested { at: now, by, reason });
        Ok(())
    }
}
