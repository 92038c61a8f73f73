//! The thread that reports.

use super::call::{Call, calls};
use super::place::{Place, Target};
use super::post::{Fate, Postman};
use crate::feed::{Bell, Cursor, Names, Row};
use crate::ids::{hex, random};
use crate::insight::OpenRuns;
use crate::parts::Stores;
use crate::plans::Plans;
use crate::readers::spawn;
use crate::webhooks::delay;
use loom_engine::Clock;
use loom_protocol::api::WebhookRetry;
use loom_store::{DocumentStore, QueryStore, StoreError};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long nobody looks for what other processes have recorded.
const LOOK: Duration = Duration::from_millis(500);
/// How long to wait after a failure of the store, and for another reporter's lease.
const REST: Duration = Duration::from_secs(1);
/// The most events read at once.
const PAGE: usize = 500;
/// How often the place is kept while calls are made.
const KEEP: Duration = Duration::from_secs(1);
/// How a call that failed is tried again: as often as it takes.
const RETRY: WebhookRetry = WebhookRetry { max_attempts: u32::MAX, initial_s: 0.5, max_s: 60.0 };

/// Reports the runs of a store while it is kept.
pub struct Reporter {
    bell: Bell,
    end: Arc<Mutex<Option<Instant>>>,
    done: Receiver<()>,
}

/// What a reporter is made of.
struct Worker {
    postman: Postman,
    target: Target,
    holder: String,
    query: Box<dyn QueryStore>,
    documents: Box<dyn DocumentStore>,
    clock: Arc<dyn Clock>,
    bell: Bell,
    end: Arc<Mutex<Option<Instant>>>,
    tell: Box<dyn Fn(&str) + Send>,
    names: Names,
    open: OpenRuns,
    /// Since when the far side takes nothing.
    failing: bool,
    kept_at: Instant,
}

/// Why reporting stops for now.
enum Pause {
    /// The reporter is to end.
    Over,
    /// Somebody else reports.
    Lost,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Pause {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Reporter {
    /// Starts to report what happens from now on, and what earlier reporters left. `bell` is rung
    /// when something was committed; `tell` is for what somebody should know.
    pub fn start(
        target: Target,
        stores: &dyn Stores,
        bell: Bell,
        clock: Arc<dyn Clock>,
        tell: impl Fn(&str) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (mut query, mut documents) = (stores.query()?, stores.documents()?);
        Place::prepare(&target, query.as_mut(), documents.as_mut(), clock.now())?;
        let bits: [u8; 16] =
            random().map_err(|problem| StoreError::Unavailable(problem.message))?;
        let end = Arc::default();
        let worker = Worker {
            postman: Postman::new(target.clone()),
            target,
            holder: hex(&bits),
            query,
            documents,
            clock,
            bell: bell.clone(),
            end: Arc::clone(&end),
            tell: Box::new(tell),
            names: Names::new(Plans::default()),
            open: OpenRuns::default(),
            failing: false,
            kept_at: Instant::now(),
        };
        let (told, done) = sync_channel(1);
        spawn("loom-report", move || worker.run(&told))?;
        Ok(Self { bell, end, done })
    }

    /// Lets what is recorded be delivered, for so long at most, and ends. The rest is delivered by
    /// whoever reports next.
    pub fn finish(self, patience: Duration) {
        let until = Instant::now() + patience;
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        self.bell.ring();
        match self.done.recv_timeout(patience) {
            // A call may be under way for longer: then it is cut off with the process, and made again.
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        *end = end.or(Some(Instant::now()));
        drop(end);
        self.bell.ring();
    }
}

impl Worker {
    fn run(mut self, told: &SyncSender<()>) {
        loop {
            match self.report() {
                Pause::Over => break,
                Pause::Lost => {}
                Pause::Store(error) => (self.tell)(&format!("runs are not reported: {error}")),
            }
            if self.ending().is_some() || !self.rest(REST) {
                break;
            }
        }
        // Nobody may be waiting any more.
        let _ = told.send(());
    }

    /// Reports until it has to stop.
    fn report(&mut self) -> Pause {
        let now = self.clock.now();
        let taken = Place::take(&self.target, &self.holder, self.documents.as_mut(), now);
        let mut place = match taken {
            Ok(Some(place)) => place,
            Ok(None) => return Pause::Lost,
            Err(error) => return Pause::Store(error),
        };
        loop {
            match self.read(&mut place) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(Pause::Over) => {
                    let _ = place.leave(self.documents.as_mut(), self.clock.now());
                    return Pause::Over;
                }
                Err(pause) => return pause,
            }
            // All is delivered.
            if self.ending().is_some() {
                let _ = place.leave(self.documents.as_mut(), self.clock.now());
                return Pause::Over;
            }
            self.bell.wait(LOOK);
            if let Err(pause) = self.keep_if_due(&mut place) {
                return pause;
            }
        }
    }

    /// Delivers what is recorded behind the place; false if there is nothing.
    fn read(&mut self, place: &mut Place) -> Result<bool, Pause> {
        let page = self.query.feed(place.after(), PAGE)?;
        let Some(end) = page.rows.last().map(|row| row.position) else { return Ok(false) };
        let rows = self.names.give(self.query.as_mut(), page.rows)?;
        for row in &rows {
            self.take(row, place)?;
        }
        // Rows of runs that were deleted are passed over.
        let end = Cursor { row: end, place: u32::MAX };
        let moved = end > place.at;
        place.at = place.at.max(end);
        Ok(moved)
    }

    fn take(&mut self, row: &Row, place: &mut Place) -> Result<(), Pause> {
        let run = match self.open.before(self.query.as_mut(), row) {
            Ok(run) => run,
            Err(StoreError::NoRun(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut due: Vec<(Cursor, Vec<Call>)> = Vec::new();
        for (at, event) in (0..).zip(&row.events) {
            let seq = row.first_seq + u64::from(at);
            run.history.record(seq, event);
            let cursor = Cursor { row: row.position, place: at };
            if cursor > place.at {
                due.push((cursor, calls(&run.history, seq, event)));
            }
        }
        self.open.after(row);
        for (cursor, calls) in due {
            for call in calls {
                if call.turns && place.has_moved() {
                    self.keep(place)?;
                }
                self.deliver(&call, place)?;
            }
            place.at = cursor;
        }
        Ok(())
    }

    /// Makes a call, again and again until the far side takes or refuses it.
    fn deliver(&mut self, call: &Call, place: &mut Place) -> Result<(), Pause> {
        let mut tries = 0;
        loop {
            self.keep_if_due(place)?;
            if self.ending().is_some_and(|until| Instant::now() >= until) {
                return Err(Pause::Over);
            }
            let why = match self.postman.post(call) {
                Fate::Taken => {
                    if std::mem::take(&mut self.failing) {
                        (self.tell)("runs are reported again");
                    }
                    return Ok(());
                }
                Fate::Refused(why) => {
                    (self.tell)(&format!("a report is given up, to {}: {why}", call.path));
                    return Ok(());
                }
                Fate::Later(why) => why,
            };
            if !std::mem::replace(&mut self.failing, true) {
                (self.tell)(&format!("runs cannot be reported now, and will be later: {why}"));
            }
            if self.ending().is_some() {
                return Err(Pause::Over);
            }
            tries += 1;
            let random = random().map_or(0, u32::from_ne_bytes);
            self.wait(delay(&RETRY, tries, random, None), place)?;
        }
    }

    /// Waits for the next try, and keeps the lease meanwhile.
    fn wait(&mut self, wait: Duration, place: &mut Place) -> Result<(), Pause> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.ending().is_some() {
                return Ok(());
            }
            self.bell.wait(left.min(LOOK));
            self.keep_if_due(place)?;
        }
    }

    fn keep_if_due(&mut self, place: &mut Place) -> Result<(), Pause> {
        let due = place.has_moved() && self.kept_at.elapsed() >= KEEP;
        if due || place.runs_out(self.clock.now()) { self.keep(place) } else { Ok(()) }
    }

    fn keep(&mut self, place: &mut Place) -> Result<(), Pause> {
        self.kept_at = Instant::now();
        if place.keep(self.documents.as_mut(), self.clock.now())? {
            Ok(())
        } else {
            Err(Pause::Lost)
        }
    }

    /// Rests; false if the reporter is to end.
    fn rest(&self, rest: Duration) -> bool {
        let until = Instant::now() + rest;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.ending().is_some() {
                return false;
            }
            if left.is_zero() {
                return true;
            }
            self.bell.wait(left);
        }
    }

    /// Until when it may go on, once it is to end.
    fn ending(&self) -> Option<Instant> {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
