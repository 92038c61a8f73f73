//! A run on a time axis: one bar a task, or an item, fitted to the terminal.

use super::duration::short;
use crate::progress::label;
use crate::terminal::{Paint, fit, printable, width as columns_of};
use loom_core::{
    AttemptRecord, AttemptResult, Ending, History, TaskIx, TaskPhase, TaskRecord, TaskRef,
    Timestamp,
};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

/// The most rows of a run that is not shown whole.
const ROWS_MOST: usize = 30;
/// Tasks with at most so many items show a bar for each.
const ITEMS_MOST: u32 = 8;
/// The widest that names get.
const NAME_MOST: usize = 28;

const WAITING: char = '·';
const QUEUED: char = '░';
const HELD: char = '▒';
const RUNNING: char = '█';
const BACKOFF: char = '~';
const LOST: char = '?';
const FAILED: char = '×';

/// From the least telling to the most: a cell shows the most telling of what went on in it, with any
/// of a row's items.
const TELLING: [char; 7] = [WAITING, QUEUED, HELD, BACKOFF, RUNNING, LOST, FAILED];

/// What a row shows.
struct Row {
    task: TaskRef,
    name: String,
    critical: bool,
}

/// The timeline of a run up to `now`, `width` columns wide; `all` rows of it, or the telling ones.
pub(crate) fn timeline(
    history: &History,
    now: Timestamp,
    width: usize,
    all: bool,
    paint: Paint,
) -> String {
    let Some(from) = history.started_at() else { return String::new() };
    let until = history.finished_at().unwrap_or(now).max(from);
    let critical = critical(history, now);
    let rows = rows(history, &critical, all);
    let names = rows.iter().map(|row| columns_of(&row.name)).max().unwrap_or(0);
    let names = names.min(NAME_MOST).min(width / 3);
    let tails = rows.iter().map(|row| columns_of(&tail(history, row.task, now))).max().unwrap_or(0);
    let cells = width.saturating_sub(names + tails + 6).clamp(10, 120);
    let axis = Axis { from, span: until.since(from).max(Duration::from_micros(1)), cells };
    let mut text = axis.scale(names, paint);
    for row in &rows {
        text += &line(history, row, &axis, names, now, paint);
    }
    text += &hidden(history, &rows, paint);
    text + &legend(paint)
}

/// The tasks of the critical path.
fn critical(history: &History, now: Timestamp) -> BTreeSet<TaskIx> {
    let path = history.critical_path(now);
    path.iter().flat_map(|path| &path.links).map(|link| link.task).collect()
}

/// The rows to show, in the order in which their tasks began.
fn rows(history: &History, critical: &BTreeSet<TaskIx>, all: bool) -> Vec<Row> {
    let mut tasks: Vec<TaskIx> = history.tasks().map(|(task, _)| task).collect();
    if !all && tasks.len() > ROWS_MOST {
        tasks.sort_by_key(|&task| std::cmp::Reverse(weight(history, critical, task)));
        tasks.truncate(ROWS_MOST);
    }
    tasks.sort_by_key(|&task| (begin(history.task(task)), task));
    let plan = history.run().plan();
    let row = |task: TaskRef| Row {
        task,
        name: printable(&label(plan, task)),
        critical: critical.contains(&task.task),
    };
    let mut rows = Vec::new();
    for task in tasks {
        let items = history.run().items(task).map_or(0, |(count, _)| count);
        if (1..=ITEMS_MOST).contains(&items) && rows.len() < 4 * ROWS_MOST {
            rows.extend((0..items).map(|item| row(TaskRef::item(task, item))));
        } else {
            rows.push(row(TaskRef::whole(task)));
        }
    }
    rows
}

/// How telling a task is: failed ones first, then the critical path, then what took long.
fn weight(
    history: &History,
    critical: &BTreeSet<TaskIx>,
    task: TaskIx,
) -> (bool, bool, bool, Duration) {
    let record = history.task(task);
    let phase = history.run().phase(task);
    let ran: Duration = record
        .attempts
        .iter()
        .filter_map(|attempt| Some(attempt.ended_at()?.since(attempt.started_at?)))
        .sum();
    (
        phase == TaskPhase::Failed,
        matches!(phase, TaskPhase::Running | TaskPhase::BackingOff),
        critical.contains(&task),
        ran,
    )
}

fn begin(record: &TaskRecord) -> Timestamp {
    let first = record.attempts.first().map(|attempt| attempt.ready_at);
    first.or_else(|| record.settled_at()).unwrap_or(Timestamp(u64::MAX))
}

/// Where times are on a row.
struct Axis {
    from: Timestamp,
    span: Duration,
    cells: usize,
}

impl Axis {
    fn at(&self, time: Timestamp) -> usize {
        let share = time.since(self.from).as_secs_f64() / self.span.as_secs_f64();
        ((share * self.cells as f64) as usize).min(self.cells - 1)
    }

    /// Marks what went on from one time up to another: at least the cell that the first is in, and no
    /// cell that has something more telling.
    fn fill(&self, bar: &mut [char], from: Timestamp, to: Timestamp, with: char) {
        let telling = |mark: char| TELLING.iter().position(|one| *one == mark);
        let (first, last) = (self.at(from), self.at(to));
        for cell in &mut bar[first..=last.max(first)] {
            if telling(*cell) < telling(with) {
                *cell = with;
            }
        }
    }

    fn scale(&self, names: usize, paint: Paint) -> String {
        let end = short(self.span);
        let gap = self.cells.saturating_sub(1 + columns_of(&end));
        paint.dim(format!("  {:names$}  0{}{end}", "", " ".repeat(gap))) + "\n"
    }
}

fn line(
    history: &History,
    row: &Row,
    axis: &Axis,
    names: usize,
    now: Timestamp,
    paint: Paint,
) -> String {
    let bar: String = bar(history, row.task, axis, now).into_iter().collect();
    let (mark, tint): (&str, fn(Paint, &str) -> String) = sign(history, row.task);
    let name = fit(&row.name, names);
    let pad = names - columns_of(&name);
    let star = if row.critical { paint.bold("*") } else { " ".to_owned() };
    let tail = tail(history, row.task, now);
    let tail = tail.strip_prefix(mark).unwrap_or(&tail);
    format!("{star} {name}{:pad$}  {} {}{tail}\n", "", tint(paint, &bar), tint(paint, mark))
}

/// What a task or item did in each cell. Of a task with items: what any of them did.
fn bar(history: &History, of: TaskRef, axis: &Axis, now: Timestamp) -> Vec<char> {
    let record = history.task(of.task);
    let mut bar = vec![' '; axis.cells];
    let end = record.settled_at().unwrap_or(now);
    let first = record.attempts.iter().map(|attempt| attempt.ready_at).min();
    let waited = first.or(record.enabled.map(|enabled| enabled.at)).unwrap_or(end);
    axis.fill(&mut bar, record.waiting_since.max(axis.from), waited, WAITING);
    attempts_of(history, of).for_each(|attempt| draw(&mut bar, attempt, axis, now));
    let items = history.run().items(of.task).filter(|_| of.item.is_none());
    let parts = items.map_or(vec![of], |(count, _)| {
        (0..count).map(|item| TaskRef::item(of.task, item)).collect()
    });
    for since in parts.into_iter().filter_map(|part| ready_since(history, part, now)) {
        axis.fill(&mut bar, since.max(axis.from), now, QUEUED);
    }
    bar
}

fn attempts_of(history: &History, of: TaskRef) -> impl Iterator<Item = &AttemptRecord> {
    let attempts = history.task(of.task).attempts.iter();
    attempts.filter(move |attempt| of.item.is_none() || attempt.item == of.item)
}

/// Since when a task or item could have started, if it can and has not.
fn ready_since(history: &History, of: TaskRef, now: Timestamp) -> Option<Timestamp> {
    let phase = history.run().phase_of(of)?;
    let is_ready = matches!(phase, TaskPhase::Ready | TaskPhase::BackingOff);
    let since = history.task(of.task).ready_since(of.item).filter(|_| is_ready)?;
    (since <= now && !history.run().phase(of.task).is_final()).then_some(since)
}

/// How a row ended, how long its attempts ran, and how many there were.
fn tail(history: &History, of: TaskRef, now: Timestamp) -> String {
    let mark = sign(history, of).0;
    let count = attempts_of(history, of).count();
    if count == 0 {
        return mark.to_owned();
    }
    let ran = attempts_of(history, of)
        .filter_map(|attempt| Some(attempt.ended_at().unwrap_or(now).since(attempt.started_at?)));
    let took = short(ran.sum());
    if count > 1 && of.item.is_none() && history.run().items(of.task).is_none() {
        format!("{mark} {took} ×{count}")
    } else {
        format!("{mark} {took}")
    }
}

fn draw(bar: &mut [char], attempt: &AttemptRecord, axis: &Axis, now: Timestamp) {
    let held = attempt.assigned_at.unwrap_or(attempt.started_at.unwrap_or(now));
    let started = attempt.started_at.unwrap_or(attempt.ended_at().unwrap_or(now));
    let ended = attempt.ended_at().unwrap_or(now);
    axis.fill(bar, attempt.ready_at, held, QUEUED);
    if attempt.assigned_at.is_some() {
        axis.fill(bar, held, started, HELD);
    }
    if attempt.started_at.is_none() {
        return;
    }
    let lost = matches!(attempt.result, AttemptResult::Interrupted { .. });
    axis.fill(bar, started, ended, if lost { LOST } else { RUNNING });
    if let Some(again) = attempt.retry_at() {
        axis.fill(bar, ended, again.min(now.max(ended)), BACKOFF);
    }
    if attempt.failure().is_some() {
        axis.fill(bar, ended, ended, FAILED);
    }
}

/// How a row ended.
fn sign(history: &History, task: TaskRef) -> (&'static str, fn(Paint, &str) -> String) {
    let green: fn(Paint, &str) -> String = |paint, text| paint.green(text);
    let red: fn(Paint, &str) -> String = |paint, text| paint.red(text);
    let yellow: fn(Paint, &str) -> String = |paint, text| paint.yellow(text);
    let cyan: fn(Paint, &str) -> String = |paint, text| paint.cyan(text);
    let dim: fn(Paint, &str) -> String = |paint, text| paint.dim(text);
    match history.run().phase_of(task).unwrap_or(TaskPhase::Waiting) {
        TaskPhase::Succeeded => ("✔", green),
        TaskPhase::Resolved => ("✔ by hand", green),
        TaskPhase::Failed => ("✘", red),
        TaskPhase::Skipped => ("↷", dim),
        TaskPhase::Cancelled => ("■", yellow),
        TaskPhase::BackingOff => ("↻", yellow),
        TaskPhase::Running => ("▶", cyan),
        TaskPhase::Ready => ("… ready", cyan),
        TaskPhase::Waiting => ("…", dim),
    }
}

/// What the rows leave out.
fn hidden(history: &History, rows: &[Row], paint: Paint) -> String {
    let shown: BTreeSet<TaskIx> = rows.iter().map(|row| row.task.task).collect();
    let rest: Vec<&TaskRecord> = history
        .tasks()
        .filter(|(task, _)| !shown.contains(task))
        .map(|(_, record)| record)
        .collect();
    if rest.is_empty() {
        return String::new();
    }
    let ended = |wanted: fn(&Ending) -> bool| {
        let settled = rest.iter().filter_map(|record| record.settled.as_ref());
        settled.filter(|settled| wanted(&settled.how)).count()
    };
    let succeeded = ended(|how| matches!(how, Ending::Succeeded));
    let skipped = ended(|how| matches!(how, Ending::Skipped(_)));
    let failed = ended(|how| matches!(how, Ending::Failed | Ending::FailedUnattempted(_)));
    let mut text = format!("  … {} more tasks: {succeeded} succeeded", rest.len());
    for (count, word) in [(failed, "failed"), (skipped, "skipped")] {
        if count > 0 {
            let _ = write!(text, ", {count} {word}");
        }
    }
    paint.dim(text + "; --all shows every one") + "\n"
}

fn legend(paint: Paint) -> String {
    paint.dim(format!(
        "  * critical path  {WAITING} waiting  {QUEUED} ready  {HELD} held  {RUNNING} running  \
         {BACKOFF} backing off  {FAILED} failed  {LOST} cut off"
    )) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{
        Definition, Event, Failure, FailureKind, ForEach, Plan, RunId, Submission, TaskDef, Value,
    };
    use std::sync::Arc;

    const EACH: TaskIx = TaskIx(0);

    /// The row of a task with three items to which this happened, ten cells for a hundred.
    fn row(now: u64, happened: &[(u64, u32, &str)]) -> String {
        let items = (0..3).map(Value::from).collect();
        let each = TaskDef { for_each: Some(ForEach::Items(items)), ..TaskDef::new("each", "cmd") };
        let submission = Submission {
            id: RunId::new(1, 1),
            plan: Arc::new(Plan::new(Definition::new("test", vec![each]))),
            variables: Arc::default(),
            workers: 3,
        };
        let mut history = History::new(submission, Timestamp(0));
        let at = Timestamp(0);
        let fired = Event::Fired {
            at,
            task: TaskRef::whole(EACH),
            items: Some(vec![Value::Null; 3]),
            secret: false,
        };
        let begun = [Event::RunStarted { at }, fired];
        let mut attempts = [0; 3];
        let told = happened.iter().map(|&(at, item, what)| {
            let (at, task) = (Timestamp(at), TaskRef::item(EACH, item));
            attempts[item as usize] += u32::from(what == "start");
            let attempt = attempts[item as usize];
            let failed = |retry_at| {
                let failure = Box::new(Failure::retryable(FailureKind::Exit, "no"));
                Event::Failed { at, task, attempt, failure, retry_at }
            };
            match what {
                "start" => Event::Started { at, task, attempt },
                "end" => Event::Succeeded { at, task, attempt, outputs: Vec::new() },
                "cut" => Event::Interrupted { at, task, attempt },
                "fail" => failed(None),
                again => failed(Some(Timestamp(again.parse().unwrap()))),
            }
        });
        for (event, seq) in begun.into_iter().chain(told).zip(1..) {
            assert!(history.admits(&event), "{event:?}");
            history.record(seq, &event);
        }
        let axis = Axis { from: Timestamp(0), span: Duration::from_micros(100), cells: 10 };
        bar(&history, TaskRef::whole(EACH), &axis, Timestamp(now)).into_iter().collect()
    }

    #[test]
    fn a_row_of_many_items_shows_the_most_telling_of_what_any_did() {
        let one_runs = [(0, 0, "start"), (45, 0, "end"), (50, 1, "start"), (75, 1, "end")];
        assert_eq!(row(100, &one_runs), "████████░░", "the third is ready throughout");
        let cut_off = [(0, 0, "start"), (35, 0, "cut"), (40, 0, "start"), (40, 1, "start")];
        assert_eq!(row(60, &cut_off), "????███   ");
        let failed = [(0, 0, "start"), (15, 0, "fail"), (20, 1, "start"), (55, 1, "end")];
        assert_eq!(row(80, &failed), "█×████░░░ ");
        let all = [(0, 0, "start"), (0, 1, "start"), (0, 2, "start")];
        let later = [(5, 1, "end"), (5, 2, "end"), (15, 0, "50"), (60, 0, "start"), (80, 0, "end")];
        assert_eq!(row(100, &[&all[..], &later].concat()), "█×~~~~███ ");
    }
}
