//! A recorded run, read back.

use loom_core::{
    Command, History, Plan, Refusal, Request, Run, RunId, Submission, Timestamp, Variable,
};
use loom_store::{QueryStore, Recorded, StoreError};
use std::sync::Arc;

/// The most events read at once.
const PAGE: usize = 10_000;

/// What is known of a run. Secrets read `***`.
pub(crate) struct Look {
    pub(crate) history: History,
    pub(crate) events: Vec<Recorded>,
    /// Whether a living process had the run when it was looked at.
    pub(crate) alive: bool,
    /// The folder that relative paths of its workflow start from.
    pub(crate) base: String,
    /// The most tasks at once.
    pub(crate) workers: u32,
    /// By what its starter knows the matter.
    pub(crate) correlation_id: String,
    plan: Arc<Plan>,
    variables: Arc<Vec<Variable>>,
}

impl Look {
    /// A run before anything happened to it.
    pub(crate) fn new(
        submission: Submission,
        created_at: Timestamp,
        base: String,
        alive: bool,
    ) -> Self {
        let (plan, variables) = (Arc::clone(&submission.plan), Arc::clone(&submission.variables));
        let workers = submission.workers;
        let history = History::new(submission, created_at);
        let correlation_id = String::new();
        Self { history, events: Vec::new(), alive, base, workers, correlation_id, plan, variables }
    }

    /// A run of a store.
    pub(crate) fn at(store: &mut dyn QueryStore, id: RunId) -> Result<Self, StoreError> {
        let summary = store.run(id)?;
        let submission = Submission {
            id,
            plan: Arc::new(Plan::new(store.definition(&summary.definition)?)),
            variables: Arc::new(store.variables(id)?),
            workers: summary.workers,
        };
        let mut look = Self::new(submission, summary.created_at, summary.base, summary.alive);
        look.correlation_id.clone_from(&summary.meta.correlation_id);
        look.catch_up(store)?;
        Ok(look)
    }

    /// Takes in what the store has recorded since. Answers with how many events that were.
    pub(crate) fn catch_up(&mut self, store: &mut dyn QueryStore) -> Result<usize, StoreError> {
        let before = self.events.len();
        loop {
            let page = store.journal(self.id(), self.history.last_seq(), PAGE)?;
            for recorded in page.events {
                let next = self.history.last_seq() + 1;
                if recorded.seq != next {
                    let what = format!("run {} lacks its event {next}", self.id());
                    return Err(StoreError::Corrupt(what));
                }
                self.record(recorded);
            }
            if !page.more {
                return Ok(self.events.len() - before);
            }
        }
    }

    /// Takes in the next event.
    pub(crate) fn record(&mut self, recorded: Recorded) {
        self.history.record(recorded.seq, &recorded.event);
        self.events.push(recorded);
    }

    pub(crate) fn id(&self) -> RunId {
        self.history.run().id()
    }

    /// Whether a living process is at work on the run. Nobody is at work on one that has ended,
    /// whoever had it last.
    pub(crate) fn is_taken(&self) -> bool {
        self.alive && !self.history.run().state().is_final()
    }

    /// Whether the run has not ended and nobody is at work on it.
    pub(crate) fn is_interrupted(&self) -> bool {
        let run = self.history.run();
        !self.alive && !run.state().is_final() && run.plan().external().is_none()
    }

    /// When something last happened to the run.
    pub(crate) fn last_moment(&self) -> Timestamp {
        let created_at = self.history.created_at();
        self.events.last().map_or(created_at, |recorded| recorded.event.at())
    }

    /// Whether the run would refuse this request as it stands.
    pub(crate) fn refuses(&self, request: &Request, now: Timestamp) -> Option<Refusal> {
        let mut run = Run::new(Submission {
            id: self.id(),
            plan: Arc::clone(&self.plan),
            variables: Arc::clone(&self.variables),
            workers: self.workers,
        });
        self.events.iter().for_each(|recorded| run.replay(&recorded.event));
        run.apply(Command::Request(request.clone()), now).err()
    }
}
