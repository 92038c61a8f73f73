//! The thread that moves the bytes of one persistent plugin's process.
//!
//! Only that thread signals the process group, and it does so before it collects the process, so a
//! signal never reaches a group that has taken over the number.

use super::process::{Death, Ending, Heard, Patience, Process};
use super::wire::{Answer, MAX_LINE, Said, read};
use crate::group;
use crate::log::Stream;
use crate::plugins::command::Guarded;
use crate::sys::{self, Signal, Watched};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a process is looked at where the kernel does not tell that it exited.
const TICK: Duration = Duration::from_millis(200);
/// How long a process may take to exit after the end of its output, and its group after its own.
const SETTLE: Duration = Duration::from_millis(250);
/// How often something is looked at that cannot be waited for.
const LOOK: Duration = Duration::from_millis(2);
/// How much is read at once.
const CHUNK: usize = 16 << 10;

/// Starts the thread that moves the bytes; the process ends with it.
pub(super) fn start(pump: Pump, mut guarded: Guarded) -> io::Result<()> {
    let group = guarded.child.id();
    let started = std::thread::Builder::new().name(format!("plugin {group}")).spawn(move || {
        let process = Arc::clone(&pump.process);
        let child = &mut guarded.child;
        let ran = catch_unwind(AssertUnwindSafe(|| pump.run(child)));
        let death = ran.unwrap_or_else(|_| {
            // Its calls must hear of an end, even of one by our own bug. The leader is not collected
            // unless it has ended, so the number is the group's.
            sys::signal_group(group, Signal::Kill);
            let _ = guarded.child.wait();
            Death {
                how: "was lost by a panic, which is a bug; please report it".into(),
                status: None,
            }
        });
        // Ended with its group.
        let _ = guarded.guard.wait();
        let mut state = process.state();
        state.ended = true;
        let calls: Vec<_> = state.calls.values().map(Arc::clone).collect();
        drop(state);
        for inbox in calls {
            inbox.push(Heard::Died(death.clone()));
        }
        process.ended.notify_all();
    });
    started.map(drop).inspect_err(|_| {
        sys::signal_group(group, Signal::Kill);
    })
}

/// Moves the bytes of one process.
pub(super) struct Pump {
    process: Arc<Process>,
    group: u32,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    exited: Option<OwnedFd>,
    patience: Patience,
    /// Bytes on their way to the process.
    writing: Vec<u8>,
    /// The beginning of a line.
    line: Vec<u8>,
    /// How far its ending has come, and when it goes on.
    stage: Option<(Ending, Instant)>,
    /// When the end of its output has to be followed by its own.
    exit_by: Option<Instant>,
    /// Why we end it, if the fault is its own.
    fault: Option<String>,
}

/// What a turn has found.
enum Turn {
    /// There are more to come.
    On,
    /// The process is gone, with its status if it has been collected.
    Gone(Option<ExitStatus>),
}

impl Pump {
    pub(super) fn new(
        process: Arc<Process>,
        child: &mut Child,
        patience: Patience,
    ) -> io::Result<Self> {
        let pump = Self {
            process,
            group: child.id(),
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            exited: sys::pidfd(child.id()),
            patience,
            writing: Vec::new(),
            line: Vec::new(),
            stage: None,
            exit_by: None,
            fault: None,
        };
        for fd in [fd(pump.stdin.as_ref()), fd(pump.stdout.as_ref()), fd(pump.stderr.as_ref())]
            .into_iter()
            .flatten()
        {
            sys::set_nonblocking(fd)?;
        }
        Ok(pump)
    }

    fn run(mut self, child: &mut Child) -> Death {
        let status = loop {
            let (until, hold) = self.prepare();
            match self.turn(until, hold, child) {
                Ok(Turn::On) => {}
                Ok(Turn::Gone(status)) => break status,
                Err(error) => {
                    self.fault.get_or_insert(format!("cannot be watched: {error}"));
                    break None;
                }
            }
        };
        // Children that it left behind, while its number is still taken.
        sys::signal_group(self.group, Signal::Kill);
        let status = status.or_else(|| child.wait().ok());
        // Ending takes a moment even after KILL, and until then they could still be at work.
        let until = Instant::now() + SETTLE;
        while group::alive(self.group) && Instant::now() < until {
            let _ = sys::poll(&mut [], Some(Instant::now() + LOOK));
        }
        self.death(status)
    }

    /// Does what was asked for since the last turn. Answers until when to wait, and whether output
    /// has to wait for a call that does not keep up.
    fn prepare(&mut self) -> (Option<Instant>, bool) {
        if self.fault.is_none() && self.exit_by.is_some_and(|by| by <= Instant::now()) {
            self.blame("closed its standard output".to_owned());
        }
        let process = Arc::clone(&self.process);
        let mut state = process.state();
        self.writing.append(&mut state.outgoing);
        let mut until = None;
        if state.calls.is_empty() && state.ending.is_none() {
            let idle_until = state.idle_since + self.patience.idle;
            if idle_until <= Instant::now() {
                state.ending = Some(Ending::Close);
            } else {
                until = Some(idle_until);
            }
        }
        let ending = state.ending;
        let hold = state.calls.values().any(|inbox| inbox.is_full());
        drop(state);
        if let Some(ending) = ending {
            self.escalate(ending);
        }
        if let Some((_, next)) = self.stage {
            until = Some(next);
        }
        let settled = self.exit_by.filter(|_| self.fault.is_none());
        let tick = self.exited.is_none().then(|| Instant::now() + TICK);
        (until.into_iter().chain(settled).chain(tick).min(), hold)
    }

    fn escalate(&mut self, asked: Ending) {
        let now = Instant::now();
        let wanted = match self.stage {
            None => asked,
            Some((done, _)) if asked > done => asked,
            Some((Ending::Close, next)) if next <= now => Ending::Term,
            Some((Ending::Term, next)) if next <= now => Ending::Kill,
            Some((Ending::Kill, next)) if next <= now => Ending::Kill,
            Some(_) => return,
        };
        self.stage = Some((wanted, now + self.patience.grace));
        // A process that is told to end while it works keeps its input until it has: the end of its
        // input would say that loom itself is gone.
        match wanted {
            Ending::Close => self.stdin = None,
            Ending::Term => drop(sys::signal_group(self.group, Signal::Term)),
            Ending::Kill => drop(sys::signal_group(self.group, Signal::Kill)),
        }
    }

    /// Waits once and moves what can be moved.
    fn turn(&mut self, until: Option<Instant>, hold: bool, child: &mut Child) -> io::Result<Turn> {
        let readable =
            |fd: Option<BorrowedFd<'_>>| fd.map_or(Watched::nothing(), Watched::readable);
        let output = |fd| if hold { Watched::nothing() } else { readable(fd) };
        let mut watched = [
            Watched::readable(self.process.wakeup.as_fd()),
            output(fd(self.stdout.as_ref())),
            output(fd(self.stderr.as_ref())),
            match fd(self.stdin.as_ref()) {
                Some(fd) if !self.writing.is_empty() => Watched::writable(fd),
                _ => Watched::nothing(),
            },
            readable(fd(self.exited.as_ref())),
        ];
        sys::poll(&mut watched, until)?;
        let [wakeup, stdout, stderr, stdin, exited] = watched.map(Watched::ready);
        if wakeup {
            self.process.wakeup.clear();
        }
        if stdin {
            self.write();
        }
        let gone = if self.exited.is_some() { None } else { child.try_wait()? };
        let over = exited || gone.is_some();
        if stdout || stderr || over {
            self.read(over);
        }
        Ok(if over { Turn::Gone(gone) } else { Turn::On })
    }

    fn write(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(&self.writing) {
            Ok(count) => drop(self.writing.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // It does not read any more; its end will say why.
            Err(_) => self.stdin = None,
        }
    }

    /// Reads what is there: all of it if the process is gone.
    fn read(&mut self, all: bool) {
        let mut chunk = [0; CHUNK];
        loop {
            let got = take(&mut self.stdout, &mut chunk);
            // What it wrote to standard error before an answer belongs before the answer.
            self.read_stderr();
            match got {
                Some(0) => {
                    self.exit_by = Some(Instant::now() + SETTLE);
                    return;
                }
                None => return,
                Some(count) => self.lines(&chunk[..count]),
            }
            if !all {
                return;
            }
        }
    }

    fn read_stderr(&mut self) {
        let mut chunk = [0; CHUNK];
        while let Some(count) = take(&mut self.stderr, &mut chunk).filter(|count| *count > 0) {
            let state = self.process.state();
            for inbox in state.calls.values() {
                inbox.push(Heard::Log(Stream::Err, chunk[..count].to_vec()));
            }
        }
    }

    fn lines(&mut self, mut bytes: &[u8]) {
        while self.fault.is_none() {
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                self.line.extend_from_slice(bytes);
                if self.line.len() > MAX_LINE {
                    self.blame(format!("wrote a line longer than {MAX_LINE} bytes"));
                }
                return;
            };
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match read(&line) {
                Ok(said) => self.hear(said),
                Err(why) => self.blame(why.trim_start_matches("it ").to_owned()),
            }
        }
    }

    fn hear(&mut self, said: Said) {
        let mut state = self.process.state();
        let (id, answer) = match said {
            Said::Hello { concurrency, .. } => {
                state.concurrency = concurrency;
                return;
            }
            Said::Log { id, text } => {
                // A thread that outlives its call may still have something to say.
                if let Some(inbox) = state.calls.get(&id) {
                    inbox.push(Heard::Log(Stream::Out, text.into_bytes()));
                }
                return;
            }
            Said::Result { id, outputs, manifest } => {
                (id, Answer::Result { outputs: outputs.unwrap_or_default(), manifest })
            }
            Said::Error { id, kind, message, error, retry_after } => {
                (id, Answer::Error { kind, message, error, retry_after })
            }
        };
        let known = state.calls.get(&id).map(Arc::clone);
        drop(state);
        match known {
            Some(inbox) => inbox.push(Heard::Answer(answer)),
            None => self.blame(format!("answered a request, {id}, that is not under way")),
        }
    }

    /// The process broke the protocol: it has to go, and its calls will say why.
    fn blame(&mut self, why: String) {
        self.fault.get_or_insert(why);
        self.stdout = None;
        self.process.end(Ending::Term);
    }

    fn death(self, status: Option<ExitStatus>) -> Death {
        use std::os::unix::process::ExitStatusExt;
        let code = status.and_then(|status| status.code());
        let ended = match status {
            Some(status) if status.code().is_some() => {
                format!("exited with status {}", status.code().unwrap_or_default())
            }
            Some(status) => match status.signal() {
                Some(signal) => format!("was ended by signal {signal}"),
                None => format!("ended: {status}"),
            },
            None => "ended".to_owned(),
        };
        match self.fault {
            Some(fault) => Death { how: fault, status: None },
            None => Death { how: ended, status: code },
        }
    }
}

fn fd<T: AsFd>(stream: Option<&T>) -> Option<BorrowedFd<'_>> {
    stream.map(AsFd::as_fd)
}

/// Reads once. `Some(0)` is the end, `None` nothing for now, or ever: no stream.
fn take<T: Read>(stream: &mut Option<T>, chunk: &mut [u8]) -> Option<usize> {
    loop {
        match stream.as_mut()?.read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Ok(0) | Err(_) => {
                *stream = None;
                return Some(0);
            }
            Ok(count) => return Some(count),
        }
    }
}
