//! What goes into a store and what comes out.

use crate::RunMeta;
use loom_core::{Definition, Event, Request, RunId, RunState, Timestamp, Variable};
use std::sync::Arc;

/// A definition's identity: the SHA-256 of its canonical JSON.
pub type DefinitionHash = [u8; 32];

/// Names the process that owns a run. Unique in the store for as long as the store lives.
pub type OwnerId = String;

/// A run to be created.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// What it executes.
    pub definition: Arc<Definition>,
    /// The definition's identity.
    pub hash: DefinitionHash,
    /// The variables set at its start: the workflow's `env` and the caller's.
    pub variables: Arc<Vec<Variable>>,
    /// The most tasks of the run at once.
    pub workers: u32,
    /// The folder that relative paths of the workflow start from.
    pub base: String,
    /// When it was accepted: the time in the run's identity, give or take a minute. Stores rely on it
    /// to find runs by their age.
    pub created_at: Timestamp,
    /// What is said about it.
    pub meta: Arc<RunMeta>,
}

/// What is to be recorded of one run.
#[derive(Clone, Debug)]
pub struct RunCommit {
    /// The run.
    pub run: RunId,
    /// Present if this creates the run; it is then the committing owner's.
    pub new: Option<NewRun>,
    /// The sequence number of the first of `events`; a run's first event has number 1.
    pub first_seq: u64,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// The requests posted for the run that are dealt with, and how.
    pub settles: Vec<(RequestId, Verdict)>,
    /// The state that the run is in after them.
    pub state: RunState,
    /// Whether the state differs from the one last committed; a store may skip updating what it
    /// lists otherwise.
    pub state_changed: bool,
}

/// A run as the engine takes it up again.
#[derive(Debug)]
pub struct StoredRun {
    /// What it was created from.
    pub new: NewRun,
    /// All of its events, in order; the n-th has sequence number n.
    pub events: Vec<Event>,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The run is this owner's now (or was already).
    Claimed,
    /// A living process has it.
    OwnedBy(OwnerId),
}

/// Names a posted request. No two of a store ever have the same, answered and withdrawn ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// How a run's owner answers a request that was posted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What was asked for is recorded by the same commit.
    Granted,
    /// It never takes effect; why, as text.
    Refused(String),
}

impl Verdict {
    /// The answer to what still waits when its run ends.
    pub const RUN_ENDED: &str = "it ended before the request was taken up";

    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Granted => None,
            Self::Refused(why) => Some(why),
        }
    }
}

/// What became of a posted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// The run's owner, or the next one, will answer it.
    Waits,
    /// It is answered.
    Settled(Verdict),
    /// The store has nothing of it: it was withdrawn, or its run is deleted.
    Gone,
}

/// A request that was posted for a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// What settles it.
    pub id: RequestId,
    /// The run.
    pub run: RunId,
    /// The request, or why what is kept of it cannot be read: a newer version posted it, say.
    pub request: Result<Request, String>,
}

/// What lists show of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's version.
    pub version: String,
    /// The definition's identity.
    pub definition: DefinitionHash,
    /// Where the run stands.
    pub state: RunState,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it first ran.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The most tasks of the run at once.
    pub workers: u32,
    /// The folder that relative paths of the workflow start from.
    pub base: String,
    /// Whether a living process owns it. A run that has not ended and has no living owner was
    /// interrupted and can be resumed.
    pub alive: bool,
    /// What is said about it.
    pub meta: Arc<RunMeta>,
}

/// A page of runs.
#[derive(Clone, Debug)]
pub struct RunPage {
    /// The runs, in the order asked for.
    pub runs: Vec<RunSummary>,
    /// Whether there are more behind them that match.
    pub more: bool,
}

/// An event with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Counts from 1 within the run, without a gap.
    pub seq: u64,
    /// What happened. Secret values read as the text `***` here: only [`crate::RunStore::load`]
    /// unseals them.
    pub event: Event,
}

/// A page of a run's journal.
#[derive(Clone, Debug)]
pub struct JournalPage {
    /// The events, in order.
    pub events: Vec<Recorded>,
    /// Whether there are more behind them now.
    pub more: bool,
}

/// A place in what was recorded of all runs. A later row has a greater one, and no two rows of a
/// store ever have the same, pruned ones included; the difference of two means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedPosition(pub u64);

impl FeedPosition {
    /// Before the first row.
    pub const START: Self = Self(0);
}

/// Events of one run that were recorded together.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedRow {
    /// Where it stands.
    pub position: FeedPosition,
    /// The run.
    pub run: RunId,
    /// The hash of its definition.
    pub definition: DefinitionHash,
    /// By what its starter knows the matter, in the row with which the run starts; empty in all
    /// others.
    pub correlation_id: String,
    /// The number, within the run, of the first event.
    pub first_seq: u64,
    /// What happened, in order; at least one, unless they cannot be read. Secret values read as the
    /// text `***`.
    pub events: Vec<Event>,
    /// Why its events cannot be read, if they cannot: that keeps nobody from the rows behind it.
    pub damage: Option<String>,
}

/// A page of what was recorded of all runs.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// The rows, in order.
    pub rows: Vec<FeedRow>,
    /// Whether there are more behind them now.
    pub more: bool,
}
