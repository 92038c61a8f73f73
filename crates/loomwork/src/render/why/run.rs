//! Why a run stands where it does, and how its time was spent.

use super::Words;
use crate::render::duration::short;
use crate::render::words::counted;
use crate::terminal::printable;
use loom_core::{
    CauseEnd, CriticalPath, Few, HeldBy, PathStart, RunState, TaskIx, TaskRef, Toll, explain_run,
};
use loom_protocol::api::{Lack, RunWaits};
use std::fmt::Write;

impl Words<'_> {
    pub(super) fn of_run(mut self) -> String {
        let why = explain_run(self.history, self.now);
        let counts = self.history.counts();
        let (name, id) = (&self.history.run().plan().definition().name, self.id());
        let (done, total) = (counts.settled(), counts.total());
        let said = match why.state {
            RunState::Queued | RunState::Running if self.beyond.left_at.is_some() => {
                "was interrupted"
            }
            state => state.said(),
        };
        let text = format!("run {id} ({}) {said}: {done} of {total} tasks done", printable(name));
        self.head(&text);
        self.nobody();
        if let Some(waits) = self.beyond.waits.take() {
            self.waits(&waits);
        }
        if let Some(by) = &why.ended_by {
            self.cancelled(1, by);
        }
        if let Some(pause) = self.history.paused() {
            let text = format!("paused {}", self.asked(pause));
            self.line(1, &text);
        }
        let wrong = match why.state {
            RunState::Succeeded => "what went wrong without failing the run",
            _ => "what went wrong first",
        };
        self.beginnings(wrong, &why.first_causes);
        self.beginnings("why tasks were skipped", &why.left_out);
        if why.running.count() > 0 {
            self.head(if self.beyond.left_at.is_some() { "cut off" } else { "running" });
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
            for (task, hold) in why.ready.first {
                let text = self.name(task);
                self.line(1, &text);
                self.hold(2, task, hold);
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
        // What nobody works on takes no time.
        let path = self.beyond.left_at.map_or(why.path, |at| self.history.critical_path(at));
        if let Some(path) = &path {
            self.path(path);
        }
        self.text
    }

    fn beginnings(&mut self, head: &str, few: &Few<(CauseEnd<'_>, Toll)>) {
        if few.count() == 0 {
            return;
        }
        self.head(head);
        for (end, toll) in &few.first {
            let text = self.end(end);
            self.line(1, &text);
            self.toll(2, toll);
        }
        self.more(1, few.more);
    }

    /// What a run that is queued waits for.
    fn waits(&mut self, waits: &RunWaits) {
        let (wait, holders) = match waits {
            RunWaits::Start { at } => return self.line(1, &format!("begins no earlier than {at}")),
            RunWaits::Limit { wait, holders } => (wait, holders),
        };
        let key = wait.key.as_ref().map(|key| format!(" for `{}`", printable(key)));
        let lacks = match (wait.lacks, &wait.next_at) {
            (Lack::Place, _) => "all of its places are taken".to_owned(),
            (Lack::Time, None) => "as many as it lets begin in a time are about to".to_owned(),
            (Lack::Time, Some(at)) => {
                format!("as many as it lets begin in a time have begun; the next may at {at}")
            }
        };
        let text = format!(
            "waits for the limit `{}`{}: {lacks}; {} of {} in line",
            printable(&wait.limit),
            key.unwrap_or_default(),
            wait.place,
            wait.line
        );
        let text = self.paint.yellow(text);
        self.line(1, &text);
        for holder in &holders.first {
            let state = serde_json::to_value(holder.state).expect("it is a word");
            let text = format!(
                "run {} ({}) has a place, and is {}",
                holder.run.get(18..).unwrap_or(&holder.run),
                printable(&holder.workflow),
                state.as_str().unwrap_or_default()
            );
            self.line(2, &text);
        }
        self.more(2, holders.more);
    }

    fn path(&mut self, path: &CriticalPath) {
        let from = match path.start {
            PathStart::Start => "",
            PathStart::Reopened => ", since it was tried again",
            PathStart::Resolved => ", since somebody settled a task",
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
            let mut text = self.label(TaskRef { task: link.task, item: link.item });
            match link.attempts {
                0 => text += "  has not run",
                _ => _ = write!(text, "  ran {}", short(link.ran)),
            }
            let held = link.held.iter().map(|held| (held.span, self.held(link.task, held.by)));
            let rest = [
                (link.backed_off, "backed off".to_owned()),
                (link.lost, "lost to interruptions".to_owned()),
                (link.by_hand, "waited to be settled by hand".to_owned()),
            ];
            for (span, what) in held.chain(rest).filter(|(span, _)| span.as_millis() > 0) {
                let _ = write!(text, ", {what} {}", short(span));
            }
            if link.attempts > 1 {
                let _ = write!(text, ", {} attempts", link.attempts);
            }
            self.line(1, &text);
        }
    }

    /// What a task did while this held it back.
    fn held(&self, task: TaskIx, by: HeldBy) -> String {
        let execution = &self.history.run().plan().task(task).execution;
        match by {
            HeldBy::Pause => "waited for the run to be resumed".to_owned(),
            HeldBy::Alone(alone) => format!("waited for {}, which ran alone,", self.name(alone)),
            HeldBy::Others => "waited to be alone".to_owned(),
            HeldBy::Ahead(first) => {
                format!("waited behind {}, which was to run alone,", self.name(first))
            }
            HeldBy::Workers => "waited for a worker".to_owned(),
            HeldBy::Instances => {
                let most = execution.workers.unwrap_or_default();
                format!("waited for one of its `execution.workers: {most}`")
            }
            HeldBy::Queue => {
                let queue = execution.queue.as_deref().unwrap_or_default();
                format!("waited for a place in queue `{}`", printable(queue))
            }
            HeldBy::Start => "waited to be started".to_owned(),
        }
    }
}
