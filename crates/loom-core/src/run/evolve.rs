//! What each event does to the state. Total and quiet: events were legal when they were emitted.

use super::Run;
use crate::run::fan::Fan;
use crate::run::slot::Progress;
use crate::secret;
use crate::{
    Event, OnFailure, Output, RunOutcome, RunState, SkipReason, TaskIx, TaskKind, TaskPhase,
    TaskRef, TaskStep, Timestamp,
};
use std::sync::Arc;

impl Run {
    pub(super) fn evolve(&mut self, event: &Event) {
        self.events_so_far += 1;
        match event {
            Event::RunStarted { .. } | Event::RunResumed { .. } => self.state = RunState::Running,
            Event::RunPaused { .. } => self.state = RunState::Paused,
            Event::CancelRequested { .. } => {
                self.cancelling = true;
                self.wind_down = true;
            }
            Event::RunReopened { tasks, .. } => self.reopen(tasks),
            Event::RunFinished { outcome, .. } => self.finished(*outcome),
            Event::Declared { .. } => self.declared(event),
            Event::Fired { task, items, secret, .. } => {
                self.fired(task.task, items.clone(), *secret);
            }
            Event::Assigned { task, attempt, .. } => self.assigned(*task, *attempt),
            Event::Started { task, attempt, .. } => self.started(*task, *attempt),
            Event::Succeeded { task, outputs, .. } => self.attempt_succeeded(*task, outputs),
            Event::Failed { task, retry_at, .. } => self.attempt_failed(*task, *retry_at),
            Event::Gathered { task, failed, .. } => self.gathered(task.task, *failed),
            Event::Interrupted { task, .. } => self.interrupted(*task),
            Event::Skipped { task, reason, .. } => self.skipped(task.task, reason),
            Event::TaskCancelRequested { task, .. } => {
                self.slots[task.task.at()].unwanted = true;
            }
            Event::SkipRequested { task, by, reason, .. } => {
                let reason = SkipReason::ByHand { by: by.clone(), reason: reason.clone() };
                self.to_skip.insert(task.task, reason);
            }
            Event::Amended { task, max_attempts, inputs, .. } => {
                self.take_amendment(task.task, *max_attempts, inputs);
            }
            Event::Emitted { .. } => _ = self.announced.pop_front(),
            Event::Cancelled { task, .. } => self.cancelled(*task),
            Event::Resolved { task, outputs, .. } => self.resolved(task.task, outputs),
        }
    }

    fn finished(&mut self, outcome: RunOutcome) {
        self.state = match outcome {
            RunOutcome::Succeeded => RunState::Succeeded,
            RunOutcome::Failed => RunState::Failed,
            RunOutcome::Cancelled => RunState::Cancelled,
        };
        self.ready.clear();
        self.instant_ready.clear();
        self.slots.iter_mut().for_each(|slot| slot.queued = false);
        self.backoffs.clear();
    }

    fn fired(&mut self, task: TaskIx, items: Option<Vec<crate::Value>>, secret: bool) {
        self.slots[task.at()].progress.step(TaskStep::Fire);
        if let Some(items) = items {
            if secret {
                Arc::make_mut(&mut self.secrets).extend(items.iter().flat_map(secret::of_value));
            }
            if items.is_empty() {
                self.due.push_back(task);
            }
            self.fans.insert(task, Fan::new(items));
        }
        self.enqueue(TaskRef::whole(task));
    }

    fn assigned(&mut self, task: TaskRef, attempt: u32) {
        self.end_backoff(task);
        let progress = self.progress_mut(task);
        progress.held = true;
        progress.attempt = attempt;
        self.held += 1;
        if let Some(fan) = self.fan_of(task) {
            fan.out += 1;
        }
    }

    fn started(&mut self, task: TaskRef, attempt: u32) {
        self.end_backoff(task);
        let goes_on_after_all = self.to_skip.remove(&task.task).is_some();
        let fires_now = self.is_external();
        let progress = self.progress_mut(task);
        if fires_now && progress.phase == TaskPhase::Waiting {
            progress.step(TaskStep::Fire);
        }
        let was_held = std::mem::take(&mut progress.held);
        progress.attempt = attempt;
        progress.step(TaskStep::Start);
        if was_held {
            self.held -= 1;
        } else if let Some(fan) = self.fan_of(task) {
            fan.out += 1;
        }
        let whole = &mut self.slots[task.task.at()].progress;
        if task.item.is_some() && whole.phase == TaskPhase::Ready {
            whole.step(TaskStep::Start);
        }
        let traits = self.plan.traits(task.task);
        match traits.kind {
            TaskKind::Work => self.working += 1,
            TaskKind::Instant | TaskKind::Barrier => self.instant += 1,
        }
        if traits.exclusive {
            self.alone = Some(task.task);
        }
        if goes_on_after_all {
            // Its other items were passed over meanwhile.
            self.enqueue(TaskRef::whole(task.task));
        }
    }

    /// The attempt is with the executor no more.
    fn attempt_over(&mut self, task: TaskRef) {
        if self.is_fan_as_whole(task) {
            return;
        }
        let progress = self.progress_mut(task);
        if std::mem::take(&mut progress.held) {
            self.held -= 1;
        } else if progress.phase == TaskPhase::Running {
            match self.plan.traits(task.task).kind {
                TaskKind::Work => self.working -= 1,
                TaskKind::Instant | TaskKind::Barrier => self.instant -= 1,
            }
        } else {
            return;
        }
        let winding_down = self.is_stopping(task.task);
        if let Some(fan) = self.fan_of(task) {
            fan.out -= 1;
            if fan.out == 0 && winding_down {
                self.due.push_back(task.task);
            }
        }
        if self.alone == Some(task.task) {
            self.alone = None;
        }
    }

    fn attempt_succeeded(&mut self, task: TaskRef, outputs: &[Output]) {
        self.attempt_over(task);
        self.progress_mut(task).step(TaskStep::Succeed);
        match (self.fans.get_mut(&task.task), task.item) {
            (Some(fan), Some(item)) => {
                let declared = outputs.iter().filter(|output| output.declared);
                fan.outputs[item as usize] = declared.cloned().collect();
                self.item_settled(task.task);
            }
            _ => self.settle(task.task, outputs),
        }
    }

    fn attempt_failed(&mut self, task: TaskRef, retry_at: Option<Timestamp>) {
        self.attempt_over(task);
        let progress = self.progress_mut(task);
        progress.failures += 1;
        if let Some(at) = retry_at {
            progress.step(TaskStep::BackOff);
            self.backoffs.add(task, at);
            return;
        }
        progress.step(TaskStep::Fail);
        self.stop_if_fatal(task.task);
        match self.fans.get_mut(&task.task) {
            Some(fan) if task.item.is_some() => {
                fan.failed += 1;
                self.item_settled(task.task);
            }
            _ => self.task_failed(task.task),
        }
    }

    fn stop_if_fatal(&mut self, task: TaskIx) {
        let fatal = self.plan.definition().on_failure == OnFailure::Stop
            && !self.plan.traits(task).allow_failure;
        if fatal && self.stopped_by.is_none() {
            self.stopped_by = Some(task);
            self.wind_down = true;
        }
    }

    fn task_failed(&mut self, task: TaskIx) {
        self.failed += u32::from(!self.plan.traits(task).allow_failure);
        self.settle(task, &[]);
    }

    fn item_settled(&mut self, task: TaskIx) {
        let fan = self.fans.get_mut(&task).expect("an item has its fan");
        fan.left -= 1;
        if fan.left == 0 {
            self.due.push_back(task);
        }
    }

    fn gathered(&mut self, task: TaskIx, failed: u32) {
        self.backoffs.remove_with_items(TaskRef::whole(task));
        let progress = &mut self.slots[task.at()].progress;
        if progress.phase == TaskPhase::Ready {
            progress.step(TaskStep::Start);
        }
        if failed > 0 {
            progress.step(TaskStep::Fail);
            let some_succeeded = (failed as usize) < self.fans[&task].progress.len();
            if !self.plan.traits(task).allow_failure {
                self.task_failed(task);
            } else if some_succeeded {
                self.settle_with_lists(task);
            } else {
                self.settle(task, &[]);
            }
        } else {
            progress.step(TaskStep::Succeed);
            self.settle_with_lists(task);
        }
    }

    fn settle_with_lists(&mut self, task: TaskIx) {
        let names = self.plan.task(task).outputs.names.iter().map(|decl| decl.name.clone());
        let outputs = self.fans[&task].gathered(names);
        self.settle(task, &outputs);
    }

    fn interrupted(&mut self, task: TaskRef) {
        let was_running = self.progress(task).phase == TaskPhase::Running;
        self.attempt_over(task);
        if was_running {
            self.progress_mut(task).step(TaskStep::Interrupt);
        }
        self.wind_down |= self.is_ending();
        if self.is_leaving(task.task) {
            self.due.push_back(task.task);
        }
        self.enqueue(task);
    }

    fn skipped(&mut self, task: TaskIx, reason: &SkipReason) {
        self.end_backoff(TaskRef::whole(task));
        let slot = &mut self.slots[task.at()];
        slot.progress.step(TaskStep::Skip);
        slot.reopens = !matches!(reason, SkipReason::Condition { .. } | SkipReason::ByHand { .. });
        self.settle(task, &[]);
    }

    fn cancelled(&mut self, task: TaskRef) {
        self.attempt_over(task);
        self.backoffs.remove_with_items(task);
        self.progress_mut(task).step(TaskStep::Cancel);
        if task.item.is_some() {
            self.item_settled(task.task);
            return;
        }
        let slot = &mut self.slots[task.task.at()];
        slot.reopens = !self.cancelling && !slot.unwanted;
        let counts = slot.unwanted && !self.plan.traits(task.task).allow_failure;
        self.failed += u32::from(counts);
        self.settle(task.task, &[]);
    }

    fn resolved(&mut self, task: TaskIx, outputs: &[Output]) {
        let slot = &mut self.slots[task.at()];
        let had_settled = slot.progress.phase.is_final();
        slot.progress.step(TaskStep::Resolve);
        slot.unwanted = false;
        if had_settled {
            self.announce(task, outputs);
            for output in outputs.iter().filter(|output| output.declared) {
                self.assign(task, output);
            }
            self.recount();
        } else {
            self.settle(task, outputs);
        }
    }

    /// When a run is replayed, an attempt may start, or its task be skipped, without the backoff
    /// having been ended by [`crate::Command::Wake`], which is not recorded.
    fn end_backoff(&mut self, task: TaskRef) {
        if self.progress(task).phase == TaskPhase::BackingOff {
            self.backoffs.remove(task);
            self.progress_mut(task).step(TaskStep::Due);
        }
    }

    fn fan_of(&mut self, task: TaskRef) -> Option<&mut Fan> {
        task.item.and_then(|_| self.fans.get_mut(&task.task))
    }

    /// A `for_each` task runs, but only its items are attempted.
    pub(super) fn is_fan_as_whole(&self, task: TaskRef) -> bool {
        task.item.is_none() && self.fans.contains_key(&task.task)
    }

    pub(super) fn progress(&self, task: TaskRef) -> &Progress {
        self.find_progress(task).expect("events name tasks and items that exist")
    }

    pub(super) fn find_progress(&self, task: TaskRef) -> Option<&Progress> {
        match task.item {
            Some(item) => self.fans.get(&task.task)?.progress.get(item as usize),
            None => self.slots.get(task.task.at()).map(|slot| &slot.progress),
        }
    }

    pub(super) fn progress_mut(&mut self, task: TaskRef) -> &mut Progress {
        match task.item {
            Some(item) => {
                let fan = self.fans.get_mut(&task.task).expect("an item has its fan");
                &mut fan.progress[item as usize]
            }
            None => &mut self.slots[task.task.at()].progress,
        }
    }
}
