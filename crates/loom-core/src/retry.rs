//! When a failed attempt is tried again.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often and when a task is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// How many attempts there are in all; 1 means none is repeated.
    pub max_attempts: u32,
    /// How the wait grows.
    pub backoff: Backoff,
    /// The first wait.
    pub initial: Duration,
    /// The longest wait, jitter and the far side's wishes included.
    pub max: Duration,
    /// The share of the wait that is random, from 0 to 1: a wait of 10 s with 0.2 lies between
    /// 8 s and 10 s.
    pub jitter: f64,
}

/// How the wait between attempts grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// No wait.
    None,
    /// `initial` every time.
    Fixed,
    /// `initial`, then 2 × `initial`, 3 × `initial`.
    Linear,
    /// `initial`, then 2 × `initial`, 4 × `initial`.
    #[default]
    Exponential,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 1,
            backoff: Backoff::default(),
            initial: Duration::from_secs(1),
            max: Duration::from_mins(1),
            jitter: 0.0,
        }
    }
}

impl RetryPolicy {
    /// The most attempts that can be asked for.
    pub const ATTEMPTS_MAX: u32 = 1000;

    /// The wait after the `failed`-th failure (from 1). A wait that the far side `asked` for is
    /// honoured if it is longer, up to `max`. `random` (any bits) feeds the jitter.
    pub fn wait(&self, failed: u32, asked: Option<Duration>, random: u64) -> Duration {
        let factor = match self.backoff {
            Backoff::None => 0,
            Backoff::Fixed => 1,
            Backoff::Linear => failed,
            Backoff::Exponential => 1u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX),
        };
        let full = self.initial.saturating_mul(factor).min(self.max);
        let share = (random >> 11) as f64 / (1u64 << 53) as f64;
        let wait = full.mul_f64(1.0 - self.jitter.clamp(0.0, 1.0) * share);
        wait.max(asked.unwrap_or_default().min(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn policy(backoff: Backoff) -> RetryPolicy {
        RetryPolicy { max_attempts: 9, backoff, initial: S, max: 10 * S, jitter: 0.0 }
    }

    #[test]
    fn waits_grow_as_named_and_stop_at_the_cap() {
        let waits = |backoff| [1, 2, 3, 4, 5, 99].map(|n| policy(backoff).wait(n, None, 0));
        assert_eq!(waits(Backoff::None), [Duration::ZERO; 6]);
        assert_eq!(waits(Backoff::Fixed), [S; 6]);
        assert_eq!(waits(Backoff::Linear), [S, 2 * S, 3 * S, 4 * S, 5 * S, 10 * S]);
        assert_eq!(waits(Backoff::Exponential), [S, 2 * S, 4 * S, 8 * S, 10 * S, 10 * S]);
    }

    #[test]
    fn the_far_sides_wish_is_honoured_up_to_the_cap() {
        let policy = policy(Backoff::Fixed);
        assert_eq!(policy.wait(1, Some(3 * S), 0), 3 * S);
        assert_eq!(policy.wait(1, Some(S / 2), 0), S);
        assert_eq!(policy.wait(1, Some(99 * S), 0), 10 * S);
    }

    #[test]
    fn jitter_only_shortens_and_only_by_its_share() {
        let policy = RetryPolicy { jitter: 0.2, ..policy(Backoff::Fixed) };
        assert_eq!(policy.wait(1, None, 0), S);
        let least = policy.wait(1, None, u64::MAX);
        assert!(least >= S.mul_f64(0.8) && least < S.mul_f64(0.801), "{least:?}");
    }
}
