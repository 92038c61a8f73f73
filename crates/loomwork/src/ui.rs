//! Where a command's words go: results to standard output, errors and remarks to standard error.

use crate::fault::{Ended, Fault, Outcome};
use crate::terminal::{Terminal, in_order, printable};
use crate::workflow::style;
use loom_protocol::{ErrorEvent, ErrorTag, ExitCode};
use loom_spec::{Problems, Source};
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

/// How much a command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// For people.
    Human,
    /// For programs: a JSON document a line.
    Json,
    /// Nothing but errors.
    Quiet,
}

/// A command's outputs.
pub(crate) struct Ui {
    pub(crate) terminal: Terminal,
    pub(crate) voice: Voice,
    out: BufWriter<Stdout>,
}

impl Ui {
    pub(crate) fn new(terminal: Terminal, voice: Voice) -> Self {
        Self { terminal, voice, out: BufWriter::with_capacity(1 << 16, io::stdout()) }
    }

    /// Writes a result.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Writes a JSON document on a line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// Makes what was written visible.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Says something about the command rather than its result.
    pub(crate) fn remark(&self, text: &str) {
        if self.voice == Voice::Human {
            tell(&format!("{text}\n"));
        }
    }

    /// Says that the command wrote a workflow file.
    pub(crate) fn wrote_workflow(&mut self, file: &Path) -> io::Result<()> {
        let (file, run) = (file.display(), format!("loom run {}", file.display()));
        if self.voice == Voice::Json {
            return self.json(&json!({ "files": [file.to_string()], "next_steps": [run] }));
        }
        self.remark(&format!("wrote {file}; try it: {run}"));
        Ok(())
    }

    /// Shows what is wrong with a file.
    pub(crate) fn problems(&mut self, source: &Source, problems: &Problems) {
        if problems.is_empty() {
            return;
        }
        if self.voice == Voice::Json {
            for problem in problems {
                let mut line = problem.to_json(source);
                if let Some(object) = line.as_object_mut() {
                    object.insert("type".into(), Value::from("problem"));
                }
                // If nobody reads, nobody misses it: the exit status tells.
                let _ = self.json(&line);
            }
        } else if self.voice == Voice::Human || problems.errors() > 0 {
            tell(&problems.render(source, style(self.terminal.paint_err.0)));
        }
    }

    /// Tells how a command ended, if that has yet to be told, and answers with its exit status.
    pub(crate) fn conclude(mut self, outcome: Outcome) -> ExitCode {
        let outcome = outcome.and_then(|code| Ok(self.flush().map(|()| code)?));
        match outcome {
            Ok(code) | Err(Ended::Told(code)) => {
                // What could not be written by now has no reader.
                let _ = self.flush();
                code
            }
            Err(Ended::Unread) => ExitCode::Success,
            Err(Ended::Fault(fault)) => {
                self.fault(&fault);
                fault.code.area().exit()
            }
        }
    }

    /// Tells an error.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        self.document(fault);
        let _ = self.flush();
        tell(&self.rendered(fault));
    }

    /// Writes an error's document, where JSON is asked for.
    pub(crate) fn document(&mut self, fault: &Fault) {
        if self.voice == Voice::Json {
            // If nobody reads it, the exit status tells.
            let _ = self.json(&error_event(fault)).and_then(|()| self.flush());
        }
    }

    fn rendered(&self, fault: &Fault) -> String {
        let paint = self.terminal.paint_err;
        let head = paint.bold_red(format!("error[{}]", fault.code));
        let mut text =
            format!("{head}{} {}\n", paint.bold(":"), paint.bold(printable(&fault.message)));
        for help in &fault.help {
            let (sign, word) = (paint.cyan("="), paint.bold("help"));
            let _ = writeln!(text, "  {sign} {word}: {}", printable(help));
        }
        text
    }
}

fn error_event(fault: &Fault) -> ErrorEvent {
    ErrorEvent {
        kind: ErrorTag::Error,
        code: fault.code.to_string(),
        message: fault.message.clone(),
        help: fault.help.clone(),
    }
}

/// Writes to standard error. If that has no reader, the exit status tells.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(in_order(text).as_bytes());
}
