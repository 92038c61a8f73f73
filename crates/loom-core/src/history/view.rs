//! What can be asked of a history.

use super::{Act, Counts, History, Intervention, TaskRecord, VariableRecord};
use crate::run::Run;
use crate::{RunState, TaskIx, TaskRef, Timestamp};
use std::time::Duration;

impl History {
    /// The run as it stands after the last event.
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// When the run was accepted.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it began.
    pub const fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    /// When it ended; `None` again once it is reopened.
    pub const fn finished_at(&self) -> Option<Timestamp> {
        self.finished_at
    }

    /// How long it was open until its end, or until now: from its start, without the time that it lay
    /// ended before it was reopened. `None` if it never started.
    pub fn took(&self, now: Timestamp) -> Option<Duration> {
        Some(self.open_before + self.took_since_opened(now)?)
    }

    /// The part of that since it started, or was reopened last.
    pub fn took_since_opened(&self, now: Timestamp) -> Option<Duration> {
        Some(self.finished_at.unwrap_or(now).since(self.opened_at?))
    }

    /// The sequence number of the last event; 0 before the first.
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// When something last happened: its acceptance before the first event.
    pub const fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// What is known of a task.
    pub fn task(&self, task: TaskIx) -> &TaskRecord {
        &self.tasks[task.at()]
    }

    /// What is known of each task, in the order of the file.
    pub fn tasks(&self) -> impl Iterator<Item = (TaskIx, &TaskRecord)> {
        self.tasks.iter().enumerate().map(|(at, task)| (TaskIx(at as u32), task))
    }

    /// Tasks by phase. Kept up to date with each event, so reading it costs nothing.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Items of `for_each` tasks by phase, kept likewise. Items of a task that was cancelled or skipped
    /// before they ran count as it does.
    pub const fn item_counts(&self) -> Counts {
        self.item_counts
    }

    /// Tasks and items with an attempt that works now, in the order of the file.
    pub fn running(&self) -> impl ExactSizeIterator<Item = TaskRef> {
        self.running.iter().copied()
    }

    /// Every time that a variable was set, in order.
    pub fn emissions(&self) -> impl Iterator<Item = VariableRecord<'_>> {
        self.emissions.iter(&self.run)
    }

    /// Every variable that is set, by name.
    pub fn variables(&self) -> impl Iterator<Item = VariableRecord<'_>> {
        self.emissions.current(&self.run).into_values()
    }

    /// One variable, if it is set.
    pub fn variable(&self, name: &str) -> Option<VariableRecord<'_>> {
        self.emissions.last_of(&self.run, name)
    }

    /// Everything that people did to the run, in order.
    pub fn interventions(&self) -> &[Intervention] {
        &self.interventions
    }

    /// Who paused the run, if it is paused.
    pub fn paused(&self) -> Option<&Intervention> {
        let mut last_first = self.interventions.iter().rev();
        let pause = last_first.find(|intervention| intervention.act == Act::Pause);
        pause.filter(|_| self.run.state() == RunState::Paused)
    }

    /// Who asked for the run's end.
    pub fn cancellation(&self) -> Option<&Intervention> {
        let mut last_first = self.interventions.iter().rev();
        last_first.find(|intervention| matches!(intervention.act, Act::Cancel(_)))
    }
}
