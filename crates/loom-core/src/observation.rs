//! What another system says of a run that it executes.

use crate::{Failure, Output, RunOutcome, TaskDef};
use std::time::Duration;

/// One thing that is said of a run. It may be said twice, late or out of order: what is known already
/// changes nothing, and what was left out is made up for.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The run began.
    Began,
    /// A task is there, or has come so far.
    Task(Box<ObservedTask>),
    /// The run ended. What has not been heard of by then is settled with it.
    Ended(RunOutcome),
    /// Nothing was heard of the run for so long that it counts as cancelled.
    Lost {
        /// Who says so.
        by: String,
        /// Why.
        reason: String,
    },
}

/// How far a task has come.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedTask {
    /// The task; it is declared if the run has none of this name.
    pub def: TaskDef,
    /// Where it stands.
    pub phase: ObservedPhase,
    /// How long it took, all attempts together.
    pub ran: Option<Duration>,
    /// Every failure of it so far, in order; of a task that failed, the last is what it failed with.
    pub failures: Vec<Failure>,
    /// What it emitted, if it succeeded.
    pub outputs: Vec<Output>,
}

/// Where a task stands, as its system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedPhase {
    /// It has not started.
    Waiting,
    /// An attempt is under way.
    Running,
    /// An attempt failed, and there will be another.
    BackingOff,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
}
