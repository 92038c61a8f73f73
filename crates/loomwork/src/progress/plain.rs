//! A line a change, with the time, for logs and pipes.

use super::{View, label, stopping_text};
use crate::render::duration::short;
use crate::render::words::{failure_line, skip_reason};
use crate::signals::Wish;
use crate::terminal::{Paint, printable};
use crate::ui::tell;
use loom_core::History;
use loom_core::{Event, TaskRef, Timestamp};
use loom_protocol::rfc3339;
use std::io::{self, Write};
use std::time::Duration;

/// Runs with more tasks than this show no line for what went well, but how far they are.
const MANY: u32 = 200;
/// How often that is.
const EVERY: Duration = Duration::from_secs(2);

/// Writes lines.
pub(crate) struct PlainView {
    paint: Paint,
    readable: bool,
    told_at: Timestamp,
}

impl PlainView {
    pub(crate) const fn new(paint: Paint) -> Self {
        Self { paint, readable: true, told_at: Timestamp(0) }
    }

    fn line(&mut self, at: Timestamp, text: &str) {
        if self.readable {
            let time = rfc3339(at.0);
            let time = self.paint.dim(&time[11..23]);
            self.readable = writeln!(io::stdout().lock(), "{time} {text}").is_ok();
        }
    }

    /// What is worth a line of its own however many tasks there are.
    fn notable(&self, history: &History, event: &Event) -> Option<String> {
        let plan = history.run().plan();
        let name = |task: &TaskRef| printable(&label(plan, *task));
        Some(match event {
            Event::RunPaused { by, .. } => format!("paused by {}", printable(by)),
            Event::RunResumed { by, .. } => format!("resumed by {}", printable(by)),
            Event::CancelRequested { by, reason, .. } => {
                let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                printable(&format!("cancelled by {by}{because}"))
            }
            Event::RunReopened { by, .. } => format!("reopened by {}", printable(by)),
            Event::Failed { task, attempt, failure, retry_at, at } => {
                let what = failure_line(failure);
                match retry_at {
                    Some(again) => {
                        let wait = short(again.since(*at));
                        let head = self.paint.yellow(format!("↻ {}", name(task)));
                        format!("{head} attempt {attempt} failed, again in {wait}: {what}")
                    }
                    None => format!("{} {what}", self.paint.red(format!("✘ {}", name(task)))),
                }
            }
            Event::Interrupted { task, .. } => {
                format!("{} was cut off", self.paint.yellow(format!("↻ {}", name(task))))
            }
            Event::Resolved { task, by, .. } => {
                let head = self.paint.green(format!("✔ {}", name(task)));
                format!("{head} resolved by {}", printable(by))
            }
            _ => return None,
        })
    }

    /// What is worth a line where there are few tasks.
    fn ordinary(&self, history: &History, event: &Event) -> Option<String> {
        let plan = history.run().plan();
        let name = |task: &TaskRef| printable(&label(plan, *task));
        Some(match event {
            Event::Started { task, attempt, .. } => {
                let most = plan.task(task.task).retry.max_attempts;
                let nth =
                    if *attempt > 1 { format!(" attempt {attempt}/{most}") } else { String::new() };
                format!("{} started{nth}", self.paint.cyan(format!("▶ {}", name(task))))
            }
            Event::Succeeded { task, at, .. } => {
                let record = history.task(task.task).last_attempt(task.item);
                let since = record.and_then(|attempt| attempt.started_at).unwrap_or(*at);
                let took = short(at.since(since));
                format!("{} {took}", self.paint.green(format!("✔ {}", name(task))))
            }
            Event::Skipped { task, reason, .. } => {
                let head = self.paint.dim(format!("↷ {}", name(task)));
                format!("{head} skipped: {}", printable(&skip_reason(reason)))
            }
            Event::Cancelled { task, .. } => {
                format!("{} cancelled", self.paint.yellow(format!("■ {}", name(task))))
            }
            _ => return None,
        })
    }
}

impl View for PlainView {
    fn event(&mut self, history: &History, _seq: u64, event: &Event) {
        let counts = history.counts();
        let many = counts.total() + history.item_counts().total() > MANY;
        let line = self
            .notable(history, event)
            .or_else(|| if many { None } else { self.ordinary(history, event) });
        if let Some(line) = line {
            self.line(event.at(), &line);
        }
        if many && event.at().since(self.told_at) >= EVERY {
            self.told_at = event.at();
            let (done, total) = (counts.settled(), counts.total());
            self.line(event.at(), &format!("{done} of {total} tasks done"));
        }
    }

    fn stopping(&mut self, history: &History, wish: Wish) {
        tell(&format!("{}\n", stopping_text(history, wish)));
    }
}
