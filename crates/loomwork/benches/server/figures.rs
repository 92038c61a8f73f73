//! What is said of many times.

use std::time::Duration;

/// `p50 1.2 ms, p99 3.4 ms, most 5.6 ms`.
pub(crate) fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    format!("p50 {}, p99 {}, most {}", ms(at(50)), ms(at(99)), ms(at(100)))
}

/// How many in a second.
pub(crate) fn rate(count: usize, took: Duration) -> String {
    format!("{:.0} a second", count as f64 / took.as_secs_f64())
}
