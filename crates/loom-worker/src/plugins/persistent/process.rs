//! One process of a persistent plugin: calls share it, one thread moves the bytes.
//!
//! Only that thread signals the process group, and it does so before it collects the process, so a
//! signal never reaches a group that has taken over the number.

use super::wire::{Answer, MAX_LINE, Said, read};
use crate::log::Stream;
use crate::plugins::command::PluginCommand;
use crate::stop::Wakeup;
use crate::sys::{self, Signal, Watched};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes a call may leave unread before its process has to wait.
const UNREAD: usize = 4 << 20;
/// How often a process is looked at where the kernel does not tell that it exited.
const TICK: Duration = Duration::from_millis(200);
/// How long after the end of its output a process may take to exit.
const SETTLE: Duration = Duration::from_millis(250);
/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// What waits for whom, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long a process may go unused.
    pub(crate) idle: Duration,
    /// Between closing its input and TERM, and between TERM and KILL.
    pub(crate) grace: Duration,
}

/// How a process is to end. The order is severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// Its input is closed; then as [`Ending::Term`].
    Close,
    /// TERM to its group, KILL after the grace period.
    Term,
    /// KILL at once.
    Kill,
}

/// What a call hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Output for its log.
    Log(Stream, Vec<u8>),
    /// The end of the call.
    Answer(Answer),
    /// The end of the process, and why.
    Died(Death),
}

/// Why a process is gone.
#[derive(Clone, Debug)]
pub(crate) struct Death {
    /// Continues "the plugin's process".
    pub(crate) how: String,
    /// The exit status, if it exited.
    pub(crate) status: Option<i32>,
}

/// A request under way. Ends with the value.
pub(crate) struct Call {
    process: Arc<Process>,
    id: u64,
    inbox: Arc<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    heard: Mutex<(Vec<Heard>, usize)>,
    wakeup: Arc<Wakeup>,
}

/// A process, shared by its calls and its pool.
pub(crate) struct Process {
    base: PathBuf,
    wakeup: Wakeup,
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    outgoing: Vec<u8>,
    calls: BTreeMap<u64, Arc<Inbox>>,
    last_id: u64,
    concurrency: usize,
    idle_since: Instant,
    ending: Option<Ending>,
    ended: bool,
}

impl Process {
    /// Starts one that works in the folder `base`.
    pub(crate) fn start(
        command: &PluginCommand,
        base: &Path,
        patience: Patience,
    ) -> io::Result<Arc<Self>> {
        let wakeup = Wakeup::new()?;
        let mut child = command.spawn(base)?;
        let process = Arc::new(Self {
            base: base.to_owned(),
            wakeup,
            state: Mutex::new(State {
                outgoing: Vec::new(),
                calls: BTreeMap::new(),
                last_id: 0,
                concurrency: 1,
                idle_since: Instant::now(),
                ending: None,
                ended: false,
            }),
            ended: Condvar::new(),
        });
        let pump = Pump::new(Arc::clone(&process), &mut child, patience)
            .and_then(|pump| spawn_pump(pump, child))
            .inspect_err(|_| process.state().ended = true);
        pump.map(|()| process)
    }

    /// Begins a call of this request, if there is room for one more in this folder.
    pub(crate) fn call(
        self: &Arc<Self>,
        base: &Path,
        request: &Map<String, Value>,
    ) -> io::Result<Option<Call>> {
        let wakeup = Arc::new(Wakeup::new()?);
        let mut state = self.state();
        let free = !state.ended && state.ending.is_none() && state.calls.len() < state.concurrency;
        if !free || self.base != base {
            return Ok(None);
        }
        state.last_id += 1;
        let id = state.last_id;
        let mut line = request.clone();
        line.insert("id".to_owned(), id.into());
        state.say(&line.into());
        let inbox = Arc::new(Inbox { heard: Mutex::default(), wakeup });
        state.calls.insert(id, Arc::clone(&inbox));
        drop(state);
        self.wakeup.wake();
        Ok(Some(Call { process: Arc::clone(self), id, inbox }))
    }

    /// Asks for the end. Asking again, or for less, changes nothing.
    pub(crate) fn end(&self, ending: Ending) {
        let mut state = self.state();
        state.ending = state.ending.max(Some(ending));
        drop(state);
        self.wakeup.wake();
    }

    /// Whether it is gone.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Waits until it is gone, or for `longest`.
    pub(crate) fn wait(&self, longest: Duration) {
        let state = self.state();
        let waited = self.ended.wait_timeout_while(state, longest, |state| !state.ended);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn say(&mut self, line: &Value) {
        serde_json::to_writer(&mut self.outgoing, line).expect("a vector takes everything");
        self.outgoing.push(b'\n');
    }
}

impl Call {
    /// Readable when there is something to hear.
    pub(crate) fn wakeup(&self) -> &Arc<Wakeup> {
        &self.inbox.wakeup
    }

    /// What was heard since the last time.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        let (heard, bytes) = std::mem::take(&mut *self.inbox.lock());
        if bytes >= UNREAD {
            self.process.wakeup.wake();
        }
        heard
    }

    /// Asks for the call's end. A process that has no other call ends with it; one that has is
    /// asked to cancel the call, and goes on if it does.
    pub(crate) fn cancel(&self, ending: Ending) {
        let mut state = self.process.state();
        if state.calls.len() > 1 && ending < Ending::Kill {
            state.say(&serde_json::json!({"id": self.id, "type": "cancel"}));
            drop(state);
            self.process.wakeup.wake();
        } else {
            drop(state);
            self.process.end(ending);
        }
    }

    /// Asks for the end of the whole process.
    pub(crate) fn end(&self, ending: Ending) {
        self.process.end(ending);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.process.state();
        state.calls.remove(&self.id);
        state.idle_since = Instant::now();
        drop(state);
        self.process.wakeup.wake();
    }
}

impl Inbox {
    fn push(&self, heard: Heard) {
        let mut inbox = self.lock();
        if let Heard::Log(_, bytes) = &heard {
            inbox.1 += bytes.len();
        }
        inbox.0.push(heard);
        drop(inbox);
        self.wakeup.wake();
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<Heard>, usize)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn_pump(pump: Pump, mut child: Child) -> io::Result<()> {
    let group = child.id();
    let started = std::thread::Builder::new().name(format!("plugin {group}")).spawn(move || {
        let process = Arc::clone(&pump.process);
        let death = pump.run(&mut child);
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
struct Pump {
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

impl Pump {
    fn new(process: Arc<Process>, child: &mut Child, patience: Patience) -> io::Result<Self> {
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
        for fd in [fd(&pump.stdin), fd(&pump.stdout), fd(&pump.stderr)].into_iter().flatten() {
            sys::set_nonblocking(fd)?;
        }
        Ok(pump)
    }

    fn run(mut self, child: &mut Child) -> Death {
        let status = loop {
            let (until, hold) = self.prepare();
            match self.turn(until, hold, child) {
                Ok(None) => {}
                Ok(Some(status)) => break Some(status),
                Err(error) => {
                    self.fault.get_or_insert(format!("cannot be watched: {error}"));
                    break None;
                }
            }
        };
        // Children that it left behind, while its number is still taken.
        sys::signal_group(self.group, Signal::Kill);
        let status = status.flatten().or_else(|| child.wait().ok());
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
        let hold = state.calls.values().any(|inbox| inbox.lock().1 >= UNREAD);
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

    /// Waits once and moves what can be moved; the exit status once the process is gone (`None`
    /// inside if it has not been collected).
    fn turn(
        &mut self,
        until: Option<Instant>,
        hold: bool,
        child: &mut Child,
    ) -> io::Result<Option<Option<ExitStatus>>> {
        let readable =
            |fd: Option<BorrowedFd<'_>>| fd.map_or(Watched::nothing(), Watched::readable);
        let output = |fd| if hold { Watched::nothing() } else { readable(fd) };
        let mut watched = [
            Watched::readable(self.process.wakeup.as_fd()),
            output(fd(&self.stdout)),
            output(fd(&self.stderr)),
            match fd(&self.stdin) {
                Some(fd) if !self.writing.is_empty() => Watched::writable(fd),
                _ => Watched::nothing(),
            },
            readable(fd(&self.exited)),
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
        Ok(over.then_some(gone))
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

fn fd<T: AsFd>(stream: &Option<T>) -> Option<BorrowedFd<'_>> {
    stream.as_ref().map(AsFd::as_fd)
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
