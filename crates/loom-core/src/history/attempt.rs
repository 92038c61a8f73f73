//! What is remembered of one attempt.

use crate::{Failure, Output, Timestamp};

/// One try at a task or item.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRecord {
    /// Counts from 1, for each item apart.
    pub number: u32,
    /// The item, for a `for_each` task.
    pub item: Option<u32>,
    /// The sequence number of the event that handed it over: it saw what variables held then.
    pub seq: u64,
    /// Since when it could have started: what lies between this and the start is waiting for a
    /// worker or another limit.
    pub ready_at: Timestamp,
    /// When it was handed over ahead of a free worker, if it was.
    pub assigned_at: Option<Timestamp>,
    /// When it started; `None` for one that is still held back, or never came to start.
    pub started_at: Option<Timestamp>,
    /// What became of it.
    pub result: AttemptResult,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptResult {
    /// Nothing yet.
    UnderWay,
    /// It succeeded.
    Succeeded {
        /// When.
        at: Timestamp,
        /// What it emitted without the task declaring it. It is kept and fires nothing.
        undeclared: Box<[Output]>,
    },
    /// It failed.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        failure: Box<Failure>,
        /// When the next attempt may start; `None` if the task or item failed with this one.
        retry_at: Option<Timestamp>,
    },
    /// The process that ran it ended; it did not count.
    Interrupted {
        /// When that was found.
        at: Timestamp,
    },
    /// It was stopped with its task or run.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

impl AttemptRecord {
    /// When it ended.
    pub const fn ended_at(&self) -> Option<Timestamp> {
        match self.result {
            AttemptResult::UnderWay => None,
            AttemptResult::Succeeded { at, .. }
            | AttemptResult::Failed { at, .. }
            | AttemptResult::Interrupted { at }
            | AttemptResult::Cancelled { at } => Some(at),
        }
    }

    /// Why it failed, if it did.
    pub const fn failure(&self) -> Option<&Failure> {
        match &self.result {
            AttemptResult::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// When the next attempt may start.
    pub const fn retry_at(&self) -> Option<Timestamp> {
        match self.result {
            AttemptResult::Failed { retry_at, .. } => retry_at,
            _ => None,
        }
    }

    /// Whether it is working now.
    pub const fn is_running(&self) -> bool {
        matches!(self.result, AttemptResult::UnderWay) && self.started_at.is_some()
    }

    /// Since when the attempt after it could start, if its own end allows one.
    pub(super) const fn next_ready_at(&self) -> Option<Timestamp> {
        match self.result {
            AttemptResult::Failed { retry_at, .. } => retry_at,
            AttemptResult::Interrupted { at } => Some(at),
            _ => None,
        }
    }
}
