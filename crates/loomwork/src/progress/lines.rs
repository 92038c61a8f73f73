//! What happened, a line an event, without the time.

use super::label;
use crate::render::duration::short;
use crate::render::words::{failure_line, outputs_line, skip_reason};
use crate::terminal::{Paint, printable};
use loom_core::{Event, History, TaskRef};

/// Runs with more tasks than this show no line for what went well.
const MANY: u32 = 200;

/// Writes lines about events.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) paint: Paint,
    /// Whether starts are worth a line.
    pub(crate) starts: bool,
}

/// Whether a run is so large that only what is notable gets a line.
pub(crate) fn is_large(history: &History) -> bool {
    history.counts().total() + history.item_counts().total() > MANY
}

impl Lines {
    /// The line about an event, if it is worth one.
    pub(crate) fn of(self, history: &History, event: &Event) -> Option<String> {
        let notable = self.notable(history, event);
        if notable.is_none() && !is_large(history) {
            self.ordinary(history, event)
        } else {
            notable
        }
    }

    /// What is worth a line however many tasks there are.
    fn notable(self, history: &History, event: &Event) -> Option<String> {
        let plan = history.run().plan();
        let name = |task: &TaskRef| printable(&label(plan, *task));
        Some(match event {
            Event::RunPaused { by, .. } => format!("paused by {}", printable(by)),
            Event::RunResumed { by, .. } => format!("resumed by {}", printable(by)),
            Event::CancelRequested { by, reason, .. } => {
                let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                printable(&format!("cancelled by {by}{because}"))
            }
            Event::RunReopened { by, tasks, .. } if !tasks.is_empty() => {
                let names: Vec<String> = tasks.iter().take(5).map(name).collect();
                let more = if tasks.len() > 5 { " and more" } else { "" };
                format!("{} tried again by {}{more}", names.join(", "), printable(by))
            }
            Event::TaskCancelRequested { task, by, reason, .. } => {
                let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                let head = self.paint.yellow(format!("■ {}", name(task)));
                format!("{head}  is being cancelled by {}", printable(&format!("{by}{because}")))
            }
            Event::Amended { task, by, .. } => {
                let head = self.paint.yellow(format!("✎ {}", name(task)));
                format!("{head}  amended by {}", printable(by))
            }
            Event::Failed { task, attempt, failure, retry_at, at } => {
                let what = failure_line(failure);
                match retry_at {
                    Some(again) => {
                        let wait = short(again.since(*at));
                        let head = self.paint.yellow(format!("↻ {}", name(task)));
                        format!("{head}  attempt {attempt} failed, again in {wait}: {what}")
                    }
                    None => format!("{}  {what}", self.paint.red(format!("✘ {}", name(task)))),
                }
            }
            Event::Interrupted { task, .. } => {
                let head = self.paint.yellow(format!("↻ {}", name(task)));
                format!("{head}  was cut off and starts again")
            }
            Event::Resolved { task, by, .. } => {
                let head = self.paint.green(format!("✔ {}", name(task)));
                format!("{head}  resolved by {}", printable(by))
            }
            _ => return None,
        })
    }

    /// What is worth a line where there are few tasks.
    fn ordinary(self, history: &History, event: &Event) -> Option<String> {
        let plan = history.run().plan();
        let name = |task: &TaskRef| printable(&label(plan, *task));
        Some(match event {
            Event::Started { task, attempt, .. } if self.starts => {
                let most = history.run().max_attempts(task.task);
                let nth = nth_attempt(*attempt, most);
                format!("{}{nth}", self.paint.cyan(format!("▶ {}", name(task))))
            }
            Event::Succeeded { task, at, outputs, .. } => {
                let record = history.task(task.task).last_attempt(task.item);
                let since = record.and_then(|attempt| attempt.started_at).unwrap_or(*at);
                let head = self.paint.green(format!("✔ {}", name(task)));
                let took = short(at.since(since));
                format!("{head}  {took}{}", self.paint.dim(outputs_line(outputs)))
            }
            Event::Skipped { task, reason, .. } => {
                let head = self.paint.dim(format!("↷ {}", name(task)));
                format!("{head}  skipped: {}", printable(&skip_reason(reason)))
            }
            Event::Emitted { task, name: event, .. } => {
                let head = self.paint.cyan(format!("◆ {}", printable(event)));
                format!("{head}  announced by {}", name(task))
            }
            Event::Cancelled { task, .. } => {
                format!("{}  cancelled", self.paint.yellow(format!("■ {}", name(task))))
            }
            _ => return None,
        })
    }
}

/// `  attempt 2/3`, from the second attempt on. A task that was tried again by hand may have more
/// than its attempts.
pub(crate) fn nth_attempt(number: u32, most: u32) -> String {
    match number {
        0 | 1 => String::new(),
        number if number <= most => format!("  attempt {number}/{most}"),
        number => format!("  attempt {number}"),
    }
}
