//! One process from its start to the end of its group.

use super::launch::Started;
use super::{LOOK, SETTLE};
use crate::job::{Ended, Job, failure};
use crate::log::Stream;
use crate::output::Emitted;
use crate::stop::Wakeup;
use crate::sys::{self, Child, Signal, Watched};
use loom_protocol::{ErrorCode, StopHow};
use std::cell::RefCell;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a process takes at most, as a rule, from closing its pipes to its exit.
const LEAVE: Duration = Duration::from_micros(200);
/// The most that is read, after the end, from a pipe that a stranger holds.
const DRAIN_LIMIT: usize = 4 << 20;

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Own,
    /// It was ended, its time being over.
    TimedOut,
    /// It was ended on request.
    Stopped,
}

/// A process under way.
pub(super) struct Running<'a> {
    job: &'a mut Job,
    child: Child,
    group: u32,
    /// What it is still to read, from this place on.
    stdin: Option<(PipeWriter, Vec<u8>, usize)>,
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    exit: Exit,
    /// Why it is being ended, and when it is killed.
    ending: Option<(End, Instant)>,
    killed: bool,
}

/// How its exit is noticed.
enum Exit {
    /// This descriptor becomes readable. Until then our copies of the process's ends of its pipes are
    /// kept, so that the pipes do not end, one after the other, a moment before: a process that just
    /// exits wakes us once instead of three times.
    Told { descriptor: OwnedFd, _ends: (PipeWriter, PipeWriter) },
    /// The kernel does not tell: its pipes end, and it is looked at every [`LOOK`].
    Looked,
}

thread_local! {
    /// What the attempts of a thread use one after the other.
    static REUSED: RefCell<Reused> = const { RefCell::new(Reused { wakeup: None, piece: Vec::new() }) };
}

struct Reused {
    wakeup: Option<Arc<Wakeup>>,
    piece: Vec<u8>,
}

impl<'a> Running<'a> {
    /// `input` is for its standard input, if that is a pipe.
    pub(super) fn new(job: &'a mut Job, started: Started, input: Option<Vec<u8>>) -> Self {
        let Started { child, stdin, stdout, stderr, ends } = started;
        let stdin = stdin.zip(input).filter(|(pipe, _)| sys::set_nonblocking(pipe.as_fd()).is_ok());
        Self {
            group: child.id(),
            stdin: stdin.map(|(pipe, input)| (pipe, input, 0)),
            stdout: Some(stdout),
            stderr: Some(stderr),
            exit: match sys::pidfd(child.id()) {
                Some(descriptor) => Exit::Told { descriptor, _ends: ends },
                None => Exit::Looked,
            },
            ending: None,
            killed: false,
            child,
            job,
        }
    }

    /// Takes what the process writes until it and its group are gone.
    pub(super) fn finish(mut self, emitted: &mut Emitted) -> Result<(ExitStatus, End), Ended> {
        let (wakeup, mut piece) = REUSED.with_borrow_mut(|reused| {
            if reused.wakeup.is_none() {
                reused.wakeup = Wakeup::new().ok().map(Arc::new);
            }
            reused.piece.resize(64 << 10, 0);
            (reused.wakeup.clone(), std::mem::take(&mut reused.piece))
        });
        let stop = self.job.stop.clone();
        let guard = wakeup.as_ref().map(|wakeup| stop.wake(wakeup));
        let ended = self.until_exit(wakeup.as_deref(), &mut piece, emitted);
        let ended = ended.map(|status| {
            self.sweep(&mut piece, emitted);
            (status, self.ending.map_or(End::Own, |(why, _)| why))
        });
        drop(guard);
        REUSED.with_borrow_mut(|reused| reused.piece = piece);
        ended.map_err(|error| {
            let message = format!("the process could not be watched and was ended: {error}");
            failure(ErrorCode::PluginFailed, message, true)
        })
    }

    fn until_exit(
        &mut self,
        wakeup: Option<&Wakeup>,
        piece: &mut [u8],
        emitted: &mut Emitted,
    ) -> io::Result<ExitStatus> {
        loop {
            self.check_limits();
            let mut watched = [
                readable(self.stdout.as_ref()),
                readable(self.stderr.as_ref()),
                readable(self.exit.descriptor()),
                readable(wakeup),
                self.stdin
                    .as_ref()
                    .map_or(Watched::nothing(), |(pipe, ..)| Watched::writable(pipe.as_fd())),
            ];
            if let Err(error) = sys::poll(&mut watched, self.next_look(wakeup.is_some())) {
                sys::signal_group(self.group, Signal::Kill);
                self.child.wait()?;
                return Err(error);
            }
            if watched[3].ready() {
                wakeup.inspect(|wakeup| wakeup.clear());
            }
            if watched[4].ready() {
                self.feed();
            }
            if watched[0].ready() {
                self.read_stdout(piece, emitted);
            }
            if watched[1].ready() {
                self.read_stderr(piece);
            }
            if watched[2].ready() {
                self.exit = Exit::Looked;
                return self.child.wait();
            }
            if matches!(self.exit, Exit::Looked)
                && let Some(status) = self.look_for_exit()?
            {
                return Ok(status);
            }
        }
    }

    /// Whether the process has exited. One that has closed its pipes is about to, and is given a
    /// moment.
    fn look_for_exit(&mut self) -> io::Result<Option<ExitStatus>> {
        let leaving = self.stdout.is_none() && self.stderr.is_none();
        let until = Instant::now() + if leaving { LEAVE } else { Duration::ZERO };
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= until {
                return Ok(status);
            }
            std::thread::yield_now();
        }
    }

    /// When to stop waiting for descriptors alone.
    fn next_look(&self, wakes: bool) -> Option<Instant> {
        let limit = match self.ending {
            Some(_) if self.killed => None,
            Some((_, kill_at)) => Some(kill_at),
            None => self.job.deadline,
        };
        if matches!(self.exit, Exit::Told { .. }) && wakes {
            return limit;
        }
        let look = Instant::now() + LOOK;
        Some(limit.map_or(look, |limit| limit.min(look)))
    }

    /// Ends the group if that was asked for or its time is over. The leader is not collected yet,
    /// so the group's number is its own.
    fn check_limits(&mut self) {
        let now = Instant::now();
        let asked = self.job.stop.asked();
        if self.ending.is_none() || asked.is_some() {
            let why = match asked {
                Some(_) => Some(End::Stopped),
                None if self.job.deadline.is_some_and(|deadline| now >= deadline) => {
                    Some(End::TimedOut)
                }
                None => None,
            };
            match (why, self.ending) {
                (None, _) => return,
                (Some(why), None) => {
                    if asked != Some(StopHow::Now) {
                        sys::signal_group(self.group, Signal::Term);
                    }
                    self.ending = Some((why, now + self.job.host.grace));
                }
                (Some(why), Some((_, kill_at))) => self.ending = Some((why, kill_at)),
            }
        }
        let Some((_, kill_at)) = self.ending else { return };
        if !self.killed && (now >= kill_at || asked == Some(StopHow::Now)) {
            sys::signal_group(self.group, Signal::Kill);
            self.killed = true;
        }
    }

    /// Writes what fits to standard input. A process that does not want it has it closed.
    fn feed(&mut self) {
        let Some((pipe, bytes, written)) = &mut self.stdin else { return };
        match pipe.write(&bytes[*written..]) {
            Ok(count) => *written += count,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) => {}
            Err(_) => *written = bytes.len(),
        }
        if *written == bytes.len() {
            self.stdin = None;
        }
    }

    /// Reads once what a poll has announced, so that it does not wait. Says how much came.
    fn read_stdout(&mut self, piece: &mut [u8], emitted: &mut Emitted) -> usize {
        let count = read_once(&mut self.stdout, piece);
        emitted.stdout(&piece[..count]);
        self.job.log.write(Stream::Out, &piece[..count]);
        count
    }

    fn read_stderr(&mut self, piece: &mut [u8]) -> usize {
        let count = read_once(&mut self.stderr, piece);
        self.job.log.write(Stream::Err, &piece[..count]);
        count
    }

    /// Reads what comes until `until`, or until both pipes have ended or, with `until` in the past,
    /// hold nothing more.
    fn read_until(&mut self, until: Instant, piece: &mut [u8], emitted: &mut Emitted) {
        let mut read = 0;
        while (self.stdout.is_some() || self.stderr.is_some()) && read < DRAIN_LIMIT {
            let mut watched = [readable(self.stdout.as_ref()), readable(self.stderr.as_ref())];
            if sys::poll(&mut watched, Some(until)).is_err() {
                return;
            }
            if watched[0].ready() {
                read += self.read_stdout(piece, emitted);
            }
            if watched[1].ready() {
                read += self.read_stderr(piece);
            }
            if !watched[0].ready() && !watched[1].ready() {
                return;
            }
        }
    }

    /// Ends what is left of the group, and takes what is left in the pipes. The leader has been
    /// collected: its number is the group's as long as the group has members.
    fn sweep(&mut self, piece: &mut [u8], emitted: &mut Emitted) {
        self.stdin = None;
        if sys::group_exists(self.group) {
            let settled = Instant::now() + SETTLE;
            let asked_to_end = self.ending.is_some();
            if !asked_to_end {
                self.wait_for_group(settled, piece, emitted);
            }
            if self.job.stop.asked() != Some(StopHow::Now) && crate::group::alive(self.group) {
                sys::signal_group(self.group, Signal::Term);
                let kill_at = match self.ending {
                    Some((_, kill_at)) => kill_at,
                    None => Instant::now() + self.job.host.grace,
                };
                self.wait_for_group(kill_at, piece, emitted);
            }
            if crate::group::alive(self.group) {
                sys::signal_group(self.group, Signal::Kill);
                self.wait_for_group(Instant::now() + SETTLE, piece, emitted);
            }
        }
        self.read_until(Instant::now(), piece, emitted);
    }

    /// Waits until the group is gone, and reads meanwhile; cut short by a request to end now.
    fn wait_for_group(&mut self, until: Instant, piece: &mut [u8], emitted: &mut Emitted) {
        let mut look = Duration::from_millis(1);
        while crate::group::alive(self.group) && Instant::now() < until {
            if self.job.stop.asked() == Some(StopHow::Now) {
                return;
            }
            let next = until.min(Instant::now() + look);
            self.read_until(next, piece, emitted);
            let _ = sys::poll(&mut [], Some(next));
            look = (look * 2).min(LOOK * 4);
        }
    }
}

impl Exit {
    const fn descriptor(&self) -> Option<&OwnedFd> {
        match self {
            Self::Told { descriptor, .. } => Some(descriptor),
            Self::Looked => None,
        }
    }
}

/// Waits for something to read, if there is a source.
fn readable(source: Option<&impl AsFd>) -> Watched {
    source.map_or(Watched::nothing(), |source| Watched::readable(source.as_fd()))
}

fn read_once(pipe: &mut Option<impl Read>, piece: &mut [u8]) -> usize {
    let Some(source) = pipe else { return 0 };
    match source.read(piece) {
        Ok(count) if count > 0 => count,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
        _ => {
            *pipe = None;
            0
        }
    }
}
