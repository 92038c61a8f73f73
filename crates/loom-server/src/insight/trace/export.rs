//! Sending spans to a collector, as what they tell of is recorded.
//!
//! A thread of its own follows the journal and keeps the place up to which the collector has taken
//! everything. What waits when the server stops, or while the collector is away, waits in the journal.
//! What was sent and not yet kept at a crash is sent again, under the same identities.

use super::collector::{Collector, Otlp, Refused};
use super::otlp::{Span, request};
use super::span::spans;
use crate::feed::Row;
use crate::insight::fact::Fact;
use crate::insight::open::OpenRuns;
use crate::insight::tail::Tail;
use crate::log::Log;
use crate::problem::Problem;
use crate::readers::spawn;
use crate::shelf::Shelf;
use loom_core::Timestamp;
use loom_engine::Clock;
use loom_store::{Change, Expect, FeedPosition, StoreError, Write};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// How many spans are sent at once.
const BATCH_MAX: usize = 512;
/// How long a span waits for others to be sent with.
const GATHER: Duration = Duration::from_millis(500);
/// How long the thread waits for news before it looks whether anybody still needs it.
const PATIENCE: Duration = Duration::from_mins(1);
/// The wait before spans are sent again; each further one is twice as long, up to the longest.
const BACK_OFF: Duration = Duration::from_millis(250);
const BACK_OFF_MAX: Duration = Duration::from_secs(30);
/// How long spans may have been taken up to a place before it is kept.
const KEEP: Duration = Duration::from_secs(1);
/// How long the thread rests after a failure of the store.
const REST: Duration = Duration::from_secs(1);
/// What ended longer ago than this is not sent.
const AGE_MAX: Duration = Duration::from_hours(24);

/// Where the place is kept.
const COLLECTION: &str = "traces";
const PLACE: &str = "place";

/// What became of spans.
#[derive(Debug, Default)]
pub(in crate::insight) struct Sent {
    /// Spans that the collector took.
    pub(in crate::insight) taken: AtomicU64,
    /// Spans that it refused for good.
    pub(in crate::insight) dropped: AtomicU64,
    /// Requests that it did not take; each is repeated.
    pub(in crate::insight) failed: AtomicU64,
    /// When the oldest span that waits ended, in microseconds; 0 if none waits.
    oldest: AtomicU64,
}

impl Sent {
    /// How long ago the oldest span that waits ended.
    pub(in crate::insight) fn lag(&self, now: Timestamp) -> Duration {
        match self.oldest.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            oldest => now.since(Timestamp(oldest)),
        }
    }
}

/// What an exporter is made of.
pub(in crate::insight) struct Exporter {
    pub(in crate::insight) tail: Tail,
    pub(in crate::insight) shelf: Shelf,
    pub(in crate::insight) clock: Arc<dyn Clock>,
    pub(in crate::insight) log: Log,
    pub(in crate::insight) sent: Arc<Sent>,
}

impl Exporter {
    /// Starts to send. What is answered ends when all that can be sent was sent, after the feed is
    /// over.
    pub(in crate::insight) fn start(
        self,
        otlp: Otlp,
        runtime: Handle,
    ) -> Result<watch::Receiver<()>, StoreError> {
        let (working, ended) = watch::channel(());
        let place = self.tail.end();
        let work = Work {
            exporter: self,
            collector: Collector::new(otlp),
            runtime,
            runs: OpenRuns::default(),
            rows: VecDeque::new(),
            spans: Vec::new(),
            since: Instant::now(),
            place,
            kept: place,
            kept_at: Instant::now(),
        };
        spawn("loom-traces", move || {
            work.run();
            drop(working);
        })?;
        Ok(ended)
    }
}

struct Work {
    exporter: Exporter,
    collector: Collector,
    runtime: Handle,
    runs: OpenRuns,
    /// Read, and not looked at yet.
    rows: VecDeque<Arc<Row>>,
    /// Made, and not taken by the collector yet.
    spans: Vec<Span>,
    /// Since when the first of them waits.
    since: Instant,
    /// Up to here spans were made of everything.
    place: FeedPosition,
    kept: FeedPosition,
    kept_at: Instant,
}

impl Work {
    /// Works until the feed is over.
    fn run(mut self) {
        self.go_on();
        loop {
            let is_over = self.exporter.tail.is_over();
            while self.spans.len() < BATCH_MAX && self.read() {}
            let gathered = self.since.elapsed();
            if self.spans.is_empty() {
                self.keep(is_over);
                if is_over {
                    return;
                }
                self.exporter.tail.wait(&self.runtime, self.until_kept());
            } else if self.spans.len() < BATCH_MAX && gathered < GATHER && !is_over {
                self.exporter.tail.wait(&self.runtime, GATHER.saturating_sub(gathered));
            } else if !self.deliver() {
                return;
            }
        }
    }

    /// Goes on from the place that was kept, if it is one of this journal; else from now.
    fn go_on(&mut self) {
        let end = self.place;
        loop {
            match self.runtime.block_on(self.exporter.shelf.document(COLLECTION, PLACE)) {
                Ok(found) => {
                    let place = found.and_then(|found| found.body.as_u64()).map(FeedPosition);
                    // One that lies ahead is of a journal that was since replaced by an older one.
                    self.place = place.filter(|place| *place <= end).unwrap_or(end);
                    self.exporter.tail.at = self.place;
                    return self.keep(true);
                }
                Err(problem) => self.rest("the place of the traces cannot be read", &problem),
            }
            if self.exporter.tail.is_over() {
                return;
            }
        }
    }

    /// Makes spans of the next row. Whether there may be more.
    fn read(&mut self) -> bool {
        if self.rows.is_empty() {
            match self.exporter.tail.next() {
                Ok(Some(rows)) => self.rows = rows.into(),
                Ok(None) => return false,
                Err(error) => {
                    self.rest("the journal cannot be read; trying again", &error.into());
                    return false;
                }
            }
        }
        if let Some(row) = self.rows.pop_front() {
            let now = self.exporter.clock.now();
            let ended = row.events.last().map_or(now, loom_core::Event::at);
            if now.since(ended) < AGE_MAX {
                self.take(&row);
            }
            self.place = row.position;
        }
        if self.rows.is_empty() {
            // What was deleted lies between the last row and here.
            self.place = self.exporter.tail.at;
        }
        true
    }

    fn take(&mut self, row: &Row) {
        let run = match self.runs.before(self.exporter.tail.store.as_mut(), row) {
            Ok(run) => run,
            // It was deleted meanwhile.
            Err(StoreError::NoRun(_)) => return,
            Err(error) => {
                let fields =
                    [("run", row.run.to_string().into()), ("why", error.to_string().into())];
                self.exporter.log.error("events of a run are left out of traces", &fields);
                return;
            }
        };
        let is_first = self.spans.is_empty();
        for (seq, event) in (row.first_seq..).zip(&row.events) {
            run.history.record(seq, event);
            let fact = Fact::of(&run.history, seq, event);
            self.spans.extend(spans(run, &fact));
        }
        self.runs.after(row);
        if let Some(first) = self.spans.first().filter(|_| is_first) {
            self.since = Instant::now();
            let ended = first.end_time_unix_nano / 1000;
            self.exporter.sent.oldest.store(ended, Ordering::Relaxed);
        }
    }

    /// Sends all spans, however often it takes; false if the feed is over before the collector has
    /// taken them.
    fn deliver(&mut self) -> bool {
        while !self.spans.is_empty() {
            let count = self.spans.len().min(BATCH_MAX);
            if !self.send(count) {
                return false;
            }
            self.spans.drain(..count);
        }
        self.exporter.sent.oldest.store(0, Ordering::Relaxed);
        self.keep(false);
        true
    }

    fn send(&mut self, count: usize) -> bool {
        let body = request(&self.spans[..count]);
        let mut wait = BACK_OFF;
        let sent = Arc::clone(&self.exporter.sent);
        loop {
            match self.collector.post(&body) {
                Ok(()) => {
                    sent.taken.fetch_add(count as u64, Ordering::Relaxed);
                    return true;
                }
                Err(Refused::ForGood(why)) => {
                    sent.dropped.fetch_add(count as u64, Ordering::Relaxed);
                    let fields = [("spans", count.into()), ("why", why.into())];
                    self.exporter.log.error("the collector of traces refuses spans", &fields);
                    return true;
                }
                Err(Refused::ForNow(why, asked)) => {
                    sent.failed.fetch_add(1, Ordering::Relaxed);
                    let fields = [("spans", count.into()), ("why", why.into())];
                    let what = "the collector of traces does not take spans; they wait";
                    self.exporter.log.warn(what, &fields);
                    let wait_now = asked.unwrap_or(wait).min(BACK_OFF_MAX);
                    self.exporter.tail.rest(&self.runtime, wait_now);
                    if self.exporter.tail.is_over() {
                        return false;
                    }
                    wait = (wait * 2).min(BACK_OFF_MAX);
                }
            }
        }
    }

    /// Keeps the place up to which everything was taken, if it has moved and it is time.
    fn keep(&mut self, now: bool) {
        let place = self.place;
        if !now && (place == self.kept || self.kept_at.elapsed() < KEEP) {
            return;
        }
        self.kept_at = Instant::now();
        let change = Change {
            collection: COLLECTION.into(),
            key: PLACE.to_owned(),
            expect: Expect::Any,
            write: Write::Put { body: json!(place.0), secret: None },
        };
        // What cannot be kept now is kept with the next place; until then spans would come again.
        if let Ok(Ok(_)) = self.runtime.block_on(self.exporter.shelf.write(vec![change])) {
            self.kept = place;
        }
    }

    /// How long to wait for news: no longer than until a place has to be kept.
    fn until_kept(&self) -> Duration {
        if self.kept == self.place { PATIENCE } else { KEEP }
    }

    fn rest(&mut self, what: &str, why: &Problem) {
        self.exporter.log.error(what, &[("why", why.message.clone().into())]);
        self.exporter.tail.rest(&self.runtime, REST);
    }
}
