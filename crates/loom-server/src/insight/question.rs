//! Questions to the [`Table`], and the arithmetic of their answers.

use super::table::{Name, Place, Table};
use loom_core::Timestamp;
use loom_protocol::api::{Basis, Percentiles};
use loom_protocol::rfc3339;

pub(super) const HOUR: u64 = 3600 * 1_000_000;

/// What is asked about.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The namespaces that the asker may know of; `None` for all.
    pub(crate) namespaces: Option<Vec<String>>,
    /// One workflow alone.
    pub(crate) workflow: Option<String>,
    /// One version alone.
    pub(crate) version: Option<String>,
    /// The last so many hours.
    pub(crate) hours: u32,
    pub(crate) now: Timestamp,
    pub(crate) rebuilding: bool,
}

impl Question {
    pub(super) fn since(&self, hours: u32) -> u64 {
        self.now.0.saturating_sub(u64::from(hours) * HOUR)
    }

    /// Which places are asked about, by their numbers.
    pub(super) fn wanted(&self, table: &Table) -> Vec<bool> {
        let wanted = |name: &Name| {
            self.namespaces.as_ref().is_none_or(|them| them.contains(&name.namespace))
                && self.workflow.as_ref().is_none_or(|it| *it == name.workflow)
        };
        let names: Vec<bool> = table.names.values().iter().map(wanted).collect();
        let is_of = |place: &Place| {
            names[place.name as usize]
                && self.version.as_ref().is_none_or(|version| *version == place.version)
        };
        table.places.values().iter().map(is_of).collect()
    }

    pub(super) fn basis(&self, table: &Table, attempts: usize, runs: usize) -> Basis {
        Basis {
            at: rfc3339(self.now.0),
            period_s: f64::from(self.hours) * 3600.0,
            attempts: attempts as u64,
            runs: runs as u64,
            oldest: table.attempts.oldest().map(|row| rfc3339(row.ended_at)),
            rebuilding: self.rebuilding,
        }
    }
}

/// One of another; `None` of nothing.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Exact percentiles by the nearest rank. The values end up in another order.
pub(crate) fn percentiles(values: &mut [u64]) -> Option<Percentiles> {
    let count = values.len();
    let sum: u64 = values.iter().sum();
    let mean_s = ratio(sum, count as u64)? / 1e6;
    let max_s = seconds(*values.iter().max()?);
    // Each lies behind the one before, so only what is behind that is looked at.
    let mut from = 0;
    let mut rank = |percent: usize| {
        let place = (count * percent).div_ceil(100).max(1) - 1;
        let (_, value, _) = values[from..].select_nth_unstable(place - from);
        let value = seconds(*value);
        from = place;
        value
    };
    let (p50_s, p90_s, p95_s, p99_s) = (rank(50), rank(90), rank(95), rank(99));
    Some(Percentiles { count: count as u64, mean_s, p50_s, p90_s, p95_s, p99_s, max_s })
}

pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let sorted: Vec<u64> = (1..=1000).map(|value| value * value * 1_000_000).collect();
        let mut shuffled: Vec<u64> = (0..1000).map(|at| sorted[at * 617 % 1000]).collect();
        let found = percentiles(&mut shuffled).unwrap();
        let of = |percent: usize| seconds(sorted[percent * 10 - 1]);
        assert_eq!((found.p50_s, found.p90_s), (of(50), of(90)));
        assert_eq!((found.p95_s, found.p99_s, found.max_s), (of(95), of(99), of(100)));
        assert_eq!(percentiles(&mut []), None);
        let one = percentiles(&mut [2_500_000]).unwrap();
        assert_eq!((one.p50_s, one.p99_s, one.mean_s, one.count), (2.5, 2.5, 2.5, 1));
    }
}
