//! JSON that others wrote.
//!
//! Everything that comes from outside is read by [`read`], which takes no more than [`DEPTH_MAX`]
//! lists and maps in each other: values are copied, compared, written and dropped by recursion. What
//! reached us in another way is held to the same limit by [`check`]. What we wrote ourselves goes
//! around such values, so that it may be deeper; [`read_stored`] reads all of it.

use crate::unique::UniqueKeys;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// How deep the lists and maps of JSON from outside may be nested.
pub const DEPTH_MAX: usize = 64;

/// How deep they may be nested in what a store gives back: deeper than anything that is written, and
/// than what was written while there was no [`DEPTH_MAX`].
pub const STORED_DEPTH_MAX: usize = 256;

/// How the keys begin by which `serde_json` talks to itself: a map with such a key is not taken for a
/// map, but for JSON in a text, which is read in its place, however deep.
const RESERVED: &str = "$serde_json::private::";

/// Why JSON is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is nested deeper than this.
    TooDeep(usize),
    /// A map has a key that means something to the program alone.
    ReservedKey,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep(most) => write!(f, "lists and maps are nested more than {most} deep"),
            Self::ReservedKey => write!(f, "a key begins with `{RESERVED}`, which is reserved"),
        }
    }
}

impl std::error::Error for Unfit {}

/// Why a text could not be read.
#[derive(Debug)]
pub enum JsonError {
    /// It is not taken.
    Unfit {
        /// Why.
        why: Unfit,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in bytes.
        column: usize,
    },
    /// It is no JSON, or says something else than was expected.
    Wrong(serde_json::Error),
}

impl JsonError {
    /// The line and the column, from 1.
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Unfit { line, column, .. } => (*line, *column),
            Self::Wrong(error) => (error.line(), error.column()),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit { why, line, column } => write!(f, "{why} at line {line} column {column}"),
            Self::Wrong(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JsonError {}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self::Wrong(error)
    }
}

/// Reads JSON that somebody else wrote.
pub fn read<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, JsonError> {
    scan(text, DEPTH_MAX)?;
    Ok(serde_json::from_slice(text)?)
}

/// As [`read`], refusing maps in which a key comes twice: of two values, one would be passed over.
pub fn read_unique(text: &[u8]) -> Result<Value, JsonError> {
    let UniqueKeys(value) = read(text)?;
    Ok(value)
}

/// Reads JSON that we wrote and kept.
pub fn read_stored<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonError> {
    scan(text.as_bytes(), STORED_DEPTH_MAX)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    // The scan has set one.
    reader.disable_recursion_limit();
    let read = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(read)
}

/// Holds a value to what [`read`] would have taken.
pub fn check(value: &Value) -> Result<(), Unfit> {
    // A list instead of a call for each level, because the levels are a stranger's.
    let mut open = vec![(value, 0)];
    while let Some((value, around)) = open.pop() {
        let inner: &mut dyn Iterator<Item = &Value> = match value {
            Value::Array(items) => &mut items.iter(),
            Value::Object(fields) if fields.keys().any(|key| is_reserved(key)) => {
                return Err(Unfit::ReservedKey);
            }
            Value::Object(fields) => &mut fields.values(),
            _ => continue,
        };
        if around == DEPTH_MAX {
            return Err(Unfit::TooDeep(DEPTH_MAX));
        }
        let nests = |value: &&Value| value.is_array() || value.is_object();
        open.extend(inner.filter(nests).map(|value| (value, around + 1)));
    }
    Ok(())
}

/// Whether a map that is written with this key would be read as something else.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with(RESERVED)
}

/// Refuses what must not come to a reader that recurses. Of a text that is no JSON, the part is
/// understood that such a reader gets to see.
fn scan(text: &[u8], most: usize) -> Result<(), JsonError> {
    let unfit = |why, at: usize| {
        let before = &text[..at];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        JsonError::Unfit { why, line, column: at - start + 1 }
    };
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        let mut next = at + 1;
        match byte {
            b'"' => {
                next = string_end(text, next);
                if is_reserved_key(&text[at..next], &text[next..]) {
                    return Err(unfit(Unfit::ReservedKey, at));
                }
            }
            b'[' | b'{' if depth == most => return Err(unfit(Unfit::TooDeep(most), at)),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at = next;
    }
    Ok(())
}

/// The place behind the quote that ends a string.
fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Whether a string, with its quotes, is a key that is reserved, to go by what comes behind it.
fn is_reserved_key(string: &[u8], behind: &[u8]) -> bool {
    let may_be = string.get(1).is_some_and(|first| matches!(first, b'$' | b'\\'));
    may_be
        && behind.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
        && serde_json::from_slice::<String>(string).is_ok_and(|key| is_reserved(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lists(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    fn maps(depth: usize) -> String {
        r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth)
    }

    fn why(text: &str) -> String {
        read::<Value>(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn depth_is_limited_where_text_is_read_and_where_values_come_in() {
        for form in [lists, maps] {
            let value: Value = read(form(DEPTH_MAX).as_bytes()).unwrap();
            assert_eq!(check(&value), Ok(()));
            assert_eq!(check(&json!([value])), Err(Unfit::TooDeep(DEPTH_MAX)));
            for depth in [DEPTH_MAX + 1, 125, 200, 1_000_000] {
                let error = why(&form(depth));
                assert!(
                    error.starts_with("lists and maps are nested more than 64 deep"),
                    "{error}"
                );
            }
        }
        let wide = format!("[{}]", vec![lists(DEPTH_MAX - 1); 50].join(","));
        read::<Value>(wide.as_bytes()).unwrap();
        let text = format!("\n {}", lists(65));
        assert_eq!(read::<Value>(text.as_bytes()).unwrap_err().place(), (2, 66));
        let quoted = json!([lists(1000), "\"[[", "\\"]).to_string();
        read::<Value>(quoted.as_bytes()).unwrap();
    }

    #[test]
    fn keys_that_would_be_read_as_something_else_are_refused() {
        let mut ladder = lists(60);
        for _ in 0..3 {
            ladder = json!({ "$serde_json::private::RawValue": ladder }).to_string();
        }
        for text in [
            ladder.as_str(),
            r#"{"$serde_json::private::RawValue":"[1]"}"#,
            r#"{"a":[{"$serde_json::private::Number" : "1"}]}"#,
            r#"{"\u0024serde_json::private::RawValue":"[1]"}"#,
            r#"{"$serde\u005fjson::private::RawValue"
                :"[1]"}"#,
        ] {
            assert!(why(text).contains("which is reserved"), "{text}");
            assert!(read_stored::<Value>(text).is_err(), "{text}");
        }
        for text in [r#"["$serde_json::private::RawValue"]"#, r#"{"$a":"\\","\\":1}"#] {
            check(&read::<Value>(text.as_bytes()).unwrap()).unwrap();
        }
        let mut map = serde_json::Map::new();
        map.insert("$serde_json::private::RawValue".into(), "[1]".into());
        assert_eq!(check(&json!([map])), Err(Unfit::ReservedKey));
    }

    #[test]
    fn what_is_no_json_is_said_as_ever() {
        assert_eq!(why("[1"), "EOF while parsing a list at line 1 column 2");
        for text in ["", "\"", "\"\\", "{\"a\"", "]]]", "[\"\\", "{\"$", "\u{0}"] {
            assert!(read::<Value>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read::<Value>(b"\"\xff\"").is_err());
        assert!(read_stored::<Value>("1 2").is_err());
    }

    #[test]
    fn what_is_stored_may_be_deeper() {
        for form in [lists, maps] {
            let value: Value = read_stored(&form(STORED_DEPTH_MAX)).unwrap();
            assert_eq!(value.to_string(), form(STORED_DEPTH_MAX));
            let error = read_stored::<Value>(&form(STORED_DEPTH_MAX + 1)).unwrap_err();
            assert!(error.to_string().contains("more than 256 deep"), "{error}");
        }
    }
}
