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

mod answer;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod documents;
mod error;
mod memory;
mod meta;
mod params;
pub mod record;
pub mod search;
mod slots;

pub use answer::{Answer, answer};
pub use documents::{Change, Document, DocumentPage, DocumentStore, Expect, Scan, Stale, Write};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use meta::RunMeta;
pub use params::{
    Claim, DefinitionHash, FeedPage, FeedPosition, FeedRow, JournalPage, NewRun, OwnerId, Posted,
    Recorded, RequestId, RequestState, RunCommit, RunPage, RunSummary, StoredRun, Verdict,
};
pub use record::definition_hash;
pub use search::{
    KEY_RUNS_MAX, KeyFilter, KeyPage, Retention, RunCursor, RunFilter, RunSort, TimeRange,
};
pub use slots::{Place, SLOT_PATIENCE, Share, SlotAsk};

use loom_core::{Definition, Request, RunId, RunState, Timestamp};
use std::collections::BTreeMap;

/// What the engine needs. One value is one owner's session: runs that it creates or claims are
/// its own until they have ended, it gives them up, or its process ends.
pub trait RunStore: Send {
    /// Records everything in `commits`, in order, with the answers to posted requests, or does
    /// nothing: one transaction, durable when it returns. A commit whose `first_seq` is not the run's
    /// next sequence number, or whose run is not this owner's, is [`StoreError::Conflict`]. An answer
    /// to what does not wait, or not for this run, has no effect. A commit that leaves its run ended
    /// refuses what still waits for it, and gives the run up: whoever wants to go on with it, this
    /// owner too, has to claim it again.
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError>;

    /// Everything that is recorded of a run.
    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError>;

    /// Makes the run this owner's, unless a living owner has it.
    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError>;

    /// Gives up a run that has not ended, so that others may claim it. No effect if it is not this
    /// owner's.
    fn release(&mut self, run: RunId) -> Result<(), StoreError>;

    /// The requests that wait for runs of this owner, oldest first. Each is there until a commit
    /// settles it or its run has ended, so that none is lost between being read and taking effect. One
    /// that cannot be read is among them as such, and keeps nobody from the others.
    /// Cheap when there are none: it is asked several times a second.
    fn requests(&mut self) -> Result<Vec<Posted>, StoreError>;

    /// Shares out what only so many attempts may have at once, over all owners of the store: says how
    /// many slots this owner uses, and answers for each of `asks` with how many more it may use now.
    ///
    /// Counted are the slots of living owners. Who is refused stands in line, and those in line are
    /// served first, the one that waits longest before the others, so that an owner that gives a slot
    /// back and asks again does not get it past one that waits. A place in line is lost when the owner
    /// gets something, asks for nothing, or has not asked for [`SLOT_PATIENCE`]. The `keys` of one
    /// call differ.
    ///
    /// Unlike what is committed, slots need not outlive a loss of power: their owners do not either.
    fn share(&mut self, asks: &[SlotAsk], now: Timestamp) -> Result<Vec<u32>, StoreError>;
}

/// What those who look need. Reading never waits for the writer.
pub trait QueryStore: Send {
    /// One run's summary.
    fn run(&mut self, run: RunId) -> Result<RunSummary, StoreError>;

    /// Who has the run: a living owner.
    fn owner(&mut self, run: RunId) -> Result<Option<OwnerId>, StoreError>;

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

    /// The keys of annotations that runs have, in order, and how many runs have each.
    fn annotation_keys(&mut self, filter: &KeyFilter) -> Result<KeyPage, StoreError>;

    /// The number of the run's last event; 0 before the first. Cheap: the journal is not read.
    fn last_seq(&mut self, run: RunId) -> Result<u64, StoreError>;

    /// The variables that the run was submitted with.
    fn variables(&mut self, run: RunId) -> Result<Vec<loom_core::Variable>, StoreError>;

    /// The run's events after sequence number `after` (0 for all), in order, at most about `limit`.
    fn journal(&mut self, run: RunId, after: u64, limit: usize) -> Result<JournalPage, StoreError>;

    /// What was recorded of all runs behind a position, in the order of the commits. A page ends with
    /// the row that brings it to `limit` events. Whoever goes on from the last row's position gets
    /// every event once, however many write meanwhile; only what is pruned before it is read is
    /// missing.
    fn feed(&mut self, after: FeedPosition, limit: usize) -> Result<FeedPage, StoreError>;

    /// The position behind everything that is recorded now.
    fn feed_end(&mut self) -> Result<FeedPosition, StoreError>;

    /// A definition by its content.
    fn definition(&mut self, hash: &DefinitionHash) -> Result<Definition, StoreError>;

    /// Leaves a request for the owner of a run, durably. Nobody would read one for a run that has
    /// ended: that is [`StoreError::Conflict`].
    fn post(&mut self, run: RunId, request: &Request) -> Result<RequestId, StoreError>;

    /// What became of a request that was posted for this run. An answer is kept until it is withdrawn
    /// or its run deleted.
    fn request_state(&mut self, run: RunId, id: RequestId) -> Result<RequestState, StoreError>;

    /// Takes a request back that waits and that no living owner of its run can have read, so that it
    /// never takes effect. Answers with whether that was so: if not, one that waits still does, and
    /// the answer to one that is settled is forgotten.
    fn withdraw(&mut self, run: RunId, id: RequestId) -> Result<bool, StoreError>;

    /// Says something else about a run, durably, in place of what was said `before`; the run is found
    /// by it from then on. Answers with whether that was so: if not, nothing is changed. Whoever has
    /// the run may go by what was said before until its process ends.
    fn describe(
        &mut self,
        run: RunId,
        before: &RunMeta,
        after: &RunMeta,
    ) -> Result<bool, StoreError>;
}

/// What the janitor needs.
pub trait UpkeepStore: Send {
    /// Deletes ended runs with their journals, the oldest first, and definitions that no run uses
    /// any more. A run that a living owner has claimed, in order to go on with it, stays. Answers
    /// with the runs deleted.
    fn prune(&mut self, retention: &Retention) -> Result<Vec<RunId>, StoreError>;

    /// Deletes one run in the same way. One that has not ended, or that a living owner has, is
    /// [`StoreError::NotEnded`].
    fn delete(&mut self, run: RunId) -> Result<(), StoreError>;
}

/// All of it.
pub trait Store: RunStore + QueryStore + UpkeepStore + DocumentStore {}

impl<T: RunStore + QueryStore + UpkeepStore + DocumentStore> Store for T {}
