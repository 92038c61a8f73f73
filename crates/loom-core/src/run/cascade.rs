//! What follows from a command's events, until nothing more does.

use super::Run;
use super::fan::Fan;
use crate::{
    AttemptKey, Effect, Event, Failure, FailureKind, ForEach, RunOutcome, RunState, SkipReason,
    Stop, TaskIx, TaskPhase, TaskRef, Timestamp, Value, expr, secret,
};
use std::sync::Arc;

impl Run {
    pub(super) fn cascade(&mut self, now: Timestamp) {
        if self.state.is_final() || self.state == RunState::Queued && !self.cancelling {
            return;
        }
        while self.cascade_step(now) {}
        if self.unsettled == 0 {
            let outcome = match () {
                () if self.cancelling => RunOutcome::Cancelled,
                () if self.failed > 0 => RunOutcome::Failed,
                () => RunOutcome::Succeeded,
            };
            self.emit(Event::RunFinished { at: now, outcome });
        }
    }

    /// Lets one thing follow; false if nothing does.
    fn cascade_step(&mut self, now: Timestamp) -> bool {
        if self.emit_announced(now) {
            return true;
        }
        if std::mem::take(&mut self.wind_down) {
            self.cancel_idle(now);
        } else if let Some(task) = self.due.pop_front() {
            self.decide_due(task, now);
        } else if let Some(task) = self.doubtful.pop() {
            if let Some(reason) = self.lost_cause(task) {
                self.emit(Event::Skipped { at: now, task: TaskRef::whole(task), reason });
            }
        } else if self.plan.cyclic && std::mem::take(&mut self.settled_some) {
            self.skip_circular(now);
        } else if self.is_stuck() {
            self.unstick(now);
        } else {
            return false;
        }
        true
    }

    /// Whether tasks wait while nothing is left that could let one of them fire. Only circles that
    /// run through barriers or through `["*"]` come this far.
    fn is_stuck(&mut self) -> bool {
        self.unsettled > 0
            && self.working + self.held + self.instant == 0
            && self.backoffs.is_empty()
            && self.nothing_ready()
    }

    /// Skips tasks that wait for each other. If there are none, barriers wait for each other, or for
    /// what is downstream of one another: those open that wait for nothing else.
    fn unstick(&mut self, now: Timestamp) {
        let before = self.out.events.len();
        self.skip_circular(now);
        if self.out.events.len() > before {
            return;
        }
        let plan = Arc::clone(&self.plan);
        for barrier in &plan.inner_barriers {
            let slot = &self.slots[barrier.task.at()];
            if slot.progress.phase == TaskPhase::Waiting && slot.missing == 1 {
                let task = TaskRef::whole(barrier.task);
                self.emit(Event::Fired { at: now, task, items: None, secret: false });
            }
        }
        debug_assert!(self.out.events.len() > before, "a run is never stuck");
    }

    /// Cancels everything that is not with the executor, and asks for the end of what is.
    fn cancel_idle(&mut self, now: Timestamp) {
        for at in 0..self.slots.len() {
            let task = TaskIx(at as u32);
            let whole = TaskRef::whole(task);
            let progress = self.slots[at].progress;
            let out = self.fans.get(&task).map_or(progress.is_out(), |fan| fan.out > 0);
            if out || progress.phase.is_final() {
                continue;
            }
            if self.is_leaving(task) {
                self.leave_if_idle(task, now);
                continue;
            }
            match self.stopped_by.filter(|_| !self.cancelling) {
                Some(by) if progress.phase == TaskPhase::Waiting => {
                    let reason = SkipReason::Stopped { task: self.plan.task(by).name.clone() };
                    self.emit(Event::Skipped { at: now, task: whole, reason });
                }
                _ => {
                    let event = match self.fans.get(&task) {
                        Some(fan) => self.end_of_fan(task, fan, now),
                        None => Event::Cancelled { at: now, task: whole },
                    };
                    self.emit(event);
                }
            }
        }
        for (task, attempt) in self.attempts_out() {
            let key = AttemptKey { run: self.id, task, attempt };
            self.out.effects.push(Effect::Stop(key, Stop::Gently));
        }
        // What was cancelled just now has let nothing fire.
        self.wind_down = false;
    }

    /// Decides about a task that may have what it waits for, or whose items may have settled: what a
    /// replay noted as due may long have been decided, and have been reopened since.
    fn decide_due(&mut self, task: TaskIx, now: Timestamp) {
        let slot = self.slots[task.at()];
        if slot.progress.phase.is_final() {
            return;
        }
        if self.is_leaving(task) {
            self.leave_if_idle(task, now);
        } else if self.fans.contains_key(&task) {
            self.gather(task, now);
        } else if slot.progress.phase == TaskPhase::Waiting && slot.missing == 0 {
            self.decide_gated(task, now);
        }
    }

    fn gather(&mut self, task: TaskIx, now: Timestamp) {
        let fan = &self.fans[&task];
        if fan.left == 0 || self.is_stopping(task) && fan.out == 0 {
            self.emit(self.end_of_fan(task, fan, now));
        }
    }

    /// How a `for_each` task ends of which no item is attempted any more. One that was cut off with its
    /// run has failed nevertheless if an item did: that may be what the run was stopped for.
    pub(super) fn end_of_fan(&self, task: TaskIx, fan: &Fan, now: Timestamp) -> Event {
        let whole = TaskRef::whole(task);
        let counts = !self.plan.traits(task).allow_failure && !self.slots[task.at()].unwanted;
        let has_failed = fan.failed > 0 && counts;
        let cut_off =
            fan.left > 0 || fan.progress.iter().any(|item| item.phase == TaskPhase::Cancelled);
        if has_failed || !cut_off {
            Event::Gathered { at: now, task: whole, failed: fan.failed }
        } else {
            Event::Cancelled { at: now, task: whole }
        }
    }

    /// Evaluates `when` and `for_each`.
    fn decide_gated(&mut self, task: TaskIx, now: Timestamp) {
        let whole = TaskRef::whole(task);
        let event = match self.evaluate(task) {
            Ok(Gated::Fire { items, secret }) => {
                Event::Fired { at: now, task: whole, items, secret }
            }
            Ok(Gated::Skip(when)) => {
                let reason = SkipReason::Condition { when };
                Event::Skipped { at: now, task: whole, reason }
            }
            Err(message) => {
                let message = secret::mask(&message, &self.secrets);
                let failure = Box::new(Failure::permanent(FailureKind::Expression, message));
                Event::Failed { at: now, task: whole, attempt: 0, failure, retry_at: None }
            }
        };
        self.emit(event);
    }

    fn evaluate(&self, task: TaskIx) -> Result<Gated, String> {
        let def = self.plan.task(task);
        let lookup = |name: &str| self.seen_by(task, name).map(|var| var.value.clone());
        if let Some(when) = &def.when {
            let holds = expr::holds(when, &lookup)
                .map_err(|reason| format!("`when: {when}` cannot be evaluated: {reason}"))?;
            if !holds {
                return Ok(Gated::Skip(when.clone()));
            }
        }
        match &self.plan.task(task).for_each {
            None => Ok(Gated::Fire { items: None, secret: false }),
            Some(ForEach::Items(items)) => {
                Ok(Gated::Fire { items: Some(items.clone()), secret: false })
            }
            Some(ForEach::Variable(name)) => {
                let variable = self
                    .seen_by(task, name)
                    .ok_or_else(|| format!("`for_each: {name}`: the variable is not set"))?;
                let items = expr::items_of(&variable.value)
                    .map_err(|reason| format!("`for_each: {name}` needs a list: {reason}"))?;
                Ok(Gated::Fire { items: Some(items), secret: variable.secret })
            }
        }
    }
}

enum Gated {
    Fire { items: Option<Vec<Value>>, secret: bool },
    Skip(String),
}
