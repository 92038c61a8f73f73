//! The answers of `loom why` in words, on one screen.

mod run;
mod task;

use crate::aim::HERE;
use crate::progress::label;
use crate::render::duration::short;
use crate::render::words::{counted, failure_line, skip_reason, value_text};
use crate::terminal::{Paint, fit, printable};
use loom_core::{
    Act, CancelledBy, Cause, CauseEnd, Failure, Few, History, Hold, Intervention, Resolution,
    Standing, TaskIx, TaskPhase, TaskRef, Timestamp, Toll, VariableRecord, WaitsFor,
};
use loom_protocol::MASK;
use loom_server::runs::Beyond;
use std::fmt::Write;

/// The most last lines of a failed attempt.
const TAIL_MOST: usize = 6;

/// Why a run stands where it does.
pub(crate) fn run_why(history: &History, beyond: Beyond, now: Timestamp, paint: Paint) -> String {
    Words { history, now, beyond, paint, text: String::new() }.of_run()
}

/// Why a task, or an item of it, stands where it does.
pub(crate) fn task_why(
    history: &History,
    of: TaskRef,
    beyond: Beyond,
    now: Timestamp,
    paint: Paint,
) -> String {
    Words { history, now, beyond, paint, text: String::new() }.of_task(of)
}

/// An answer that is being put into words.
struct Words<'a> {
    history: &'a History,
    /// Up to when spans are told.
    now: Timestamp,
    beyond: Beyond,
    paint: Paint,
    text: String,
}

impl Words<'_> {
    /// Says so if nobody is at work on the run.
    fn nobody(&mut self) {
        if let Some(left_at) = self.beyond.left_at {
            let text = format!(
                "nobody is at work on the run; the last that happened was {}; go on: loom resume{HERE} {}",
                self.ago(left_at),
                self.id()
            );
            let text = self.paint.yellow(text);
            self.line(1, &text);
        }
    }

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{:1$}{text}", "", 2 * depth);
    }

    fn head(&mut self, text: &str) {
        let text = self.paint.bold(text);
        self.line(0, &text);
    }

    fn name(&self, task: TaskIx) -> String {
        self.label(TaskRef::whole(task))
    }

    fn label(&self, task: TaskRef) -> String {
        printable(&label(self.history.run().plan(), task))
    }

    fn id(&self) -> String {
        self.history.run().id().short()
    }

    fn ago(&self, at: Timestamp) -> String {
        format!("{} ago", short(self.now.since(at)))
    }

    /// `load  running for 3 s`.
    fn standing(&self, standing: Standing) -> String {
        let Standing { task, phase, since } = standing;
        let span = short(self.now.since(since));
        let how = match phase {
            _ if phase.is_final() => format!("{phase} {span} ago"),
            TaskPhase::Running if self.beyond.left_at.is_some() => {
                format!("was running when the run was left, started {span} ago")
            }
            _ => format!("{} for {span}", said(phase)),
        };
        format!("{}  {how}", self.label(task))
    }

    fn more(&mut self, depth: usize, more: u32) {
        if more > 0 {
            let text = self.paint.dim(format!("… and {more} more"));
            self.line(depth, &text);
        }
    }

    fn standings(&mut self, depth: usize, few: &Few<Standing>) {
        for standing in &few.first {
            let text = self.standing(*standing);
            self.line(depth, &text);
        }
        self.more(depth, few.more);
    }

    fn failure(&mut self, depth: usize, failure: &Failure) {
        let text = self.paint.red(failure_line(failure));
        self.line(depth, &text);
        let skip = failure.tail.len().saturating_sub(TAIL_MOST);
        for line in failure.tail.iter().skip(skip) {
            let text = format!("{} {}", self.paint.dim("│"), fit(&printable(line), 160));
            self.line(depth, &text);
        }
    }

    fn asked(&self, one: &Intervention) -> String {
        let reason = match &one.act {
            Act::Cancel(reason)
            | Act::Resolve(_, reason)
            | Act::CancelTask(_, reason)
            | Act::Skip(_, reason)
                if !reason.is_empty() =>
            {
                format!(": {}", printable(reason))
            }
            _ => String::new(),
        };
        format!("by {}, {}{reason}", printable(&one.by), self.ago(one.at))
    }

    fn toll(&mut self, depth: usize, toll: &Toll) {
        if toll.count == 0 {
            return;
        }
        let names: Vec<String> = toll.first.iter().map(|&task| self.name(task)).collect();
        let more = (toll.count as usize).saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let text = format!("skipped for it: {}{more}", names.join(", "));
        self.line(depth, &text);
    }

    fn waits_for(&mut self, depth: usize, all: &[WaitsFor]) {
        for one in all {
            match one {
                WaitsFor::Start => self.line(depth, "waits for the run to begin"),
                WaitsFor::Variable { name, producers } => {
                    let text = format!("waits for {}, which can be set by", self.paint.cyan(name));
                    self.line(depth, &text);
                    self.standings(depth + 1, producers);
                }
                WaitsFor::Task(standing) => {
                    let text = format!("waits for the success of {}", self.standing(*standing));
                    self.line(depth, &text);
                }
                WaitsFor::Barrier(few) => {
                    let text =
                        format!("waits for {} to settle", counted(few.count() as usize, "task"));
                    self.line(depth, &text);
                    self.standings(depth + 1, few);
                }
            }
        }
    }

    fn hold(&mut self, depth: usize, task: TaskIx, hold: Hold<'_>) {
        let hold = &match self.beyond.taken.get(&task) {
            Some(taken) => hold.given(self.history, task, taken.elsewhere, self.now),
            None => hold,
        };
        let text = match hold {
            _ if self.beyond.left_at.is_some() && !is_of_the_run(hold) => {
                return self.line(depth, "nobody is at work on the run to start it");
            }
            Hold::NotBegun => "the run has not begun".to_owned(),
            Hold::Paused(Some(by)) => format!("the run is paused, {}", self.asked(by)),
            Hold::Paused(None) => "the run is paused".to_owned(),
            Hold::Ending(by) => return self.cancelled(depth, by),
            Hold::HandedOver { at, .. } => {
                format!("handed over {}; it begins when a worker is free", self.ago(*at))
            }
            Hold::Beside(standing) => {
                format!(
                    "{}, and is `async: false`: nothing runs beside it",
                    self.standing(*standing)
                )
            }
            Hold::UntilAlone(_) => "it is `async: false` and waits to be alone".to_owned(),
            Hold::Behind(standing) => format!(
                "{} goes first: it is `async: false` and waits to be alone",
                self.label(standing.task)
            ),
            Hold::Workers { workers, .. } => {
                let set_by = match self.history.variable("MAX_WORKERS") {
                    Some(_) => "`MAX_WORKERS`",
                    None => "`--workers`, or the number of cores",
                };
                format!("all of the run's workers are busy: {workers}, by {set_by}")
            }
            Hold::Instances { most, .. } => {
                format!(
                    "as many instances of it are under way as `execution.workers: {most}` allows"
                )
            }
            Hold::Queue { name, .. } => format!("its queue `{}` is taken by", printable(name)),
            Hold::AboutToStart { queue, instances } => about_to_start(*queue, *instances),
        };
        self.line(depth, &text);
        if let Hold::HandedOver { busy, .. }
        | Hold::Workers { busy, .. }
        | Hold::UntilAlone(busy)
        | Hold::Instances { taken: busy, .. }
        | Hold::Queue { taken: busy, .. } = hold
        {
            self.standings(depth + 1, busy);
        }
        if let Hold::Instances { .. } | Hold::Queue { .. } = hold {
            self.takers(depth + 1, task);
        }
    }

    /// Tasks of other runs that count against the same.
    fn takers(&mut self, depth: usize, task: TaskIx) {
        let Some(taken) = self.beyond.taken.remove(&task) else { return };
        for taker in &taken.first {
            let item = taker.item.map(|item| format!("[{item}]")).unwrap_or_default();
            let text = format!(
                "{}{item} of run {} ({})  under way for {}",
                printable(&taker.task),
                taker.run.short(),
                printable(&taker.workflow),
                short(self.now.since(taker.since))
            );
            self.line(depth, &text);
        }
        self.more(depth, taken.more);
    }

    fn cancelled(&mut self, depth: usize, by: &CancelledBy<'_>) {
        let text = match by {
            CancelledBy::Request(one) => format!("the run was cancelled {}", self.asked(one)),
            CancelledBy::Alone(one) => format!("it was cancelled {}", self.asked(one)),
            CancelledBy::Failure(task) => {
                format!("{} failed, and the workflow says `on_failure: stop`", self.name(*task))
            }
        };
        self.line(depth, &text);
    }

    fn cause(&mut self, depth: usize, cause: &Cause<'_>) {
        let text = self.end(&cause.end);
        self.line(depth, &format!("└ {text}"));
        cause.behind.iter().for_each(|behind| self.cause(depth + 1, behind));
        self.more(depth + 1, cause.more);
    }

    fn end(&self, end: &CauseEnd<'_>) -> String {
        let name = self.name(end.task());
        match end {
            CauseEnd::Failed(task, failure) => {
                let allowed = self.history.run().plan().task(*task).allow_failure;
                let may = if allowed { ", as it may" } else { "" };
                format!("{name}, which failed{may}: {}", self.paint.red(failure_line(failure)))
            }
            CauseEnd::Resolved(_, how) => {
                let settled = format!("settled by hand without emitting it, {}", by(how));
                match &how.failure {
                    Some(failure) => {
                        let failure = self.paint.red(failure_line(failure));
                        format!("{name}, which failed: {failure}; {settled}")
                    }
                    None => format!("{name}, which was {settled}"),
                }
            }
            CauseEnd::DidNotEmit(_) => format!("{name}, which succeeded without emitting it"),
            CauseEnd::Skipped(_, reason) => {
                format!("{name}, which was skipped: {}", printable(&skip_reason(reason)))
            }
            CauseEnd::Cancelled(_) => format!("{name}, which was cancelled"),
            CauseEnd::Nobody(_, variable) => {
                format!("{name}, as no task could have set {}", printable(variable))
            }
        }
    }
}

fn about_to_start(queue: Option<&str>, instances: Option<u32>) -> String {
    let queue = queue.map(|name| format!("its queue `{}`", printable(name)));
    let instances = instances.map(|most| format!("all of its `execution.workers: {most}`"));
    let limits: Vec<String> = queue.into_iter().chain(instances).collect();
    if limits.is_empty() {
        return "it is about to start".to_owned();
    }
    format!("it is about to start, unless other runs have taken {}", limits.join(" or "))
}

/// Whether it is the run that does not let a task start, whoever is at work on it.
const fn is_of_the_run(hold: &Hold<'_>) -> bool {
    matches!(hold, Hold::NotBegun | Hold::Paused(_) | Hold::Ending(_))
}

/// Who settled a task, and why.
fn by(Resolution { by, reason, .. }: &Resolution) -> String {
    let reason = if reason.is_empty() { String::new() } else { format!(": {}", printable(reason)) };
    format!("by {}{reason}", printable(by))
}

/// A phase that lasts, as in `… for 3 s`.
const fn said(phase: TaskPhase) -> &'static str {
    match phase {
        TaskPhase::BackingOff => "backing off",
        other => other.name(),
    }
}

/// `NAME=value`, masked if it is secret.
fn assignment(variable: &VariableRecord<'_>) -> String {
    let value = if variable.secret { MASK.to_owned() } else { value_text(variable.value) };
    format!("{}={}", variable.name, fit(&value, 60))
}
