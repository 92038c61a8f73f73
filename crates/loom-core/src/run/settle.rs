//! What a task that has settled means for the others: variables are set, dependencies done,
//! barriers open, and whoever has everything fires.

use super::{Assignment, Run};
use crate::plan::{Plan, VarIx};
use crate::secret;
use crate::{Output, TaskIx, TaskKind, TaskPhase, TaskRef, TaskStep, Variable};
use std::sync::Arc;

impl Run {
    /// A task has reached a final phase, having set these variables.
    pub(super) fn settle(&mut self, task: TaskIx, outputs: &[Output]) {
        let plan = Arc::clone(&self.plan);
        let traits = plan.traits(task);
        let slot = &mut self.slots[task.at()];
        let success = slot.progress.phase.is_success();
        slot.unwanted &= slot.progress.phase == TaskPhase::Cancelled;
        self.to_skip.remove(&task);
        self.announce(task, outputs);
        self.settled_some = true;
        self.unsettled -= 1;
        if traits.kind != TaskKind::Barrier {
            self.open_barriers(&plan, task);
        }
        for &var in plan.outputs.of(task.0) {
            self.vars[var as usize].producers_left -= 1;
        }
        for output in outputs.iter().filter(|output| output.declared) {
            self.set_variable(&plan, task, output);
        }
        for &var in plan.outputs.of(task.0) {
            let slot = &self.vars[var as usize];
            if slot.value.is_none() && slot.producers_left == 0 {
                self.doubtful.extend(plan.consumers.of(var).iter().map(|&task| TaskIx(task)));
            }
        }
        if traits.wildcard {
            self.wildcards_left -= 1;
            if self.wildcards_left <= 1 {
                self.doubt_all_waiting();
            }
        }
        for &next in plan.dependents.of(task.0) {
            if success {
                self.satisfied(TaskIx(next));
            } else {
                self.doubtful.push(TaskIx(next));
            }
        }
    }

    fn open_barriers(&mut self, plan: &Plan, settled: TaskIx) {
        self.unsettled_tasks -= 1;
        if self.unsettled_tasks == 0 {
            plan.last_barriers.iter().for_each(|&barrier| self.satisfied(barrier));
        }
        for (barrier, open) in plan.inner_barriers.iter().zip(0..) {
            if !barrier.downstream[settled.at()] {
                self.inner_open[open] -= 1;
                if self.inner_open[open] == 0 {
                    self.satisfied(barrier.task);
                }
            }
        }
    }

    fn doubt_all_waiting(&mut self) {
        let waiting = |at: &usize| self.slots[*at].progress.phase == TaskPhase::Waiting;
        self.doubtful.extend((0..self.slots.len()).filter(waiting).map(|at| TaskIx(at as u32)));
    }

    fn set_variable(&mut self, plan: &Plan, task: TaskIx, output: &Output) {
        if let Some(var) = self.assign(task, output) {
            plan.consumers.of(var).iter().for_each(|&task| self.satisfied(TaskIx(task)));
        }
    }

    /// Sets a variable; answers with it if it was not set before and some task may wait for it.
    pub(super) fn assign(&mut self, task: TaskIx, output: &Output) -> Option<VarIx> {
        if output.secret {
            Arc::make_mut(&mut self.secrets).extend(secret::of_value(&output.value));
        }
        let Some(var) = self.plan.find_output(task, &output.name) else {
            if let Some(trace) = &mut self.trace {
                trace.set.push(Assignment::Other(output.clone()));
            }
            return None;
        };
        let Output { name, value, secret, .. } = output.clone();
        let before = self.vars[var as usize].value.replace(Variable { name, value, secret });
        let is_first = before.is_none();
        if let Some(trace) = &mut self.trace {
            trace.set.push(Assignment::Named { var, before, secret });
        }
        is_first.then_some(var)
    }

    /// Texts that must not be shown from now on.
    pub(super) fn keep_secret(&mut self, variables: &[Variable]) {
        for variable in variables.iter().filter(|variable| variable.secret) {
            Arc::make_mut(&mut self.secrets).extend(secret::of_value(&variable.value));
        }
    }

    /// One of the things that a task waits for is there.
    fn satisfied(&mut self, task: TaskIx) {
        let slot = &mut self.slots[task.at()];
        if slot.progress.phase == TaskPhase::Waiting {
            slot.missing -= 1;
            if slot.missing == 0 {
                self.fire(task);
            }
        }
    }

    /// Everything that a task waits for is there.
    pub(super) fn fire(&mut self, task: TaskIx) {
        if self.is_external() {
            // It waits for its system to start it.
            return;
        }
        if let Some(trace) = &mut self.trace {
            trace.fired.push(task);
        }
        self.wind_down |= self.is_ending();
        if self.plan.traits(task).gated && !self.fans.contains_key(&task) {
            self.due.push_back(task);
        } else {
            self.slots[task.at()].progress.step(TaskStep::Fire);
            self.enqueue(TaskRef::whole(task));
        }
    }

    pub(super) fn enqueue(&mut self, task: TaskRef) {
        if let Some(item) = task.item
            && let Some(fan) = self.fans.get_mut(&task.task)
        {
            fan.queue.push_back(item);
        }
        let slot = &mut self.slots[task.task.at()];
        if !slot.queued && !slot.progress.phase.is_final() {
            slot.queued = true;
            let traits = self.plan.traits(task.task);
            let queue =
                if traits.takes_a_place() { &mut self.ready } else { &mut self.instant_ready };
            queue.push(traits.priority, task.task);
        }
    }
}
