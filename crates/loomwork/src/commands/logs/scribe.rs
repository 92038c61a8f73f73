//! Writing text that comes piece by piece, line by line.

use crate::ui::Ui;
use serde_json::json;
use std::io;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As they are.
    Raw,
    /// Behind the name of their task.
    Named,
    /// As JSON.
    Json,
}

/// Writes what one attempt wrote.
pub(super) struct Scribe {
    name: String,
    attempt: u32,
    style: Style,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

impl Scribe {
    pub(super) const fn new(name: String, attempt: u32, style: Style) -> Self {
        Self { name, attempt, style, rest: Vec::new() }
    }

    /// Takes what comes next.
    pub(super) fn write(&mut self, ui: &mut Ui, piece: &[u8]) -> io::Result<()> {
        self.rest.extend_from_slice(piece);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else { return Ok(()) };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        self.lines(ui, &lines)
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self, ui: &mut Ui) -> io::Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let mut last = std::mem::take(&mut self.rest);
        last.push(b'\n');
        self.lines(ui, &last)
    }

    /// Writes whole lines.
    fn lines(&self, ui: &mut Ui, lines: &[u8]) -> io::Result<()> {
        let Self { name, attempt, .. } = self;
        let text = String::from_utf8_lossy(lines);
        match self.style {
            Style::Raw => ui.print(&text),
            Style::Named => {
                let head = ui.terminal.paint.cyan(format!("{name} │"));
                text.lines().try_for_each(|line| ui.print(&format!("{head} {line}\n")))
            }
            Style::Json => text.lines().try_for_each(|line| {
                ui.json(&json!({ "type": "log", "task": name, "attempt": attempt, "line": line }))
            }),
        }
    }
}
