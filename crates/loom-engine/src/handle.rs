//! How everybody else reaches an engine that runs on its thread.

use crate::input::{EngineError, Input, NewSubmission, Reply};
use crate::options::Options;
use loom_core::{Report, Request, RunId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Makes the two ends: a handle for everybody, an inbox for the engine's thread.
pub fn channel(options: &Options) -> (Handle, Inbox) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let line = Arc::new(Line { length: AtomicUsize::new(0), most: options.waiting_max });
    (Handle { sender, line: Arc::clone(&line) }, Inbox { receiver, line })
}

/// How many wait for an answer whose input the engine has not taken yet.
#[derive(Debug)]
struct Line {
    length: AtomicUsize,
    most: usize,
}

impl Line {
    fn enter(&self) -> bool {
        let enters = self.length.fetch_add(1, Ordering::Relaxed) < self.most;
        if !enters {
            self.leave();
        }
        enters
    }

    fn leave(&self) {
        self.length.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The engine's end.
#[derive(Debug)]
pub struct Inbox {
    receiver: Receiver<Input>,
    line: Arc<Line>,
}

impl Inbox {
    /// The next input, as soon as there is one.
    pub(crate) fn wait(&self, patience: Duration) -> Result<Input, RecvTimeoutError> {
        self.receiver.recv_timeout(patience).inspect(|input| self.taken(input))
    }

    /// The next input, if there is one.
    pub(crate) fn next(&self) -> Option<Input> {
        self.receiver.try_recv().ok().inspect(|input| self.taken(input))
    }

    fn taken(&self, input: &Input) {
        if input.wants_answer() {
            self.line.leave();
        }
    }
}

/// Cheap to clone. The engine stops when the last one is dropped; an [`Executor`](crate::Executor)
/// that holds one in order to report keeps it going until it is drained.
#[derive(Clone, Debug)]
pub struct Handle {
    sender: Sender<Input>,
    line: Arc<Line>,
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

    /// Starts nothing new and stops the engine once nothing is under way. Runs stay as they are, for
    /// whoever takes them up next.
    pub fn leave(&self) {
        self.send(Input::Leave);
    }

    /// As [`Handle::drain`], ending what is under way.
    pub fn kill(&self, by: impl Into<String>) {
        self.send(Input::Kill { by: by.into() });
    }

    /// Sends any input, from any thread, and does not wait. The reply in it is called on the engine's
    /// thread and must not wait either; if [`Options::waiting_max`] others wait already, it is called
    /// here and now with [`EngineError::Busy`]. After the engine has stopped an input goes nowhere,
    /// and a reply in it is dropped.
    pub fn send(&self, input: Input) {
        if input.wants_answer() && !self.line.enter() {
            return input.answer(Err(EngineError::Busy));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel as answers;

    #[test]
    fn so_many_may_wait_and_reports_always_pass() {
        let options = Options { waiting_max: 2, ..Options::default() };
        let (handle, inbox) = channel(&options);
        let (sender, answers) = answers();
        let ask = || {
            let sender = sender.clone();
            let reply: Reply = Box::new(move |answer| sender.send(answer).unwrap());
            handle.send(Input::Adopt(RunId::new(1, 0), None, reply));
        };
        for _ in 0..2 {
            ask();
            ask();
            assert!(answers.try_recv().is_err(), "they wait");
            ask();
            assert!(matches!(answers.try_recv(), Ok(Err(EngineError::Busy))));
            handle.report(Vec::new());
            handle.drain("me");
            for _ in 0..4 {
                assert!(inbox.next().is_some());
            }
            assert!(inbox.next().is_none());
        }
    }
}
