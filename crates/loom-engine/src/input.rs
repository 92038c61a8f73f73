//! Everything that can wake an engine, and how it answers.

use loom_core::{Plan, Refusal, Report, Request, RunId, Variable};
use loom_store::{DefinitionHash, OwnerId, Posted, RunCommit, RunMeta, StoreError};
use std::fmt;
use std::sync::Arc;

/// A run to be started.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// The run's identity, new in the store.
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
}

/// An answer that is given once what it tells is durable.
pub type Reply = Box<dyn FnOnce(Result<(), EngineError>) + Send>;

/// The closed list of what can wake an engine.
pub enum Input {
    /// Create a run and begin it.
    Submit(Box<NewSubmission>, Reply),
    /// Take up a run of the store that no living process has, and ask something of it. With a
    /// request for anything but its end or a pause, a paused run goes on; without one it stays as it
    /// is.
    Adopt(RunId, Option<Request>, Reply),
    /// Ask something of a run.
    Request(RunId, Request, Reply),
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
    pub(crate) const fn wants_answer(&self) -> bool {
        matches!(self, Self::Submit(..) | Self::Adopt(..) | Self::Request(..))
    }

    /// Answers whoever waits for an answer, if anybody does.
    pub(crate) fn answer(self, answer: Result<(), EngineError>) {
        if let Self::Submit(_, reply) | Self::Adopt(_, _, reply) | Self::Request(_, _, reply) = self
        {
            reply(answer);
        }
    }
}

/// Is told what has been committed, on the engine's thread: it must not wait.
pub trait Observer: Send {
    /// These commits are durable.
    fn committed(&mut self, commits: &[RunCommit]);
}

/// Why the engine did not do as it was asked.
#[derive(Debug, Clone)]
pub enum EngineError {
    /// The run's state does not allow it.
    Refused(Refusal),
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
