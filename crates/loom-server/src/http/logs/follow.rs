//! A log as it is being written.
//!
//! The journal says when the attempt has ended; what it printed was written before. Between two
//! events of the run the file is looked at, which costs one read each time.

use super::super::warrant::Warrant;
use super::{PIECE, piece};
use crate::app::App;
use crate::feed::RunFollower;
use crate::parts::LogFile;
use crate::problem::Problem;
use crate::runs::Log;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use loom_protocol::{AttemptOf, RunEvent, RunEventKind};
use std::io::{self, SeekFrom};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncSeekExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// How often the file is looked at while nothing happens to the run.
const LOOK: Duration = Duration::from_millis(100);

/// Everything that the attempt printed and will print, behind the first `from` bytes. Ends with the
/// attempt.
pub(super) async fn follow(
    app: Arc<App>,
    log: Log,
    from: u64,
    warrant: Warrant,
    permit: OwnedSemaphorePermit,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, Problem> {
    let events = app.follow_run(&log.run, 0).await?;
    let print = Print { app, log, from, file: None };
    let reader = Reader { print, events, warrant, ended: false, stopped: false, _permit: permit };
    Ok(stream::unfold(reader, |mut reader| async move {
        let next = reader.next().await.transpose()?;
        Some((next, reader))
    }))
}

struct Reader {
    print: Print,
    events: RunFollower,
    warrant: Warrant,
    /// The attempt has ended.
    ended: bool,
    /// Its task was cancelled, or its run has ended; until that is tried again.
    stopped: bool,
    _permit: OwnedSemaphorePermit,
}

/// What a reader waits for.
enum News {
    Printed(Bytes),
    Happened(Vec<RunEvent>),
    /// Nothing more is told: the server stops, or the reader may not know it any more.
    Over,
}

impl Reader {
    /// What comes next; `None` when nothing more will.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if self.warrant.is_over().await {
                return Ok(None);
            }
            // Asked before the file is read: what was printed before the end is then all there.
            let ended = self.ended || self.stopped;
            let piece = self.print.read().await?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if ended {
                return Ok(None);
            }
            match self.news().await? {
                News::Printed(piece) => return Ok(Some(piece)),
                News::Happened(events) => events.iter().for_each(|event| self.note(event)),
                News::Over => self.ended = true,
            }
        }
    }

    /// Waits until something has happened or was printed.
    async fn news(&mut self) -> io::Result<News> {
        let mut events = pin!(self.events.next());
        loop {
            // Asked on, not anew: the store may take longer than the wait for it.
            match timeout(LOOK, events.as_mut()).await {
                Ok(Ok(events)) => return Ok(News::Happened(events)),
                Ok(Err(_)) => return Ok(News::Over),
                Err(_) => {}
            }
            if self.warrant.is_over().await {
                return Ok(News::Over);
            }
            let piece = self.print.read().await?;
            if !piece.is_empty() {
                return Ok(News::Printed(piece));
            }
        }
    }

    fn note(&mut self, event: &RunEvent) {
        let log = &self.print.log;
        let LogFile { task, attempt, .. } = log.name;
        let is =
            |of: &AttemptOf| of.task == log.task && of.item == task.item && of.attempt == attempt;
        match &event.what {
            RunEventKind::TaskSucceeded { of, .. }
            | RunEventKind::TaskFailed { of, .. }
            | RunEventKind::TaskInterrupted { of } => self.ended |= is(of),
            RunEventKind::TaskCancelled { task: name, item } => {
                self.stopped |= *name == log.task && (item.is_none() || *item == task.item);
            }
            RunEventKind::RunFinished { .. } => self.stopped = true,
            RunEventKind::RunReopened { .. } => self.stopped = false,
            _ => {}
        }
    }
}

/// What was printed so far.
struct Print {
    app: Arc<App>,
    log: Log,
    /// How much of it is passed over.
    from: u64,
    file: Option<File>,
}

impl Print {
    /// What comes next of it; nothing if there is nothing now.
    async fn read(&mut self) -> io::Result<Bytes> {
        if self.file.is_none() {
            let opened = self.app.runs.try_log(&self.log).await;
            let opened = opened.map_err(|problem| io::Error::other(problem.message))?;
            if let Some(file) = opened {
                let mut file = File::from_std(file);
                file.seek(SeekFrom::Start(self.from)).await?;
                self.file = Some(file);
            }
        }
        match &mut self.file {
            Some(file) => piece(file, PIECE as u64).await,
            None => Ok(Bytes::new()),
        }
    }
}
