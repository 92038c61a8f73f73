//! The store seam: what the engine and the tools need of a store, and nothing of how one works.
//!
//! This crate is a seam, not an API: it belongs to neither side and changes with both.
//!
//! - [`RunStore`] is the engine's: commit, load, claim, requests.
//! - [`QueryStore`] is for those who look: runs, journals, definitions.
//! - [`UpkeepStore`] is the janitor's.
//! - [`DocumentStore`] is for those who keep small records beside the runs.
//!
//! [`MemoryStore`] is the reference model. Every implementation runs the same conformance suite
//! (feature `conformance`): one test a behaviour.
//!
//! Calls block. The engine makes them on its own thread, between gathering a batch and performing
//! its effects; nothing else waits for them.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod documents;
mod error;
mod memory;
mod meta;
mod params;
pub mod record;
pub mod search;

pub use documents::{Change, Document, DocumentPage, DocumentStore, Expect, Scan, Stale, Write};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use meta::RunMeta;
pub use params::{
    Claim, DefinitionHash, JournalPage, NewRun, OwnerId, Posted, Recorded, RunCommit, RunPage,
    RunSummary, StoredRun,
};
pub use record::definition_hash;
pub use search::{Retention, RunCursor, RunFilter, RunSort, TimeRange};

use loom_core::{Definition, Request, RunId, RunState};
use std::collections::BTreeMap;

/// What the engine needs. One value is one owner's session: runs that it creates or claims are
/// its own until it releases them or its process ends.
pub trait RunStore: Send {
    /// Records everything in `commits`, in order, or nothing: one transaction, durable when it
    /// returns. A commit whose `first_seq` is not the run's next sequence number, or whose run
    /// belongs to another owner, is [`StoreError::Conflict`].
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError>;

    /// Everything that is recorded of a run.
    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError>;

    /// Makes the run this owner's, unless a living owner has it.
    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError>;

    /// Gives the run up, so that others may claim it. No effect if it is not this owner's.
    fn release(&mut self, run: RunId) -> Result<(), StoreError>;

    /// Takes the requests posted for runs of this owner since the last call, oldest first. Cheap
    /// when there are none: it is asked several times a second.
    fn take_requests(&mut self) -> Result<Vec<Posted>, StoreError>;
}

/// What those who look need. Reading never waits for the writer.
pub trait QueryStore: Send {
    /// One run's summary.
    fn run(&mut self, run: RunId) -> Result<RunSummary, StoreError>;

    /// Runs whose identity starts or ends with `text` (in lower case), youngest first, at most
    /// `limit`.
    fn find(&mut self, text: &str, limit: usize) -> Result<Vec<RunId>, StoreError>;

    /// Runs that match, in the filter's order.
    fn list(&mut self, filter: &RunFilter) -> Result<RunPage, StoreError>;

    /// How many runs match, by their state; states without any are left out. The filter's order,
    /// its place and its limit have no effect.
    fn counts(&mut self, filter: &RunFilter) -> Result<BTreeMap<RunState, u64>, StoreError>;

    /// The namespaces that have runs, in the order of their names, and how many each has.
    fn namespaces(&mut self) -> Result<Vec<(String, u64)>, StoreError>;

    /// The variables that the run was submitted with.
    fn variables(&mut self, run: RunId) -> Result<Vec<loom_core::Variable>, StoreError>;

    /// The run's events after sequence number `after` (0 for all), in order, at most about `limit`.
    fn journal(&mut self, run: RunId, after: u64, limit: usize) -> Result<JournalPage, StoreError>;

    /// A definition by its content.
    fn definition(&mut self, hash: &DefinitionHash) -> Result<Definition, StoreError>;

    /// Leaves a request for the owner of a run, durably.
    fn post(&mut self, run: RunId, request: &Request) -> Result<(), StoreError>;
}

/// What the janitor needs.
pub trait UpkeepStore: Send {
    /// Deletes ended runs with their journals, the oldest first, and definitions that no run uses
    /// any more. Answers with the runs deleted.
    fn prune(&mut self, retention: &Retention) -> Result<Vec<RunId>, StoreError>;

    /// Deletes one run in the same way. One that has not ended is [`StoreError::NotEnded`].
    fn delete(&mut self, run: RunId) -> Result<(), StoreError>;
}

/// All of it.
pub trait Store: RunStore + QueryStore + UpkeepStore + DocumentStore {}

impl<T: RunStore + QueryStore + UpkeepStore + DocumentStore> Store for T {}
