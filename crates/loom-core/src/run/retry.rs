//! Trying failed tasks again.

use super::Run;
use crate::{Event, Refusal, TaskIx, TaskRef, TaskStep, Timestamp};

impl Run {
    /// Opens one task that failed or was cancelled alone, or all of them, and with them everything that
    /// was skipped or stopped because of a failure. Each task opened has all of its attempts again.
    pub(super) fn retry(
        &mut self,
        by: String,
        task: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.ensure_can_reopen("retry")?;
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

    fn failed_task(&self, name: &str) -> Result<TaskRef, Refusal> {
        let task = self.named(name)?;
        if !self.has_come_to_grief(task) {
            let (phase, wanted) = (self.phase(task), TaskStep::Retry.verb());
            return Err(Refusal::Task { task: name.to_owned(), wanted, phase });
        }
        Ok(TaskRef::whole(task))
    }

    fn failed_tasks(&self) -> Vec<TaskRef> {
        let tasks = (0..self.slots.len()).map(|at| TaskIx(at as u32));
        tasks.filter(|&task| self.has_come_to_grief(task)).map(TaskRef::whole).collect()
    }
}
