//! The file `$LOOM_OUTPUT`.

use super::{Emitted, FILE_LIMIT, FILE_VALUE_LIMIT, not_text, text};
use loom_protocol::{is_variable, is_variable_byte, json};
use serde_json::{Map, Value};
use std::io::{self, Read};

impl Emitted {
    /// Reads the file `$LOOM_OUTPUT`: `NAME=value`, `NAME<<END` up to a line `END`, or a JSON object
    /// a line. Blank lines are skipped; anything else is a problem, since nothing but outputs is
    /// ever meant for this file.
    pub(crate) fn file(&mut self, mut reader: impl Read) -> io::Result<()> {
        let mut file = FileLines { emitted: self, line: Vec::new(), number: 0, heredoc: None };
        let mut piece = vec![0; 64 << 10];
        let mut left = FILE_LIMIT;
        loop {
            let count = match reader.read(&mut piece) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if count == 0 {
                file.ended();
                return Ok(());
            }
            if count as u64 > left {
                file.emitted.blame(format!(
                    "the file $LOOM_OUTPUT is larger than {FILE_LIMIT} bytes; emit the path of a \
                     file instead of its content"
                ));
                return Ok(());
            }
            left -= count as u64;
            if !file.push(&piece[..count]) {
                return Ok(());
            }
        }
    }
}

/// The parser of the file.
struct FileLines<'a> {
    emitted: &'a mut Emitted,
    line: Vec<u8>,
    number: usize,
    heredoc: Option<Heredoc>,
}

struct Heredoc {
    name: String,
    end: Vec<u8>,
    value: Vec<u8>,
    started: usize,
}

impl FileLines<'_> {
    /// Takes the next piece; `false` once there is a problem.
    fn push(&mut self, bytes: &[u8]) -> bool {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            let held = self.heredoc.as_ref().map_or(0, |heredoc| heredoc.value.len());
            if self.line.len() + held > FILE_VALUE_LIMIT {
                self.blame(&format!(
                    "is longer than {FILE_VALUE_LIMIT} bytes; emit the path of a file instead"
                ));
            } else if self.line.last() == Some(&b'\n') {
                self.line.pop();
                if self.line.last() == Some(&b'\r') {
                    self.line.pop();
                }
                self.end_line();
            }
            if self.emitted.problem.is_some() {
                return false;
            }
        }
        true
    }

    fn ended(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        if let Some(Heredoc { name, end, started, .. }) = self.heredoc.take() {
            self.emitted.blame(format!(
                "line {started} of the file $LOOM_OUTPUT begins `{name}`, but no line `{}` ends it",
                text(&end)
            ));
        }
    }

    fn end_line(&mut self) {
        self.number += 1;
        let line = std::mem::take(&mut self.line);
        if let Some(heredoc) = &mut self.heredoc {
            if line != heredoc.end {
                heredoc.value.extend_from_slice(&line);
                heredoc.value.push(b'\n');
            } else if let Some(Heredoc { name, mut value, .. }) = self.heredoc.take() {
                value.pop();
                self.emit(name, value);
            }
            return;
        }
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() {
            return;
        }
        if trimmed[0] == b'{' {
            match json::read::<Map<String, Value>>(trimmed) {
                Ok(object) => self.object(object),
                Err(error) => self.blame(&format!("is not a JSON object: {error}")),
            }
            return;
        }
        let end = line.iter().position(|byte| !is_variable_byte(*byte)).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let name = text(name);
        if is_variable(&name) {
            if let Some(value) = rest.strip_prefix(b"=") {
                self.emit(name, value.to_vec());
                return;
            }
            if let Some(end) = rest.strip_prefix(b"<<").filter(|end| !end.is_empty()) {
                let (end, value, started) = (end.to_vec(), Vec::new(), self.number);
                self.heredoc = Some(Heredoc { name, end, value, started });
                return;
            }
        }
        self.blame("is neither `NAME=value` nor `NAME<<END` nor a JSON object");
    }

    fn emit(&mut self, name: String, value: Vec<u8>) {
        match String::from_utf8(value) {
            Ok(value) => self.emitted.emit(name, value.into()),
            Err(error) => self.blame(&format!("ends output `{name}`, which {}", not_text(&error))),
        }
    }

    fn object(&mut self, object: Map<String, Value>) {
        for (name, value) in object {
            if is_variable(&name) {
                self.emitted.emit(name, value);
            } else {
                self.blame(&format!("has the key {name:?}, which is not a variable's name"));
            }
        }
    }

    fn blame(&mut self, what: &str) {
        // `end_line` has counted the line; a line that is too long has not ended.
        let number = self.number.max(1);
        self.emitted.blame(format!("line {number} of the file $LOOM_OUTPUT {what}"));
    }
}
