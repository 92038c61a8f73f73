//! Texts that must not be shown, and the masking of a stream of bytes.
//!
//! A masked stream holds no secret as a whole: where secrets overlap, all of their bytes go. A very
//! short secret is part of ordinary words, so it is looked for only where it stands alone.

use loom_protocol::MASK;
use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;

/// The shortest line of a secret with several lines that is looked for by itself, in bytes: `}` or
/// `---` alone give nothing away.
const LINE_MIN: usize = 4;

/// The fewest characters of a secret that is looked for everywhere. A shorter one is hidden where it
/// stands alone: with no letter, digit or underscore before or behind it.
const ANYWHERE_MIN: usize = 4;

/// The secrets of a run, prepared for searching. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(Option<Arc<Patterns>>);

struct Patterns {
    /// Longest first.
    texts: Vec<Text>,
    /// Which bytes a secret starts with.
    first: [bool; 256],
}

/// One form of a secret.
#[derive(Clone, PartialEq, Eq)]
struct Text {
    bytes: Box<[u8]>,
    /// It is short, and counts only where it stands alone.
    alone: bool,
}

impl std::fmt::Debug for Patterns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.texts.len())
    }
}

impl Secrets {
    /// Each secret is looked for as it is, without the white space around it, and as it looks inside
    /// a JSON text; of one with several lines, each line too. Empty ones are ignored.
    pub(crate) fn new(secrets: &[String]) -> Self {
        let mut texts: Vec<Text> = Vec::new();
        for secret in secrets {
            let lines = secret.lines().map(str::trim).filter(|line| line.len() >= LINE_MIN);
            let lines = lines.filter(|_| secret.trim().contains('\n'));
            for plain in [secret.as_str(), secret.trim()].into_iter().chain(lines) {
                let json = Value::from(plain).to_string();
                let json = &json[1..json.len() - 1];
                let alone = plain.chars().count() < ANYWHERE_MIN;
                for form in [plain, json, &ascii_json(json)] {
                    let text = Text { bytes: form.as_bytes().into(), alone };
                    if !form.is_empty() && !texts.contains(&text) {
                        texts.push(text);
                    }
                }
            }
        }
        Self::of(texts)
    }

    fn of(mut texts: Vec<Text>) -> Self {
        if texts.is_empty() {
            return Self(None);
        }
        texts.sort_by_key(|text| std::cmp::Reverse(text.bytes.len()));
        let mut first = [false; 256];
        for text in &texts {
            first[usize::from(text.bytes[0])] = true;
        }
        Self(Some(Arc::new(Patterns { texts, first })))
    }

    /// Takes more secrets.
    pub(crate) fn learn(&mut self, more: &[String]) {
        if more.iter().all(String::is_empty) {
            return;
        }
        let mut texts = Self::new(more).0.map_or_else(Vec::new, |new| new.texts.clone());
        texts.extend(self.0.iter().flat_map(|known| known.texts.iter().cloned()));
        *self = Self::of(texts);
    }

    /// The text without its secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        if self.0.is_none() {
            return text.to_owned();
        }
        let mut masked = Vec::with_capacity(text.len());
        let mut masker = Masker::default();
        masker.push(self, text.as_bytes(), &mut masked);
        masker.finish(self, &mut masked);
        String::from_utf8_lossy(&masked).into_owned()
    }

    /// The value with every text in it masked, keys of objects included.
    pub(crate) fn mask_value(&self, value: Value) -> Value {
        if self.0.is_none() {
            return value;
        }
        match value {
            Value::String(text) => self.mask(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.mask_value(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, field)| (self.mask(&name), self.mask_value(field)))
                .collect(),
            Value::Number(ref number) if self.contains(number.to_string().as_bytes()) => {
                MASK.into()
            }
            other => other,
        }
    }

    /// Whether a value holds a secret.
    pub(crate) fn taint(&self, value: &Value) -> bool {
        match value {
            _ if self.0.is_none() => false,
            Value::String(text) => self.contains(text.as_bytes()),
            Value::Array(items) => items.iter().any(|item| self.taint(item)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, field)| self.contains(name.as_bytes()) || self.taint(field)),
            Value::Number(number) => self.contains(number.to_string().as_bytes()),
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// Whether a secret begins in the name of an output, as it was printed.
    pub(crate) fn reaches_into_name(&self, name: &str, value: &Value) -> bool {
        self.0.is_some() && {
            let line = format!("{name}={}", crate::environment::text(value));
            self.begins(line.as_bytes(), name.len() + 1)
        }
    }

    fn contains(&self, text: &[u8]) -> bool {
        self.begins(text, text.len())
    }

    /// Whether a secret begins within so many bytes of the text.
    fn begins(&self, text: &[u8], within: usize) -> bool {
        self.0.as_ref().is_some_and(|patterns| {
            (0..within).any(|place| {
                let before = place.checked_sub(1).map(|before| text[before]);
                patterns.at(before, &text[place..]).is_some()
            })
        })
    }
}

impl Patterns {
    /// The length of the longest secret that the bytes begin with. `before` is the byte in front of
    /// them; behind them is the end, or something that is no part of a word.
    fn at(&self, before: Option<u8>, bytes: &[u8]) -> Option<usize> {
        if !self.first[usize::from(*bytes.first()?)] {
            return None;
        }
        let inside = |byte: Option<u8>| byte.is_some_and(in_word);
        let here = |text: &&Text| {
            bytes.starts_with(&text.bytes)
                && !(text.alone && (inside(before) || inside(bytes.get(text.bytes.len()).copied())))
        };
        self.texts.iter().find(here).map(|text| text.bytes.len())
    }

    /// Whether more bytes could make a (longer) secret of these, or show that one does not stand
    /// alone.
    fn may_grow(&self, bytes: &[u8]) -> bool {
        let undecided = |text: &Text| {
            text.bytes.len() + usize::from(text.alone) > bytes.len()
                && text.bytes.starts_with(bytes)
        };
        self.first[usize::from(bytes[0])] && self.texts.iter().any(undecided)
    }
}

/// Whether a byte belongs to a word: a letter, a digit, an underscore, or a part of a letter beyond
/// ASCII.
const fn in_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The text of a JSON string with everything beyond ASCII escaped, as many programs write it.
fn ascii_json(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if letter.is_ascii() {
            ascii.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut units) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

/// Masks one stream, piece by piece. Holds back less than the longest secret.
#[derive(Debug, Default)]
pub(crate) struct Masker {
    /// What could be the beginning of a secret.
    held: Vec<u8>,
    /// How many bytes, counted from the beginning of `held`, belong to a secret already masked.
    covered: usize,
    /// The byte before `held`.
    before: Option<u8>,
}

impl Masker {
    /// Adds to `masked` what is certain once these bytes have come.
    pub(crate) fn push(&mut self, secrets: &Secrets, bytes: &[u8], masked: &mut Vec<u8>) {
        self.advance(secrets, bytes, masked, false);
    }

    /// Adds to `masked` what was held back.
    pub(crate) fn finish(&mut self, secrets: &Secrets, masked: &mut Vec<u8>) {
        self.advance(secrets, &[], masked, true);
    }

    fn advance(&mut self, secrets: &Secrets, bytes: &[u8], masked: &mut Vec<u8>, last: bool) {
        let Some(patterns) = &secrets.0 else {
            masked.extend_from_slice(bytes);
            return;
        };
        let mut held = std::mem::take(&mut self.held);
        let all: &[u8] = if held.is_empty() {
            bytes
        } else {
            held.extend_from_slice(bytes);
            &held
        };
        let mut place = 0;
        while place < all.len() {
            let rest = &all[place..];
            if !last && patterns.may_grow(rest) {
                break;
            }
            if let Some(length) = patterns.at(self.before, rest) {
                if place >= self.covered {
                    masked.extend_from_slice(MASK.as_bytes());
                }
                self.covered = self.covered.max(place + length);
            } else if place >= self.covered {
                masked.push(all[place]);
            }
            self.before = Some(all[place]);
            place += 1;
        }
        self.covered = self.covered.saturating_sub(place);
        self.held = all[place..].to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets(texts: &[&str]) -> Secrets {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Secrets::new(&texts)
    }

    #[test]
    fn each_line_of_a_secret_with_several_is_hidden() {
        let secrets = Secrets::new(&["-----BEGIN-----\n  abcd1234\n}\nefgh5678\n".to_owned()]);
        assert_eq!(secrets.mask("  > abcd1234 }"), "  > *** }");
        assert_eq!(secrets.mask("efgh5678"), "***");
        assert_eq!(Secrets::new(&["one line".to_owned()]).mask("one"), "one");
    }

    #[test]
    fn masking_finds_every_form() {
        let secrets = secrets(&["keys", "monkeys", "a\"bc", "pass wörd ", ""]);
        assert_eq!(secrets.mask("a monkeys, a keys, monkeyskeys"), "a ***, a ***, ******");
        assert_eq!(secrets.mask(r#"{"x":"a\"bc"}"#), r#"{"x":"***"}"#);
        assert_eq!(secrets.mask("pass wörd"), "***");
        assert_eq!(secrets.mask(r"pass w\u00f6rd"), "***");
        assert_eq!(Secrets::new(&[]).mask("keys"), "keys");
    }

    #[test]
    fn overlapping_secrets_leave_nothing_behind() {
        assert_eq!(secrets(&["abcd", "bcdef"]).mask("abcdefg"), "***g");
        assert_eq!(secrets(&["aaaa"]).mask("aaaaaaa"), "***");
    }

    #[test]
    fn a_short_secret_is_hidden_where_it_stands_alone() {
        let secrets = secrets(&["a", "42", "äö", "-x-", "long"]);
        for (text, masked) in [
            ("a", "***"),
            ("a cat and a dog, PIN=42", "*** cat and *** dog, PIN=***"),
            ("[42] 42. 421 142 x42 42_ _42", "[***] ***. 421 142 x42 42_ _42"),
            ("äö, äöä, üäö", "***, äöä, üäö"),
            (r#"{"pin":"42","a":["\u00e4\u00f6"]}"#, r#"{"pin":"***","***":["***"]}"#),
            ("1-x-1, -x-", "1-x-1, ***"),
            ("belonging", "be***ing"),
            ("42", "***"),
        ] {
            assert_eq!(secrets.mask(text), masked);
        }
        let tainted = |value: Value| secrets.taint(&value);
        assert!(tainted(42.into()) && tainted("a".into()) && tainted("x a".into()));
        assert!(!tainted(421.into()) && !tainted("cat".into()) && !tainted(4.2.into()));
    }

    /// The rules as they are written down: what is left of an ASCII text beside its secrets.
    fn left(text: &str, secrets: &[String]) -> String {
        let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        let hides = |start: usize, secret: &str| {
            let end = start + secret.len();
            let before = start.checked_sub(1).and_then(|before| bytes.get(before));
            let alone = !word(before) && !word(bytes.get(end));
            bytes[start..].starts_with(secret.as_bytes()) && (secret.len() >= ANYWHERE_MIN || alone)
        };
        let hidden = |place: usize| {
            secrets.iter().any(|secret| {
                let first = (place + 1).saturating_sub(secret.len());
                (first..=place).any(|start| hides(start, secret))
            })
        };
        let shown = text.char_indices().filter(|(place, _)| !hidden(*place));
        shown.map(|(_, letter)| letter).collect()
    }

    #[test]
    fn a_secret_in_the_name_of_an_output_is_found() {
        let secrets = secrets(&["c2VjcmV0Zm9vYmFyIQ==", "hunter2", "=x-y-"]);
        let reaches = |name, value: Value| secrets.reaches_into_name(name, &value);
        assert!(reaches("c2VjcmV0Zm9vYmFyIQ", "=".into()));
        assert!(reaches("hunter2", 1.into()) && reaches("my_hunter2_x", Value::Null));
        assert!(reaches("A", "x-y-".into()));
        assert!(!reaches("A", "hunter2".into()) && !reaches("hunter", "2".into()));
    }

    #[test]
    fn values_are_tainted_wherever_the_secret_is() {
        let secrets = secrets(&["4711", "s3cret"]);
        for tainted in [
            serde_json::json!("my s3cret"),
            serde_json::json!(["x", {"y": 4711}]),
            serde_json::json!({"s3cret": 1}),
        ] {
            assert!(secrets.taint(&tainted), "{tainted}");
            let masked = secrets.mask_value(tainted.clone());
            assert!(!secrets.taint(&masked), "{masked}");
        }
        assert!(!secrets.taint(&serde_json::json!({"x": [1, null, true, "471"]})));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in "[abc ]{0,60}",
            texts in prop::collection::vec("[abc]{1,5}", 0..4),
            cuts in prop::collection::vec(0usize..8, 0..30),
        ) {
            let secrets = Secrets::new(&texts);
            let whole = secrets.mask(&text);
            let (mut masker, mut masked, mut rest) = (Masker::default(), Vec::new(), text.as_bytes());
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                masker.push(&secrets, piece, &mut masked);
                rest = after;
            }
            masker.push(&secrets, rest, &mut masked);
            masker.finish(&secrets, &mut masked);
            prop_assert_eq!(&String::from_utf8(masked).unwrap(), &whole);
            prop_assert_eq!(whole.replace(MASK, ""), left(&text, &texts));
        }
    }
}
