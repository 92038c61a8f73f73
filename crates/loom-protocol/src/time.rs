//! Times as text: RFC 3339, UTC, in microseconds.

/// A time as events write it: RFC 3339, UTC, in microseconds. `micros` are since the epoch.
pub fn rfc3339(micros: u64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
}

/// Year, month and day of the day with this number since 1970-01-01, by counting in eras of 400
/// years that begin in March, so that the leap day comes last.
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The reverse of [`rfc3339`]; `None` for any other way to write a time.
pub fn read_rfc3339(text: &str) -> Option<u64> {
    let field = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?
    };
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let in_range = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    let in_range = in_range && hour < 24 && minute < 60 && second < 60;
    let of_day = hour * 3600 + minute * 60 + second;
    let micros =
        in_range.then(|| (days(year, month, day) * 86_400 + of_day) * 1_000_000)? + field(20, 26)?;
    // What else is between the digits, and days that there are not, show when it is written again.
    (rfc3339(micros) == text).then_some(micros)
}

/// The number of a day since 1970-01-01: the reverse of [`civil`].
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_and_read_back() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_164_799_999_999, "2024-02-28T23:59:59.999999Z"),
            (1_795_250_000_000_120, "2026-11-21T08:33:20.000120Z"),
        ] {
            assert_eq!(rfc3339(micros), text);
            assert_eq!(read_rfc3339(text), Some(micros));
        }
        for day in 0..60_000 {
            let micros = day * 86_400_000_000 + 86_399_999_999;
            assert_eq!(read_rfc3339(&rfc3339(micros)), Some(micros));
        }
    }

    #[test]
    fn what_is_written_otherwise_is_no_time() {
        for text in [
            "",
            "soon",
            "2026-11-21",
            "2026-11-21T08:33:20Z",
            "2026-11-21T08:33:20.000120+00:00",
            "2026-11-21 08:33:20.000120Z",
            "2026-11-21T08:33:20.000120Z ",
            "2026-02-30T08:33:20.000120Z",
            "2026-13-01T08:33:20.000120Z",
            "2026-11-21T24:33:20.000120Z",
            "1969-11-21T08:33:20.000120Z",
            "0000-00-00T00:00:00.000000Z",
            "+026-11-21T08:33:20.000120Z",
            "é026-11-21T08:33:20.000120Z",
        ] {
            assert_eq!(read_rfc3339(text), None, "{text}");
        }
    }
}
