//! What an attempt emits: `NAME=value` lines on standard output, and the file `$LOOM_OUTPUT`.
//!
//! Everything emitted is reported, declared or not; the last emission of a name wins. Memory is
//! bounded whatever a command writes:
//!
//! | Limit | Declared | Not declared |
//! | --- | --- | --- |
//! | names | those declared | the first [`UNDECLARED_NAMES`] |
//! | a value on standard output | [`LINE_LIMIT`], else the attempt fails | [`LINE_LIMIT`], else dropped |
//! | a value or a line in the file | [`FILE_VALUE_LIMIT`], else the attempt fails | the same |
//! | all values together | – | [`UNDECLARED_BYTES`], else dropped |
//! | the file | [`FILE_LIMIT`] in all, else the attempt fails | the same |
//!
//! A value that is not UTF-8 fails the attempt; an undeclared one on standard output is shown with
//! U+FFFD in place of what is not.

mod file;

use loom_protocol::{VARIABLE_NAME_MAX, is_variable_byte};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{self, Read};
use std::string::FromUtf8Error;

/// The most undeclared names that are kept.
pub(crate) const UNDECLARED_NAMES: usize = 1000;
/// The most bytes of undeclared values that are kept, in all.
pub(crate) const UNDECLARED_BYTES: usize = 8 << 20;
/// The most bytes of a value on standard output.
pub(crate) const LINE_LIMIT: usize = 1 << 20;
/// The most bytes of a value, or of a line, in the file.
pub(crate) const FILE_VALUE_LIMIT: usize = 16 << 20;
/// The most bytes of the file.
pub(crate) const FILE_LIMIT: u64 = 64 << 20;
/// Gathers what one attempt emits.
#[derive(Debug)]
pub(crate) struct Emitted {
    declared: Vec<String>,
    found: Vec<(String, Value)>,
    places: HashMap<String, usize>,
    undeclared: usize,
    undeclared_bytes: usize,
    line: Line,
    problem: Option<String>,
}

/// Where the parser of standard output is.
#[derive(Debug)]
enum Line {
    /// At the line's beginning, or in what may be a name.
    Name(Vec<u8>),
    /// Behind `NAME=`.
    Value { name: String, value: Vec<u8>, too_long: bool },
    /// In a line that is nothing to us.
    Other,
}

impl Emitted {
    /// Nothing yet, of an attempt that declares these names.
    pub(crate) fn new(declared: &[String]) -> Self {
        Self {
            declared: declared.to_vec(),
            found: Vec::new(),
            places: HashMap::new(),
            undeclared: 0,
            undeclared_bytes: 0,
            line: Line::Name(Vec::new()),
            problem: None,
        }
    }

    /// Takes the next piece of standard output.
    pub(crate) fn stdout(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.line {
                Line::Name(name) => {
                    let end = bytes.iter().position(|byte| !is_variable_byte(*byte));
                    let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                    if name.len() + part.len() > VARIABLE_NAME_MAX {
                        self.line = Line::Other;
                        continue;
                    }
                    name.extend_from_slice(part);
                    match rest.first() {
                        None => rest,
                        Some(b'=') if name.first().is_some_and(|byte| !byte.is_ascii_digit()) => {
                            let name = String::from_utf8_lossy(name).into_owned();
                            self.line = Line::Value { name, value: Vec::new(), too_long: false };
                            &rest[1..]
                        }
                        Some(b'\n') => {
                            name.clear();
                            &rest[1..]
                        }
                        Some(_) => {
                            self.line = Line::Other;
                            rest
                        }
                    }
                }
                Line::Value { value, too_long, .. } => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let part = &bytes[..end.unwrap_or(bytes.len())];
                    // One more byte is let in for a carriage return before the line's end.
                    if value.len() + part.len() > LINE_LIMIT + 1 {
                        *too_long = true;
                        *value = Vec::new();
                    }
                    if !*too_long {
                        value.extend_from_slice(part);
                    }
                    match end {
                        None => return,
                        Some(end) => {
                            self.end_line();
                            &bytes[end + 1..]
                        }
                    }
                }
                Line::Other => match bytes.iter().position(|byte| *byte == b'\n') {
                    None => return,
                    Some(end) => {
                        self.line = Line::Name(Vec::new());
                        &bytes[end + 1..]
                    }
                },
            };
        }
    }

    /// Standard output has ended; a last line without a line end counts.
    pub(crate) fn stdout_ended(&mut self) {
        self.end_line();
    }

    fn end_line(&mut self) {
        let line = std::mem::replace(&mut self.line, Line::Name(Vec::new()));
        if let Line::Value { name, mut value, too_long } = line {
            if value.last() == Some(&b'\r') {
                value.pop();
            }
            if too_long || value.len() > LINE_LIMIT {
                if self.takes(&name) {
                    self.blame(format!(
                        "output `{name}` is longer than the {LINE_LIMIT} bytes that a line of \
                         standard output may hold; write it to the file $LOOM_OUTPUT, or emit the \
                         path of a file"
                    ));
                }
                return;
            }
            match String::from_utf8(value) {
                Ok(value) => self.emit(name, value.into()),
                Err(error) if self.takes(&name) => {
                    self.blame(format!("output `{name}` {}", not_text(&error)));
                }
                Err(error) => self.emit(name, text(error.as_bytes()).into()),
            }
        }
    }

    /// Whether an emission of this name is meant for others.
    fn takes(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared == name || declared == "*")
    }

    /// Records an emission.
    pub(crate) fn emit(&mut self, name: String, value: Value) {
        if let Some(&place) = self.places.get(&name) {
            let Some(slot) = self.found.get_mut(place) else { return };
            if !self.declared.contains(&name) {
                let rest = self.undeclared_bytes - size(&slot.1);
                if rest + size(&value) > UNDECLARED_BYTES {
                    return;
                }
                self.undeclared_bytes = rest + size(&value);
            }
            slot.1 = value;
            return;
        }
        if !self.declared.contains(&name) {
            if self.undeclared == UNDECLARED_NAMES
                || self.undeclared_bytes + size(&value) > UNDECLARED_BYTES
            {
                return;
            }
            self.undeclared += 1;
            self.undeclared_bytes += size(&value);
        }
        self.places.insert(name.clone(), self.found.len());
        self.found.push((name, value));
    }

    /// What was emitted under this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.places.get(name).map(|place| &self.found[*place].1)
    }

    /// Why what was emitted cannot be used, if it cannot: the first problem.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Everything, in the order of first emission.
    pub(crate) fn into_outputs(self) -> Vec<(String, Value)> {
        self.found
    }

    fn blame(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}

/// The bytes as text that is shown; what is not UTF-8 becomes U+FFFD.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Why a value cannot be used: changed silently, it would be another.
fn not_text(error: &FromUtf8Error) -> String {
    let at = error.utf8_error().valid_up_to();
    format!(
        "is not UTF-8: its byte {} is 0x{:02x}; encode it, as with base64, or emit the path of a file",
        at + 1,
        error.as_bytes()[at]
    )
}

/// Roughly the memory that a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 16,
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| name.len() + size(field)).sum::<usize>() + 16
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 16,
    }
}

/// Feeds bytes of a stranger to both parsers, in pieces of a size that the first byte says, and
/// checks that pieces make no difference. For the fuzzer.
pub(crate) fn fuzz(data: &[u8]) {
    let Some((&size, data)) = data.split_first() else { return };
    let declared = ["A".to_owned(), "FREE_SPACE".to_owned()];
    let parse = |size: usize| {
        let mut emitted = Emitted::new(&declared);
        for piece in data.chunks(size) {
            emitted.stdout(piece);
        }
        emitted.stdout_ended();
        let mut file = Emitted::new(&declared);
        file.file(Pieces { data, size }).expect("reading from memory does not fail");
        let problem = file.problem().map(str::to_owned);
        (emitted.into_outputs(), file.into_outputs(), problem)
    };
    let pieces = parse(usize::from(size).max(1));
    assert_eq!(pieces, parse(data.len().max(1)), "pieces make a difference");
    for (name, _) in pieces.0.iter().chain(&pieces.1) {
        assert!(loom_protocol::is_variable(name), "{name:?} is not a name");
    }
}

/// Reads at most `size` bytes at once.
struct Pieces<'a> {
    data: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.size.min(buffer.len());
        self.data.read(&mut buffer[..size])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, json};

    #[test]
    fn the_fuzzers_corpus_is_read_alike_in_pieces_of_any_size() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/outputs");
        let mut seen = 0;
        for entry in std::fs::read_dir(corpus).unwrap() {
            seen += 1;
            let text = std::fs::read(entry.unwrap().path()).unwrap();
            for size in [1, 2, 7, 255] {
                fuzz(&[&[size][..], &text].concat());
            }
        }
        assert!(seen > 3);
    }

    fn stdout(declared: &[&str], text: &[u8]) -> Emitted {
        let declared: Vec<String> = declared.iter().map(|name| (*name).to_owned()).collect();
        let mut emitted = Emitted::new(&declared);
        emitted.stdout(text);
        emitted.stdout_ended();
        emitted
    }

    fn file(text: &str) -> Result<Value, String> {
        let mut emitted = Emitted::new(&["A".to_owned()]);
        emitted.file(text.as_bytes()).unwrap();
        match emitted.problem() {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(emitted.into_outputs().into_iter().collect::<Map<_, _>>().into()),
        }
    }

    #[test]
    fn lines_of_standard_output() {
        let text = b"hello\nA=1\r\nB = 2\n 9C=3\n9C=3\n_d=x=y\nA=two\n=\n\nE=\xff\nlast=";
        let found = stdout(&["A"], text).into_outputs();
        let expected = [("A", "two"), ("_d", "x=y"), ("E", "\u{fffd}"), ("last", "")]
            .map(|(name, value)| (name.to_owned(), Value::from(value)));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_beyond_the_limit_fails_if_declared_and_is_dropped_otherwise() {
        let mut text = b"A=".to_vec();
        text.resize(2 + LINE_LIMIT, b'x');
        text.extend_from_slice(b"\r\nB=1\n");
        let fits = stdout(&["A"], &text);
        assert!(fits.problem().is_none());
        assert_eq!(fits.get("A").unwrap().as_str().unwrap().len(), LINE_LIMIT);
        text.insert(2, b'x');
        let declared = stdout(&["A"], &text);
        assert!(declared.problem().unwrap().contains("`A`"));
        let undeclared = stdout(&[], &text);
        assert!(undeclared.problem().is_none());
        assert_eq!(undeclared.into_outputs(), [("B".to_owned(), json!("1"))]);
    }

    #[test]
    fn undeclared_names_are_bounded_and_declared_ones_are_not() {
        let names: Vec<String> = (0..2000).map(|number| format!("N{number}")).collect();
        let text = names.join("=1\n") + "=1\n";
        assert_eq!(stdout(&[], text.as_bytes()).into_outputs().len(), UNDECLARED_NAMES);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(stdout(&names, text.as_bytes()).into_outputs().len(), 2000);
    }

    #[test]
    fn the_file_takes_three_forms() {
        let text = "A=1\n\nB<<END\none\n\ntwo \nEND\n{\"C\": [1, 2], \"A\": 3}\r\nD=";
        let expected = json!({"A": 3, "B": "one\n\ntwo ", "C": [1, 2], "D": ""});
        assert_eq!(file(text), Ok(expected));
        assert_eq!(file("A<<X\nX\n"), Ok(json!({"A": ""})));
    }

    #[test]
    fn what_the_file_must_not_hold_is_named_with_its_line() {
        for (text, part) in [
            ("A=1\nhello\n", "line 2 of the file $LOOM_OUTPUT is neither"),
            ("A<<END\n1\n", "no line `END` ends it"),
            ("{\"A\": 1\n", "is not a JSON object"),
            ("{\"a b\": 1}\n", "\"a b\""),
            ("1A=1\n", "line 1"),
        ] {
            let problem = file(text).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn anything_parses_the_same_in_pieces(data in prop::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'='), Just(b'<'), Just(b'A'), Just(b'{'), any::<u8>()],
            0..200,
        )) {
            fuzz(&data);
        }
    }
}
