//! The server's log: one line a request and a notable thing, as JSON or text.
//!
//! Lines are written by a thread of their own; nobody waits for whoever reads them. What does not
//! fit into the queue is counted and said later.

use crate::readers::spawn;
use loom_engine::Clock;
use loom_protocol::rfc3339;
use loom_store::StoreError;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How many lines may wait to be written.
const WAITING_MAX: usize = 8192;
/// How many more lines are written together with one.
const AT_ONCE: usize = 255;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something does not work.
    Error,
    /// Something may need somebody's attention.
    Warn,
    /// Something happened.
    Info,
}

impl Level {
    /// All of them, what matters most first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Info];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|level| level.name() == text);
        found.ok_or_else(|| "a level is error, warn or info".to_owned())
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For people: a time, a level, a message, `name=value`.
    Text,
    /// For programs: one object a line.
    Json,
}

impl FromStr for Style {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("a log is text or json".to_owned()),
        }
    }
}

/// Which lines are written, and how they look.
#[derive(Clone, Copy, Debug)]
pub struct LogConfig {
    /// How a line looks.
    pub style: Style,
    /// Lines that matter less are left out.
    pub level: Level,
}

/// Where to say what happens. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
    config: LogConfig,
    clock: Arc<dyn Clock>,
}

impl Log {
    /// A log that ends up in `out`.
    pub(crate) fn start(
        config: LogConfig,
        out: Box<dyn Write + Send>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let (lines, queue) = sync_channel(WAITING_MAX);
        spawn("loom-log", move || write(&queue, out))?;
        Ok(Self { lines, lost: Arc::default(), config, clock })
    }

    /// Something happened.
    pub(crate) fn info(&self, message: &str, fields: &[(&str, Value)]) {
        self.line(Level::Info, message, fields);
    }

    /// Something may need somebody's attention.
    pub(crate) fn warn(&self, message: &str, fields: &[(&str, Value)]) {
        self.line(Level::Warn, message, fields);
    }

    /// Something does not work.
    pub(crate) fn error(&self, message: &str, fields: &[(&str, Value)]) {
        self.line(Level::Error, message, fields);
    }

    fn line(&self, level: Level, message: &str, fields: &[(&str, Value)]) {
        if level > self.config.level {
            return;
        }
        let at = rfc3339(self.clock.now().0);
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let fields = [("lines", lost.into())];
            self.send(self.config.style.line(&at, Level::Warn, "lines were lost", &fields));
        }
        self.send(self.config.style.line(&at, level, message, fields));
    }

    fn send(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write(queue: &Receiver<String>, mut out: Box<dyn Write + Send>) {
    while let Ok(mut lines) = queue.recv() {
        // What has come meanwhile goes out in one call.
        for line in queue.try_iter().take(AT_ONCE) {
            lines.push_str(&line);
        }
        // Nobody is left to tell if this fails.
        let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    }
}

impl Style {
    fn line(self, at: &str, level: Level, message: &str, fields: &[(&str, Value)]) -> String {
        match self {
            Self::Json => {
                let head = [("at", at), ("level", level.name()), ("message", message)];
                let head = head.map(|(name, value)| (name.to_owned(), Value::from(value)));
                let rest = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                let object: Map<String, Value> = head.into_iter().chain(rest).collect();
                format!("{}\n", Value::Object(object))
            }
            Self::Text => {
                let mut line = format!("{at} {:5} {message}", level.name());
                for (name, value) in fields {
                    let _ = write!(line, " {name}=");
                    match value.as_str().filter(|text| is_plain(text)) {
                        Some(text) => line.push_str(text),
                        None => {
                            let _ = write!(line, "{value}");
                        }
                    }
                }
                line.push('\n');
                line
            }
        }
    }
}

/// Whether a text needs no quotes to stay one word on one line.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"=\\".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let fields = [
            ("path", Value::from("/a")),
            ("why", "a b\nc\u{1b}[2J".into()),
            ("status", 200.into()),
        ];
        let text = Style::Text.line("T", Level::Info, "request", &fields);
        assert_eq!(text, "T info  request path=/a why=\"a b\\nc\\u001b[2J\" status=200\n");
        let json: Value =
            serde_json::from_str(&Style::Json.line("T", Level::Warn, "m", &fields)).unwrap();
        assert_eq!((&json["level"], &json["status"]), (&"warn".into(), &200.into()));
    }

    #[test]
    fn levels_are_ordered_by_what_matters() {
        assert!(Level::Error < Level::Warn && Level::Warn < Level::Info);
        assert_eq!("warn".parse(), Ok(Level::Warn));
        assert!("loud".parse::<Level>().is_err() && "xml".parse::<Style>().is_err());
    }
}
