//! The engine's store with a watch beside it.

use loom_core::{RunId, Timestamp};
use loom_server::CommitMeter;
use loom_store::{Claim, Posted, RunCommit, RunStore, SlotAsk, StoreError, StoredRun};
use std::sync::Arc;
use std::time::Instant;

/// Tells a meter how long each commit takes and how much it holds.
pub(crate) struct Timed<S> {
    store: S,
    meter: Arc<CommitMeter>,
}

impl<S: RunStore> Timed<S> {
    pub(crate) const fn new(store: S, meter: Arc<CommitMeter>) -> Self {
        Self { store, meter }
    }
}

impl<S: RunStore> RunStore for Timed<S> {
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError> {
        let begun = Instant::now();
        let done = self.store.commit(commits);
        match done {
            Ok(()) => {
                let events = commits.iter().map(|commit| commit.events.len()).sum();
                self.meter.committed(events, begun.elapsed());
            }
            Err(_) => self.meter.failed(),
        }
        done
    }

    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError> {
        self.store.load(run)
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        self.store.claim(run)
    }

    fn release(&mut self, run: RunId) -> Result<(), StoreError> {
        self.store.release(run)
    }

    fn requests(&mut self) -> Result<Vec<Posted>, StoreError> {
        self.store.requests()
    }

    fn share(&mut self, asks: &[SlotAsk], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        self.store.share(asks, now)
    }
}
