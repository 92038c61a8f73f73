//! A terminal: what is under way at the bottom, redrawn in place, and what is done scrolling above.

use super::lines::{Lines, nth_attempt};
use super::{View, label};
use crate::render::duration::short;
use crate::session::now;
use crate::terminal::{Paint, fit, printable, size};
use loom_core::{Event, History, TaskIx, TaskPhase, TaskRef, Timestamp};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// The time between two pictures.
const FRAME: Duration = Duration::from_millis(80);
/// The most lines of tasks under way.
const ROWS_MOST: usize = 12;
/// The most lines that scroll by between two pictures; more are counted.
const SCROLL_MOST: usize = 40;
const SPINNER: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇", "⠏", "⠛"];

/// Draws.
pub(crate) struct LiveView {
    lines: Lines,
    /// Lines of the picture that is on the screen.
    drawn: usize,
    scroll: Vec<String>,
    unshown: usize,
    drawn_at: Option<Instant>,
    frame: usize,
    note: Option<String>,
    readable: bool,
}

impl LiveView {
    pub(crate) const fn new(paint: Paint) -> Self {
        Self {
            lines: Lines { paint, starts: false },
            drawn: 0,
            scroll: Vec::new(),
            unshown: 0,
            drawn_at: None,
            frame: 0,
            note: None,
            readable: true,
        }
    }

    fn draw(&mut self, history: &History, at: Timestamp) {
        let (width, height) = size();
        let picture = self.picture(history, at, width, height);
        self.show(&picture, width);
        self.drawn_at = Some(Instant::now());
        self.frame += 1;
    }

    /// Replaces the picture on the screen.
    fn show(&mut self, picture: &[String], width: usize) {
        let mut text = String::new();
        if self.drawn > 0 {
            let _ = write!(text, "\x1b[{}A\r\x1b[J", self.drawn);
        }
        for line in self.scroll.drain(..) {
            text += &fit(&line, width.saturating_sub(1));
            text.push('\n');
        }
        if self.unshown > 0 {
            let _ = writeln!(text, "… and {} more lines", self.unshown);
            self.unshown = 0;
        }
        for line in picture {
            text += &fit(line, width.saturating_sub(1));
            text.push('\n');
        }
        self.drawn = picture.len();
        let mut out = io::stdout().lock();
        self.readable &= out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
    }

    fn picture(
        &self,
        history: &History,
        at: Timestamp,
        width: usize,
        height: usize,
    ) -> Vec<String> {
        let rows_most = ROWS_MOST.min(height.saturating_sub(4));
        let mut picture = vec![self.header(history, at, width)];
        let mut rows = self.running(history, at);
        rows.extend(self.backing_off(history, at, rows_most.saturating_sub(rows.len())));
        let more = rows.len().saturating_sub(rows_most);
        rows.truncate(rows_most);
        picture.extend(rows);
        if more > 0 {
            picture.push(self.lines.paint.dim(format!("  … and {more} more")));
        }
        picture.extend(self.note.iter().map(|note| self.lines.paint.yellow(note)));
        picture
    }

    fn header(&self, history: &History, at: Timestamp, width: usize) -> String {
        let (paint, counts) = (self.lines.paint, history.counts());
        let (done, total) = (counts.settled() as usize, counts.total() as usize);
        let cells = (width / 4).clamp(8, 30);
        let full = (done * cells).checked_div(total).unwrap_or(cells);
        let bar = paint.green("━".repeat(full)) + &paint.dim("╌".repeat(cells - full));
        let took = short(at.since(history.started_at().unwrap_or(history.created_at())));
        let mut line = format!("{bar} {done}/{total}  {took}");
        let running = history.running().len() as u32;
        for (count, word) in [
            (running, "running"),
            (counts.backing_off, "backing off"),
            (counts.waiting, "waiting"),
            (counts.skipped, "skipped"),
        ] {
            if count > 0 {
                let _ = write!(line, " · {count} {word}");
            }
        }
        if counts.failed > 0 {
            let _ = write!(line, " · {}", paint.red(format!("{} failed", counts.failed)));
        }
        line
    }

    /// A line a running task; the items of one task share theirs.
    fn running(&self, history: &History, at: Timestamp) -> Vec<String> {
        let mut rows = Vec::new();
        let mut upto: Option<TaskIx> = None;
        let spinner = self.lines.paint.cyan(SPINNER[self.frame % SPINNER.len()]);
        for task in history.running() {
            if task.item.is_some() && upto == Some(task.task) {
                continue;
            }
            upto = Some(task.task);
            rows.push(format!("  {spinner} {}", self.row(history, task, at)));
        }
        rows
    }

    fn row(&self, history: &History, task: TaskRef, at: Timestamp) -> String {
        let plan = history.run().plan();
        let def = plan.task(task.task);
        let record = history.task(task.task);
        let attempt = record.last_attempt(task.item);
        let since = match task.item {
            Some(_) => record.started_at(),
            None => attempt.and_then(|attempt| attempt.started_at),
        };
        let took = short(at.since(since.unwrap_or(at)));
        let name = match task.item {
            Some(_) => printable(&def.name),
            None => printable(&label(plan, task)),
        };
        // Whatever else is cut on a narrow terminal, how long it has taken is not.
        let room = size().0.saturating_sub(14).clamp(8, 40);
        let mut row = format!("{}  {}", fit(&name, room), self.lines.paint.dim(took));
        if let Some((count, settled)) = history.run().items(task.task) {
            let _ = write!(row, "  {settled}/{count} items");
        }
        let number = attempt.map_or(1, |attempt| attempt.number);
        if task.item.is_none() {
            row += &nth_attempt(number, history.run().max_attempts(task.task));
        }
        if let Some(group) = &def.execution.parallel_group {
            row += &self.lines.paint.dim(format!("  {}", printable(group)));
        }
        row
    }

    fn backing_off(&self, history: &History, at: Timestamp, most: usize) -> Vec<String> {
        if history.counts().backing_off == 0 {
            return Vec::new();
        }
        let run = history.run();
        let waits =
            run.plan().tasks().filter(|(task, _)| run.phase(*task) == TaskPhase::BackingOff);
        waits
            .take(most)
            .map(|(task, def)| {
                let until = run.backs_off_until(TaskRef::whole(task));
                let wait = short(until.map_or(Duration::ZERO, |until| until.since(at)));
                let failed = history.task(task).last_attempt(None).map_or(0, |last| last.number);
                let name = fit(&printable(&def.name), 40);
                let nth = nth_attempt(failed + 1, run.max_attempts(task));
                format!("  {} {name}{nth} in {wait}", self.lines.paint.yellow("↻"))
            })
            .collect()
    }
}

impl View for LiveView {
    fn event(&mut self, history: &History, _seq: u64, event: &Event) {
        if !self.readable {
            return;
        }
        if let Some(line) = self.lines.of(history, event) {
            if self.scroll.len() < SCROLL_MOST {
                self.scroll.push(line);
            } else {
                self.unshown += 1;
            }
        }
        if self.drawn_at.is_none_or(|at| at.elapsed() >= FRAME) {
            self.draw(history, now());
        }
    }

    fn patience(&mut self) -> Option<Duration> {
        let since = self.drawn_at.map_or(FRAME, |at| at.elapsed());
        self.readable.then(|| FRAME.saturating_sub(since))
    }

    fn tick(&mut self, history: &History, now: Timestamp) {
        self.draw(history, now);
    }

    fn note(&mut self, history: &History, note: &str) {
        self.note = (!note.is_empty()).then(|| note.to_owned());
        self.draw(history, now());
    }

    fn close(&mut self) -> io::Result<()> {
        if self.readable {
            self.show(&[], size().0);
        }
        Ok(())
    }
}
