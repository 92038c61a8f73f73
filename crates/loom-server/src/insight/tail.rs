//! A reader of the feed on a thread of its own.

use crate::feed::{Hub, Names, News, Row};
use loom_store::{FeedPosition, QueryStore, StoreError};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

/// The most rows read at once.
const PAGE: usize = 500;

/// Reads the feed, from its beginning if nobody sets `at`.
pub(super) struct Tail {
    hub: Weak<Hub>,
    news: watch::Receiver<News>,
    names: Names,
    /// The connection that it reads by, for what else has to be read.
    pub(super) store: Box<dyn QueryStore>,
    /// Everything up to here was read.
    pub(super) at: FeedPosition,
}

impl Tail {
    pub(super) fn new(hub: &Arc<Hub>, store: Box<dyn QueryStore>) -> Self {
        let names = Names::new(hub.plans().clone());
        let (news, at) = (hub.watch(), FeedPosition::START);
        Self { hub: Arc::downgrade(hub), news, names, store, at }
    }

    /// The end of the feed, as far as it is known.
    pub(super) fn end(&self) -> FeedPosition {
        self.news.borrow().end
    }

    /// The next rows; `None` if there are none now. What was deleted meanwhile is not among them.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Arc<Row>>>, StoreError> {
        let Some(hub) = self.hub.upgrade() else { return Ok(None) };
        self.news.mark_unchanged();
        let (rows, end) = if let Some(rows) = hub.after(self.at, PAGE) {
            let end = rows.last().map(|row| row.position);
            (rows, end)
        } else {
            let page = self.store.feed(self.at, PAGE)?;
            let end = page.rows.last().map(|row| row.position);
            (self.names.give(self.store.as_mut(), page.rows)?, end)
        };
        let Some(end) = end else { return Ok(None) };
        self.at = end;
        Ok(Some(rows))
    }

    /// Whether nothing more will come.
    pub(super) fn is_over(&self) -> bool {
        self.hub.strong_count() == 0 || self.news.borrow().over
    }

    /// Waits for more, or for the end, at most so long.
    pub(super) fn wait(&mut self, runtime: &Handle, patience: Duration) {
        if !self.is_over() {
            // However it ends, the caller looks.
            let _ = runtime.block_on(async { timeout(patience, self.news.changed()).await });
        }
    }

    /// Waits for the end, at most so long.
    pub(super) fn rest(&mut self, runtime: &Handle, patience: Duration) {
        if !self.is_over() {
            let over = self.news.wait_for(|news| news.over);
            // As above.
            let _ = runtime.block_on(async { timeout(patience, over).await.map(drop) });
        }
    }
}
