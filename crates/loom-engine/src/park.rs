//! Runs that only wait, out of the memory, and the times at which runs wake.

use loom_core::{RunId, Timestamp};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Times at which runs are to be woken. Waking a run too often does no harm.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Timestamp, RunId)>>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, run: RunId) {
        if self.heap.len() == self.heap.capacity() {
            // Grown by a quarter, not doubled: this is most of what a waiting run costs.
            self.heap.reserve_exact(self.heap.len() / 4 + 16);
        }
        self.heap.push(Reverse((at, run)));
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<RunId> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, run))| run)
    }
}

/// Runs that are this engine's but not in its memory: an identity each.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    runs: HashSet<RunId>,
}

impl Parked {
    pub(crate) fn add(&mut self, run: RunId) {
        self.runs.insert(run);
    }

    pub(crate) fn remove(&mut self, run: RunId) -> bool {
        self.runs.remove(&run)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = RunId> {
        self.runs.iter().copied()
    }

    pub(crate) fn contains(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    pub(crate) fn len(&self) -> usize {
        self.runs.len()
    }
}
