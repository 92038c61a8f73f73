//! One reader of the feed.

use super::cursor::Cursor;
use super::hub::{Hub, Plans, Row};
use crate::problem::Problem;
use crate::readers::Readers;
use loom_core::{Event, RunId};
use loom_protocol::RunEvent;
use loom_store::FeedPosition;
use std::sync::Arc;
use tokio::sync::watch;

/// The most rows handed over at once.
const PAGE: usize = 500;

/// Follows the feed from a place on, without a gap and without a repeat.
pub struct Follower {
    hub: Arc<Hub>,
    readers: Readers,
    news: watch::Receiver<FeedPosition>,
    /// Every row up to here was handed over.
    at: FeedPosition,
    /// An event in the row behind, up to which that row was handed over before.
    within: Option<Cursor>,
}

/// Events of one row that a follower has not had yet.
pub struct Batch {
    row: Arc<Row>,
    from: u32,
}

impl Follower {
    /// Follows what comes after `after`, or after now.
    pub(crate) fn new(hub: Arc<Hub>, readers: Readers, after: Option<Cursor>) -> Self {
        let news = hub.watch();
        let at = match after {
            Some(cursor) => FeedPosition(cursor.row.0.saturating_sub(1)),
            None => *news.borrow(),
        };
        Self { hub, readers, news, at, within: after }
    }

    /// What comes next; waits for it.
    pub async fn next(&mut self) -> Result<Vec<Batch>, Problem> {
        loop {
            let batches = self.ready().await?;
            if !batches.is_empty() {
                return Ok(batches);
            }
            if self.news.changed().await.is_err() {
                return Err(Problem::stopping());
            }
        }
    }

    /// What is there now.
    pub async fn ready(&mut self) -> Result<Vec<Batch>, Problem> {
        self.news.mark_unchanged();
        let rows = match self.hub.after(self.at, PAGE) {
            Some(rows) => rows,
            None => self.read(self.at).await?,
        };
        let mut batches = Vec::with_capacity(rows.len());
        for row in rows {
            self.at = row.position;
            let from = match self.within.take() {
                Some(cursor) if cursor.row == row.position => cursor.place.saturating_add(1),
                _ => 0,
            };
            if (from as usize) < row.events.len() {
                batches.push(Batch { row, from });
            }
        }
        Ok(batches)
    }

    /// Rows that are not at hand any more.
    async fn read(&self, after: FeedPosition) -> Result<Vec<Arc<Row>>, Problem> {
        let end = *self.news.borrow();
        self.readers
            .ask(move |store| {
                let page = store.feed(after, PAGE)?;
                // Beyond the hub's end the hub will hand them over.
                let rows = page.rows.into_iter().filter(|row| row.position <= end).collect();
                Plans::default().name(store, rows)
            })
            .await
    }
}

impl Batch {
    /// The run that it is about.
    pub fn run(&self) -> RunId {
        self.row.run
    }

    /// The workflow's namespace.
    pub fn namespace(&self) -> &str {
        &self.row.plan.definition().namespace
    }

    /// The workflow's name.
    pub fn workflow(&self) -> &str {
        &self.row.plan.definition().name
    }

    /// The events, each with its cursor.
    pub fn events(&self) -> impl Iterator<Item = (Cursor, &Event)> {
        let places = (self.from..).zip(self.row.events.iter().skip(self.from as usize));
        places.map(|(place, event)| (Cursor { row: self.row.position, place }, event))
    }

    /// All events, as programs read them.
    pub fn wires(&self) -> impl Iterator<Item = RunEvent> {
        self.events().map(|(cursor, event)| self.wire(cursor, event))
    }

    /// An event as programs read it.
    pub fn wire(&self, cursor: Cursor, event: &Event) -> RunEvent {
        let seq = self.row.first_seq + u64::from(cursor.place);
        crate::wire::run_event(self.row.run, &self.row.plan, seq, event)
    }
}
