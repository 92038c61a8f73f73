//! How everybody else reaches an engine that runs on its thread.

use crate::input::{EngineError, Input, NewSubmission, Reply};
use loom_core::{Report, Request, RunId};
use std::sync::mpsc::{Receiver, Sender};

/// Makes the two ends: a handle for everybody, an inbox for the engine's thread.
pub fn channel() -> (Handle, Inbox) {
    let (sender, receiver) = std::sync::mpsc::channel();
    (Handle { sender }, Inbox { receiver })
}

/// The engine's end.
#[derive(Debug)]
pub struct Inbox {
    pub(crate) receiver: Receiver<Input>,
}

/// Cheap to clone. The engine stops when the last one is dropped; an [`Executor`](crate::Executor)
/// that holds one in order to report keeps it going until it is drained.
#[derive(Clone, Debug)]
pub struct Handle {
    sender: Sender<Input>,
}

impl Handle {
    /// Creates a run and begins it, unless it is to be held; returns once that is durable.
    pub fn submit(&self, submission: NewSubmission) -> Result<(), EngineError> {
        self.ask(|reply| Input::Submit(Box::new(submission), reply))
    }

    /// Begins a run that was held, after taking it up if no living process has it.
    pub fn begin(&self, run: RunId) -> Result<(), EngineError> {
        self.ask(|reply| Input::Begin(run, reply))
    }

    /// Takes up a run that no living process has and asks something of it: see [`Input::Adopt`].
    pub fn adopt(&self, run: RunId, request: Option<Request>) -> Result<(), EngineError> {
        self.ask(|reply| Input::Adopt(run, request, reply))
    }

    /// Asks something of a run that is under way here.
    pub fn request(&self, run: RunId, request: Request) -> Result<(), EngineError> {
        self.ask(|reply| Input::Request(run, request, reply))
    }

    /// Says what became of attempts.
    pub fn report(&self, reports: Vec<(RunId, Report)>) {
        self.send(Input::Reports(reports));
    }

    /// Pauses all runs and stops the engine once nothing is under way.
    pub fn drain(&self, by: impl Into<String>) {
        self.send(Input::Drain { by: by.into() });
    }

    /// As [`Handle::drain`], ending what is under way.
    pub fn kill(&self, by: impl Into<String>) {
        self.send(Input::Kill { by: by.into() });
    }

    /// Sends any input. After the engine has stopped it goes nowhere, and a reply in it is dropped.
    pub fn send(&self, input: Input) {
        // A stopped engine has nobody left to tell; askers learn of it from the dropped reply.
        let _ = self.sender.send(input);
    }

    fn ask(&self, input: impl FnOnce(Reply) -> Input) -> Result<(), EngineError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.send(input(Box::new(move |answer| {
            // The asker may have gone; then nobody wants the answer.
            let _ = sender.send(answer);
        })));
        receiver.recv().unwrap_or(Err(EngineError::Stopped))
    }
}
