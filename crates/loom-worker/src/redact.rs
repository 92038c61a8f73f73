//! Lines of output that set a secret variable: `NAME=value`, where the name alone says that the
//! value must not be shown.

use loom_protocol::MASK;

/// The longest line whose value is remembered, in bytes; a longer one is hidden all the same.
const VALUE_MAX: usize = 64 << 10;

/// Hides the values of such lines in a stream, and learns them.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// The names, each with the `=` that follows it.
    prefixes: Vec<Box<[u8]>>,
    state: State,
    /// What the current line begins with and could still become a prefix; or the hidden value.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// At the beginning of a line.
    #[default]
    Start,
    /// In a line that is shown.
    Shown,
    /// In a value that is hidden.
    Hidden,
}

impl Redactor {
    pub(crate) fn new(names: &[String]) -> Self {
        let prefixes = names.iter().map(|name| format!("{name}=").into_bytes().into());
        Self { prefixes: prefixes.collect(), ..Self::default() }
    }

    /// Whether there is anything to hide.
    pub(crate) fn is_idle(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// Takes a piece of the stream; what may be shown goes to `out`. Answers with the values that
    /// were complete.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Vec<String> {
        let mut learned = Vec::new();
        for &byte in bytes {
            match (self.state, byte) {
                (State::Start, _) => self.begin(byte, out),
                (State::Shown, b'\n') => {
                    out.push(byte);
                    self.state = State::Start;
                }
                (State::Shown, _) => out.push(byte),
                (State::Hidden, b'\n') => {
                    learned.push(self.learn());
                    out.push(byte);
                    self.state = State::Start;
                }
                (State::Hidden, _) if self.held.len() < VALUE_MAX => self.held.push(byte),
                (State::Hidden, _) => {}
            }
        }
        learned
    }

    /// Nothing more is coming.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Vec<String> {
        let learned = (self.state == State::Hidden).then(|| self.learn());
        out.append(&mut self.held);
        self.state = State::Start;
        learned.into_iter().collect()
    }

    fn begin(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.held.push(byte);
        if self.prefixes.iter().any(|prefix| **prefix == *self.held) {
            out.append(&mut self.held);
            out.extend_from_slice(MASK.as_bytes());
            self.state = State::Hidden;
        } else if !self.prefixes.iter().any(|prefix| prefix.starts_with(&self.held)) {
            out.append(&mut self.held);
            self.state = if byte == b'\n' { State::Start } else { State::Shown };
        }
    }

    fn learn(&mut self) -> String {
        let value = String::from_utf8_lossy(&self.held).into_owned();
        self.held.clear();
        value.strip_suffix('\r').map_or(value.clone(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pieces: &[&str]) -> (String, Vec<String>) {
        let mut redactor = Redactor::new(&["PIN".to_owned(), "PINCODE".to_owned()]);
        let (mut out, mut learned) = (Vec::new(), Vec::new());
        for piece in pieces {
            learned.extend(redactor.push(piece.as_bytes(), &mut out));
        }
        learned.extend(redactor.finish(&mut out));
        (String::from_utf8(out).unwrap(), learned)
    }

    #[test]
    fn only_the_values_of_the_names_are_hidden() {
        let (shown, learned) = run(&["PIN=12\nPINS=3\n PIN=4\nPINCODE=56\r\nx"]);
        assert_eq!(shown, "PIN=***\nPINS=3\n PIN=4\nPINCODE=***\nx");
        assert_eq!(learned, ["12", "56"]);
    }

    #[test]
    fn pieces_may_break_anywhere() {
        assert_eq!(run(&["P", "I", "N", "=", "1", "2"]), ("PIN=***".into(), vec!["12".into()]));
        assert_eq!(run(&["PI"]), ("PI".into(), vec![]));
        assert_eq!(run(&["\n", "\nPIN=\n"]), ("\n\nPIN=***\n".into(), vec![String::new()]));
    }
}
