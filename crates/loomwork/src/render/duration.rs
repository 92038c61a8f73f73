//! Durations as people read them.

use std::time::Duration;

/// A span in at most two units: `3 ms`, `1.2 s`, `4m 05s`, `2h 10m`, `3d 4h`.
pub(crate) fn short(span: Duration) -> String {
    let millis = span.as_millis();
    let seconds = span.as_secs();
    match seconds {
        0 if millis == 0 => format!("{} µs", span.as_micros()),
        0 => format!("{millis} ms"),
        1..=9 => format!("{:.1} s", (millis / 100) as f64 / 10.0),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::short;
    use std::time::Duration;

    #[test]
    fn spans_have_at_most_two_units() {
        let text =
            [0, 900, 3_000, 1_250_000, 59_999_000].map(|us| short(Duration::from_micros(us)));
        assert_eq!(text, ["0 µs", "900 µs", "3 ms", "1.2 s", "59 s"]);
        let text = [61, 7_805, 273_600].map(|s| short(Duration::from_secs(s)));
        assert_eq!(text, ["1m 01s", "2h 10m", "3d 4h"]);
    }
}
