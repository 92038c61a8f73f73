//! One event a line, for programs.

use super::{View, tell_note};
use loom_core::Event;
use loom_core::History;
use loom_server::wire::run_event;
use loom_store::record::masked_event;
use std::io::{self, BufWriter, Stdout, Write};
use std::time::Duration;

/// How long lines may wait for company.
const GATHER: Duration = Duration::from_millis(5);

/// Writes events as JSON.
pub(crate) struct JsonView {
    out: Option<BufWriter<Stdout>>,
    /// Why the rest was not written.
    failure: Option<io::Error>,
    unflushed: bool,
    /// By what the starter of the run knows the matter.
    correlation_id: String,
}

impl JsonView {
    pub(crate) fn new(correlation_id: &str) -> Self {
        Self {
            out: Some(BufWriter::with_capacity(1 << 16, io::stdout())),
            failure: None,
            unflushed: false,
            correlation_id: correlation_id.to_owned(),
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>) {
        if let Some(Err(error)) = self.out.as_mut().map(write) {
            self.failure = Some(error).filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
            // Dropping the writer would try to write what it holds once more.
            let _ = self.out.take().map(BufWriter::into_parts);
        }
    }
}

impl View for JsonView {
    fn event(&mut self, history: &History, seq: u64, event: &Event) {
        let run = history.run();
        let event = masked_event(event);
        let line = run_event(run.id(), run.plan(), &self.correlation_id, seq, &event);
        self.write(|out| {
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        });
        self.unflushed = true;
    }

    fn patience(&mut self) -> Option<Duration> {
        self.unflushed.then_some(GATHER)
    }

    fn tick(&mut self, _history: &History, _now: loom_core::Timestamp) {
        self.unflushed = false;
        self.write(BufWriter::flush);
    }

    fn note(&mut self, _history: &History, note: &str) {
        tell_note(note);
    }

    fn close(&mut self) -> io::Result<()> {
        self.write(BufWriter::flush);
        self.failure.take().map_or(Ok(()), Err)
    }
}
