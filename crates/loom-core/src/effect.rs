//! What the shell is asked to do once the events that led to it are durable.

use crate::plan::Plan;
use crate::{Output, RunId, TaskDef, TaskRef, Timestamp, Variable};
use serde_json::Value;
use std::sync::Arc;

/// Names one attempt in the whole store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AttemptKey {
    /// The run.
    pub run: RunId,
    /// The task or item.
    pub task: TaskRef,
    /// Counts from 1.
    pub attempt: u32,
}

/// Everything that an executor needs to run one attempt. Cheap to make and to pass on: what many
/// attempts share is shared.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Which attempt it is.
    pub key: AttemptKey,
    /// The run's plan; the task's definition is in it.
    pub plan: Arc<Plan>,
    /// Variables that every task of the run sees: the workflow's `env` and the caller's.
    pub shared: Arc<Vec<Variable>>,
    /// The declared inputs, as they were when the attempt was dispatched.
    pub inputs: Vec<Variable>,
    /// The item, for a `for_each` task.
    pub item: Option<Value>,
    /// Texts that must not appear in anything that is shown or kept readable.
    pub secrets: Arc<Vec<String>>,
    /// Whether the executor must hold the attempt back until one of the run's workers is free.
    /// It then reports that the attempt began.
    pub held: bool,
    /// The most attempts of this run that work at once; what an executor frees a held attempt by.
    pub lane_width: u32,
}

impl Attempt {
    /// The definition of the task that is attempted.
    pub fn task(&self) -> &TaskDef {
        self.plan.task(self.key.task.task)
    }
}

/// How an attempt is to be ended. The order is severity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stop {
    /// Ask it (TERM), and insist (KILL) after the grace period.
    Gently,
    /// KILL at once.
    Now,
}

/// The closed list of what the shell may be asked to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Start an attempt.
    Dispatch(Box<Attempt>),
    /// End an attempt that is under way; it still reports.
    Stop(AttemptKey, Stop),
    /// Take back an attempt that is still held; it then reports that it was stopped. One that has
    /// begun goes on.
    Recall(AttemptKey),
}

impl Effect {
    /// The run that it is about.
    pub const fn run(&self) -> RunId {
        match self {
            Self::Dispatch(attempt) => attempt.key.run,
            Self::Stop(key, _) | Self::Recall(key) => key.run,
        }
    }
}

/// What an executor says of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The task or item.
    pub task: TaskRef,
    /// The attempt.
    pub attempt: u32,
    /// What happened.
    pub news: News,
}

/// What happened to an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A held attempt began.
    Began(Timestamp),
    /// It ended well, with everything that it emitted, declared or not.
    Succeeded(Vec<Output>),
    /// It ended badly.
    Failed(crate::Failure),
    /// It was ended because that was asked for.
    Stopped,
}
