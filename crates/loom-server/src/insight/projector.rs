//! The one reader of the feed for metrics and analytics.

use super::fact::Fact;
use super::service::Shared;
use super::tail::Tail;
use crate::feed::Row;
use crate::log::Log;
use loom_store::StoreError;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long the reader rests after a failure of the store.
const REST: Duration = Duration::from_secs(1);
/// How long it waits for news before it looks whether anybody still needs it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads from the journal's beginning, then follows.
pub(super) struct Projector {
    pub(super) tail: Tail,
    pub(super) shared: Arc<Shared>,
    pub(super) log: Log,
}

impl Projector {
    /// Works until the feed is over.
    pub(super) fn run(mut self, runtime: &Handle) {
        let live_from = self.tail.end();
        let mut is_failing = false;
        loop {
            let read = self.tail.next();
            for row in read.iter().flatten().flatten() {
                self.take(row, row.position > live_from);
            }
            self.shared.gone().passed(self.tail.at);
            // The last of what was there at the start may be deleted by now.
            if self.tail.at >= live_from || matches!(read, Ok(None)) {
                self.shared.rebuilding.store(false, Ordering::Relaxed);
            }
            let was_failing = std::mem::replace(&mut is_failing, read.is_err());
            match read {
                Ok(Some(_)) => {}
                Ok(None) if self.tail.is_over() => return,
                Ok(None) => self.tail.wait(runtime, PATIENCE),
                Err(error) => {
                    if !was_failing {
                        let fields = [("why", error.to_string().into())];
                        self.log.error("metrics and analytics stand still; trying again", &fields);
                    }
                    std::thread::park_timeout(REST);
                }
            }
        }
    }

    fn take(&mut self, row: &Row, is_live: bool) {
        let mut open = self.shared.open();
        let run = match open.before(self.tail.store.as_mut(), row) {
            Ok(run) => run,
            // It was deleted meanwhile.
            Err(StoreError::NoRun(_)) => return,
            Err(error) => {
                let fields =
                    [("run", row.run.to_string().into()), ("why", error.to_string().into())];
                self.log.error("events of a run are left out of metrics and analytics", &fields);
                return;
            }
        };
        let mut metrics = is_live.then(|| self.shared.metrics());
        let mut table = self.shared.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &mut metrics {
            let last = row.events.last().map(loom_core::Event::at);
            let now = self.shared.clock.now();
            metrics.late(last.map(|at| now.since(at)).unwrap_or_default());
        }
        for (seq, event) in (row.first_seq..).zip(&row.events) {
            run.history.record(seq, event);
            let fact = Fact::of(&run.history, seq, event);
            // The names of tasks of other systems are identities: a new one each time.
            if !run.history.run().is_external() {
                table.take(run, &fact);
            }
            if let Some(metrics) = &mut metrics {
                metrics.take(run, &fact);
            }
        }
        drop((metrics, table));
        open.after(row);
    }
}
