//! Trying failed tasks again.

use super::Run;
use crate::{Event, Refusal, RunState, TaskPhase, TaskRef, TaskStep, Timestamp};

impl Run {
    /// Opens one failed task, or all of them, and with them everything that was skipped or stopped
    /// because of a failure. Each task opened has all of its attempts again.
    pub(super) fn retry(
        &mut self,
        by: String,
        task: Option<String>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !matches!(self.state, RunState::Failed | RunState::Running | RunState::Paused)
            || self.is_ending() && !self.state.is_final()
        {
            return Err(Refusal::Run { wanted: "retry", state: self.state });
        }
        let tasks = match task {
            Some(name) => vec![self.failed_task(name)?],
            None => self.failed_tasks(),
        };
        if tasks.is_empty() {
            return Err(Refusal::Run { wanted: "retry", state: self.state });
        }
        self.emit(Event::RunReopened { at: now, by, tasks });
        Ok(())
    }

    fn failed_task(&self, name: String) -> Result<TaskRef, Refusal> {
        let Some(task) = self.plan.find_task(&name) else {
            return Err(Refusal::UnknownTask(name));
        };
        match self.slots[task.at()].progress.phase {
            TaskPhase::Failed => Ok(TaskRef::whole(task)),
            phase => Err(Refusal::Task { task: name, wanted: TaskStep::Retry, phase }),
        }
    }

    fn failed_tasks(&self) -> Vec<TaskRef> {
        let failed = |at: &usize| self.slots[*at].progress.phase == TaskPhase::Failed;
        let tasks = (0..self.slots.len()).filter(failed);
        tasks.map(|at| TaskRef::whole(crate::TaskIx(at as u32))).collect()
    }
}
