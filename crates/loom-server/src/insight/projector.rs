//! The one reader of the feed for metrics, analytics and traces.

use super::fact::Fact;
use super::service::Shared;
use super::trace::Exporter;
use crate::feed::{Hub, News, Plans, Row};
use crate::log::Log;
use loom_store::{FeedPosition, QueryStore, StoreError};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// The most rows taken at once.
const PAGE: usize = 500;
/// How long the reader rests after a failure of the store.
const REST: Duration = Duration::from_secs(1);

/// Rows, and the position of the last that was read.
type Rows = (Vec<Arc<Row>>, FeedPosition);

/// Reads from the journal's beginning, then follows.
pub(super) struct Projector {
    pub(super) hub: Weak<Hub>,
    pub(super) news: watch::Receiver<News>,
    pub(super) store: Box<dyn QueryStore>,
    pub(super) shared: Arc<Shared>,
    pub(super) exporter: Option<Exporter>,
    pub(super) log: Log,
}

impl Projector {
    /// Works until the hub is gone.
    pub(super) fn run(mut self, runtime: &Handle) {
        let mut plans = Plans::default();
        let mut at = FeedPosition::START;
        let live_from = self.news.borrow().end;
        loop {
            if at >= live_from {
                self.shared.rebuilding.store(false, Ordering::Relaxed);
            }
            match self.next(&mut plans, at) {
                Ok(Some((rows, end))) => {
                    for row in &rows {
                        self.take(row, row.position > live_from);
                    }
                    at = end;
                }
                Ok(None) => {
                    at = at.max(live_from);
                    if self.hub.upgrade().is_none()
                        || runtime.block_on(self.news.changed()).is_err()
                        || self.news.borrow().over
                    {
                        return;
                    }
                }
                Err(error) => {
                    let why = error.to_string();
                    self.log
                        .error("the journal cannot be read; trying again", &[("why", why.into())]);
                    std::thread::park_timeout(REST);
                }
            }
        }
    }

    /// The next rows and where they end; `None` if there are none now.
    fn next(&mut self, plans: &mut Plans, at: FeedPosition) -> Result<Option<Rows>, StoreError> {
        let Some(hub) = self.hub.upgrade() else { return Ok(None) };
        self.news.mark_unchanged();
        if let Some(rows) = hub.after(at, PAGE) {
            let end = rows.last().map(|row| row.position);
            return Ok(end.map(|end| (rows, end)));
        }
        let page = self.store.feed(at, PAGE)?;
        let end = page.rows.last().map(|row| row.position);
        let rows = plans.name(self.store.as_mut(), page.rows)?;
        Ok(end.map(|end| (rows, end)))
    }

    fn take(&mut self, row: &Row, is_live: bool) {
        let mut open = self.shared.open();
        let run = match open.before(self.store.as_mut(), row) {
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
            if let Some(exporter) = self.exporter.as_ref().filter(|_| is_live) {
                exporter.take(run, &fact);
            }
        }
        drop((metrics, table));
        open.after(row);
    }
}
