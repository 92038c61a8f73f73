//! The text of a file, and places in it.

use crate::diagnostic::Diagnostic;
use crate::limits::Limits;
use loom_protocol::ErrorCode;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::OnceLock;

/// A range of bytes in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The place before the byte at `start`.
    pub const fn empty(start: u32) -> Self {
        Self { start, end: start }
    }
}

/// A place as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
}

/// A named text that diagnostics can point into.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Where the bytes stopped being UTF-8, if they did; the text is then a lossy rendering.
    not_utf8_at: Option<usize>,
    line_starts: OnceLock<Vec<u32>>,
}

impl Source {
    /// A text under the name that diagnostics show.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::from_bytes(name, text.into().into_bytes())
    }

    /// Bytes under the name that diagnostics show. What is not UTF-8 is reported when the source
    /// is loaded. A byte order mark at the start is dropped.
    pub fn from_bytes(name: impl Into<String>, mut bytes: Vec<u8>) -> Self {
        if bytes.starts_with("\u{feff}".as_bytes()) {
            bytes.drain(..3);
        }
        let (text, not_utf8_at) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(at))
            }
        };
        Self { name: name.into(), text, not_utf8_at, line_starts: OnceLock::new() }
    }

    /// Reads a file, never more of it than the limit allows. `-` is standard input.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, Box<Unread>> {
        let name = path.display().to_string();
        let bytes = read_up_to(path, limits.bytes.saturating_add(1)).map_err(|error| {
            let message = format!("cannot read `{name}`: {error}");
            let help = match error.kind() {
                io::ErrorKind::NotFound => "check the path; it starts from the current folder",
                io::ErrorKind::IsADirectory => "give the workflow file itself, not its folder",
                io::ErrorKind::PermissionDenied => "make the file readable for this user",
                _ => "check that the file is a plain, readable file",
            };
            let problem = Diagnostic::error(ErrorCode::FileUnreadable, message).help(help);
            Unread { name: name.clone(), problem }
        })?;
        Ok(Self::from_bytes(name, bytes))
    }

    /// The name that diagnostics show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Where the bytes that the source was made of stop being UTF-8.
    pub(crate) const fn not_utf8_at(&self) -> Option<usize> {
        self.not_utf8_at
    }

    /// The line and column of a byte.
    pub fn position(&self, at: u32) -> Position {
        let line = self.line_at(at);
        let start = self.line_starts()[line];
        let before = self.slice(Span::new(start, at.max(start)));
        Position { line: line as u32 + 1, column: before.chars().count() as u32 + 1 }
    }

    /// The byte at a line and column: the reverse of [`Source::position`]; `None` for a place that
    /// there is not.
    pub fn offset(&self, Position { line, column }: Position) -> Option<u32> {
        let line = (line as usize).checked_sub(1).filter(|&at| at < self.line_starts().len())?;
        let span = self.line(line);
        let mut places = self.slice(span).char_indices().map(|(at, _)| at as u32);
        let within = places.by_ref().nth((column as usize).checked_sub(1)?);
        let chars = self.slice(span).chars().count() as u32;
        // Behind the last character is a place, too.
        within
            .or_else(|| (column == chars + 1).then_some(span.end - span.start))
            .map(|at| span.start + at)
    }

    /// The line, from 0, that a byte is on.
    pub(crate) fn line_at(&self, at: u32) -> usize {
        self.line_starts().partition_point(|&start| start <= at).saturating_sub(1)
    }

    /// The span of a line (from 0) without its line break.
    pub(crate) fn line(&self, line: usize) -> Span {
        let starts = self.line_starts();
        let start = starts[line];
        let end = starts.get(line + 1).map_or(self.text.len() as u32, |next| next - 1);
        let text = self.slice(Span::new(start, end));
        Span::new(start, start + text.trim_end_matches('\r').len() as u32)
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at as u32 + 1)).collect()
        })
    }
}

/// A file that could not be read, and why.
#[derive(Debug)]
pub struct Unread {
    /// The file's name.
    pub name: String,
    /// What to tell.
    pub problem: Diagnostic,
}

fn read_up_to(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(most as u64).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let source = Source::new("w.yaml", "aé\r\nb\n");
        let at = |byte| {
            let Position { line, column } = source.position(byte);
            (line, column)
        };
        assert_eq!([at(0), at(1), at(3), at(5), at(7)], [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1)]);
        let back = |line, column| source.offset(Position { line, column });
        assert_eq!([back(1, 1), back(1, 2), back(1, 3)], [Some(0), Some(1), Some(3)]);
        assert_eq!([back(2, 1), back(2, 2), back(3, 1)], [Some(5), Some(6), Some(7)]);
        assert_eq!([back(0, 1), back(1, 0), back(1, 4), back(4, 1)], [None; 4]);
        assert_eq!(source.slice(source.line(0)), "aé");
        assert_eq!(source.slice(source.line(2)), "");
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_bad_bytes_are_remembered() {
        assert_eq!(Source::new("w", "\u{feff}a").text(), "a");
        assert_eq!(Source::from_bytes("w", b"ab\xffc".to_vec()).not_utf8_at(), Some(2));
    }

    #[test]
    fn reading_stops_past_the_limit() {
        let limits = Limits { bytes: 10, ..Limits::default() };
        if Path::new("/dev/zero").exists() {
            assert_eq!(Source::read(Path::new("/dev/zero"), &limits).unwrap().text().len(), 11);
        }
        let unread = Source::read(Path::new("no/such.yaml"), &limits).unwrap_err();
        assert_eq!(unread.problem.code, ErrorCode::FileUnreadable);
    }
}
