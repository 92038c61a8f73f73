//! How a run ended, for people: what failed and why, what was skipped and why, and where the time
//! went.

use super::label;
use crate::aim::HERE;
use crate::render::duration::short;
use crate::render::words::{counted, failure_line, skip_reason};
use crate::session::now;
use crate::terminal::{Paint, acts, fit, printable};
use loom_core::{AttemptResult, History, RunState, TaskIx, TaskPhase, TaskRef};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The most failed tasks that are shown.
const FAILED_MOST: usize = 10;
/// The most last lines of each.
const TAIL_MOST: usize = 10;
/// The most reasons for skipping, and the most names for each.
const REASONS_MOST: usize = 8;
const NAMES_MOST: usize = 5;

/// The summary of a run.
pub(crate) fn summary(history: &History, paint: Paint) -> String {
    let mut text = String::new();
    warnings(history, paint, &mut text);
    failures(history, paint, &mut text);
    skipped(history, paint, &mut text);
    slowest(history, paint, &mut text);
    text += &headline(history, paint);
    text
}

/// The failures alone, for standard error of a quiet run.
pub(crate) fn failures_only(history: &History, paint: Paint) -> String {
    let mut text = String::new();
    failures(history, paint, &mut text);
    text
}

fn headline(history: &History, paint: Paint) -> String {
    let (run, counts) = (history.run(), history.counts());
    let id = run.id().short();
    let from = history.started_at().unwrap_or(history.created_at());
    let took = short(history.finished_at().unwrap_or_else(now).since(from));
    let total = counted(counts.total() as usize, "task");
    let mut parts = Vec::new();
    for (count, word) in [
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.cancelled, "cancelled"),
        (counts.resolved, "resolved by hand"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    match run.state() {
        RunState::Succeeded => {
            format!("{}: {total} in {took}{parts}\n", paint.green("succeeded"))
        }
        RunState::Failed => format!(
            "{}: {total} in {took}{parts}\nmend the cause, then: loom retry{HERE} {id}\n",
            paint.red("failed")
        ),
        RunState::Cancelled => format!("{}: {total} in {took}{parts}\n", paint.yellow("cancelled")),
        RunState::Queued | RunState::Running | RunState::Paused => {
            let (done, all) = (counts.settled(), counts.total());
            format!(
                "{} after {took}: {done} of {all} tasks done{parts}\ngo on with: loom resume{HERE} {id}\n",
                paint.yellow("stopped")
            )
        }
    }
}

fn failures(history: &History, paint: Paint, text: &mut String) {
    let (run, id) = (history.run(), history.run().id().short());
    let plan = run.plan();
    let failed: Vec<TaskIx> = plan
        .tasks()
        .map(|(task, _)| task)
        .filter(|&task| run.phase(task) == TaskPhase::Failed)
        .collect();
    for &task in failed.iter().take(FAILED_MOST) {
        let record = history.task(task);
        let Some(failure) = record.failure() else { continue };
        let name = &plan.task(task).name;
        let of = record
            .attempts
            .iter()
            .rev()
            .find(|attempt| attempt.failure() == Some(failure))
            .map_or(TaskRef::whole(task), |attempt| TaskRef { task, item: attempt.item });
        let head = paint.red(format!("✘ {}", printable(&label(plan, of))));
        let allowed = if plan.task(task).allow_failure { " (allowed)" } else { "" };
        let _ = writeln!(text, "{head}{allowed}  {}", failure_line(failure));
        let skip = failure.tail.len().saturating_sub(TAIL_MOST);
        for line in failure.tail.iter().skip(skip) {
            let _ = writeln!(text, "  {} {}", paint.dim("│"), fit(&printable(line), 200));
        }
        let shown = quoted(name);
        let _ = writeln!(text, "  loom why{HERE} {id} {shown} · loom logs{HERE} {id} {shown}");
    }
    if failed.len() > FAILED_MOST {
        let more = failed.len() - FAILED_MOST;
        let _ = writeln!(text, "… and {} more failed: loom why{HERE} {id}", counted(more, "task"));
    }
}

/// A task's name as a shell takes it. One that cannot be shown as it is stands in `$'…'`, which bash,
/// zsh and ksh understand.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "_-./:@%+,".contains(char);
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    if !name.contains(acts) {
        return format!("'{}'", name.replace('\'', "'\\''"));
    }
    let mut escaped = String::new();
    for char in name.chars() {
        match char {
            '\'' | '\\' => escaped.extend(['\\', char]),
            char if acts(char) => {
                write!(escaped, "\\U{:08x}", u32::from(char)).expect("a string takes everything");
            }
            char => escaped.push(char),
        }
    }
    format!("$'{escaped}'")
}

fn skipped(history: &History, paint: Paint, text: &mut String) {
    let plan = history.run().plan();
    let mut reasons: BTreeMap<String, Vec<TaskIx>> = BTreeMap::new();
    for (task, record) in history.tasks() {
        if let Some((_, reason)) = record.skipped() {
            reasons.entry(skip_reason(reason)).or_default().push(task);
        }
    }
    let mut reasons: Vec<(String, Vec<TaskIx>)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, tasks)| tasks[0]);
    for (reason, tasks) in reasons.iter().take(REASONS_MOST) {
        let names: Vec<String> =
            tasks.iter().take(NAMES_MOST).map(|&task| printable(&plan.task(task).name)).collect();
        let more = tasks.len().saturating_sub(NAMES_MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let head = paint.dim(format!("↷ {}{more}", names.join(", ")));
        let _ = writeln!(text, "{head}  skipped: {}", printable(reason));
    }
    if reasons.len() > REASONS_MOST {
        let more: usize = reasons[REASONS_MOST..].iter().map(|(_, tasks)| tasks.len()).sum();
        let _ = writeln!(text, "… and {} more skipped", counted(more, "task"));
    }
}

/// What tasks emitted without declaring it.
fn warnings(history: &History, paint: Paint, text: &mut String) {
    let plan = history.run().plan();
    let mut left = REASONS_MOST;
    for (task, record) in history.tasks() {
        let Some(attempt) = record.attempts.last() else { continue };
        let AttemptResult::Succeeded { undeclared, .. } = &attempt.result else { continue };
        if undeclared.is_empty() || left == 0 {
            continue;
        }
        left -= 1;
        let names: Vec<&str> =
            undeclared.iter().take(NAMES_MOST).map(|output| output.name.as_str()).collect();
        let _ = writeln!(
            text,
            "{}  emitted {} without declaring it under `outputs`; nothing waits for it",
            paint.yellow(format!("! {}", printable(&plan.task(task).name))),
            printable(&names.join(", ")),
        );
    }
}

/// Where the time went, if there is something to choose from.
fn slowest(history: &History, paint: Paint, text: &mut String) {
    let plan = history.run().plan();
    let Some(path) = history.critical_path(now()).filter(|path| path.links.len() > 1) else {
        return;
    };
    let mut spans: Vec<_> =
        path.links.iter().map(|link| (link.ended_at.since(link.from), link)).collect();
    spans.retain(|(span, _)| span.as_millis() >= 10);
    spans.sort_by_key(|(span, _)| Reverse(*span));
    let shown = spans.into_iter().take(3).map(|(span, link)| {
        let name = label(plan, TaskRef { task: link.task, item: link.item });
        let waited = span.saturating_sub(link.ran);
        let mostly_waits = waited > link.ran;
        let waiting =
            if mostly_waits { format!(" ({} waiting)", short(waited)) } else { String::new() };
        format!("{} {}{waiting}", printable(&name), short(span))
    });
    let shown: Vec<String> = shown.collect();
    if !shown.is_empty() {
        let _ = writeln!(
            text,
            "{}",
            paint.dim(format!("longest on the critical path: {}", shown.join(", ")))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("load_data"), "load_data");
        assert_eq!(quoted("load data"), "'load data'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted("a\u{202e}'\\b"), r"$'a\U0000202e\'\\b'");
    }
}
