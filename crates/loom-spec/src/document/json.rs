//! JSON by its own rules: tabs, surrogate pairs and `\/` are no YAML.

use super::build::{Builder, Scalar};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use loom_protocol::ErrorCode;
use serde_json::Value;

/// Whether a source is read as JSON: it is named so, or it is JSON and no more.
pub(super) fn is_json(source: &Source) -> bool {
    let extension = std::path::Path::new(source.name()).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        || source.text().trim_start().starts_with('{') && check(source.text()).is_ok()
}

/// The syntax of a text, checked without recursion into what it means.
fn check(text: &str) -> serde_json::Result<serde::de::IgnoredAny> {
    serde_json::from_str(text)
}

/// Reads a document into a tree.
pub(super) fn read<'a>(
    source: &'a Source,
    builder: &mut Builder<'a>,
) -> Result<(), Box<Diagnostic>> {
    let mut reader = Reader { text: source.text(), at: 0, open: Vec::new(), builder };
    reader.document()
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
}

struct Reader<'a, 'b> {
    text: &'a str,
    at: usize,
    /// The closing brackets that are owed.
    open: Vec<u8>,
    builder: &'b mut Builder<'a>,
}

impl Reader<'_, '_> {
    fn document(&mut self) -> Result<(), Box<Diagnostic>> {
        let mut next = Next::Value;
        loop {
            self.skip_blanks();
            next = self.step(next)?;
            if self.open.is_empty() && next == Next::CommaOrEnd {
                break;
            }
        }
        self.skip_blanks();
        if self.at < self.text.len() {
            return Err(self.wrong("nothing more was expected"));
        }
        Ok(())
    }

    /// Takes one token and says what may follow it.
    fn step(&mut self, next: Next) -> Result<Next, Box<Diagnostic>> {
        let byte = self.peek();
        let value = matches!(next, Next::Value | Next::ValueOrEnd);
        match byte {
            Some(b'{' | b'[') if value => self.begin(byte == Some(b'{')),
            Some(b'"') if value || matches!(next, Next::Key | Next::KeyOrEnd) => self.string(value),
            Some(end @ (b'}' | b']'))
                if !matches!(next, Next::Value | Next::Key) && self.open.last() == Some(&end) =>
            {
                self.open.pop();
                self.at += 1;
                self.builder.end(self.at as u32);
                Ok(Next::CommaOrEnd)
            }
            Some(b',') if next == Next::CommaOrEnd => {
                self.at += 1;
                let map = self.open.last() == Some(&b'}');
                Ok(if map { Next::Key } else { Next::Value })
            }
            Some(_) if value => self.word(),
            _ => Err(self.wrong(match next {
                Next::Value | Next::ValueOrEnd => "a value was expected",
                Next::Key | Next::KeyOrEnd => "a key in double quotes was expected",
                Next::CommaOrEnd => "a comma or a closing bracket was expected",
            })),
        }
    }

    fn begin(&mut self, map: bool) -> Result<Next, Box<Diagnostic>> {
        let span = Span::new(self.at as u32, self.at as u32 + 1);
        self.at += 1;
        self.open.push(if map { b'}' } else { b']' });
        if map {
            self.builder.begin_map(0, span)?;
            return Ok(Next::KeyOrEnd);
        }
        self.builder.begin_list(0, span)?;
        Ok(Next::ValueOrEnd)
    }

    /// A string, which is a key and its colon unless it is a `value`.
    fn string(&mut self, value: bool) -> Result<Next, Box<Diagnostic>> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut end = start + 1;
        while bytes.get(end).is_some_and(|&byte| byte != b'"') {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let written = self.text.get(start..=end);
        let Some(Ok(text)) = written.map(serde_json::from_str::<String>) else {
            return Err(self.wrong("the string that begins here is not well formed"));
        };
        self.at = end + 1;
        let span = Span::new(start as u32, self.at as u32);
        self.builder.scalar(&Scalar { text: &text, plain: false, anchor: 0, span })?;
        if value {
            return Ok(Next::CommaOrEnd);
        }
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.wrong("a colon was expected"));
        }
        self.at += 1;
        Ok(Next::Value)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Next, Box<Diagnostic>> {
        let rest = &self.text[self.at..];
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':' | '"');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let known = serde_json::from_str::<Value>(word);
        if !known.is_ok_and(|value| !value.is_string()) {
            return Err(self.wrong("a value was expected"));
        }
        let span = Span::new(self.at as u32, (self.at + word.len()) as u32);
        self.at += word.len();
        self.builder.scalar(&Scalar { text: word, plain: true, anchor: 0, span })?;
        Ok(Next::CommaOrEnd)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong(&self, what: &str) -> Box<Diagnostic> {
        let span = Span::empty(self.at as u32);
        let problem =
            Diagnostic::error(ErrorCode::NotYaml, format!("the file is not JSON: {what}"));
        problem.at(span, "").help("check the quotes, the commas and the brackets here").into()
    }
}
