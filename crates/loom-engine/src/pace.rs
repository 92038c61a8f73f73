//! How fast a run's attempts end, and what follows for handing attempts over ahead.

use loom_core::Timestamp;
use std::time::Duration;

/// The work that is handed over ahead lasts about so long: several commits.
const AHEAD: Duration = Duration::from_millis(10);

/// Attempts that end at least this often are quick.
const QUICK: Duration = Duration::from_micros(1500);

/// The share of the newest interval in the average.
const WEIGHT: f64 = 0.2;

/// A moving average of the time between ends of attempts. Long tasks hand nothing over ahead: a
/// commit is nothing to them, and an attempt that was handed over cannot be overtaken by one of
/// higher priority.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last: Option<Timestamp>,
    /// Seconds.
    interval: Option<f64>,
}

impl Pace {
    /// So many attempts have ended.
    pub(crate) fn ended(&mut self, count: u32, now: Timestamp) {
        if count == 0 {
            return;
        }
        if let Some(last) = self.last.replace(now) {
            let newest = now.since(last).as_secs_f64() / f64::from(count);
            let average = self.interval.map_or(newest, |old| old + WEIGHT * (newest - old));
            self.interval = Some(average);
        }
    }

    /// Whether attempts end so fast that looking for the next end beats sleeping until it comes.
    pub(crate) fn is_quick(&self) -> bool {
        self.interval.is_some_and(|interval| interval < QUICK.as_secs_f64())
    }

    /// How long so many attempts last, at this pace; nothing if that is not known.
    pub(crate) fn lasts(&self, attempts: u32) -> Duration {
        self.interval.map_or(Duration::ZERO, |seconds| {
            Duration::try_from_secs_f64(seconds * f64::from(attempts)).unwrap_or(Duration::MAX)
        })
    }

    /// How many attempts to hand over ahead, at most `most`.
    pub(crate) fn ahead(&self, most: u32) -> u32 {
        let attempts = self.interval.map_or(0.0, |interval| AHEAD.as_secs_f64() / interval);
        if attempts >= f64::from(most) { most } else { attempts as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(micros: u64) -> Pace {
        let mut pace = Pace::default();
        for nth in 0..20 {
            pace.ended(1, Timestamp(nth * micros));
        }
        pace
    }

    #[test]
    fn short_attempts_are_handed_over_ahead_and_long_ones_are_not() {
        assert_eq!(Pace::default().ahead(8), 0);
        assert_eq!(pace(350).ahead(64), 28);
        assert_eq!(pace(350).ahead(8), 8);
        assert_eq!(pace(100_000).ahead(8), 0);
        assert_eq!(pace(0).ahead(8), 8);
    }

    #[test]
    fn attempts_last_as_long_as_those_before() {
        assert_eq!(Pace::default().lasts(8), Duration::ZERO);
        assert_eq!(pace(350).lasts(0), Duration::ZERO);
        assert_eq!(pace(350).lasts(4), Duration::from_micros(1400));
    }

    #[test]
    fn a_slow_one_after_many_quick_ones_slows_the_pace() {
        let mut pace = pace(100);
        pace.ended(1, Timestamp(10_000_000));
        assert_eq!(pace.ahead(8), 0);
    }
}
