//! Spans of identities, which are ordered by age.

use loom_core::{RunId, Timestamp};
use loom_store::TimeRange;

/// How far the time in a run's identity may be from its `created_at`.
const CREATED_SLACK_MS: u64 = 60_000;

/// Identities as numbers, from one to another, both included. Empty if they are the wrong way
/// round.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) low: u128,
    pub(super) high: u128,
}

impl Span {
    const NOTHING: Self = Self { low: 1, high: 0 };

    /// The identities of runs that were accepted in this time.
    pub(super) fn created(range: TimeRange) -> Self {
        const LAST_MS: u64 = (1 << 48) - 1;
        let id = |ms: u64, random| number_of(RunId::new(ms.min(LAST_MS), random));
        let low = |from: Timestamp| id(from.as_millis().saturating_sub(CREATED_SLACK_MS), 0);
        let high = |until: Timestamp| id(until.as_millis() + CREATED_SLACK_MS, u128::MAX);
        Self { low: range.from.map_or(0, low), high: range.until.map_or(u128::MAX, high) }
    }

    /// What is older than the run.
    pub(super) fn below(self, run: RunId) -> Self {
        match number_of(run).checked_sub(1) {
            Some(high) => Self { high: self.high.min(high), ..self },
            None => Self::NOTHING,
        }
    }

    /// What is younger than the run.
    pub(super) fn above(self, run: RunId) -> Self {
        match number_of(run).checked_add(1) {
            Some(low) => Self { low: self.low.max(low), ..self },
            None => Self::NOTHING,
        }
    }
}

const fn number_of(run: RunId) -> u128 {
    u128::from_be_bytes(run.to_bytes())
}
