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
    /// Runs that have not ended, as far as is known, oldest first.
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
    /// Whether the run is known to have been there. If it is not there, it has ended and was
    /// deleted; one that never was is still to be started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) begun: bool,
    /// A later tick wants the run to end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) cancel: bool,
    /// What the request was part of that asked for the run, if no tick did.
    #[serde(default, skip_serializing_if = "Origin::is_empty")]
    pub(super) origin: Origin,
}

/// What a request is part of, as it is kept until its run is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) correlation_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) traceparent: Option<String>,
}

impl Origin {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Firing {
    pub(super) const fn new(tick: Timestamp, run: RunId, origin: Origin) -> Self {
        Self { tick, run, begun: false, cancel: false, origin }
    }
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

    /// Lets a run be started for a tick.
    pub(super) fn fire(&mut self, tick: Timestamp, run: RunId) {
        self.add(Firing::new(tick, run, Origin::default()));
    }

    /// Lets a run be started.
    pub(super) fn add(&mut self, firing: Firing) {
        self.last = Some(firing.clone());
        self.active.push(firing);
        self.counts.fired += 1;
    }

    /// The run is there.
    pub(super) fn begun(&mut self, run: RunId) {
        let of = self.active.iter_mut().filter(|firing| firing.run == run);
        of.for_each(|firing| firing.begun = true);
    }

    /// The run has ended.
    pub(super) fn ended(&mut self, run: RunId) {
        self.active.retain(|firing| firing.run != run);
    }

    /// The run could not be started and never will be. Nothing is new about one that is settled.
    pub(super) fn refused(&mut self, run: RunId, problem: String) {
        if !self.active.iter().any(|firing| firing.run == run) {
            return;
        }
        self.ended(run);
        self.counts.fired -= 1;
        self.counts.refused += 1;
        self.problem = Some(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_firing_of_before_there_was_a_mark_may_still_be_to_start() {
        let run = RunId::new(1, 2);
        let old = serde_json::json!({ "tick": 1, "run": run });
        let firing: Firing = serde_json::from_value(old).unwrap();
        assert_eq!(firing, Firing::new(Timestamp(1), run, Origin::default()));
    }

    #[test]
    fn only_the_run_that_is_there_has_begun() {
        let mut state = State::new(Timestamp(0));
        let runs = [RunId::new(1, 1), RunId::new(1, 2)];
        runs.iter().for_each(|run| state.fire(Timestamp(1), *run));
        state.begun(runs[1]);
        let begun: Vec<bool> = state.active.iter().map(|firing| firing.begun).collect();
        assert_eq!(begun, [false, true]);
    }
}
