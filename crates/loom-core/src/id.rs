//! Identities: runs, tasks of a workflow, instances of a task.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A run's identity: 128 bits, of which the first 48 are the milliseconds of its creation, so that
/// identities sort by age. Written as 26 characters of Crockford's base 32 in lower case, the text
/// form of a ULID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId([u8; 16]);

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LEN: usize = 26;

impl RunId {
    /// Makes an identity from its time of creation in milliseconds and 80 random bits
    /// (higher bits of `random` are ignored).
    pub const fn new(created_ms: u64, random: u128) -> Self {
        Self((((created_ms as u128) << 80) | (random & ((1 << 80) - 1))).to_be_bytes())
    }

    /// The identity as bytes, most significant first, so that byte order is age.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The reverse of [`RunId::to_bytes`].
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The last eight characters: enough to tell runs apart on a screen.
    pub fn short(self) -> String {
        self.to_string().split_off(TEXT_LEN - 8)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        let mut text = [0u8; TEXT_LEN];
        for (place, byte) in text.iter_mut().rev().enumerate() {
            *byte = ALPHABET[((bits >> (5 * place)) & 31) as usize];
        }
        f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a run's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a run's identity is 26 characters of 0-9 and a-z without i, l, o and u")
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for RunId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        if text.len() != TEXT_LEN {
            return Err(ParseIdError);
        }
        let mut bits: u128 = 0;
        for (place, byte) in text.bytes().enumerate() {
            let digit = ALPHABET
                .iter()
                .position(|&letter| letter == byte.to_ascii_lowercase())
                .ok_or(ParseIdError)?;
            if place == 0 && digit > 7 {
                return Err(ParseIdError);
            }
            bits = (bits << 5) | digit as u128;
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

impl Serialize for RunId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A task's place in its definition's list of tasks.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct TaskIx(pub u32);

impl TaskIx {
    /// The place as an index.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// What is attempted: a task, or one item of a `for_each` task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TaskRef {
    /// The task.
    #[serde(rename = "t")]
    pub task: TaskIx,
    /// The item's place in the list that the task runs over; `None` for a task without `for_each`.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
}

impl TaskRef {
    /// A task as a whole.
    pub const fn whole(task: TaskIx) -> Self {
        Self { task, item: None }
    }

    /// One item of a `for_each` task.
    pub const fn item(task: TaskIx, item: u32) -> Self {
        Self { task, item: Some(item) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip_and_sort_by_age() {
        let old = RunId::new(1, u128::MAX);
        let new = RunId::new(2, 0);
        assert!(old < new);
        assert!(old.to_string() < new.to_string());
        for id in [old, new, RunId::new((1 << 48) - 1, u128::MAX)] {
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(RunId::from_bytes(id.to_bytes()), id);
            assert_eq!(id.to_string().len(), TEXT_LEN);
        }
    }

    #[test]
    fn what_is_not_an_identity_is_refused() {
        for text in ["", "last", "01", "zzzzzzzzzzzzzzzzzzzzzzzzzz", "0000000000000000000000000u"] {
            assert_eq!(text.parse::<RunId>(), Err(ParseIdError), "{text}");
        }
    }
}
