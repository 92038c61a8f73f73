//! What is taken of one limit, under one key.
//!
//! A run takes a *place*, which it gives back when it ends, and a *start*, which counts from when it
//! is taken until a period after the run began. So neither the time between the two, nor that
//! between a decision and the event that the run began, lets more begin in a period than may.

use super::rule::{Pace, RunLimit};
use loom_core::{RunId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most runs that a count names. More than a limit allows are there only if they ran before it
/// was made; those that are left out are counted when others have ended.
const RUNS_MAX: usize = 4096;

/// What is taken of one limit, under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The key as it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The runs that have a place.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    runs: BTreeSet<RunId>,
    /// The runs that have a start and have not begun.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    starts: BTreeSet<RunId>,
    /// When runs began, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    begun: Vec<Timestamp>,
}

impl Ledger {
    /// One of which nothing is taken.
    pub(super) fn new(key: Option<String>) -> Self {
        Self { key, ..Self::default() }
    }

    /// The runs that have a place.
    pub(super) const fn runs(&self) -> &BTreeSet<RunId> {
        &self.runs
    }

    /// All runs that have anything of it.
    pub(super) fn all(&self) -> impl Iterator<Item = RunId> {
        self.runs.union(&self.starts).copied()
    }

    /// The runs that have something which they have not in what became of it.
    pub(super) fn lost<'a>(&'a self, later: &'a Self) -> impl Iterator<Item = RunId> + use<'a> {
        let places = self.runs.difference(&later.runs);
        places.chain(self.starts.difference(&later.starts)).copied()
    }

    /// The runs that have a start and have not begun, as far as is known.
    pub(super) const fn starts(&self) -> &BTreeSet<RunId> {
        &self.starts
    }

    /// Whether the run has what it needs of the limit to begin.
    pub(super) fn has(&self, run: RunId, limit: &RunLimit) -> bool {
        (limit.max_runs.is_none() || self.runs.contains(&run))
            && (limit.pace.is_none() || self.starts.contains(&run))
    }

    /// Whether there is a place, or the run has one.
    pub(super) fn has_place(&self, run: RunId, most: Option<u32>) -> bool {
        most.is_none_or(|most| self.runs.contains(&run) || self.runs.len() < most as usize)
    }

    /// Whether there is a start, or the run has one; if not, when there will be, if that is known.
    pub(super) fn has_start(
        &self,
        run: RunId,
        pace: Option<Pace>,
        now: Timestamp,
    ) -> Result<(), Option<Timestamp>> {
        let Some(pace) = pace else { return Ok(()) };
        let begun = self.lately(pace, now);
        let taken = begun.len() + self.starts.len();
        let most = pace.starts as usize;
        if self.starts.contains(&run) || taken < most {
            return Ok(());
        }
        // So many have to be over for one more.
        Err(begun.get(taken - most).map(|at| *at + pace.period))
    }

    /// Gives the run what it needs; whoever asks has looked whether it is there.
    pub(super) fn take(&mut self, run: RunId, limit: &RunLimit) {
        if limit.max_runs.is_some() {
            self.take_place(run);
        }
        if limit.pace.is_some() {
            self.starts.insert(run);
        }
    }

    /// Gives the run a place, whether or not there is one.
    pub(super) fn take_place(&mut self, run: RunId) {
        if self.runs.len() < RUNS_MAX {
            self.runs.insert(run);
        }
    }

    /// The run has begun. No effect if it has no start that is not used.
    pub(super) fn begin(&mut self, run: RunId, at: Timestamp) {
        if self.starts.remove(&run) {
            let place = self.begun.partition_point(|before| *before <= at);
            self.begun.insert(place, at);
        }
    }

    /// The run has ended, and had begun by then if a time is given; or it will not begin.
    pub(super) fn leave(&mut self, run: RunId, begun_by: Option<Timestamp>) {
        begun_by.into_iter().for_each(|at| self.begin(run, at));
        self.runs.remove(&run);
        self.starts.remove(&run);
    }

    /// Forgets what counts no more.
    pub(super) fn sweep(&mut self, limit: &RunLimit, now: Timestamp) {
        match limit.pace {
            Some(pace) => self.begun = self.lately(pace, now).to_vec(),
            None => self.begun.clear(),
        }
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.starts.is_empty() && self.begun.is_empty()
    }

    /// Those that began within the last period.
    fn lately(&self, pace: Pace, now: Timestamp) -> &[Timestamp] {
        let over = self.begun.partition_point(|at| *at + pace.period <= now);
        &self.begun[over..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_start_counts_from_when_it_is_taken_until_a_period_after_the_beginning() {
        let pace = Pace { starts: 2, period: Duration::from_micros(10) };
        let run = |n| RunId::new(n, 0);
        let start = |ledger: &Ledger, n, at| ledger.has_start(run(n), Some(pace), Timestamp(at));
        let mut ledger = Ledger::default();
        ledger.starts.extend([run(1), run(2)]);
        assert_eq!(start(&ledger, 1, 1000), Ok(()), "it has one");
        assert_eq!(start(&ledger, 3, 1000), Err(None), "nobody knows when they begin");
        ledger.begin(run(2), Timestamp(1003));
        ledger.begin(run(2), Timestamp(1004));
        assert_eq!(start(&ledger, 3, 1004), Err(Some(Timestamp(1013))));
        ledger.begin(run(1), Timestamp(1001));
        assert_eq!(ledger.begun, [Timestamp(1001), Timestamp(1003)]);
        assert_eq!(start(&ledger, 3, 1010), Err(Some(Timestamp(1011))));
        assert_eq!(start(&ledger, 3, 1011), Ok(()));
        ledger.starts.insert(run(3));
        assert_eq!(start(&ledger, 4, 1012), Err(Some(Timestamp(1013))));
        ledger.leave(run(3), None);
        assert_eq!(start(&ledger, 4, 1012), Ok(()));
        ledger.starts.insert(run(4));
        ledger.leave(run(4), Some(Timestamp(1012)));
        assert_eq!(start(&ledger, 5, 1012), Err(Some(Timestamp(1013))), "it had begun");
    }
}
