//! One range of bytes (RFC 9110, 14.2).

/// What a `Range` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// From the first, to the last if one is given; both count from 0.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

impl Range {
    /// Reads the header. One that is not understood, or that asks for several ranges, is to be
    /// ignored: the whole is sent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (unit, range) = text.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (from, to) = range.trim().split_once('-')?;
        match (from, to) {
            ("", last) => number(last).map(Self::Last),
            (from, "") => number(from).map(|from| Self::From(from, None)),
            (from, to) => {
                let (from, to) = (number(from)?, number(to)?);
                (from <= to).then_some(Self::From(from, Some(to)))
            }
        }
    }

    /// The first byte and the one behind the last, of so many; `None` if there are none.
    pub(super) fn within(self, length: u64) -> Option<(u64, u64)> {
        let (from, until) = match self {
            Self::From(from, None) => (from, length),
            Self::From(from, Some(to)) => (from, length.min(to.saturating_add(1))),
            Self::Last(count) => (length.saturating_sub(count), length),
        };
        (from < until).then_some((from, until))
    }
}

/// Digits alone; more of them than fit are as good as the most.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        let cases = [
            ("bytes=0-3", Some((0, 4))),
            ("bytes=4-", Some((4, 10))),
            ("Bytes = 9-99", Some((9, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=-99", Some((0, 10))),
            ("bytes=10-", None),
            ("bytes=-0", None),
            ("bytes=0-99999999999999999999999", Some((0, 10))),
        ];
        for (text, expected) in cases {
            assert_eq!(Range::parse(text).unwrap().within(10), expected, "{text}");
        }
        assert_eq!(Range::parse("bytes=0-").unwrap().within(0), None);
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        for text in ["", "bytes", "bytes=", "bytes=-", "bytes=3-1", "bytes=0-1,3-4", "rows=0-1"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
        assert_eq!(Range::parse("bytes=+1-2"), None);
    }
}
