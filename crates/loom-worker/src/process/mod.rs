//! Runs one process to its end: output, exit, timeout and stop requests are awaited together, on
//! the attempt's own thread.
//!
//! - The process leads a group of its own, and the group ends with its leader: what is left of it
//!   gets a moment to finish, then TERM, then KILL after the grace period.
//! - Children that left the group and hold the pipes are not waited for.
//! - Nothing here makes the standard library leave `posix_spawn` (`pre_exec`, users, groups, or a
//!   program that the child would have to look up in a changed `PATH`).

mod launch;
mod outcome;

use crate::environment;
use crate::job::{Ended, Job, failure, output, timeout};
use crate::log::Stream;
use crate::output::Emitted;
use crate::stop::Wakeup;
use crate::sys::{self, Signal, Watched};
use loom_protocol::{AttemptOutput, ErrorCode, StopHow};
use outcome::{error_object, exit_failure, failed};
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long what is left of a group may go on after its leader has ended.
const SETTLE: Duration = Duration::from_millis(100);
/// How long a process takes at most, as a rule, from closing its pipes to its exit.
const LEAVE: Duration = Duration::from_micros(200);
/// How often something is looked at that cannot be waited for.
const LOOK: Duration = Duration::from_millis(5);
/// The most that is read, after the end, from a pipe that a stranger holds.
const DRAIN_LIMIT: usize = 4 << 20;
/// A process to start.
pub(crate) struct Launch {
    /// The program: a path, or a name to look up in `PATH`.
    pub(crate) program: OsString,
    /// Its arguments, without its name.
    pub(crate) args: Vec<OsString>,
    /// The folder that it starts in; a relative `program` path starts from it too.
    pub(crate) cwd: PathBuf,
    /// Environment variables beyond those of every attempt.
    pub(crate) env: Vec<(String, String)>,
    /// What it reads on standard input, then the end of file; without it, the end of file at once.
    pub(crate) stdin: Option<Vec<u8>>,
}

/// Runs a process as a job's attempt: its environment, its outputs, its log, its failure.
pub(crate) fn run(job: &mut Job, launch: Launch) -> Result<Vec<AttemptOutput>, Ended> {
    let output_file = job.host.output_file().map_err(|error| {
        failure(
            ErrorCode::TaskSpawn,
            format!("no folder for the file $LOOM_OUTPUT could be made: {error}; check TMPDIR"),
            true,
        )
    })?;
    let mut emitted = Emitted::new(&job.request.outputs);
    let end = start(job, launch, &output_file).and_then(|running| running.finish(&mut emitted));
    let (status, end) = match end {
        Ok(ended) => ended,
        Err(ended) => {
            let _ = std::fs::remove_file(&output_file);
            return Err(ended);
        }
    };
    emitted.stdout_ended();
    let file = read_output_file(&output_file, &mut emitted);
    job.log.finish();
    if end == End::Stopped {
        return Err(Ended::Stopped);
    }
    let mut info = if end == End::TimedOut {
        let Ended::Failed(info) = timeout(&job.request) else { return Err(Ended::Stopped) };
        *info
    } else if !status.success() {
        exit_failure(status, &emitted)
    } else if let Err(error) = file {
        let message = format!("the file $LOOM_OUTPUT cannot be read: {error}");
        failed(ErrorCode::BadOutput, message, false)
    } else if let Some(problem) = emitted.problem() {
        failed(ErrorCode::BadOutput, problem.to_owned(), false)
    } else {
        let outputs = emitted.into_outputs();
        return Ok(outputs.into_iter().map(|(name, value)| output(name, value)).collect());
    };
    info.exit_status = status.code();
    info.error = emitted.get("ERROR").and_then(error_object);
    info.tail = job.log.tail();
    Err(Ended::Failed(Box::new(info)))
}

fn read_output_file(path: &Path, emitted: &mut Emitted) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // Never waits, whatever the command put there in a file's place.
    let opened = std::fs::File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
        .open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let read = if file.metadata()?.is_file() {
        emitted.file(file)
    } else {
        Err(io::Error::other("it is not a file any more"))
    };
    let _ = std::fs::remove_file(path);
    read
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// By itself.
    Own,
    /// It was ended, its time being over.
    TimedOut,
    /// It was ended on request.
    Stopped,
}

/// A process under way.
struct Running<'a> {
    job: &'a mut Job,
    child: Child,
    group: u32,
    stdin: Option<(ChildStdin, Vec<u8>, usize)>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    /// Readable once the process has exited; opened for a process that outlasts the first
    /// [`LOOK`]. Without it, the process is looked at that often.
    exit: Option<OwnedFd>,
    /// Why it is being ended, and when it is killed.
    ending: Option<(End, Instant)>,
    killed: bool,
}

fn start<'a>(job: &'a mut Job, launch: Launch, file: &Path) -> Result<Running<'a>, Ended> {
    let mut child = {
        let variables = environment::of(&job.request, file)?;
        launch::start(&launch, &variables)?
    };
    let stdin = match (child.stdin.take(), launch.stdin) {
        (Some(pipe), Some(bytes)) if sys::set_nonblocking(pipe.as_fd()).is_ok() => {
            Some((pipe, bytes, 0))
        }
        _ => None,
    };
    Ok(Running {
        group: child.id(),
        stdin,
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
        exit: None,
        ending: None,
        killed: false,
        child,
        job,
    })
}

thread_local! {
    /// What the attempts of a thread use one after the other.
    static REUSED: RefCell<Reused> = const { RefCell::new(Reused { wakeup: None, piece: Vec::new() }) };
}

struct Reused {
    wakeup: Option<Arc<Wakeup>>,
    piece: Vec<u8>,
}

impl Running<'_> {
    /// Takes what the process writes until it and its group are gone.
    fn finish(mut self, emitted: &mut Emitted) -> Result<(ExitStatus, End), Ended> {
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
                readable(self.exit.as_ref()),
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
                return self.child.wait();
            }
            if self.exit.is_none() {
                let silent = !watched.iter().any(|watched| watched.ready());
                if let Some(status) = self.look_for_exit(silent)? {
                    return Ok(status);
                }
            }
        }
    }

    /// Whether the process has exited. One that has closed its pipes is about to, and is given a
    /// moment; most processes are gone then and never need a descriptor of their own.
    fn look_for_exit(&mut self, silent: bool) -> io::Result<Option<ExitStatus>> {
        let leaving = self.stdout.is_none() && self.stderr.is_none();
        let until = Instant::now() + if leaving { LEAVE } else { Duration::ZERO };
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() {
                return Ok(status);
            }
            if Instant::now() >= until {
                break;
            }
            std::thread::yield_now();
        }
        if leaving || silent {
            self.exit = sys::pidfd(self.group);
        }
        Ok(None)
    }

    /// When to stop waiting for descriptors alone.
    fn next_look(&self, wakes: bool) -> Option<Instant> {
        let limit = match self.ending {
            Some(_) if self.killed => None,
            Some((_, kill_at)) => Some(kill_at),
            None => self.job.deadline,
        };
        if self.exit.is_some() && wakes {
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
