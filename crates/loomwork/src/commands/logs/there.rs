//! Following logs behind a server: the run's events on one connection, and the log of each attempt under
//! way on one of its own.

use super::scribe::{Scribe, Style};
use super::{PIECE, Wanted, has_ended};
use crate::client::{Client, News, Redial, WAITING_MAX, follow as follow_run, is_passing};
use crate::fault::{Ended, Fault};
use crate::look::Look;
use crate::place::{Attempt, LogAddress, Remote};
use crate::progress::label;
use crate::ui::{Ui, Voice};
use loom_protocol::ErrorCode;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The most logs that are read at once. Others wait until one of those has ended.
const READ_MOST: usize = 64;

/// What comes while logs are followed.
enum Heard {
    News(News),
    /// An attempt wrote this.
    Wrote(Attempt, Vec<u8>),
    /// All that there was of a log was read.
    Drained(Attempt),
    /// A log cannot be read.
    Failed(Fault),
}

/// A log that is followed.
struct Log {
    scribe: Scribe,
    /// How many bytes of it were read.
    read: u64,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nobody has begun to read it.
    Waiting,
    /// Somebody reads it as it is written.
    Followed,
    /// What was written was read, and the journal does not say yet that the attempt has ended.
    Drained,
    /// Its attempt has ended, and somebody reads what is left.
    Finishing,
    /// All of it was written.
    Done,
}

/// Writes as attempts do, until the run has settled.
pub(super) fn follow(
    remote: &Remote,
    look: &mut Look,
    wanted: &Wanted,
    ui: &mut Ui,
) -> Result<(), Ended> {
    let (sender, heard) = sync_channel(WAITING_MAX);
    let news = sender.clone();
    let tell = move |it| news.send(Heard::News(it)).is_ok();
    follow_run(remote.client.clone(), look.id(), look.history.last_seq(), tell)?;
    let style = if ui.voice == Voice::Json { Style::Json } else { Style::Named };
    let left = look.is_interrupted();
    let mut desk = Desk { remote, sender, style, left, logs: BTreeMap::new() };
    desk.run(&heard, look, wanted, ui)?;
    if left {
        ui.remark("nobody is at work on the run");
    }
    Ok(())
}

/// Where all that comes is taken.
struct Desk<'a> {
    remote: &'a Remote,
    sender: SyncSender<Heard>,
    style: Style,
    /// Nobody is at work on the run: there is no more to come.
    left: bool,
    logs: BTreeMap<Attempt, Log>,
}

impl Desk<'_> {
    fn run(
        &mut self,
        heard: &Receiver<Heard>,
        look: &mut Look,
        wanted: &Wanted,
        ui: &mut Ui,
    ) -> Result<(), Ended> {
        loop {
            self.read_more(look, wanted)?;
            let all_done = self.logs.values().all(|log| log.stage == Stage::Done);
            if all_done && (self.left || look.history.run().state().is_final()) {
                return Ok(());
            }
            match heard.recv().expect("this side holds a sender, too") {
                Heard::News(News::Event(event)) => self.remote.take(look, &event)?,
                Heard::News(News::Lost(fault)) => {
                    ui.remark(&format!("{}; it is asked again", fault.message));
                }
                Heard::News(News::Found) => {}
                Heard::News(News::Over(fault)) | Heard::Failed(fault) => return Err(fault.into()),
                Heard::Wrote(attempt, piece) => {
                    let log = self.log(attempt);
                    log.read += piece.len() as u64;
                    log.scribe.write(ui, &piece)?;
                    ui.flush()?;
                }
                Heard::Drained(attempt) => {
                    let log = self.log(attempt);
                    if log.stage == Stage::Finishing {
                        log.stage = Stage::Done;
                        log.scribe.end(ui)?;
                        ui.flush()?;
                    } else {
                        log.stage = Stage::Drained;
                    }
                }
            }
        }
    }

    fn log(&mut self, attempt: Attempt) -> &mut Log {
        self.logs.get_mut(&attempt).expect("only logs that are here are read")
    }

    /// Begins to read the logs that there is something to read of.
    fn read_more(&mut self, look: &Look, wanted: &Wanted) -> Result<(), Fault> {
        for attempt in wanted.attempts(&look.history) {
            let (name, style) = (label(look.history.run().plan(), attempt.0), self.style);
            let new = || Log {
                scribe: Scribe::new(name, attempt.1, style),
                read: 0,
                stage: Stage::Waiting,
            };
            self.logs.entry(attempt).or_insert_with(new);
        }
        let is_read = |log: &&Log| matches!(log.stage, Stage::Followed | Stage::Finishing);
        let mut room = READ_MOST.saturating_sub(self.logs.values().filter(is_read).count());
        for (&attempt, log) in &mut self.logs {
            let ended = self.left || has_ended(&look.history, attempt);
            let next = match (log.stage, ended) {
                (Stage::Waiting | Stage::Drained, true) => Stage::Finishing,
                (Stage::Waiting, false) => Stage::Followed,
                _ => continue,
            };
            if room == 0 {
                return Ok(());
            }
            room -= 1;
            log.stage = next;
            let reader = Reader {
                client: self.remote.client.clone(),
                log: LogAddress::of(look, attempt),
                follows: !ended,
                attempt,
                read: log.read,
                sender: self.sender.clone(),
            };
            let spawned =
                std::thread::Builder::new().name("loom-log".into()).spawn(|| reader.run());
            spawned.map_err(|error| Fault::machine("cannot follow a log", error))?;
        }
        Ok(())
    }
}

/// Reads one log, over as many connections as it takes.
struct Reader {
    client: Client,
    log: LogAddress,
    /// Whether it is still being written.
    follows: bool,
    attempt: Attempt,
    /// How many bytes were read already.
    read: u64,
    sender: SyncSender<Heard>,
}

impl Reader {
    fn run(mut self) {
        let mut redial = Redial::new();
        loop {
            let call =
                if self.follows { self.log.follow(self.read) } else { self.log.rest(self.read) };
            match self.client.open(call) {
                Ok(body) => {
                    redial.reached();
                    match self.copy(&mut body.into_reader()) {
                        Ok(Listener::Gone) => return,
                        Ok(Listener::There) => return self.tell(Heard::Drained(self.attempt)),
                        Err(_) => Redial::breathe(),
                    }
                }
                // There is nothing behind what was read.
                Err(fault) if fault.code == ErrorCode::BadRange => {
                    return self.tell(Heard::Drained(self.attempt));
                }
                Err(fault) if is_passing(&fault) && redial.wait() => {}
                Err(fault) => return self.tell(Heard::Failed(fault)),
            }
        }
    }

    /// Passes on what comes, to the end of the answer.
    fn copy(&mut self, body: &mut impl Read) -> io::Result<Listener> {
        let mut piece = vec![0; PIECE];
        loop {
            let count = body.read(&mut piece)?;
            if count == 0 {
                return Ok(Listener::There);
            }
            self.read += count as u64;
            let wrote = Heard::Wrote(self.attempt, piece[..count].to_vec());
            if self.sender.send(wrote).is_err() {
                return Ok(Listener::Gone);
            }
        }
    }

    /// Without a listener nobody has to be told.
    fn tell(&self, heard: Heard) {
        let _ = self.sender.send(heard);
    }
}

/// Whether anybody takes what is read.
enum Listener {
    There,
    Gone,
}
