//! The answers of `loom why` in words, on one screen.

use super::duration::short;
use super::words::{counted, failure_line, skip_reason, value_text};
use crate::progress::{label, quoted};
use crate::terminal::{Paint, fit, printable};
use loom_core::{
    Act, Backoff, CancelledBy, Cause, CauseEnd, ChainLink, CriticalPath, Failure, Few, History,
    Hold, Intervention, PathStart, Standing, TaskIx, TaskPhase, TaskRef, TaskWhy, Timestamp, Toll,
    VariableRecord, Via, WaitsFor, Why, explain_run, explain_task,
};
use loom_protocol::MASK;
use std::fmt::Write;

/// The most last lines of a failed attempt.
const TAIL_MOST: usize = 6;

/// Why a run stands where it does.
pub(crate) fn run_why(history: &History, now: Timestamp, paint: Paint) -> String {
    Words { history, now, paint, text: String::new() }.of_run()
}

/// Why a task stands where it does.
pub(crate) fn task_why(history: &History, task: TaskIx, now: Timestamp, paint: Paint) -> String {
    Words { history, now, paint, text: String::new() }.of_task(task)
}

/// An answer that is being put into words.
struct Words<'a> {
    history: &'a History,
    now: Timestamp,
    paint: Paint,
    text: String,
}

impl Words<'_> {
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
        let how = if phase.is_final() {
            format!("{phase} {span} ago")
        } else {
            format!("{} for {span}", said(phase))
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
            Act::Cancel(reason) | Act::Resolve(_, reason) if !reason.is_empty() => {
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

    fn of_task(mut self, task: TaskIx) -> String {
        let TaskWhy { standing, items, why } = explain_task(self.history, task, self.now);
        let text = format!("{} (run {})", self.standing(standing), self.id());
        self.head(&text);
        match &why {
            Why::Waiting(waiting) => {
                self.waits_for(1, &waiting.waits_for);
                for chain in &waiting.chains {
                    self.chain(task, &chain.links, chain.left_out);
                }
                self.more(1, waiting.more_active);
            }
            Why::Ready(hold) => self.hold(1, hold),
            Why::Running(running) => {
                let text = format!("try {} of {}", running.try_number, running.of);
                self.line(1, &text);
                if let Some(at) = running.times_out_at {
                    let text = format!("its timeout ends it in {}", short(at.since(self.now)));
                    self.line(1, &text);
                }
                for input in &running.inputs {
                    let later = if input.outdated { "  (set again since)" } else { "" };
                    let text = format!("given {}{later}", assignment(&input.variable));
                    self.line(1, &text);
                }
            }
            Why::BackingOff(wait) => self.backing_off(wait),
            Why::Succeeded(done) => {
                let text = format!(
                    "in {}, {}",
                    short(done.took),
                    counted(done.attempts as usize, "attempt")
                );
                self.line(1, &text);
                self.set("set", &done.set);
            }
            Why::Failed(failed) => {
                self.failure(1, failed.failure);
                let allowed =
                    if failed.allowed { "; the run may succeed all the same" } else { "" };
                let text = format!("{} of {} tries used{allowed}", failed.tries, failed.of);
                self.line(1, &text);
                self.toll(1, &failed.toll);
                let (id, name) = (self.id(), quoted(&self.history.run().plan().task(task).name));
                let text = format!("loom logs {id} {name} · loom retry {id} {name}");
                self.line(1, &text);
            }
            Why::Skipped(skipped) => {
                let text = printable(&skip_reason(skipped.reason));
                self.line(1, &text);
                skipped.causes.iter().for_each(|cause| self.cause(2, cause));
                self.more(2, skipped.more);
                if skipped.causes.len() != 1 || !skipped.causes[0].behind.is_empty() {
                    for end in skipped.first.first.clone() {
                        let text = format!("it began with {}", self.end(&end));
                        self.line(1, &text);
                    }
                    self.more(1, skipped.first.more);
                }
            }
            Why::Cancelled(by) => self.cancelled(1, by),
            Why::Resolved { resolution, set } => {
                let reason = match resolution.reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {}", printable(reason)),
                };
                let text = format!("settled by {}{reason}", printable(&resolution.by));
                self.line(1, &text);
                self.set("they set", set);
            }
        }
        if let Some(items) = items {
            let text = format!("{} of {} items done", items.settled, items.count);
            self.line(1, &text);
            self.standings(2, &items.open);
            for (item, failure) in &items.failed.first {
                let name = self.label(TaskRef::item(task, *item));
                let text = format!("{name}  {}", self.paint.red(failure_line(failure)));
                self.line(2, &text);
            }
            self.more(2, items.failed.more);
        }
        self.text
    }

    fn set(&mut self, word: &str, set: &Few<VariableRecord<'_>>) {
        for variable in &set.first {
            let text = format!("{word} {}", assignment(variable));
            self.line(1, &text);
        }
        self.more(1, set.more);
    }

    fn backing_off(&mut self, wait: &loom_core::BackingOffWhy<'_>) {
        self.failure(1, wait.failure);
        let left = short(wait.retry_at.since(self.now));
        let next = wait.failures + 1;
        let text = format!("try {next} of {} in {left}", wait.of);
        self.line(1, &text);
        let policy = wait.policy;
        let how = match policy.backoff {
            Backoff::None => "no backoff",
            Backoff::Fixed => "fixed backoff",
            Backoff::Linear => "linear backoff",
            Backoff::Exponential => "exponential backoff",
        };
        let mut text = format!(
            "why then: {how} from {}, at most {}, comes to {} after failure {}",
            short(policy.initial),
            short(policy.max),
            short(wait.backoff),
            wait.failures,
        );
        if policy.jitter > 0.0 && wait.wait < wait.backoff {
            let _ = write!(text, "; jitter made it {}", short(wait.wait));
        }
        if let Some(asked) = wait.asked {
            let whether = if asked.decided { "which decided" } else { "which is shorter" };
            let _ = write!(text, "; the far side asked for {}, {whether}", short(asked.wait));
        }
        self.line(1, &text);
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

    fn chain(&mut self, task: TaskIx, links: &[ChainLink], left_out: u32) {
        if links.len() < 2 {
            return;
        }
        let mut text = self.name(task);
        for (at, link) in links.iter().enumerate() {
            if left_out > 0 && at + 1 == links.len() {
                let _ = write!(text, " ← … {left_out} more");
            }
            match &link.via {
                Via::Variable(name) => {
                    let _ = write!(text, " ← {}", self.paint.cyan(name));
                }
                Via::Dependency | Via::Barrier => {}
            }
            let _ = write!(text, " ← {}", self.name(link.standing.task.task));
        }
        if let Some(last) = links.last() {
            let span = short(self.now.since(last.standing.since));
            let _ = write!(text, "  ({} for {span})", said(last.standing.phase));
        }
        self.line(1, &text);
    }

    fn hold(&mut self, depth: usize, hold: &Hold<'_>) {
        let text = match hold {
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
                format!("all of the run's workers ({workers}) are busy")
            }
            Hold::BeyondRun { queue: Some(queue), .. } => {
                format!("it is about to start, unless queue `{}` is full", printable(queue))
            }
            Hold::BeyondRun { instances: Some(most), .. } => {
                format!("it is about to start, unless {most} instances of it run over all runs")
            }
            Hold::BeyondRun { .. } => "it is about to start".to_owned(),
        };
        self.line(depth, &text);
        if let Hold::HandedOver { busy, .. } | Hold::Workers { busy, .. } | Hold::UntilAlone(busy) =
            hold
        {
            self.standings(depth + 1, busy);
        }
    }

    fn cancelled(&mut self, depth: usize, by: &CancelledBy<'_>) {
        let text = match by {
            CancelledBy::Request(one) => format!("the run was cancelled {}", self.asked(one)),
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
            CauseEnd::Failed(_, failure) => {
                format!("{name}, which failed: {}", self.paint.red(failure_line(failure)))
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

    fn of_run(mut self) -> String {
        let why = explain_run(self.history, self.now);
        let counts = self.history.counts();
        let (name, id) = (&self.history.run().plan().definition().name, self.id());
        let (done, total) = (counts.settled(), counts.total());
        let text = format!(
            "run {id} ({}) is {}: {done} of {total} tasks done",
            printable(name),
            why.state
        );
        self.head(&text);
        if let Some(by) = &why.ended_by {
            self.cancelled(1, by);
        }
        if let Some(pause) = self.history.paused() {
            let text = format!("paused {}", self.asked(pause));
            self.line(1, &text);
        }
        if why.first_causes.count() > 0 {
            self.head("what went wrong first");
            for (end, toll) in &why.first_causes.first {
                let text = self.end(end);
                self.line(1, &text);
                self.toll(2, toll);
            }
            self.more(1, why.first_causes.more);
        }
        if why.running.count() > 0 {
            self.head("running");
            self.standings(1, &why.running);
        }
        if why.backing_off.count() > 0 {
            self.head("to be tried again");
            for &(task, at) in &why.backing_off.first {
                let text = format!("{}  in {}", self.label(task), short(at.since(self.now)));
                self.line(1, &text);
            }
            self.more(1, why.backing_off.more);
        }
        if why.ready.count() > 0 {
            self.head("ready");
            for (task, hold) in &why.ready.first {
                let text = self.name(*task);
                self.line(1, &text);
                self.hold(2, hold);
            }
            self.more(1, why.ready.more);
        }
        if why.next.count() > 0 {
            self.head("next");
            for (task, waits_for) in &why.next.first {
                let text = self.name(*task);
                self.line(1, &text);
                self.waits_for(2, waits_for);
            }
            self.more(1, why.next.more);
        }
        if let Some(path) = &why.path {
            self.path(path);
        }
        self.text
    }

    fn path(&mut self, path: &CriticalPath) {
        let from = match path.start {
            PathStart::Start => "",
            PathStart::Reopened => ", since it was tried again",
            PathStart::Resolved => ", since a task was settled by hand",
        };
        let text = format!("critical path: {}{from}", short(path.total));
        self.head(&text);
        let shown = 12;
        let skip = path.links.len().saturating_sub(shown);
        if skip > 0 {
            let text = self.paint.dim(format!("… {} before", counted(skip, "task")));
            self.line(1, &text);
        }
        for link in path.links.iter().skip(skip) {
            let mut text = format!(
                "{}  ran {}",
                self.label(TaskRef { task: link.task, item: link.item }),
                short(link.ran)
            );
            for (span, what) in [
                (link.queued, "waited for a worker"),
                (link.backed_off, "backed off"),
                (link.lost, "lost to interruptions"),
                (link.by_hand, "waited to be settled by hand"),
            ] {
                if span.as_millis() > 0 {
                    let _ = write!(text, ", {what} {}", short(span));
                }
            }
            if link.attempts > 1 {
                let _ = write!(text, ", {} attempts", link.attempts);
            }
            self.line(1, &text);
        }
    }
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
