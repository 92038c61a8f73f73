//! A recorded run, read back.

use crate::plans::Plans;
use loom_core::{History, RunId, Submission};
use loom_store::{QueryStore, RunSummary, StoreError};
use std::sync::Arc;

/// The most events read at once.
const PAGE: usize = 10_000;

/// What the store knows of a run. Secrets read `***`.
pub(crate) struct Look {
    pub(crate) summary: RunSummary,
    pub(crate) history: History,
}

impl Look {
    pub(crate) fn at(
        store: &mut dyn QueryStore,
        plans: &Plans,
        id: RunId,
    ) -> Result<Self, StoreError> {
        let summary = store.run(id)?;
        Self::of(store, plans, summary)
    }

    /// The run of which this is known already.
    pub(crate) fn of(
        store: &mut dyn QueryStore,
        plans: &Plans,
        summary: RunSummary,
    ) -> Result<Self, StoreError> {
        let id = summary.id;
        let plan = plans.of(store, summary.definition)?;
        let variables = Arc::new(store.variables(id)?);
        let submission = Submission { id, plan, variables, workers: summary.workers };
        let mut history = History::new(submission, summary.created_at);
        loop {
            let page = store.journal(id, history.last_seq(), PAGE)?;
            for recorded in &page.events {
                history.record(recorded.seq, &recorded.event);
            }
            if !page.more {
                return Ok(Self { summary, history });
            }
        }
    }
}
