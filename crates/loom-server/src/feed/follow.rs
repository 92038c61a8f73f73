//! One reader of the feed.

use super::cursor::Cursor;
use super::hub::{Hub, Names, News, Row};
use crate::problem::Problem;
use crate::readers::Readers;
use loom_core::{Event, RunId};
use loom_protocol::{ErrorCode, RunEvent};
use loom_store::{FeedPosition, QueryStore};
use std::sync::Arc;
use tokio::sync::watch;

/// The most rows handed over at once; of those that are read from the store, the most events.
const PAGE: usize = 256;

/// Follows the feed from a place on, without a gap and without a repeat. It holds no more than a
/// page of it, however slow its reader is.
pub struct Follower {
    hub: Arc<Hub>,
    readers: Readers,
    news: watch::Receiver<News>,
    /// Every row up to here was handed over, or is gone.
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
    /// Follows what comes after `after`, or after now. No event of this store has a place beyond its
    /// end: who names one was a reader of another store, or made it up.
    pub(crate) async fn new(
        hub: Arc<Hub>,
        readers: Readers,
        after: Option<Cursor>,
    ) -> Result<Self, Problem> {
        let news = hub.watch();
        let end = news.borrow().end;
        // Another process on the store may have handed over what is not read here yet.
        if let Some(cursor) = after.filter(|cursor| cursor.row > end)
            && cursor.row > readers.ask(QueryStore::feed_end).await?
        {
            return Err(bad_cursor());
        }
        let at = match after {
            Some(cursor) => FeedPosition(cursor.row.0.saturating_sub(1)),
            None => end,
        };
        Ok(Self { hub, readers, news, at, within: after })
    }

    /// Follows what comes from now on.
    pub(crate) fn from_now(hub: Arc<Hub>, readers: Readers) -> Self {
        let news = hub.watch();
        let at = news.borrow().end;
        Self { hub, readers, news, at, within: None }
    }

    /// The place that a reader who has had everything so far comes back with.
    pub fn place(&self) -> Cursor {
        self.within.unwrap_or(Cursor { row: self.at, place: u32::MAX })
    }

    /// What comes next; waits for it. Cut off while it waits, it has handed over nothing.
    pub async fn next(&mut self) -> Result<Vec<Batch>, Problem> {
        loop {
            let before = self.at;
            let batches = self.ready().await?;
            if !batches.is_empty() {
                return Ok(batches);
            }
            if self.at == before && self.news.changed().await.is_err() {
                return Err(Problem::stopping());
            }
        }
    }

    /// What is there now, or a part of it.
    pub async fn ready(&mut self) -> Result<Vec<Batch>, Problem> {
        let News { end, over } = *self.news.borrow_and_update();
        if over {
            return Err(Problem::stopping());
        }
        let rows = match self.hub.after(self.at, PAGE) {
            Some(rows) => rows,
            None => self.read(end).await?,
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

    /// Rows up to a position that are not at hand any more.
    async fn read(&mut self, end: FeedPosition) -> Result<Vec<Arc<Row>>, Problem> {
        let (after, mut names) = (self.at, Names::new(self.hub.plans().clone()));
        let damage = self.hub.damage().clone();
        let (rows, upto) = self
            .readers
            .ask(move |store| {
                let page = store.feed(after, PAGE)?;
                let more = page.more;
                // Beyond that end the hub will hand them over.
                let rows: Vec<_> =
                    page.rows.into_iter().take_while(|row| row.position <= end).collect();
                let upto = rows.last().filter(|_| more).map_or(end, |row| row.position);
                let rows = names.give(store, rows, |row, why| {
                    damage.passed_over(row.position, row.run, why);
                })?;
                Ok((rows, upto))
            })
            .await?;
        if rows.is_empty() {
            // Whatever was here belongs to runs that were deleted.
            self.at = upto;
        }
        Ok(rows)
    }
}

/// `Last-Event-ID` or `after` names no place of this store.
pub(crate) fn bad_cursor() -> Problem {
    Problem::new(ErrorCode::BadCursor, "the place to go on from is none of this server's")
        .help("leave it out to begin with what happens now; `after=0-0` begins with what is kept")
}

/// `Last-Event-ID` or `after` is not the number of an event of the run.
pub(crate) fn bad_number() -> Problem {
    Problem::new(ErrorCode::BadCursor, "the place to go on from is no event of this run")
        .help("leave it out, or say `after=0`, to begin with the run's first event")
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

    /// The run, if it ends in this.
    pub(crate) fn ended(&self) -> Option<RunId> {
        let ended = |event: &Event| matches!(event, Event::RunFinished { .. });
        self.events().any(|(_, event)| ended(event)).then(|| self.run())
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
        let Row { run, plan, correlation_id, .. } = &*self.row;
        crate::wire::run_event(*run, plan, correlation_id, seq, event)
    }
}
