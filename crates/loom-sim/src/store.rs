//! The reference store, with faults.

use crate::ledger::Ledger;
use crate::random::Random;
use loom_core::{RunId, Timestamp};
use loom_store::{Claim, MemoryStore, Posted, RunCommit, RunStore, SlotAsk, StoreError, StoredRun};
use std::sync::{Arc, Mutex};

/// What a simulated store may do to its caller.
pub(crate) struct Faults {
    pub(crate) random: Random,
    /// Once in how many commits the engine dies before it, or after it.
    pub(crate) crash_odds: usize,
    /// Once in how many commits the store is locked.
    pub(crate) busy_odds: usize,
    /// The engine has died in a commit: nothing it does from now on counts.
    pub(crate) crashed: bool,
}

pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    pub(crate) faults: Arc<Mutex<Faults>>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

impl RunStore for FaultyStore {
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError> {
        let mut faults = self.faults.lock().expect("simulation has one thread");
        assert!(!faults.crashed, "an engine went on after its store had failed for good");
        let busy_odds = faults.busy_odds;
        if faults.random.one_in(busy_odds) {
            return Err(StoreError::Busy("simulated".into()));
        }
        let crash_odds = faults.crash_odds;
        let dies = faults.random.one_in(crash_odds);
        faults.crashed = dies;
        if dies && faults.random.one_in(2) {
            return Err(StoreError::Unavailable("died before the commit".into()));
        }
        self.inner.commit(commits).expect("what an engine records fits what it owns");
        self.ledger.lock().expect("simulation has one thread").committed(commits);
        if dies {
            return Err(StoreError::Unavailable("died after the commit".into()));
        }
        Ok(())
    }

    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError> {
        self.inner.load(run)
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        self.inner.claim(run)
    }

    fn release(&mut self, run: RunId) -> Result<(), StoreError> {
        self.inner.release(run)
    }

    fn requests(&mut self) -> Result<Vec<Posted>, StoreError> {
        self.inner.requests()
    }

    fn share(&mut self, asks: &[SlotAsk], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        let mut faults = self.faults.lock().expect("simulation has one thread");
        let busy_odds = faults.busy_odds;
        if faults.random.one_in(busy_odds) {
            return Err(StoreError::Busy("simulated".into()));
        }
        self.inner.share(asks, now)
    }
}
