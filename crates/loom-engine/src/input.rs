//! Everything that can wake an engine, and how it answers.

use loom_core::{Observation, Plan, Refusal, Report, Request, RunId, Variable};
use loom_store::{DefinitionHash, OwnerId, Posted, RunCommit, RunMeta, StoreError};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A run to be started.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// The run's identity. If the store has a run of it, the submission is refused.
    pub id: RunId,
    /// What it executes.
    pub plan: Arc<Plan>,
    /// The definition's identity in the store.
    pub hash: DefinitionHash,
    /// The variables set at its start.
    pub variables: Arc<Vec<Variable>>,
    /// The most tasks at once.
    pub workers: u32,
    /// The folder that relative paths start from.
    pub base: String,
    /// What is said about it.
    pub meta: Arc<RunMeta>,
    /// Whether the run is only created, to begin when [`Input::Begin`] asks for it.
    pub hold: bool,
}

/// An answer that is given once what it tells is durable.
pub type Reply = Box<dyn FnOnce(Result<(), EngineError>) + Send>;

/// The closed list of what can wake an engine.
pub enum Input {
    /// Create a run, and begin it unless it is to be held.
    Submit(Box<NewSubmission>, Reply),
    /// Begin a run that was held, after taking it up if no living process has it.
    Begin(RunId, Reply),
    /// Take up a run of the store that no living process has, and ask something of it. With a
    /// request for anything but its end or a pause, a run that was paused or held goes on; without
    /// one it stays as it is.
    Adopt(RunId, Option<Request>, Reply),
    /// Ask something of a run.
    Request(RunId, Request, Reply),
    /// The system that executes a run says these things of it, in order, up to the first that is
    /// refused. The run is taken up if no living process has it.
    Observe(RunId, Vec<Observation>, Reply),
    /// Say that the engine takes inputs.
    Ping(Reply),
    /// These are the most tasks at once of queues, in place of those that were said before. A queue
    /// that [`crate::Options::queues`] names too has the smaller number.
    Queues(HashMap<String, u32>),
    /// Another process has asked something of a run, in the store.
    Posted(Posted),
    /// Executors say something of attempts.
    Reports(Vec<(RunId, Report)>),
    /// Start nothing new, pause all runs, and stop once nothing is under way.
    Drain {
        /// Who asks.
        by: String,
    },
    /// As [`Input::Drain`], but runs stay as they are, for whoever takes them up next.
    Leave,
    /// As [`Input::Drain`], ending what is under way.
    Kill {
        /// Who asks.
        by: String,
    },
}

impl Input {
    /// The run that is to be this engine's for it, if it is not yet.
    pub(crate) const fn takes_up(&self) -> Option<RunId> {
        match self {
            Self::Begin(run, _) | Self::Adopt(run, ..) | Self::Observe(run, ..) => Some(*run),
            _ => None,
        }
    }

    pub(crate) const fn wants_answer(&self) -> bool {
        matches!(
            self,
            Self::Submit(..)
                | Self::Begin(..)
                | Self::Adopt(..)
                | Self::Request(..)
                | Self::Observe(..)
                | Self::Ping(_)
        )
    }

    /// Answers whoever waits for an answer, if anybody does.
    pub(crate) fn answer(self, answer: Result<(), EngineError>) {
        if let Self::Submit(_, reply)
        | Self::Begin(_, reply)
        | Self::Adopt(_, _, reply)
        | Self::Request(_, _, reply)
        | Self::Observe(_, _, reply)
        | Self::Ping(reply) = self
        {
            reply(answer);
        }
    }
}

/// Is told what has been committed, on the engine's thread: it must not wait.
pub trait Observer: Send {
    /// These commits are durable.
    fn committed(&mut self, commits: &[RunCommit]);

    /// What another process asked of this run could not be read, and was dropped.
    fn dropped(&mut self, _run: RunId, _why: &str) {}

    /// This run waited, and cannot be read now that it was to go on: the engine has let go of it.
    fn lost(&mut self, _run: RunId, _error: &StoreError) {}
}

/// Why the engine did not do as it was asked.
#[derive(Debug, Clone)]
pub enum EngineError {
    /// The run's state does not allow it.
    Refused(Refusal),
    /// A run of this identity exists; nothing of it was changed.
    Exists(RunId),
    /// Another living process has the run.
    Alive(OwnerId),
    /// The run is not under way in this engine.
    NotHere(RunId),
    /// What an earlier process left behind could not be ended.
    Leftovers(String),
    /// The store failed.
    Store(Arc<StoreError>),
    /// Too many wait for an answer already; nothing of this was taken.
    Busy,
    /// The engine has stopped.
    Stopped,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Exists(run) => write!(f, "run {run} exists already"),
            Self::Alive(owner) => write!(f, "the run belongs to a living process ({owner})"),
            Self::NotHere(run) => write!(f, "run {run} is not under way here"),
            Self::Leftovers(why) => write!(f, "leftovers of a crash could not be ended: {why}"),
            Self::Store(error) => error.fmt(f),
            Self::Busy => f.write_str("too much waits for the engine already; try again later"),
            Self::Stopped => f.write_str("the engine has stopped"),
        }
    }
}

impl std::error::Error for EngineError {}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
