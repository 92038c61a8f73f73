//! Counting from scratch: at the start of a run, and when it is reopened.

use super::Run;
use crate::{RunState, TaskIx, TaskKind, TaskPhase, TaskRef, TaskStep};
use std::sync::Arc;

impl Run {
    /// Failed tasks are ready again, and what was skipped or stopped for a failure waits; as do those
    /// that failed before they fired, for their `when` and `for_each` have yet to be decided, and
    /// those that were cancelled alone.
    pub(super) fn reopen(&mut self, failed: &[TaskRef]) {
        // A pause outlasts a retry.
        if self.state.is_final() {
            self.state = RunState::Running;
        }
        self.cancelling = false;
        self.stopped_by = None;
        self.wind_down = false;
        for &task in failed {
            let fan = self.fans.get_mut(&task.task);
            let slot = &mut self.slots[task.task.at()];
            let progress = &mut slot.progress;
            // One that was cancelled may not have fired, and fires again if it can.
            let had_fired =
                progress.phase == TaskPhase::Failed && (progress.attempt > 0 || fan.is_some());
            progress.step(if had_fired { TaskStep::Retry } else { TaskStep::Reopen });
            progress.failures = 0;
            slot.unwanted = false;
            slot.reopens = false;
            if let Some(fan) = fan {
                fan.reopen();
            }
            if had_fired {
                self.enqueue(TaskRef::whole(task.task));
            }
        }
        for (at, slot) in self.slots.iter_mut().enumerate() {
            if std::mem::take(&mut slot.reopens) {
                slot.progress.step(TaskStep::Reopen);
                slot.progress.failures = 0;
                if let Some(fan) = self.fans.get_mut(&TaskIx(at as u32)) {
                    fan.reopen();
                }
            }
        }
        self.recount();
    }

    /// Derives every counter from the phases and the variables that are set, and fires what waits
    /// for nothing.
    pub(super) fn recount(&mut self) {
        self.count_tasks();
        self.settled_some = true;
        let plan = Arc::clone(&self.plan);
        for at in 0..self.slots.len() {
            if self.slots[at].progress.phase == TaskPhase::Waiting {
                let task = TaskIx(at as u32);
                let (missing, doubtful) = self.count_missing(task);
                self.slots[at].missing = missing;
                if doubtful {
                    self.doubtful.push(task);
                }
            }
        }
        if self.unsettled_tasks > 0 {
            for &barrier in &plan.last_barriers {
                self.slots[barrier.at()].missing += 1;
            }
        }
        for (barrier, &open) in plan.inner_barriers.iter().zip(&self.inner_open) {
            self.slots[barrier.task.at()].missing += u32::from(open > 0);
        }
        for at in 0..self.slots.len() {
            let slot = &self.slots[at];
            if slot.progress.phase == TaskPhase::Waiting && slot.missing == 0 {
                self.fire(TaskIx(at as u32));
            }
        }
    }

    /// Counts what has failed and what has yet to settle.
    fn count_tasks(&mut self) {
        let plan = Arc::clone(&self.plan);
        self.failed = 0;
        self.unsettled = 0;
        self.unsettled_tasks = 0;
        self.wildcards_left = 0;
        self.inner_open = vec![0; plan.inner_barriers.len()];
        self.vars.iter_mut().for_each(|var| var.producers_left = 0);
        for (task, traits) in plan.all_traits() {
            let phase = self.slots[task.at()].progress.phase;
            if phase.is_final() {
                let failed = self.has_come_to_grief(task) && !traits.allow_failure;
                self.failed += u32::from(failed);
                continue;
            }
            self.unsettled += 1;
            for &var in plan.outputs.of(task.0) {
                self.vars[var as usize].producers_left += 1;
            }
            self.wildcards_left += u32::from(traits.wildcard);
            if traits.kind != TaskKind::Barrier {
                self.unsettled_tasks += 1;
                for (barrier, open) in plan.inner_barriers.iter().zip(&mut self.inner_open) {
                    *open += u32::from(!barrier.downstream[task.at()]);
                }
            }
        }
    }

    /// What a task waits for, its barrier apart, and whether some of it may never come.
    fn count_missing(&self, task: TaskIx) -> (u32, bool) {
        let mut missing = 0;
        let mut doubtful = false;
        for &var in self.plan.inputs.of(task.0) {
            let var = &self.vars[var as usize];
            if var.value.is_none() {
                missing += 1;
                doubtful |= var.producers_left == 0;
            }
        }
        for &on in self.plan.dependencies.of(task.0) {
            let phase = self.slots[on as usize].progress.phase;
            if !phase.is_success() {
                missing += 1;
                doubtful |= phase.is_final();
            }
        }
        (missing, doubtful)
    }
}
