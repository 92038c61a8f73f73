//! Events as their readers get them: those that they want, each with the place to go on from.

use super::filter::{Filter, Types};
use super::follow::{Batch, Follower};
use super::follow_run::RunFollower;
use crate::problem::Problem;
use loom_protocol::RunEvent;
use std::collections::VecDeque;

/// An event, and its name among all that its reader follows.
pub(crate) struct Heard {
    /// Where to go on behind it.
    pub(crate) place: String,
    /// What happened.
    pub(crate) event: RunEvent,
}

/// The events of all runs.
pub(crate) struct AllEvents {
    follower: Follower,
    filter: Filter,
    /// Read, and not handed over yet.
    waiting: VecDeque<Batch>,
}

impl AllEvents {
    pub(crate) fn new(follower: Follower, filter: Filter) -> Self {
        Self { follower, filter, waiting: VecDeque::new() }
    }

    /// What comes next; waits for it. Cut off while it waits, it has lost nothing.
    pub(crate) async fn next(&mut self) -> Result<Vec<Heard>, Problem> {
        loop {
            while let Some(batch) = self.waiting.pop_front() {
                let heard = self.heard(&batch);
                if !heard.is_empty() {
                    return Ok(heard);
                }
            }
            self.waiting = self.follower.next().await?.into();
        }
    }

    /// Where a reader that has had everything so far goes on; nothing while some of it waits.
    pub(crate) fn place(&self) -> Option<String> {
        self.waiting.is_empty().then(|| self.follower.place().to_string())
    }

    fn heard(&self, batch: &Batch) -> Vec<Heard> {
        if !self.filter.wants(batch) {
            return Vec::new();
        }
        let heard = batch.events().map(|(cursor, event)| Heard {
            place: cursor.to_string(),
            event: batch.wire(cursor, event),
        });
        heard.filter(|heard| self.filter.types.want(&heard.event.what)).collect()
    }
}

/// The events of one run. A place is the number of an event.
pub(crate) struct RunEvents {
    follower: RunFollower,
    types: Types,
}

impl RunEvents {
    pub(crate) fn new(follower: RunFollower, types: Types) -> Self {
        Self { follower, types }
    }

    /// What comes next; waits for it.
    pub(crate) async fn next(&mut self) -> Result<Vec<Heard>, Problem> {
        loop {
            let events = self.follower.next().await?.into_iter();
            let wanted = events.filter(|event| self.types.want(&event.what));
            let heard = wanted.map(|event| Heard { place: event.seq.to_string(), event });
            let heard: Vec<Heard> = heard.collect();
            if !heard.is_empty() {
                return Ok(heard);
            }
        }
    }
}
