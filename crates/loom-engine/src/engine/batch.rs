//! What the engine has decided and not yet made durable.

use crate::input::{EngineError, Reply};
use loom_core::{Effect, RunId};
use loom_store::RunCommit;

/// What one commit makes durable, and what is to be done then.
#[derive(Default)]
pub(super) struct Batch {
    /// The runs that it is about.
    pub(super) runs: Vec<RunId>,
    pub(super) commits: Vec<RunCommit>,
    pub(super) effects: Vec<Effect>,
    /// Requests that could not be read, and why.
    pub(super) dropped: Vec<(RunId, String)>,
    /// Who waits for an answer about which run.
    pub(super) replies: Vec<(RunId, Reply, Result<(), EngineError>)>,
}

impl Batch {
    pub(super) fn creates(&self, run: RunId) -> bool {
        self.commits.iter().any(|commit| commit.run == run && commit.new.is_some())
    }

    /// Takes out all that is about a run whose identity is another's.
    pub(super) fn withdraw(&mut self, run: RunId) {
        self.runs.retain(|other| *other != run);
        self.commits.retain(|commit| commit.run != run);
        self.effects.retain(|effect| effect.run() != run);
        for (_, _, answer) in self.replies.iter_mut().filter(|(about, ..)| *about == run) {
            *answer = Err(EngineError::Exists(run));
        }
    }
}
