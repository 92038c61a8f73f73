//! A recorded run, read back.

use loom_core::{History, Plan, Refusal, Request, Run, RunId, Submission, Timestamp, Variable};
use loom_store::{QueryStore, Recorded, RunSummary, StoreError};
use std::sync::Arc;

/// The most events read at once.
const PAGE: usize = 10_000;

/// What the store knows of a run. Secrets read `***`.
pub(crate) struct Look {
    pub(crate) summary: RunSummary,
    pub(crate) history: History,
    pub(crate) events: Vec<Recorded>,
    plan: Arc<Plan>,
    variables: Arc<Vec<Variable>>,
}

impl Look {
    pub(crate) fn at(store: &mut dyn QueryStore, id: RunId) -> Result<Self, StoreError> {
        let summary = store.run(id)?;
        let plan = Arc::new(Plan::new(store.definition(&summary.definition)?));
        let variables = Arc::new(store.variables(id)?);
        let submission = Submission {
            id,
            plan: Arc::clone(&plan),
            variables: Arc::clone(&variables),
            workers: summary.workers,
        };
        let history = History::new(submission, summary.created_at);
        let mut look = Self { summary, history, events: Vec::new(), plan, variables };
        look.catch_up(store)?;
        Ok(look)
    }

    /// Takes in what has been recorded since. Answers with how many events that were.
    pub(crate) fn catch_up(&mut self, store: &mut dyn QueryStore) -> Result<usize, StoreError> {
        let before = self.events.len();
        loop {
            let page = store.journal(self.summary.id, self.history.last_seq(), PAGE)?;
            for recorded in &page.events {
                self.history.record(recorded.seq, &recorded.event);
            }
            self.events.extend(page.events);
            if !page.more {
                return Ok(self.events.len() - before);
            }
        }
    }

    /// Whether a living process is at work on the run. Nobody is at work on one that has ended,
    /// whoever had it last.
    pub(crate) fn is_taken(&self) -> bool {
        self.summary.alive && !self.history.run().state().is_final()
    }

    /// When something last happened to the run.
    pub(crate) fn last_moment(&self) -> Timestamp {
        self.events.last().map_or(self.summary.created_at, |recorded| recorded.event.at())
    }

    /// Whether the run would refuse this request as it stands.
    pub(crate) fn refuses(&self, request: &Request, now: Timestamp) -> Option<Refusal> {
        let mut run = Run::new(Submission {
            id: self.summary.id,
            plan: Arc::clone(&self.plan),
            variables: Arc::clone(&self.variables),
            workers: self.summary.workers,
        });
        self.events.iter().for_each(|recorded| run.replay(&recorded.event));
        run.apply(loom_core::Command::Request(request.clone()), now).err()
    }
}
