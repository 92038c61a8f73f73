//! One run, carried by this process to its end: the engine on its thread, the worker behind it, and
//! what happens told to a view.

use crate::bridge::Bridge;
use crate::fault::{Ended, Fault};
use crate::plugins::Plugins;
use crate::progress::View;
use crate::signals::{Listener, Wish};
use loom_core::History;
use loom_core::{Event, RunId, Timestamp};
use loom_engine::{Clock, Engine, Handle, Observer, Options, SystemClock, channel};
use loom_sqlite::SqliteStore;
use loom_store::{RunCommit, StoreError};
use loom_worker::{Worker, WorkerOptions};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;

/// What a session is made of.
pub(crate) struct Setup {
    pub(crate) store: SqliteStore,
    pub(crate) plugins: Arc<Plugins>,
    /// The folder that relative paths of the workflow start from.
    pub(crate) base: PathBuf,
    /// The most tasks of each queue at once.
    pub(crate) queues: HashMap<String, u32>,
    /// The address of the permission service.
    pub(crate) permissions_url: Option<String>,
}

/// An engine at work on one run.
pub(crate) struct Session {
    pub(crate) handle: Handle,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    thread: JoinHandle<Result<(), StoreError>>,
}

/// What the engine and the signals tell.
enum Message {
    /// These events are durable; the number is the first one's.
    Committed(u64, Vec<Event>),
    /// A signal came.
    Wish(Wish),
    /// The engine has stopped.
    Stopped,
}

/// Passes on what happens to one run.
struct Watcher {
    run: RunId,
    sender: Sender<Message>,
}

impl Observer for Watcher {
    fn committed(&mut self, commits: &[RunCommit]) {
        for commit in commits {
            if commit.run == self.run && !commit.events.is_empty() {
                // Without a listener nobody wants to know.
                let _ =
                    self.sender.send(Message::Committed(commit.first_seq, commit.events.clone()));
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.sender.send(Message::Stopped);
    }
}

/// How a session came to its end.
pub(crate) struct Finish {
    /// The store's failure that halted it, if one did.
    pub(crate) failure: Option<StoreError>,
    /// Whether it was interrupted by a signal.
    pub(crate) interrupted: bool,
}

impl Session {
    /// Starts an engine that watches this run. Nothing happens until it is submitted or adopted.
    pub(crate) fn start(setup: Setup, run: RunId) -> Result<Self, Fault> {
        let Setup { store, plugins, base, queues, permissions_url } = setup;
        let logs = store.files().logs();
        let (handle, inbox) = channel();
        let worker =
            Worker::new(WorkerOptions { permissions_url, ..WorkerOptions::default() }, plugins)
                .map_err(|error| Fault::machine("cannot start a worker", error))?;
        let bridge = Bridge::new(worker, handle.clone(), base, logs);
        let options = Options { queues, ..Options::default() };
        let mut engine = Engine::new(Box::new(store), Box::new(bridge), options);
        let (sender, messages) = std::sync::mpsc::channel();
        engine.observe(Box::new(Watcher { run, sender: sender.clone() }));
        let thread = engine.spawn(inbox, Arc::new(SystemClock));
        Ok(Self { handle, messages, sender, thread })
    }

    /// Listens for signals from now on: the first drains, the second kills.
    pub(crate) fn listen(&self, by: &str) -> Result<Listener, Fault> {
        let (handle, sender) = (self.handle.clone(), self.sender.clone());
        let by = by.to_owned();
        Listener::start(move |wish| {
            match wish {
                Wish::Drain => handle.drain(by.as_str()),
                Wish::Kill => handle.kill(by.as_str()),
            }
            let _ = sender.send(Message::Wish(wish));
        })
    }

    /// Shows what happens until the engine has stopped, which it does when the run has ended.
    pub(crate) fn follow(
        self,
        history: &mut History,
        view: &mut dyn View,
    ) -> Result<Finish, Ended> {
        let mut interrupted = false;
        loop {
            match self.next(view) {
                Some(Message::Committed(first, events)) => {
                    for (seq, event) in (first..).zip(&events) {
                        // What was there when a run was taken up is in the history already.
                        if seq > history.last_seq() {
                            history.record(seq, event);
                            view.event(history, seq, event);
                        }
                    }
                    if history.run().state().is_final() {
                        self.handle.drain("loom");
                    }
                }
                Some(Message::Wish(wish)) => {
                    interrupted = true;
                    view.stopping(history, wish);
                }
                Some(Message::Stopped) => break,
                None => view.tick(history, now()),
            }
        }
        view.close();
        let failure = match self.thread.join() {
            Ok(result) => result.err(),
            Err(_) => return Err(Ended::Told(loom_protocol::ExitCode::Machine)),
        };
        Ok(Finish { failure, interrupted })
    }

    fn next(&self, view: &mut dyn View) -> Option<Message> {
        let Some(patience) = view.patience() else {
            return Some(self.messages.recv().unwrap_or(Message::Stopped));
        };
        match self.messages.recv_timeout(patience) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Stopped),
        }
    }
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// Who asks, as it is recorded.
pub(crate) fn actor() -> String {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}
