//! Nothing but errors.

use super::{View, stopping_text};
use crate::signals::Wish;
use crate::ui::tell;
use loom_core::Event;
use loom_core::History;

/// Says nothing while a run is under way.
pub(crate) struct QuietView;

impl View for QuietView {
    fn event(&mut self, _history: &History, _seq: u64, _event: &Event) {}

    fn stopping(&mut self, history: &History, wish: Wish) {
        tell(&format!("{}\n", stopping_text(history, wish)));
    }
}
