//! Finds the references inside single quotes, aware of the shell's quoting.

mod expansion;
mod heredoc;

use super::code::{self, Kind};
use heredoc::Heredoc;
use loom_protocol::is_variable_byte;
use std::ops::Range;

/// The places of `$NAME` and `${NAME}` of known variables inside single quotes where a value is no
/// code, in order. `None` if the line holds something that this scanner does not understand.
pub(super) fn references(
    line: &str,
    is_variable: &dyn Fn(&str) -> bool,
) -> Option<Vec<Range<usize>>> {
    let mut scan = Scan { line, at: 0, found: Vec::new(), heredocs: Vec::new(), is_variable };
    scan.commands(Until::End, false)?;
    Some(scan.found)
}

struct Scan<'a> {
    line: &'a str,
    at: usize,
    found: Vec<Range<usize>>,
    /// Here-documents whose bodies begin after the next line end.
    heredocs: Vec<Heredoc>,
    is_variable: &'a dyn Fn(&str) -> bool,
}

/// What ends a list of commands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    End,
    Parenthesis,
    Backtick,
}

/// What is known of the simple command that is being read.
#[derive(Clone, Copy)]
struct Simple {
    /// Text in it may be code.
    code: bool,
    /// Its standard input may be code.
    reads: bool,
    /// It stands behind a pipe.
    piped: bool,
    /// The kind of the command, once its word is known.
    command: Option<Kind>,
}

impl Simple {
    const fn new(code: bool, piped: bool) -> Self {
        Self { code, reads: false, piped, command: None }
    }

    /// Whether it runs as code what a pipe brings it.
    const fn runs_its_input(self) -> bool {
        self.piped && self.reads
    }
}

/// A word that is being read.
#[derive(Default)]
struct Word {
    /// Its text as far as it is known before the shell runs.
    text: String,
    begun: bool,
    quoted: bool,
    /// It holds something that only the shell knows.
    expands: bool,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.line.as_bytes().get(self.at + ahead).copied()
    }

    /// Reads commands. `inherited` says that their output or text may be code.
    fn commands(&mut self, until: Until, inherited: bool) -> Option<()> {
        let mut simple = Simple::new(inherited, false);
        let mut word = Word::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'`' if until == Until::Backtick => break,
                b')' if until == Until::Parenthesis => break,
                b' ' | b'\t' => {
                    self.at += 1;
                    end_word(&mut simple, &mut word, until)?;
                }
                b'\n' | b';' | b'&' | b'|' | b'(' | b')' => {
                    end_word(&mut simple, &mut word, until)?;
                    self.operator(byte, &mut simple, inherited)?;
                }
                b'<' | b'>' => {
                    // A number in front of it is no word of the command.
                    if word.quoted || !word.text.bytes().all(|byte| byte.is_ascii_digit()) {
                        end_word(&mut simple, &mut word, until)?;
                    }
                    word = Word::default();
                    self.redirection(&mut simple)?;
                }
                b'#' if !word.begun => self.skip_to_line_end(),
                _ => self.part(&mut word, simple.code, until)?,
            }
        }
        end_word(&mut simple, &mut word, until)?;
        if simple.runs_its_input() {
            return None;
        }
        match until {
            Until::End => Some(()),
            Until::Parenthesis | Until::Backtick => {
                self.peek()?;
                self.at += 1;
                Some(())
            }
        }
    }

    /// What separates simple commands.
    fn operator(&mut self, byte: u8, simple: &mut Simple, inherited: bool) -> Option<()> {
        if simple.runs_its_input() {
            // What comes before the pipe is code; nothing about the line is certain.
            return None;
        }
        self.at += 1;
        let mut piped = false;
        match byte {
            b'\n' => self.heredoc_bodies()?,
            b'&' if self.peek() == Some(b'>') => {
                self.redirection(simple)?;
                return Some(());
            }
            b'|' if self.peek() != Some(b'|') => {
                piped = true;
                if self.peek() == Some(b'&') {
                    self.at += 1;
                }
            }
            b'|' => self.at += 1,
            b'(' => {
                let piped = simple.piped;
                if self.peek() == Some(b'(') {
                    // `((` is arithmetic in some shells.
                    return None;
                }
                self.commands(Until::Parenthesis, inherited)?;
                // `(…) | sh` is seen at the pipe; `cmd | (sh)` is not, so it is refused.
                if piped {
                    return None;
                }
                *simple = Simple::new(inherited, false);
                simple.command = Some(Kind::Plain);
                return Some(());
            }
            _ => {}
        }
        *simple = Simple::new(inherited, piped);
        Some(())
    }

    /// `<`, `>` and what belongs to them, up to the target's word.
    fn redirection(&mut self, simple: &mut Simple) -> Option<()> {
        let first = self.peek()?;
        self.at += 1;
        match (first, self.peek()) {
            (b'<', Some(b'<')) => {
                self.at += 1;
                if self.peek() == Some(b'<') {
                    self.at += 1;
                    // The word is standard input.
                    if simple.reads {
                        simple.code = true;
                    }
                } else {
                    self.heredoc_start()?;
                    return Some(());
                }
            }
            (_, Some(b'(')) => {
                self.at += 1;
                return self.commands(Until::Parenthesis, simple.code);
            }
            (_, Some(b'&' | b'|' | b'>')) => self.at += 1,
            _ => {}
        }
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        // The target: quoted like any word, but no word of the command.
        let mut target = Word::default();
        while let Some(byte) = self.peek() {
            if b" \t\n;&|()<>`".contains(&byte) {
                break;
            }
            self.part(&mut target, simple.code, Until::End)?;
        }
        Some(())
    }

    /// One part of a word: a quoted text, an expansion, a letter.
    fn part(&mut self, word: &mut Word, code: bool, until: Until) -> Option<()> {
        word.begun = true;
        match self.peek()? {
            b'\'' => {
                word.quoted = true;
                let inside = self.single_quoted()?;
                word.text.push_str(&self.line[inside.clone()]);
                if !code {
                    self.collect(inside, until);
                }
            }
            b'"' => {
                word.quoted = true;
                self.at += 1;
                self.double_quoted(word, code, until)?;
            }
            b'\\' => {
                self.at += 1;
                word.quoted = true;
                self.letter(word);
            }
            b'$' => self.dollar(word, code, until, false)?,
            b'`' => {
                word.expands = true;
                self.at += 1;
                self.commands(Until::Backtick, code)?;
            }
            _ => self.letter(word),
        }
        Some(())
    }

    fn letter(&mut self, word: &mut Word) {
        if let Some(letter) = self.line[self.at..].chars().next() {
            word.text.push(letter);
            self.at += letter.len_utf8();
        }
    }

    /// Passes over a text in single quotes and says where it is.
    fn single_quoted(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        let end = start + self.line[start..].find('\'')?;
        self.at = end + 1;
        Some(start..end)
    }

    /// After the opening quote, up to and with the closing one.
    fn double_quoted(&mut self, word: &mut Word, code: bool, until: Until) -> Option<()> {
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    self.at += 1;
                    self.letter(word);
                }
                b'$' => self.dollar(word, code, until, true)?,
                b'`' if until == Until::Backtick => return None,
                b'`' => {
                    word.expands = true;
                    self.at += 1;
                    self.commands(Until::Backtick, code)?;
                }
                _ => self.letter(word),
            }
        }
    }

    fn skip_to_line_end(&mut self) {
        let rest = &self.line[self.at..];
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Notes the references of a text in single quotes.
    fn collect(&mut self, inside: Range<usize>, until: Until) {
        let text = &self.line[inside.clone()];
        let mut from = 0;
        while let Some(dollar) = text[from..].find('$').map(|place| from + place) {
            from = dollar + 1;
            let before = &text[..dollar];
            let escapes = before.len() - before.trim_end_matches('\\').len();
            let after = &text[from..];
            let braced = after.starts_with('{');
            let name_at = from + usize::from(braced);
            let rest = &text[name_at..];
            let length =
                rest.bytes().position(|byte| !is_variable_byte(byte)).unwrap_or(rest.len());
            let name = &rest[..length];
            let closed = !braced || rest[length..].starts_with('}');
            // Backticks take away backslashes before anything else is read.
            let plain = escapes.is_multiple_of(2) && (until != Until::Backtick || escapes == 0);
            if plain && closed && (self.is_variable)(name) {
                let end = name_at + length + usize::from(braced);
                self.found.push(inside.start + dollar..inside.start + end);
                from = end;
            }
        }
    }
}

/// Learns from a word what it says about those that follow. `None` if nothing is certain any more.
fn end_word(simple: &mut Simple, word: &mut Word, until: Until) -> Option<()> {
    let word = std::mem::take(word);
    if !word.begun {
        return Some(());
    }
    let text = word.text.as_str();
    if simple.command.is_none() && !word.quoted {
        // The parentheses of `case` patterns would end what is nested too early.
        if text == "case" && until != Until::End {
            return None;
        }
        let assignment =
            text.split_once('=').is_some_and(|(name, _)| loom_protocol::is_variable(name));
        if assignment || code::is_reserved(text) {
            return Some(());
        }
    }
    let kind = if word.expands { None } else { Some(code::kind(text)) };
    match (simple.command, kind) {
        (_, Some(Kind::Keeper)) if simple.command != Some(Kind::Printer) => return None,
        // Nobody knows what runs here.
        (None | Some(Kind::Wrapper), None) => {
            simple.code = true;
            simple.reads = true;
            simple.command = Some(Kind::Taker);
        }
        (None, Some(kind)) => {
            simple.command = Some(kind);
            simple.code |= matches!(kind, Kind::Reader | Kind::Taker);
            simple.reads |= kind == Kind::Reader;
        }
        (Some(Kind::Printer), _) => {}
        (Some(_), Some(kind @ (Kind::Reader | Kind::Taker))) => {
            simple.code = true;
            simple.reads |= kind == Kind::Reader;
        }
        (Some(_), _) => {}
    }
    Some(())
}
