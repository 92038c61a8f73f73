//! What an attempt writes: masked, kept in a file, its last lines at hand.

use crate::redact::Redactor;
use crate::secrets::{Masker, Secrets};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The most bytes of one attempt's output that are kept.
pub(crate) const LOG_LIMIT: u64 = 64 << 20;
/// The number of last lines that a failure shows.
pub(crate) const TAIL_LINES: usize = 20;
/// The most characters of such a line.
pub(crate) const TAIL_WIDTH: usize = 2000;

/// Which of its streams an attempt wrote to. Each is masked on its own, so that a secret is found
/// even if the other stream interrupts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or the only stream.
    Out,
    /// Standard error.
    Err,
}

/// Takes what an attempt writes. Costs nothing until the first byte comes.
#[derive(Debug)]
pub struct AttemptLog {
    path: PathBuf,
    secrets: Secrets,
    redactor: Redactor,
    limit: u64,
    streams: [Masker; 2],
    masked: Vec<u8>,
    file: Sink,
    tail: Tail,
}

#[derive(Debug)]
enum Sink {
    Unopened,
    Open { file: File, left: u64 },
    Cut,
    Broken(String),
}

impl AttemptLog {
    /// A log at this path, which is made with its folders when the first byte comes.
    /// `names` are of variables whose values are secret once they are emitted.
    pub(crate) fn new(path: PathBuf, secrets: Secrets, names: &[String]) -> Self {
        Self { redactor: Redactor::new(names), ..Self::with_limit(path, secrets, LOG_LIMIT) }
    }

    /// As [`AttemptLog::new`], cut after `limit` bytes.
    pub(crate) fn with_limit(path: PathBuf, secrets: Secrets, limit: u64) -> Self {
        Self {
            path,
            secrets,
            redactor: Redactor::default(),
            limit,
            streams: Default::default(),
            masked: Vec::new(),
            file: Sink::Unopened,
            tail: Tail::default(),
        }
    }

    /// Takes a piece of output. What might be the beginning of a secret is held back until more
    /// comes. A file that cannot be written does not disturb the attempt: see
    /// [`AttemptLog::problem`].
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Out && !self.redactor.is_idle() {
            let mut shown = Vec::with_capacity(bytes.len());
            let learned = self.redactor.push(bytes, &mut shown);
            self.secrets.learn(&learned);
            return self.mask(stream, &shown);
        }
        self.mask(stream, bytes);
    }

    fn mask(&mut self, stream: Stream, bytes: &[u8]) {
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        self.streams[stream as usize].push(&self.secrets, bytes, &mut masked);
        self.keep(&masked);
        self.masked = masked;
    }

    /// Writes a line of our own.
    pub fn line(&mut self, text: &str) {
        self.write(Stream::Err, text.as_bytes());
        self.write(Stream::Err, b"\n");
    }

    /// Writes what was held back. Nothing more is coming.
    pub(crate) fn finish(&mut self) {
        let mut shown = Vec::new();
        let learned = self.redactor.finish(&mut shown);
        self.secrets.learn(&learned);
        self.mask(Stream::Out, &shown);
        let mut masked = std::mem::take(&mut self.masked);
        masked.clear();
        for stream in &mut self.streams {
            stream.finish(&self.secrets, &mut masked);
        }
        self.keep(&masked);
    }

    /// The last lines, masked: at most 20, each of at most 2,000 characters.
    pub fn tail(&self) -> Vec<String> {
        let mut lines = self.tail.lines();
        if let Sink::Broken(problem) = &self.file {
            lines.push(format!("[loom: {problem}]"));
        }
        lines
    }

    /// Why the file is not complete, if it could not be written.
    pub fn problem(&self) -> Option<&str> {
        match &self.file {
            Sink::Broken(problem) => Some(problem),
            _ => None,
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.tail.push(bytes);
        if let Err(error) = self.append(bytes) {
            // If not even that can be written, the problem is told all the same.
            let _ = end_in_place(&self.path, &error);
            self.file = Sink::Broken(format!("{} cannot be written: {error}", self.path.display()));
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if matches!(self.file, Sink::Unopened) {
            self.file = Sink::Open { file: open(&self.path)?, left: self.limit };
        }
        let Sink::Open { file, left } = &mut self.file else { return Ok(()) };
        if bytes.len() as u64 <= *left {
            *left -= bytes.len() as u64;
            return file.write_all(bytes);
        }
        file.write_all(&bytes[..*left as usize])?;
        writeln!(file, "\n[loom: the log is cut here, at its limit of {} bytes]", self.limit)?;
        self.file = Sink::Cut;
        Ok(())
    }
}

/// Says at the end of a log that it is not complete, in place of its last bytes: a disk that is full
/// has no room for more, but has room for what is there.
fn end_in_place(path: &Path, error: &io::Error) -> io::Result<()> {
    let mark = format!("\n[loom: the rest is lost, it could not be written: {error}]\n");
    let file = File::options().write(true).open(path)?;
    let length = file.metadata()?.len();
    match length.checked_sub(mark.len() as u64) {
        Some(place) => file.write_all_at(mark.as_bytes(), place),
        None => (&file).write_all(mark.as_bytes()),
    }
}

fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let mut options = File::options();
    options.create(true).append(true).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            }
            options.open(path)
        }
        opened => opened,
    }
}

/// The last lines of a stream, in constant memory.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<Vec<u8>>,
    /// Whether the last of `lines` is still being written.
    open: bool,
}

/// Enough bytes for [`TAIL_WIDTH`] characters and one more, which shows that there were more.
const LINE_BYTES: usize = (TAIL_WIDTH + 1) * 4;

impl Tail {
    fn push(&mut self, mut bytes: &[u8]) {
        // Lines that later ones of the same piece would push out need not be looked at.
        let mut newlines = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
        if let Some((place, _)) = newlines.nth(TAIL_LINES) {
            self.lines.clear();
            self.open = false;
            bytes = &bytes[place + 1..];
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.open {
                let mut line = if self.lines.len() == TAIL_LINES {
                    self.lines.pop_front().unwrap_or_default()
                } else {
                    Vec::new()
                };
                line.clear();
                self.lines.push_back(line);
            }
            let (piece, ended) = match piece.strip_suffix(b"\n") {
                Some(piece) => (piece, true),
                None => (piece, false),
            };
            if let Some(line) = self.lines.back_mut() {
                let room = LINE_BYTES.saturating_sub(line.len());
                line.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            self.open = !ended;
        }
    }

    fn lines(&self) -> Vec<String> {
        self.lines
            .iter()
            .map(|line| {
                let text = String::from_utf8_lossy(line);
                let text = text.strip_suffix('\r').unwrap_or(&text);
                match text.char_indices().nth(TAIL_WIDTH) {
                    Some((end, _)) => format!("{}…", &text[..end]),
                    None => text.to_owned(),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(folder: &tempfile::TempDir, secrets: &[&str], limit: u64) -> (AttemptLog, PathBuf) {
        let path = folder.path().join("deep/er/log");
        let secrets: Vec<String> = secrets.iter().map(|text| (*text).to_owned()).collect();
        (AttemptLog::with_limit(path.clone(), Secrets::new(&secrets), limit), path)
    }

    #[test]
    fn nothing_written_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, path) = log(&folder, &["x"], 100);
        log.write(Stream::Out, b"");
        log.finish();
        assert!(!path.exists());
        assert!(log.tail().is_empty());
    }

    #[test]
    fn a_secret_is_masked_across_pieces_and_streams() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, path) = log(&folder, &["hunter2"], 1000);
        log.write(Stream::Out, b"pass hun");
        log.write(Stream::Err, b"warn\n");
        log.write(Stream::Out, b"ter2 ok\nhun");
        log.finish();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "pass warn\n*** ok\nhun");
        assert_eq!(log.tail(), ["pass warn", "*** ok", "hun"]);
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_a_secret_name_is_set_to_is_hidden_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let names = ["PIN".to_owned()];
        let mut log = AttemptLog::new(path.clone(), Secrets::new(&["key".to_owned()]), &names);
        log.write(Stream::Out, b"PIN=48");
        log.write(Stream::Out, b"15\nthe pin 4815 and the key\n");
        log.finish();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "PIN=***\nthe pin *** and the ***\n");
    }

    #[test]
    fn the_file_is_cut_at_its_limit_but_the_tail_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, path) = log(&folder, &[], 5);
        log.write(Stream::Out, b"123456789\n");
        log.write(Stream::Out, b"last\n");
        log.finish();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, "12345\n[loom: the log is cut here, at its limit of 5 bytes]\n");
        assert_eq!(log.tail(), ["123456789", "last"]);
    }

    #[test]
    fn a_log_that_cannot_be_written_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("deep"), "a file").unwrap();
        let (mut log, _) = log(&folder, &[], 100);
        log.write(Stream::Out, b"one\n");
        log.write(Stream::Out, b"two\n");
        log.finish();
        assert!(log.problem().unwrap().contains("cannot be written"));
        assert_eq!(log.tail().len(), 3);
    }

    #[test]
    fn a_log_that_is_cut_off_says_so_in_place_of_its_last_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let line = "0123456789\n";
        for lines in [0, 1, 100] {
            std::fs::write(&path, line.repeat(lines)).unwrap();
            end_in_place(&path, &full).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.ends_with(
                "\n[loom: the rest is lost, it could not be written: no storage space]\n"
            ));
            assert!(lines < 100 || text.len() == line.len() * lines && text.starts_with(line));
        }
    }

    #[test]
    fn the_tail_keeps_the_last_lines_and_cuts_long_ones() {
        let lines: Vec<String> = (0..100).map(|number| format!("line {number}\n")).collect();
        let mut all = lines.concat();
        all.push_str(&"é".repeat(5000));
        for size in [1, 7, 64, 100_000] {
            let mut tail = Tail::default();
            for piece in all.as_bytes().chunks(size) {
                tail.push(piece);
            }
            let lines = tail.lines();
            assert_eq!(lines.len(), TAIL_LINES, "pieces of {size}");
            assert_eq!(lines[0], "line 81");
            assert_eq!(lines[TAIL_LINES - 1].chars().count(), TAIL_WIDTH + 1);
        }
    }
}
