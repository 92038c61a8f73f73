//! What is shown while a run is under way.

mod json;
mod lines;
mod live;
mod plain;
mod quiet;
mod summary;

pub(crate) use summary::{failures_only, quoted, summary};

use crate::signals::Wish;
use crate::ui::{Ui, Voice, tell};
use loom_core::History;
use loom_core::{Event, Plan, TaskRef, Timestamp};
use std::io;
use std::time::Duration;

/// Shows a run. What cannot be written is not shown: a run does not depend on being watched.
pub(crate) trait View {
    /// An event happened; `history` has it already.
    fn event(&mut self, history: &History, seq: u64, event: &Event);

    /// How long the view goes without [`View::tick`]; `None` if it needs none.
    fn patience(&mut self) -> Option<Duration> {
        None
    }

    /// Nothing happened for as long as [`View::patience`] says.
    fn tick(&mut self, _history: &History, _now: Timestamp) {}

    /// Something is to be known that is not of the run; empty once it is so no more.
    fn note(&mut self, history: &History, note: &str);

    /// Nothing more will happen. Answers with why something could not be written, unless its reader
    /// has gone.
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The view for these outputs, of a run whose starter knows the matter by this.
pub(crate) fn view(ui: &Ui, correlation_id: &str) -> Box<dyn View> {
    let paint = ui.terminal.paint;
    match ui.voice {
        Voice::Json => Box::new(json::JsonView::new(correlation_id)),
        Voice::Quiet => Box::new(quiet::QuietView),
        Voice::Human if ui.terminal.live => Box::new(live::LiveView::new(paint)),
        Voice::Human => Box::new(plain::PlainView::new(paint)),
    }
}

/// A task or item as people name it.
pub(crate) fn label(plan: &Plan, task: TaskRef) -> String {
    let name = &plan.task(task.task).name;
    match task.item {
        Some(item) => format!("{name}[{item}]"),
        None => name.clone(),
    }
}

/// Says a note where it is not part of a picture.
fn tell_note(note: &str) {
    if !note.is_empty() {
        tell(&format!("{note}\n"));
    }
}

/// What is said when a signal came.
pub(crate) fn stopping_text(history: &History, wish: Wish) -> String {
    let running = history.running().len();
    let tasks = if running == 1 { "task" } else { "tasks" };
    match wish {
        Wish::Drain => format!("stopping after {running} running {tasks}; again to kill"),
        Wish::Kill => format!("killing {running} running {tasks}"),
    }
}
