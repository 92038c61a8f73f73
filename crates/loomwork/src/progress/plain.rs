//! A line a change, with the time, for logs and pipes.

use super::lines::{Lines, is_large};
use super::{View, tell_note};
use crate::terminal::Paint;
use loom_core::{Event, History, Timestamp};
use loom_protocol::rfc3339;
use std::io::{self, Write};
use std::time::Duration;

/// How often a large run says how far it is.
const EVERY: Duration = Duration::from_secs(2);

/// Writes lines.
pub(crate) struct PlainView {
    lines: Lines,
    readable: bool,
    told_at: Timestamp,
}

impl PlainView {
    pub(crate) const fn new(paint: Paint) -> Self {
        Self { lines: Lines { paint, starts: true }, readable: true, told_at: Timestamp(0) }
    }

    fn line(&mut self, at: Timestamp, text: &str) {
        if self.readable {
            let time = rfc3339(at.0);
            let time = self.lines.paint.dim(&time[11..23]);
            self.readable = writeln!(io::stdout().lock(), "{time} {text}").is_ok();
        }
    }
}

impl View for PlainView {
    fn event(&mut self, history: &History, _seq: u64, event: &Event) {
        if let Some(line) = self.lines.of(history, event) {
            self.line(event.at(), &line);
        }
        if self.told_at == Timestamp(0) {
            self.told_at = event.at();
        }
        if is_large(history) && event.at().since(self.told_at) >= EVERY {
            self.told_at = event.at();
            let counts = history.counts();
            let (done, total) = (counts.settled(), counts.total());
            self.line(event.at(), &format!("{done} of {total} tasks done"));
        }
    }

    fn note(&mut self, _history: &History, note: &str) {
        tell_note(note);
    }
}
