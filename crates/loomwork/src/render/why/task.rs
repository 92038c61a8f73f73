//! Why a task stands where it does.

use super::{Words, assignment, by, said};
use crate::aim::HERE;
use crate::progress::{label, quoted};
use crate::render::duration::short;
use crate::render::words::{counted, failure_line, skip_reason};
use crate::terminal::printable;
use loom_core::{
    BackingOffWhy, Backoff, ChainLink, FailedWhy, Few, ItemsWhy, NamedValue, RunningWhy,
    SkippedWhy, TaskIx, TaskRef, TaskWhy, VariableRecord, Via, WaitingWhy, Why, explain_task,
};
use std::fmt::Write;

impl Words<'_> {
    pub(super) fn of_task(mut self, of: TaskRef) -> String {
        let task = of.task;
        let TaskWhy { standing, items, why } = explain_task(self.history, of, self.now);
        let text = format!("{} (run {})", self.standing(standing), self.id());
        self.head(&text);
        self.nobody();
        match &why {
            Why::Waiting(waiting) => self.waiting(task, waiting),
            Why::Ready(hold) => self.hold(1, task, hold.clone()),
            Why::Running(running) => self.running(running),
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
            Why::Failed(failed) => self.failed(of, failed),
            Why::Skipped(skipped) => self.skipped(skipped),
            Why::Cancelled(by) => self.cancelled(1, by),
            Why::Resolved { resolution, set } => {
                if let Some(failure) = &resolution.failure {
                    self.line(1, "it had failed:");
                    self.failure(2, failure);
                }
                let text = format!("settled {}", by(resolution));
                self.line(1, &text);
                self.set("they set", set);
            }
        }
        if let Some(items) = &items {
            self.items(task, items);
        }
        self.text
    }

    fn waiting(&mut self, task: TaskIx, waiting: &WaitingWhy) {
        self.waits_for(1, &waiting.waits_for);
        for chain in &waiting.chains {
            self.chain(task, &chain.links, chain.left_out);
        }
        self.more(1, waiting.more_active);
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
                Via::Circle => text += " ← a circle that waits for",
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

    fn running(&mut self, running: &RunningWhy<'_>) {
        let text = format!("try {} of {}", running.try_number, running.of);
        self.line(1, &text);
        if let Some(at) = running.times_out_at.filter(|_| self.beyond.left_at.is_none()) {
            let text = format!("its timeout ends it in {}", short(at.since(self.now)));
            self.line(1, &text);
        }
        for input in &running.inputs {
            let later = if input.outdated { "  (set again since)" } else { "" };
            let text = format!("given {}{later}", assignment(&input.variable));
            self.line(1, &text);
        }
    }

    fn failed(&mut self, of: TaskRef, failed: &FailedWhy<'_>) {
        self.failure(1, failed.failure);
        let allowed = if failed.allowed { "; the run may succeed all the same" } else { "" };
        let text = format!("{} of {} tries used{allowed}", failed.tries, failed.of);
        self.line(1, &text);
        self.toll(1, &failed.toll);
        let plan = self.history.run().plan();
        let (id, name) = (self.id(), quoted(&plan.task(of.task).name));
        let text = format!(
            "loom logs{HERE} {id} {} · loom retry{HERE} {id} {name}",
            quoted(&label(plan, of))
        );
        self.line(1, &text);
    }

    fn skipped(&mut self, skipped: &SkippedWhy<'_>) {
        let text = printable(&skip_reason(skipped.reason));
        self.line(1, &text);
        for NamedValue { name, seen } in &skipped.decided_by.first {
            let text = match seen {
                Some(seen) => assignment(&seen.variable),
                None => format!("{name} was not set"),
            };
            self.line(2, &text);
        }
        self.more(2, skipped.decided_by.more);
        skipped.causes.iter().for_each(|cause| self.cause(2, cause));
        self.more(2, skipped.more);
        if !skipped.is_flat() {
            for end in skipped.first.first.clone() {
                let text = format!("it began with {}", self.end(&end));
                self.line(1, &text);
            }
            self.more(1, skipped.first.more);
        }
    }

    fn set(&mut self, word: &str, set: &Few<VariableRecord<'_>>) {
        for variable in &set.first {
            let text = format!("{word} {}", assignment(variable));
            self.line(1, &text);
        }
        self.more(1, set.more);
    }

    fn items(&mut self, task: TaskIx, items: &ItemsWhy<'_>) {
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

    fn backing_off(&mut self, wait: &BackingOffWhy<'_>) {
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
}
