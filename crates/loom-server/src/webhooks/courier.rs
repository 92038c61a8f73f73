//! One subscription's deliveries.

use super::document::{
    DEAD, PLACES, SUBSCRIPTIONS, Subscription, put_dead, put_place, read, read_place, read_secrets,
};
use super::receiver::{Parcel, Receivers, Reply};
use super::retry::delay;
use super::signature::Secrets;
use crate::feed::{Cursor, Filter, Follower, Hub};
use crate::ids::random;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::shelf::Shelf;
use loom_core::Timestamp;
use loom_engine::Clock;
use loom_protocol::api::{DeadDelivery, WebhookFailing, WebhookPause};
use loom_protocol::{ErrorCode, RunEvent, rfc3339};
use loom_store::{Change, Expect, QueryStore, Scan};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a place may be delivered up to before it is kept.
const KEEP: Duration = Duration::from_secs(1);
/// How long a courier rests after a failure of the store.
const REST: Duration = Duration::from_secs(1);
/// How often a courier that waits for its next try says that it lives.
const ALIVE: Duration = Duration::from_secs(5);
/// How long one that stands by waits between two looks: longer than that and a try together.
pub(super) const STAND_BY: Duration = Duration::from_secs(16);
/// How many deliveries in a row are given up before nothing more is tried.
const DEAD_IN_A_ROW: u32 = 3;
/// The most dead deliveries of a subscription.
pub(super) const DEAD_MAX: usize = 1000;
/// The most bytes of an event that a dead delivery keeps.
const DEAD_BYTES: usize = 512 << 10;
/// Who pauses a subscription that fails.
const SERVER: &str = "loom serve";
/// The status by which a receiver says that it wants nothing more, ever.
const GONE: u16 = 410;

/// What couriers share.
#[derive(Clone)]
pub(super) struct Office {
    pub(super) hub: Arc<Hub>,
    pub(super) readers: Readers,
    pub(super) shelf: Shelf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) receivers: Receivers,
}

/// The delivery that a courier is trying again, for those who look.
pub(super) type Trouble = Arc<Mutex<Option<WebhookFailing>>>;

/// Delivers until the subscription is gone or the server stops. While another server on the store
/// delivers, or the subscription is paused, it stands by.
pub(super) async fn run(office: Office, id: String, trouble: Trouble) {
    loop {
        let ended = match Courier::find(&office, &id, &trouble).await {
            Ok(Found::Due(mut courier)) => courier.work().await,
            Ok(Found::Paused) => Err(End::Changed),
            Ok(Found::Gone) => return,
            Err(problem) => Err(End::Failed(problem)),
        };
        let went_on = match ended {
            Ok(never) => match never {},
            Err(End::Changed) => stand_by(&office, &id).await,
            Err(End::Failed(problem)) => Err(problem),
        };
        match went_on {
            Ok(()) => {}
            Err(problem) if problem.code == ErrorCode::ServerStopping => return,
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

/// Waits until nobody else delivers: what is due has stood still for longer than a living courier
/// takes to say that it lives.
async fn stand_by(office: &Office, id: &str) -> Result<(), Problem> {
    let mut seen = None;
    loop {
        tokio::time::sleep(STAND_BY).await;
        let Some(place) = office.shelf.document(PLACES, id).await? else { return Ok(()) };
        let end = office.readers.ask(QueryStore::feed_end).await?;
        if seen == Some(place.version) && read_place(&place)?.row < end {
            return Ok(());
        }
        seen = Some(place.version);
    }
}

/// What there is to do for a subscription.
enum Found<'a> {
    Due(Box<Courier<'a>>),
    Paused,
    Gone,
}

/// Why a courier stops.
enum End {
    /// The subscription is not what it was, or another server delivers for it.
    Changed,
    /// The store failed: what was not kept is delivered again.
    Failed(Problem),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

struct Courier<'a> {
    office: &'a Office,
    id: &'a str,
    trouble: &'a Trouble,
    subscription: Subscription,
    /// Of the subscription's document.
    version: u64,
    secrets: Secrets,
    filter: Filter,
    follower: Follower,
    /// Up to here all is delivered or given up.
    place: Cursor,
    kept: Cursor,
    kept_version: u64,
    kept_at: Instant,
    dead_in_a_row: u32,
}

impl<'a> Courier<'a> {
    async fn find(
        office: &'a Office,
        id: &'a str,
        trouble: &'a Trouble,
    ) -> Result<Found<'a>, Problem> {
        let Some(document) = office.shelf.document(SUBSCRIPTIONS, id).await? else {
            return Ok(Found::Gone);
        };
        let Some(place) = office.shelf.document(PLACES, id).await? else {
            return Ok(Found::Gone);
        };
        let subscription: Subscription = read(&document)?;
        if subscription.paused.is_some() {
            return Ok(Found::Paused);
        }
        let kept = read_place(&place)?;
        let (hub, readers) = (Arc::clone(&office.hub), office.readers.clone());
        Ok(Found::Due(Box::new(Self {
            office,
            id,
            trouble,
            filter: subscription.filter()?,
            subscription,
            version: document.version,
            secrets: read_secrets(&document)?,
            follower: Follower::new(hub, readers, Some(kept)).await?,
            place: kept,
            kept,
            kept_version: place.version,
            kept_at: Instant::now(),
            dead_in_a_row: 0,
        })))
    }

    async fn work(&mut self) -> Result<Infallible, End> {
        loop {
            let batches = tokio::select! {
                batches = self.follower.next() => batches?,
                () = tokio::time::sleep_until(self.kept_at + KEEP) => Vec::new(),
            };
            let filter = self.filter.clone();
            for batch in batches.iter().filter(|batch| filter.wants(batch)) {
                for (cursor, event) in batch.events() {
                    let event = batch.wire(cursor, event);
                    if filter.types.want(event.what.type_name()) {
                        self.deliver(cursor, &event).await?;
                    }
                }
            }
            self.place = self.follower.place();
            self.keep().await?;
        }
    }

    /// Delivers one event, or gives it up.
    async fn deliver(&mut self, cursor: Cursor, event: &RunEvent) -> Result<(), End> {
        let body = serde_json::to_vec(event).expect("its keys are text");
        let mut tries = 0;
        loop {
            let parcel = Parcel {
                url: self.subscription.url.clone(),
                id: cursor.to_string(),
                body: body.clone(),
                secrets: self.secrets.clone(),
            };
            let reply = self.office.receivers.post(parcel, self.now()).await;
            tries += 1;
            let Some(error) = reply.error() else {
                self.dead_in_a_row = 0;
                self.tell(None);
                self.place = cursor;
                return self.keep().await;
            };
            if reply.status() == Some(GONE) {
                return self.pause(Vec::new(), "the receiver answered 410: it is gone").await;
            }
            if tries >= self.subscription.retry.max_attempts {
                let body = (body.len() <= DEAD_BYTES)
                    .then(|| serde_json::to_value(event).expect("its keys are text"));
                let dead = DeadDelivery {
                    event: cursor.to_string(),
                    at: rfc3339(self.now().0),
                    attempts: tries,
                    error,
                    body,
                };
                return self.bury(cursor, dead).await;
            }
            self.rest(cursor, tries, error, &reply).await?;
        }
    }

    /// Waits for the next try.
    async fn rest(
        &mut self,
        cursor: Cursor,
        tries: u32,
        error: String,
        reply: &Reply,
    ) -> Result<(), End> {
        if self.place != self.kept {
            self.write(Vec::new()).await?;
        }
        let asked = match reply {
            Reply::Refused { wait, .. } => *wait,
            _ => None,
        };
        let random = u32::from_ne_bytes(random()?);
        let wait = delay(&self.subscription.retry, tries, random, asked);
        self.tell(Some(WebhookFailing {
            event: cursor.to_string(),
            attempts: tries,
            error,
            next_at: rfc3339(self.now().0 + wait.as_micros() as u64),
        }));
        let due = Instant::now() + wait;
        loop {
            // The place does not move meanwhile: its new version says that somebody is here.
            let alive = Instant::now() + ALIVE;
            tokio::time::sleep_until(due.min(alive)).await;
            if due <= alive {
                return Ok(());
            }
            self.write(Vec::new()).await?;
        }
    }

    /// Gives a delivery up, and all of them if it is one of several.
    async fn bury(&mut self, cursor: Cursor, dead: DeadDelivery) -> Result<(), End> {
        self.dead_in_a_row += 1;
        self.tell(None);
        self.place = cursor;
        let scan = Scan { prefix: format!("{}/", self.id), limit: DEAD_MAX, ..Scan::default() };
        let there = self.office.shelf.scan(DEAD, scan).await?.documents.len();
        let change = put_dead(self.id, cursor, &dead);
        if self.dead_in_a_row >= DEAD_IN_A_ROW {
            let why = format!(
                "{DEAD_IN_A_ROW} deliveries in a row were given up; the last one: {}",
                dead.error
            );
            return self.pause(vec![change], &why).await;
        }
        if there + 1 >= DEAD_MAX {
            let why = format!("{DEAD_MAX} dead deliveries wait for somebody to look at them");
            return self.pause(vec![change], &why).await;
        }
        self.write(vec![change]).await
    }

    /// Delivers nothing more until somebody wants it; what happens meanwhile is delivered then.
    async fn pause(&mut self, mut changes: Vec<Change>, reason: &str) -> Result<(), End> {
        self.tell(None);
        let at = rfc3339(self.now().0);
        self.subscription.paused =
            Some(WebhookPause { reason: reason.to_owned(), at, by: SERVER.to_owned() });
        let expect = Expect::Version(self.version);
        changes.push(self.subscription.put(self.id, &self.secrets, expect));
        self.write(changes).await?;
        Err(End::Changed)
    }

    /// Keeps the place, if it has moved and it is time.
    async fn keep(&mut self) -> Result<(), End> {
        if self.kept_at.elapsed() < KEEP {
            return Ok(());
        }
        self.kept_at = Instant::now();
        if self.place == self.kept { Ok(()) } else { self.write(Vec::new()).await }
    }

    /// Makes changes, and keeps the place with them.
    async fn write(&mut self, mut changes: Vec<Change>) -> Result<(), End> {
        changes.push(put_place(self.id, self.place, Expect::Version(self.kept_version)));
        match self.office.shelf.write(changes).await? {
            Ok(versions) => {
                self.kept_version = versions.last().copied().unwrap_or_default();
                self.kept = self.place;
                self.kept_at = Instant::now();
                Ok(())
            }
            Err(_) => Err(End::Changed),
        }
    }

    fn tell(&self, failing: Option<WebhookFailing>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }

    fn now(&self) -> Timestamp {
        self.office.clock.now()
    }
}
