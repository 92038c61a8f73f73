//! A log as it is being written.
//!
//! The journal says when the attempt has ended; what it printed was written before. Between two
//! events of the run the file is looked at, which costs one read each time.

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
    permit: OwnedSemaphorePermit,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, Problem> {
    let events = app.follow_run(&log.run, 0).await?;
    let reader = Reader {
        app,
        log,
        from,
        events,
        file: None,
        ended: false,
        stopped: false,
        _permit: permit,
    };
    Ok(stream::unfold(reader, |mut reader| async move {
        let next = reader.next().await.transpose()?;
        Some((next, reader))
    }))
}

struct Reader {
    app: Arc<App>,
    log: Log,
    from: u64,
    events: RunFollower,
    file: Option<File>,
    /// The attempt has ended.
    ended: bool,
    /// Its task was cancelled, or its run has ended; until that is tried again.
    stopped: bool,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// What comes next; `None` when nothing more will.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            // Asked before the file is read: what was printed before the end is then all there.
            let ended = self.ended || self.stopped;
            let piece = self.read().await?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
            if ended {
                return Ok(None);
            }
            match timeout(LOOK, self.events.next()).await {
                Ok(Ok(events)) => events.iter().for_each(|event| self.note(event)),
                // The server stops.
                Ok(Err(_)) => self.ended = true,
                // Nothing has happened; but something may have been printed.
                Err(_) => {}
            }
        }
    }

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

    fn note(&mut self, event: &RunEvent) {
        let LogFile { task, attempt, .. } = self.log.name;
        let is = |of: &AttemptOf| {
            of.task == self.log.task && of.item == task.item && of.attempt == attempt
        };
        match &event.what {
            RunEventKind::TaskSucceeded { of, .. }
            | RunEventKind::TaskFailed { of, .. }
            | RunEventKind::TaskInterrupted { of } => self.ended |= is(of),
            RunEventKind::TaskCancelled { task: name, item } => {
                self.stopped |= *name == self.log.task && (item.is_none() || *item == task.item);
            }
            RunEventKind::RunFinished { .. } => self.stopped = true,
            RunEventKind::RunReopened { .. } => self.stopped = false,
            _ => {}
        }
    }
}
