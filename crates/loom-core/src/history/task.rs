//! What is remembered of one task.

use super::attempt::{AttemptRecord, AttemptResult};
use crate::{Failure, SkipReason, TaskIx, TaskRef, Timestamp};
use std::time::Duration;

/// How a task came to where it stands. Reopening a run forgets how its tasks had settled; attempts
/// are never forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRecord {
    /// Since when it has waited, or had before it was enabled: the run's start, or when the run was
    /// reopened for it.
    pub waiting_since: Timestamp,
    /// What made it ready; `None` while it waits, and if it settled without becoming ready.
    pub enabled: Option<Enabled>,
    /// Every attempt, in the order in which they were handed over. Items of a `for_each` task are
    /// mixed.
    pub attempts: Vec<AttemptRecord>,
    /// How it settled.
    pub settled: Option<Settled>,
    /// For a `for_each` task: item → place of its last attempt, `NO_ATTEMPT` before the first.
    last_of_item: Box<[u32]>,
    /// Place of the first attempt since it was last enabled.
    present_from: u32,
}

const NO_ATTEMPT: u32 = u32::MAX;

/// What let a task become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enabled {
    /// What did.
    pub by: Enabler,
    /// When.
    pub at: Timestamp,
    /// The sequence number of the event that did; 0 for the run's start.
    pub seq: u64,
}

/// What may let a task become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabler {
    /// The run's start: there was nothing to wait for.
    Start,
    /// That this task settled: it set the last input, was the last dependency, or the last that
    /// `end` waited for.
    Task(TaskIx),
    /// That the run was reopened.
    Reopened,
}

/// When and how a task settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// The sequence number of the event that settled it.
    pub seq: u64,
    /// How.
    pub how: Ending,
}

/// How a task settled.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Its last attempt, or all of its items, succeeded.
    Succeeded,
    /// Its last attempt, or some of its items, failed; the attempts say why.
    Failed,
    /// It failed before it could be attempted.
    FailedUnattempted(Box<Failure>),
    /// It will not run.
    Skipped(Box<SkipReason>),
    /// It was ended, alone or with its run.
    Cancelled,
    /// Somebody settled it.
    Resolved(Box<Resolution>),
}

/// Who settled a task by hand, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What it had failed with, if it had failed.
    pub failure: Option<Failure>,
}

impl TaskRecord {
    pub(super) fn waiting(since: Timestamp) -> Self {
        Self {
            waiting_since: since,
            enabled: None,
            attempts: Vec::new(),
            settled: None,
            last_of_item: Box::default(),
            present_from: 0,
        }
    }

    /// When it settled.
    pub fn settled_at(&self) -> Option<Timestamp> {
        self.settled.as_ref().map(|settled| settled.at)
    }

    /// Why it was skipped, and when.
    pub fn skipped(&self) -> Option<(Timestamp, &SkipReason)> {
        match self.settled.as_ref()? {
            Settled { at, how: Ending::Skipped(reason), .. } => Some((*at, reason)),
            _ => None,
        }
    }

    /// Who settled it by hand, and when.
    pub fn resolved(&self) -> Option<(Timestamp, &Resolution)> {
        match self.settled.as_ref()? {
            Settled { at, how: Ending::Resolved(resolution), .. } => Some((*at, resolution)),
            _ => None,
        }
    }

    /// Why it failed: the failure of the attempt that failed last, or the one that kept it from
    /// being attempted.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.settled {
            Some(Settled { how: Ending::FailedUnattempted(failure), .. }) => Some(failure),
            Some(Settled { how: Ending::Failed, .. }) => {
                let failed = self.attempts.iter().filter(|attempt| attempt.failure().is_some());
                failed.max_by_key(|attempt| attempt.ended_at()).and_then(AttemptRecord::failure)
            }
            _ => None,
        }
    }

    /// When its first attempt since it was enabled started.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.present_attempts().iter().filter_map(|attempt| attempt.started_at).min()
    }

    /// How long it has been at work by `now`: from its first attempt to its end. Nothing if none
    /// has started.
    pub fn took(&self, now: Timestamp) -> Option<Duration> {
        let until = self.settled_at().unwrap_or(now);
        self.started_at().map(|started| until.since(started))
    }

    /// The attempts since it was last enabled. Those before belong to a run that ended and was
    /// reopened.
    pub fn present_attempts(&self) -> &[AttemptRecord] {
        &self.attempts[self.present_from as usize..]
    }

    /// The last attempt of the task, or of one item.
    pub fn last_attempt(&self, item: Option<u32>) -> Option<&AttemptRecord> {
        self.attempts.get(self.last_place(item)?)
    }

    /// Since when it, or one item of it, could start (again): from when it was enabled, from the
    /// end of the last backoff, or from when the last attempt was cut off.
    pub fn ready_since(&self, item: Option<u32>) -> Option<Timestamp> {
        let enabled = self.enabled?.at;
        let present = self.last_place(item).filter(|&place| place >= self.present_from as usize);
        let again = present.and_then(|place| self.attempts.get(place)?.next_ready_at());
        Some(again.map_or(enabled, |again| again.max(enabled)))
    }

    fn last_place(&self, item: Option<u32>) -> Option<usize> {
        match item {
            Some(item) => self.last_of_item.get(item as usize).map(|&place| place as usize),
            None => self.attempts.len().checked_sub(1),
        }
    }

    pub(super) fn has_items(&mut self, count: usize) {
        self.last_of_item = vec![NO_ATTEMPT; count].into();
    }

    pub(super) fn enable(&mut self, by: Enabler, at: Timestamp, seq: u64) {
        self.enabled = Some(Enabled { by, at, seq });
        self.present_from = self.attempts.len() as u32;
    }

    pub(super) fn wait_again(&mut self, at: Timestamp) {
        self.waiting_since = at;
        self.enabled = None;
        self.settled = None;
    }

    pub(super) fn settle(&mut self, at: Timestamp, seq: u64, how: Ending) {
        self.settled = Some(Settled { at, seq, how });
    }

    /// An attempt was handed over, by this event, ahead of a free worker.
    pub(super) fn assigned(&mut self, task: TaskRef, number: u32, at: Timestamp, seq: u64) {
        self.push_attempt(task, number, at, seq).assigned_at = Some(at);
    }

    /// An attempt started, which was held back or is handed over by this event.
    pub(super) fn started(&mut self, task: TaskRef, number: u32, at: Timestamp, seq: u64) {
        match self.attempt_mut(task.item) {
            Some(attempt) if attempt.number == number => attempt.started_at = Some(at),
            _ => self.push_attempt(task, number, at, seq).started_at = Some(at),
        }
    }

    /// The attempt under way ended. Without one (the task was cancelled while it was ready, say)
    /// there is nothing to note.
    pub(super) fn ended(&mut self, task: TaskRef, result: AttemptResult) {
        let attempt = self.attempt_mut(task.item);
        if let Some(attempt) = attempt.filter(|attempt| attempt.ended_at().is_none()) {
            attempt.result = result;
        }
    }

    fn attempt_mut(&mut self, item: Option<u32>) -> Option<&mut AttemptRecord> {
        let place = self.last_place(item)?;
        self.attempts.get_mut(place)
    }

    fn push_attempt(
        &mut self,
        task: TaskRef,
        number: u32,
        now: Timestamp,
        seq: u64,
    ) -> &mut AttemptRecord {
        let ready_at = self.ready_since(task.item).unwrap_or(now);
        if self.attempts.is_empty() {
            // Most tasks have one attempt, and there may be many tasks.
            self.attempts.reserve_exact(1);
        }
        if let Some(item) = task.item {
            self.last_of_item[item as usize] = self.attempts.len() as u32;
        }
        self.attempts.push(AttemptRecord {
            number,
            item: task.item,
            seq,
            ready_at,
            assigned_at: None,
            started_at: None,
            result: AttemptResult::UnderWay,
        });
        self.attempts.last_mut().expect("it was pushed just now")
    }
}
