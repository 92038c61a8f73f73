//! Here-documents: `<<END`, and their bodies, which begin after the line's end.

use super::{Scan, Word};

/// One whose body has not been passed over yet.
pub(super) struct Heredoc {
    end: String,
    strip_tabs: bool,
}

impl Scan<'_> {
    /// The word behind `<<`.
    pub(super) fn heredoc_start(&mut self) -> Option<()> {
        let strip_tabs = self.peek() == Some(b'-');
        if strip_tabs {
            self.at += 1;
        }
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let mut end = String::new();
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
                b'\'' => {
                    let inside = self.single_quoted()?;
                    end.push_str(&self.line[inside]);
                }
                b'"' | b'\\' => self.at += 1,
                b'$' | b'`' => return None,
                _ => {
                    let mut word = Word::default();
                    self.letter(&mut word);
                    end.push_str(&word.text);
                }
            }
        }
        if self.at == start {
            return None;
        }
        self.heredocs.push(Heredoc { end, strip_tabs });
        Some(())
    }

    /// Passes over the bodies that begin here.
    pub(super) fn heredoc_bodies(&mut self) -> Option<()> {
        for heredoc in std::mem::take(&mut self.heredocs) {
            loop {
                if self.at >= self.line.len() {
                    return None;
                }
                let rest = &self.line[self.at..];
                let length = rest.find('\n').unwrap_or(rest.len());
                let body = &rest[..length];
                self.at = (self.at + length + 1).min(self.line.len());
                let body = if heredoc.strip_tabs { body.trim_start_matches('\t') } else { body };
                if body == heredoc.end {
                    break;
                }
            }
        }
        Some(())
    }
}
