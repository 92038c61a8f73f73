//! One process of a persistent plugin, and the calls that share it.

use super::pump::{self, Pump};
use super::wire::Answer;
use crate::environment::Inherited;
use crate::log::Stream;
use crate::plugins::command::PluginCommand;
use crate::stop::Wakeup;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes a call may leave unread before its process has to wait.
const UNREAD: usize = 4 << 20;

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
pub(super) struct Inbox {
    heard: Mutex<(Vec<Heard>, usize)>,
    wakeup: Arc<Wakeup>,
}

/// A process, shared by its calls and its pool.
pub(crate) struct Process {
    base: PathBuf,
    pub(super) wakeup: Wakeup,
    state: Mutex<State>,
    pub(super) ended: Condvar,
}

pub(super) struct State {
    pub(super) outgoing: Vec<u8>,
    pub(super) calls: BTreeMap<u64, Arc<Inbox>>,
    last_id: u64,
    pub(super) concurrency: usize,
    pub(super) idle_since: Instant,
    pub(super) ending: Option<Ending>,
    pub(super) ended: bool,
}

impl Process {
    /// Starts one that works in the folder `base`.
    pub(crate) fn start(
        command: &PluginCommand,
        base: &Path,
        inherited: &Inherited,
        patience: Patience,
    ) -> io::Result<Arc<Self>> {
        let wakeup = Wakeup::new()?;
        let mut guarded = command.spawn(base, inherited)?;
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
        let pump = Pump::new(Arc::clone(&process), &mut guarded.child, patience)
            .and_then(|pump| pump::start(pump, guarded))
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
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
    pub(super) fn push(&self, heard: Heard) {
        let mut inbox = self.lock();
        if let Heard::Log(_, bytes) = &heard {
            inbox.1 += bytes.len();
        }
        inbox.0.push(heard);
        drop(inbox);
        self.wakeup.wake();
    }

    /// Whether its call does not keep up.
    pub(super) fn is_full(&self) -> bool {
        self.lock().1 >= UNREAD
    }

    fn lock(&self) -> MutexGuard<'_, (Vec<Heard>, usize)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
