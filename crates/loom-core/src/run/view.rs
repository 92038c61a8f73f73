//! What can be asked of a run.

use super::Run;
use crate::plan::Plan;
use crate::{
    AttemptKey, RunId, RunState, TaskIx, TaskKind, TaskPhase, TaskRef, Timestamp, Variable,
};
use std::sync::Arc;

/// One thing that a waiting task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A variable that is not set, and the tasks that could still set it.
    Variable(String, Vec<TaskIx>),
    /// A task that is not done.
    Task(TaskIx),
    /// `end`'s barrier: so many tasks have not settled.
    Barrier(u32),
}

impl Run {
    /// The run's identity.
    pub const fn id(&self) -> RunId {
        self.id
    }

    /// What it executes.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Where it stands.
    pub const fn state(&self) -> RunState {
        self.state
    }

    /// The most tasks at once.
    pub const fn workers(&self) -> u32 {
        self.workers
    }

    /// How many events it has had: the sequence number of the last.
    pub const fn events_so_far(&self) -> u64 {
        self.events_so_far
    }

    /// Where a task stands, as a whole.
    pub fn phase(&self, task: TaskIx) -> TaskPhase {
        self.slots[task.at()].progress.phase
    }

    /// Where a task or an item stands; `None` for an item that does not exist.
    pub fn phase_of(&self, task: TaskRef) -> Option<TaskPhase> {
        self.find_progress(task).map(|progress| progress.phase)
    }

    /// How many of the run's workers are taken, attempts among them that are handed over ahead.
    pub(crate) const fn busy(&self) -> u32 {
        self.working + self.held
    }

    /// The `async: false` task that runs.
    pub(crate) const fn alone(&self) -> Option<TaskIx> {
        self.alone
    }

    /// The task whose failure ends the run (`on_failure: stop`).
    pub(crate) const fn stopped_by(&self) -> Option<TaskIx> {
        self.stopped_by
    }

    /// Whether the run is being ended, or was, before its time.
    pub(crate) const fn is_ending(&self) -> bool {
        self.cancelling || self.stopped_by.is_some()
    }

    /// Whether somebody has cancelled the task alone.
    pub(crate) fn is_unwanted(&self, task: TaskIx) -> bool {
        self.slots[task.at()].unwanted
    }

    /// The unsettled tasks that a barrier waits for.
    pub(crate) fn barred_by(&self, barrier: TaskIx) -> impl Iterator<Item = TaskIx> {
        self.plan.barred_by(barrier).filter(|&task| !self.phase(task).is_final())
    }

    /// Tasks and items that wait for their next attempt, and when it may start; in no order.
    pub(crate) fn backing_off(&self) -> impl Iterator<Item = (TaskRef, Timestamp)> {
        self.backoffs.iter().filter(|(task, _)| !self.phase(task.task).is_final())
    }

    /// How many attempts were handed over and wait for a free worker.
    pub const fn held_back(&self) -> u32 {
        self.held
    }

    /// Whether another system executes the run and only reports it here.
    pub fn is_external(&self) -> bool {
        self.plan.external().is_some()
    }

    /// Whether no attempt is with an executor of ours.
    pub fn is_idle(&self) -> bool {
        self.is_external() || self.working + self.held + self.instant == 0
    }

    /// The attempts that are with an executor of ours.
    pub fn attempts_under_way(&self) -> Vec<AttemptKey> {
        if self.is_external() {
            return Vec::new();
        }
        let out = self.attempts_out().into_iter();
        out.map(|(task, attempt)| AttemptKey { run: self.id, task, attempt }).collect()
    }

    /// Whether something could be started.
    pub fn has_ready(&self) -> bool {
        self.state == RunState::Running
            && !self.is_ending()
            && !(self.ready.is_empty() && self.instant_ready.is_empty())
    }

    /// When the next backoff is over that the run has to be woken for.
    pub fn next_wake(&mut self) -> Option<Timestamp> {
        if self.is_external() { None } else { self.backoffs.next() }
    }

    /// When this task's or item's backoff is over.
    pub fn backs_off_until(&self, task: TaskRef) -> Option<Timestamp> {
        self.backoffs.until(task)
    }

    /// A variable that is set.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        match self.plan.find_var(name) {
            Some(var) => self.vars[var as usize].value.as_ref(),
            None => self.shared.iter().find(|variable| variable.name == name),
        }
    }

    /// The variables set at the run's start.
    pub const fn shared(&self) -> &Arc<Vec<Variable>> {
        &self.shared
    }

    /// Texts that must not be shown.
    pub const fn secrets(&self) -> &Arc<Vec<String>> {
        &self.secrets
    }

    /// A `for_each` task's items: how many there are and how many have settled.
    pub fn items(&self, task: TaskIx) -> Option<(u32, u32)> {
        let fan = self.fans.get(&task)?;
        let count = fan.items.len() as u32;
        Some((count, count - fan.left))
    }

    /// What a waiting task waits for; empty for any other.
    pub fn missing(&self, task: TaskIx) -> Vec<Missing> {
        if self.phase(task) != TaskPhase::Waiting {
            return Vec::new();
        }
        let lives = |task: &TaskIx| !self.phase(*task).is_final();
        let unset = self.plan.inputs.of(task.0).iter().copied();
        let unset = unset.filter(|&var| self.vars[var as usize].value.is_none());
        let mut missing: Vec<Missing> = unset
            .map(|var| {
                let name = self.plan.var_name(var);
                let producers = self.plan.producers_of(name).into_iter().filter(lives).collect();
                Missing::Variable(name.to_owned(), producers)
            })
            .collect();
        let undone = self.plan.dependencies.of(task.0).iter().map(|&on| TaskIx(on));
        let undone = undone.filter(|&on| !self.phase(on).is_success());
        missing.extend(undone.map(Missing::Task));
        if self.plan.task(task).kind == TaskKind::Barrier {
            let inner = self.plan.inner_barriers.iter().position(|inner| inner.task == task);
            let open = inner.map_or(self.unsettled_tasks, |at| self.inner_open[at]);
            if open > 0 {
                missing.push(Missing::Barrier(open));
            }
        }
        missing
    }
}
