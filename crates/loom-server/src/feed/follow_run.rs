//! One reader of one run's events.

use super::follow::{Batch, Follower};
use crate::problem::Problem;
use crate::readers::Readers;
use loom_core::{Plan, RunId};
use loom_protocol::RunEvent;
use loom_store::RunSummary;
use std::sync::Arc;

/// The most events read from the journal at once.
const PAGE: usize = 1000;

/// Follows one run from a sequence number on, without a gap and without a repeat: first the
/// journal, then the feed, which was followed from before the journal was read.
pub struct RunFollower {
    run: RunId,
    plan: Arc<Plan>,
    /// By what its starter knows the matter.
    correlation_id: String,
    readers: Readers,
    feed: Follower,
    /// The last event that was handed over.
    seq: u64,
    caught_up: bool,
}

impl RunFollower {
    /// Follows what comes after event number `seq`; 0 for all. The plan has the tasks of everything
    /// up to there.
    pub(crate) fn new(
        run: &RunSummary,
        plan: Arc<Plan>,
        readers: Readers,
        feed: Follower,
        seq: u64,
    ) -> Self {
        let (run, correlation_id) = (run.id, run.meta.correlation_id.clone());
        Self { run, plan, correlation_id, readers, feed, seq, caught_up: false }
    }

    /// What comes next; waits for it.
    pub async fn next(&mut self) -> Result<Vec<RunEvent>, Problem> {
        loop {
            let events =
                if self.caught_up { self.followed().await? } else { self.recorded().await? };
            if let Some(last) = events.last() {
                self.seq = last.seq;
                return Ok(events);
            }
        }
    }

    async fn recorded(&mut self) -> Result<Vec<RunEvent>, Problem> {
        let (run, seq) = (self.run, self.seq);
        let page = self.readers.ask(move |store| store.journal(run, seq, PAGE)).await?;
        self.caught_up = !page.more;
        page.events.iter().for_each(|recorded| self.plan.take(&recorded.event));
        let event = |recorded: &loom_store::Recorded| {
            let Self { plan, correlation_id, .. } = &*self;
            crate::wire::run_event(run, plan, correlation_id, recorded.seq, &recorded.event)
        };
        Ok(page.events.iter().map(event).collect())
    }

    async fn followed(&mut self) -> Result<Vec<RunEvent>, Problem> {
        let batches = self.feed.next().await?;
        let own = batches.iter().filter(|batch| batch.run() == self.run);
        let events = own.flat_map(Batch::wires);
        Ok(events.filter(|event| event.seq > self.seq).collect())
    }
}
