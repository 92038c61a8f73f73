//! `$` and what the shell puts in its place.

use super::{Scan, Until, Word};
use loom_protocol::is_variable_byte;

impl Scan<'_> {
    /// `$` and what belongs to it.
    pub(super) fn dollar(
        &mut self,
        word: &mut Word,
        code: bool,
        until: Until,
        quoted: bool,
    ) -> Option<()> {
        self.at += 1;
        match self.peek() {
            Some(b'(') if self.byte(1) == Some(b'(') => {
                word.expands = true;
                self.arithmetic()
            }
            Some(b'(') => {
                word.expands = true;
                self.at += 1;
                // Within backticks the quoting of what is nested is another.
                if until == Until::Backtick && quoted {
                    return None;
                }
                self.commands(Until::Parenthesis, code)
            }
            Some(b'{') => {
                word.expands = true;
                self.braces()
            }
            Some(b'\'') if !quoted => {
                // Some shells know `$'…'` with escapes; a plain one ends alike everywhere.
                word.expands = true;
                let inside = self.single_quoted()?;
                (!self.line[inside].contains('\\')).then_some(())
            }
            Some(byte) if is_variable_byte(byte) || b"@*#?$!-".contains(&byte) => {
                word.expands = true;
                self.at += 1;
                if is_variable_byte(byte) && !byte.is_ascii_digit() {
                    while self.peek().is_some_and(is_variable_byte) {
                        self.at += 1;
                    }
                }
                Some(())
            }
            _ => {
                word.text.push('$');
                Some(())
            }
        }
    }

    /// `${…}`. Quotes inside mean different things in different places, so only plain ones are
    /// understood.
    fn braces(&mut self) -> Option<()> {
        let end = self.line[self.at..].find('}')?;
        let inside = &self.line[self.at + 1..self.at + end];
        if inside.contains(['\'', '"', '`', '\\', '$', '{']) {
            return None;
        }
        self.at += end + 1;
        Some(())
    }

    /// `$((…))`.
    fn arithmetic(&mut self) -> Option<()> {
        let mut depth = 0;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(());
                    }
                }
                b'\'' | b'"' | b'`' | b'\\' | b'#' => return None,
                _ => {}
            }
        }
        None
    }
}
