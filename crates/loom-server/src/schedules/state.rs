//! Where a schedule stands, and how it deals with its ticks.

use loom_core::{RunId, Timestamp};
use loom_protocol::api::{CatchUp, Overlap, TickCounts};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The most runs of a schedule that are under way.
pub(super) const ACTIVE_MAX: usize = 100;

/// How a schedule deals with its ticks.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Tells the ticks of this schedule from those of all others, also of its namesakes.
    pub(super) salt: String,
    pub(super) overlap: Overlap,
    pub(super) catch_up: CatchUp,
    pub(super) jitter: Duration,
    pub(super) grace: Duration,
}

/// Where a schedule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// All ticks up to here are decided.
    pub(super) through: Timestamp,
    pub(super) paused: bool,
    /// Runs that have not ended, as far as is known, oldest first. One that is not in the store is
    /// still to be started.
    pub(super) active: Vec<Firing>,
    /// Ticks that wait for a run to end.
    pub(super) waiting: Vec<Timestamp>,
    pub(super) last: Option<Firing>,
    pub(super) counts: TickCounts,
    /// Why the last refused run was refused.
    pub(super) problem: Option<String>,
}

/// A tick that has a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Firing {
    pub(super) tick: Timestamp,
    pub(super) run: RunId,
    /// A later tick wants the run to end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) cancel: bool,
}

impl Policy {
    /// The identity of a tick's run.
    pub(super) fn run(&self, tick: Timestamp) -> RunId {
        let digest = self.digest("run", tick);
        let bits = digest[..16].try_into().expect("a digest has 32 bytes");
        RunId::new(tick.as_millis(), u128::from_be_bytes(bits))
    }

    /// When a tick fires.
    pub(super) fn fires_at(&self, tick: Timestamp) -> Timestamp {
        let digest = self.digest("jitter", tick);
        let bits = u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
        let most = self.jitter.as_micros() as u64;
        tick + Duration::from_micros(bits % (most + 1))
    }

    fn digest(&self, what: &str, tick: Timestamp) -> [u8; 32] {
        Sha256::digest(format!("{what} {} {}", self.salt, tick.0)).into()
    }
}

impl State {
    /// Of a schedule that begins now.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            through: now,
            paused: false,
            active: Vec::new(),
            waiting: Vec::new(),
            last: None,
            counts: TickCounts::default(),
            problem: None,
        }
    }

    /// Lets a run be started for a time.
    pub(super) fn fire(&mut self, tick: Timestamp, run: RunId) {
        let firing = Firing { tick, run, cancel: false };
        self.last = Some(firing.clone());
        self.active.push(firing);
        self.counts.fired += 1;
    }

    /// The run has ended.
    pub(super) fn ended(&mut self, run: RunId) {
        self.active.retain(|firing| firing.run != run);
    }

    /// The run could not be started and never will be.
    pub(super) fn refused(&mut self, run: RunId, problem: String) {
        self.ended(run);
        self.counts.fired -= 1;
        self.counts.refused += 1;
        self.problem = Some(problem);
    }
}
