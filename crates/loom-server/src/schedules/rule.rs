//! When a schedule ticks.

use crate::asked::moment;
use crate::problem::Problem;
use croner::Cron;
use jiff::tz::TimeZone;
use loom_core::Timestamp;
use loom_protocol::api::Timing;
use std::collections::VecDeque;
use std::str::FromStr;
use std::time::Duration;

/// The longest distance of ticks, in seconds.
const EVERY_MAX: u32 = 365 * 24 * 60 * 60;
/// The longest cron expression.
const EXPRESSION_MAX: usize = 256;
/// How far back the search for the last ticks looks first.
const LOOK_BACK: Duration = Duration::from_secs(64);

/// The ticks of a schedule: an ascending series of times.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    Cron(Box<Cron>, TimeZone),
    Every { period: Duration, from: Timestamp },
    Once(Timestamp),
}

impl Rule {
    /// Reads a timing. `anchor` is where equal distances are counted from if it does not say so.
    pub(super) fn new(timing: &Timing, anchor: Timestamp) -> Result<Self, Problem> {
        match timing {
            Timing::Cron { expression, time_zone } => {
                if expression.len() > EXPRESSION_MAX {
                    let what = format!("a cron expression has at most {EXPRESSION_MAX} bytes");
                    return Err(Problem::argument(what));
                }
                let cron = Cron::from_str(expression).map_err(|error| {
                    Problem::argument(format!("the cron expression `{expression}`: {error}"))
                        .help("five fields, or six with seconds first: `30 0 6 * * MON-FRI`")
                })?;
                let zone = TimeZone::get(time_zone).map_err(|_| {
                    Problem::argument(format!("there is no time zone `{time_zone}`"))
                        .help("give a name such as `Europe/Berlin` or `UTC`")
                })?;
                Ok(Self::Cron(Box::new(cron), zone))
            }
            Timing::Every { seconds, from } => {
                if !(1..=EVERY_MAX).contains(seconds) {
                    let what = format!("`timing.seconds` is 1 to {EVERY_MAX}");
                    return Err(Problem::argument(what));
                }
                let from = from.as_deref().map(|from| moment("timing.from", from)).transpose()?;
                let period = Duration::from_secs(u64::from(*seconds));
                Ok(Self::Every { period, from: from.unwrap_or(anchor + period) })
            }
            Timing::Once { at } => moment("timing.at", at).map(Self::Once),
        }
    }

    /// The first tick after a time, if there is one.
    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron, zone) => {
                let micros = i64::try_from(after.0).ok()?;
                let start = jiff::Timestamp::from_microsecond(micros).ok()?;
                let next = cron.find_next_occurrence(&start.to_zoned(zone.clone()), false).ok()?;
                let next = u64::try_from(next.timestamp().as_second()).ok()? * 1_000_000;
                // A tick that does not come later would come again and again.
                Some(Timestamp(next)).filter(|next| *next > after)
            }
            Self::Every { period, from } if after < *from => {
                Some(*from).filter(|_| !period.is_zero())
            }
            Self::Every { period, from } => {
                let period = u64::try_from(period.as_micros()).ok()?;
                let passed = (after.0 - from.0) / period + 1;
                from.0.checked_add(passed.checked_mul(period)?).map(Timestamp)
            }
            Self::Once(at) => Some(*at).filter(|at| *at > after),
        }
    }

    /// The ticks after `from` up to and with `to`.
    pub(super) fn ticks(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + '_ {
        let next = move |after: &Timestamp| self.next_after(*after).filter(|tick| *tick <= to);
        std::iter::successors(next(&from), next)
    }

    /// The last `most` of [`Rule::ticks`], found from the end: what lies between may be years.
    pub(super) fn last(&self, from: Timestamp, to: Timestamp, most: usize) -> VecDeque<Timestamp> {
        let mut span = LOOK_BACK;
        loop {
            let start = Timestamp(to.0.saturating_sub(span.as_micros() as u64)).max(from);
            let mut found = VecDeque::with_capacity(most);
            for tick in self.ticks(start, to) {
                if found.len() == most {
                    found.pop_front();
                }
                found.push_back(tick);
            }
            if found.len() == most || start == from {
                return found;
            }
            span *= 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_protocol::rfc3339;
    use proptest::prelude::*;

    fn cron(expression: &str, zone: &str) -> Rule {
        let timing = Timing::Cron { expression: expression.into(), time_zone: zone.into() };
        Rule::new(&timing, Timestamp(0)).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        moment("at", text).unwrap()
    }

    #[track_caller]
    fn check(rule: &Rule, from: &str, expected: &[&str]) {
        let mut ticks = Vec::new();
        let mut after = at(from);
        while ticks.len() < expected.len() {
            after = rule.next_after(after).unwrap();
            ticks.push(rfc3339(after.0).replace(".000000", ""));
        }
        assert_eq!(ticks, expected);
    }

    #[test]
    fn a_tick_in_the_hour_that_is_left_out_comes_when_the_clock_goes_on() {
        let expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
        check(&cron("30 2 * * *", "Europe/Berlin"), "2026-03-28T00:00:00Z", &expected);
    }

    #[test]
    fn a_tick_in_the_hour_that_comes_twice_comes_once_and_a_wildcard_in_both() {
        let expected = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
        check(&cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T00:00:00Z", &expected);
        let expected = [
            "2026-10-24T23:30:00Z",
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z",
        ];
        check(&cron("*/30 * * * *", "Europe/Berlin"), "2026-10-24T23:00:01Z", &expected);
    }

    #[test]
    fn seconds_last_days_and_leap_days_are_understood() {
        check(
            &cron("*/20 * * * * *", "UTC"),
            "2026-01-01T00:00:59.5Z",
            &["2026-01-01T00:01:00Z", "2026-01-01T00:01:20Z"],
        );
        check(&cron("0 12 L * *", "UTC"), "2028-02-01T00:00:00Z", &["2028-02-29T12:00:00Z"]);
        check(&cron("0 0 29 2 *", "UTC"), "2026-02-01T00:00:00Z", &["2028-02-29T00:00:00Z"]);
        assert_eq!(cron("0 0 30 2 *", "UTC").next_after(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn what_is_no_timing_is_refused() {
        let cron = |expression: &str, zone: &str| Timing::Cron {
            expression: expression.into(),
            time_zone: zone.into(),
        };
        let every = |seconds, from: &str| Timing::Every { seconds, from: Some(from.into()) };
        for wrong in [
            cron("", "UTC"),
            cron("* * *", "UTC"),
            cron("61 * * * *", "UTC"),
            cron(&"1,".repeat(200), "UTC"),
            cron("* * * * *", "Mars/Base"),
            cron("* * * * *", "../../etc/passwd"),
            every(0, "2026-01-01T00:00:00Z"),
            every(1, "yesterday"),
            every(1, "1969-01-01T00:00:00Z"),
        ] {
            assert!(Rule::new(&wrong, Timestamp(0)).is_err(), "{wrong:?}");
        }
    }

    fn rules() -> impl Strategy<Value = Rule> {
        let zones =
            ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
        let expressions = [
            "*/7 * * * * *",
            "*/10 * * * *",
            "30 2 * * *",
            "15 1,2,3 * * *",
            "0 0 * * *",
            "30 */2 * * *",
            "0 30 2 L * *",
            "45 2 * * SUN",
            "0 12 * * MON#1",
        ];
        let cron = (0..expressions.len(), 0..zones.len())
            .prop_map(move |(expression, zone)| cron(expressions[expression], zones[zone]));
        let every = (1..100_000u64, 0..2_000_000_000u64).prop_map(|(period, from)| Rule::Every {
            period: Duration::from_secs(period),
            from: Timestamp(from * 1_000_000),
        });
        prop_oneof![3 => cron, 1 => every]
    }

    proptest! {
        /// From whatever moment one looks, the same ticks lie ahead: else a restart would lose
        /// ticks or see some twice.
        #[test]
        fn the_next_tick_does_not_depend_on_when_one_looks(
            rule in rules(),
            start in 1_700_000_000u64..1_900_000_000,
            place in 0.0..1.0f64,
        ) {
            let start = Timestamp(start * 1_000_000);
            let mut tick = rule.next_after(start).unwrap();
            for _ in 0..40 {
                let next = rule.next_after(tick).unwrap();
                prop_assert!(next > tick);
                let between = Timestamp(tick.0 + ((next.0 - tick.0 - 1) as f64 * place) as u64);
                prop_assert_eq!(rule.next_after(between), Some(next));
                tick = next;
            }
        }

        #[test]
        fn the_last_ticks_are_the_last_of_all(
            rule in rules(),
            start in 1_700_000_000u64..1_900_000_000,
            span in 0u64..200_000,
            most in 1usize..20,
        ) {
            let (from, to) = (Timestamp(start * 1_000_000), Timestamp((start + span) * 1_000_000));
            let all: Vec<_> = rule.ticks(from, to).collect();
            let last = &all[all.len().saturating_sub(most)..];
            prop_assert_eq!(rule.last(from, to, most), last);
        }
    }
}
