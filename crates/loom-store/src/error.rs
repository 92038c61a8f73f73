//! How a store fails, classified by what the caller may do next.

use crate::DefinitionHash;
use crate::record::hex;
use loom_core::RunId;
use std::fmt;

/// A store's failure. Nothing of the call took effect.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// There is no such run.
    NoRun(RunId),
    /// Somebody else changed the run, or owns it.
    Conflict(RunId),
    /// The run has not ended, which the call asks for.
    NotEnded(RunId),
    /// The store is locked by another process; trying again may help.
    Busy(String),
    /// There is no room left.
    Full(String),
    /// What was to be kept exceeds a limit.
    TooLarge(String),
    /// The store cannot be reached, read or written.
    Unavailable(String),
    /// The store's content is damaged.
    Corrupt(String),
    /// The key that the store's secrets are sealed with is not there.
    Key(String),
    /// The store was written by a newer version.
    Newer {
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
}

impl StoreError {
    /// The answer to a question about a definition that the store does not hold.
    pub fn no_definition(hash: &DefinitionHash) -> Self {
        let hash = hex(hash);
        Self::Unavailable(format!("it has no definition {hash}; the runs that used it were pruned"))
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub const fn may_retry(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRun(run) => write!(f, "the store has no run {run}"),
            Self::Conflict(run) => {
                write!(f, "run {run} was changed or taken over by somebody else")
            }
            Self::NotEnded(run) => write!(f, "run {run} has not ended"),
            Self::Busy(what) => write!(f, "the store is locked by another process: {what}"),
            Self::Full(what) => write!(f, "the store has no room left: {what}"),
            Self::TooLarge(what) => write!(f, "the store does not take it: {what}"),
            Self::Unavailable(what) => write!(f, "the store cannot be used: {what}"),
            Self::Corrupt(what) => write!(f, "the store is damaged: {what}"),
            Self::Key(what) => write!(f, "the store lacks its key: {what}"),
            Self::Newer { found, known } => write!(
                f,
                "the store has format {found}, written by a newer version; this one knows up to {known}"
            ),
        }
    }
}

impl std::error::Error for StoreError {}
