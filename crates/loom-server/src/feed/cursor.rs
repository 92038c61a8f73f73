//! Where a reader of the feed stands.

use loom_store::FeedPosition;
use std::fmt;
use std::str::FromStr;

/// Names one event of all: its row, and its place in the row from 0. Written `ROW-PLACE`; this is
/// the `id` of a server-sent event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The row.
    pub row: FeedPosition,
    /// The event in the row.
    pub place: u32,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.row.0, self.place)
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseCursorError;

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (row, place) = text.split_once('-').ok_or(ParseCursorError)?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !number(row) || !number(place) {
            return Err(ParseCursorError);
        }
        Ok(Self {
            row: FeedPosition(row.parse().map_err(|_| ParseCursorError)?),
            place: place.parse().map_err(|_| ParseCursorError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        let cursor = Cursor { row: FeedPosition(12), place: 3 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "-", "1", "1-", "-1", "+1-2", "1-2-3", "99999999999999999999-1", "a-b"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(ParseCursorError), "{wrong}");
        }
    }
}
