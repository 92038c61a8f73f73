//! When a delivery that failed is tried again.

use crate::problem::Problem;
use loom_protocol::api::WebhookRetry;
use std::time::Duration;

/// Refuses settings beyond their bounds.
pub(super) fn check(retry: &WebhookRetry) -> Result<(), Problem> {
    let wrong = |what: &str| Err(Problem::argument(format!("`retry.{what}`")));
    if !(1..=20).contains(&retry.max_attempts) {
        return wrong("max_attempts` is 1 to 20");
    }
    if !(0.1..=60.0).contains(&retry.initial_s) {
        return wrong("initial_s` is 0.1 to 60 seconds");
    }
    if !(retry.initial_s..=3600.0).contains(&retry.max_s) {
        return wrong("max_s` is `initial_s` to 3,600 seconds");
    }
    Ok(())
}

/// The wait after so many tries: twice as long each time, shifted by up to a quarter either way so
/// that many who failed together do not come back together. `random` is anything. What the receiver
/// asked for is honoured up to the longest wait.
pub(crate) fn delay(
    retry: &WebhookRetry,
    tries: u32,
    random: u32,
    asked: Option<Duration>,
) -> Duration {
    let doubled = retry.initial_s * 2_f64.powi(tries.saturating_sub(1).min(30) as i32);
    let shift = 0.75 + 0.5 * f64::from(random) / f64::from(u32::MAX);
    let own = Duration::from_secs_f64(doubled.min(retry.max_s) * shift);
    let most = Duration::from_secs_f64(retry.max_s);
    own.max(asked.map_or(Duration::ZERO, |asked| asked.min(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_shifted_a_little() {
        let retry = WebhookRetry { max_attempts: 12, initial_s: 1.0, max_s: 600.0 };
        let wait = |tries, random| delay(&retry, tries, random, None).as_secs_f64();
        let middle = u32::MAX / 2;
        for (tries, expected) in [(1, 1.0), (2, 2.0), (5, 16.0), (11, 600.0), (1000, 600.0)] {
            assert!((wait(tries, middle) - expected).abs() < 1e-3 * expected, "{tries}");
            assert!((wait(tries, 0) - 0.75 * expected).abs() < 1e-3 * expected);
            assert!((wait(tries, u32::MAX) - 1.25 * expected).abs() < 1e-3 * expected);
        }
        let asked = |s| delay(&retry, 1, middle, Some(Duration::from_secs(s)));
        assert_eq!(asked(20), Duration::from_secs(20));
        assert_eq!(asked(9999), Duration::from_mins(10));
    }

    #[test]
    fn settings_have_bounds() {
        let retry = WebhookRetry::default();
        check(&retry).unwrap();
        check(&WebhookRetry { max_attempts: 0, ..retry }).unwrap_err();
        check(&WebhookRetry { initial_s: f64::NAN, ..retry }).unwrap_err();
        check(&WebhookRetry { initial_s: 0.0, ..retry }).unwrap_err();
        check(&WebhookRetry { max_s: 0.5, ..retry }).unwrap_err();
        check(&WebhookRetry { max_s: f64::INFINITY, ..retry }).unwrap_err();
    }
}
