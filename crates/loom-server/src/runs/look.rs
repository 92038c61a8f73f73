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
        Self::upto(store, plans, summary, u64::MAX)
    }

    /// The run of which this is known already, as it stood after its event of this number.
    pub(crate) fn upto(
        store: &mut dyn QueryStore,
        plans: &Plans,
        summary: RunSummary,
        seq: u64,
    ) -> Result<Self, StoreError> {
        let id = summary.id;
        let plan = plans.of(store, summary.definition)?;
        let variables = Arc::new(store.variables(id)?);
        let submission = Submission { id, plan, variables, workers: summary.workers };
        let mut history = History::new(submission, summary.created_at);
        loop {
            let last = history.last_seq();
            let room = usize::try_from(seq.saturating_sub(last)).unwrap_or(PAGE).min(PAGE);
            let page = store.journal(id, last, room)?;
            for recorded in &page.events {
                history.record(recorded.seq, &recorded.event);
            }
            if !page.more || history.last_seq() >= seq {
                return Ok(Self { summary, history });
            }
        }
    }
}
