//! Lengths of time as people write them.

use std::time::Duration;

/// The longest that can be written: a hundred years.
pub(crate) const SECONDS_MOST: f64 = 100.0 * 365.0 * 86_400.0;

const UNITS: [(&str, f64); 5] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// A number of seconds, if it is a length of time: more than nothing, at most a hundred years.
pub(crate) fn from_seconds(seconds: f64) -> Option<Duration> {
    let fits = seconds > 0.0 && seconds <= SECONDS_MOST;
    let rounded = fits.then(|| Duration::from_secs_f64((seconds * 1e6).round() / 1e6));
    rounded.filter(|duration| !duration.is_zero())
}

/// `300`, `1.5`, `30s`, `500ms`, `2m`, `1h`, `1d`; a number without a unit is in seconds.
pub(crate) fn from_text(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let scale = match unit.trim_start() {
        "" => 1.0,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    let plain = number.starts_with(|c: char| c.is_ascii_digit()) && !number.ends_with('.');
    let number: f64 = plain.then(|| number.parse().ok()).flatten()?;
    from_seconds(number * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, millis) in [
            ("300", 300_000),
            ("1.5", 1500),
            ("30s", 30_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            (" 1.5 m ", 90_000),
        ] {
            assert_eq!(from_text(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "0",
            "-1",
            "10 parsecs",
            "",
            "s",
            "1s2",
            "1..5",
            "1.",
            ".5",
            "1e3",
            "0.0ms",
            "5 minutes",
            "999999999999h",
            "{{ TIMEOUT }}",
            "inf",
            "NaN",
            "0.0000001",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(f64::INFINITY), None);
    }
}
