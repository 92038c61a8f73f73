//! The reference store, with faults.

use crate::ledger::Ledger;
use crate::random::Random;
use loom_core::{RunId, Timestamp};
use loom_store::{Claim, MemoryStore, Posted, RunCommit, RunStore, SlotAsk, StoreError, StoredRun};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a simulated store may do to its caller.
pub(crate) struct Faults {
    pub(crate) random: Random,
    /// Once in how many commits the engine dies before it, or after it.
    pub(crate) crash_odds: usize,
    /// Once in how many commits the store is locked.
    pub(crate) busy_odds: usize,
    /// Once in how many other calls it is.
    pub(crate) call_odds: usize,
    /// Once in how many looks a run is found damaged, and is from then on.
    pub(crate) damage_odds: usize,
    pub(crate) damaged: BTreeSet<RunId>,
    /// The engine has died in a commit: nothing it does from now on counts.
    pub(crate) crashed: bool,
}

impl Faults {
    /// A store that is only locked now and then, for those who commit or share slots.
    pub(crate) const fn locked(random: Random, busy_odds: usize) -> Self {
        Self {
            random,
            crash_odds: usize::MAX,
            busy_odds,
            call_odds: usize::MAX,
            damage_odds: usize::MAX,
            damaged: BTreeSet::new(),
            crashed: false,
        }
    }

    /// Whether a call that is no commit fails.
    pub(crate) const fn hits(&mut self) -> bool {
        self.random.one_in(self.call_odds)
    }

    /// Whether the run is damaged now.
    fn damages(&mut self, run: RunId) -> bool {
        if self.random.one_in(self.damage_odds) {
            self.damaged.insert(run);
        }
        self.damaged.contains(&run)
    }
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
        match self.inner.commit(commits) {
            Err(StoreError::Conflict(run)) if creates(commits, run) => {
                faults.crashed = false;
                return Err(StoreError::Conflict(run));
            }
            committed => committed.expect("what an engine records fits what it owns"),
        }
        self.ledger.lock().expect("simulation has one thread").committed(commits);
        if dies {
            return Err(StoreError::Unavailable("died after the commit".into()));
        }
        Ok(())
    }

    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError> {
        self.be_free()?;
        if self.faults().damages(run) {
            return Err(StoreError::Corrupt("simulated".into()));
        }
        self.inner.load(run)
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        self.be_free()?;
        self.inner.claim(run)
    }

    fn release(&mut self, run: RunId) -> Result<(), StoreError> {
        self.be_free()?;
        self.inner.release(run)
    }

    fn requests(&mut self) -> Result<Vec<Posted>, StoreError> {
        self.be_free()?;
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

impl FaultyStore {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("simulation has one thread")
    }

    fn be_free(&self) -> Result<(), StoreError> {
        if self.faults().hits() { Err(StoreError::Busy("simulated".into())) } else { Ok(()) }
    }
}

/// Whether a run is created in these: its identity may be taken.
fn creates(commits: &[RunCommit], run: RunId) -> bool {
    commits.iter().any(|commit| commit.run == run && commit.new.is_some())
}
