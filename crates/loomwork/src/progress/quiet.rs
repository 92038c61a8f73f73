//! Nothing but errors.

use super::{View, tell_note};
use loom_core::Event;
use loom_core::History;

/// Says nothing while a run is under way.
pub(crate) struct QuietView;

impl View for QuietView {
    fn event(&mut self, _history: &History, _seq: u64, _event: &Event) {}

    fn note(&mut self, _history: &History, note: &str) {
        tell_note(note);
    }
}
