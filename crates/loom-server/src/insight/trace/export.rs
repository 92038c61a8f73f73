//! Sending spans to a collector.

use super::otlp::{Span, request};
use super::span::spans;
use crate::insight::fact::Fact;
use crate::insight::open::OpenRun;
use crate::log::Log;
use crate::readers::spawn;
use loom_store::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use ureq::Agent;

/// How many spans may wait to be sent.
const WAITING_MAX: usize = 16_384;
/// How many are sent at once.
const BATCH_MAX: usize = 512;
/// How long a span waits for others to be sent with.
const GATHER: Duration = Duration::from_millis(500);
/// How long the collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the same spans are sent before they are dropped.
const TRIES: u32 = 6;
/// The wait before the second try; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(250);

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Otlp {
    /// The collector's address, to which `/v1/traces` is added.
    pub endpoint: String,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
}

/// What became of spans.
#[derive(Debug, Default)]
pub(in crate::insight) struct Sent {
    pub(in crate::insight) taken: AtomicU64,
    pub(in crate::insight) dropped: AtomicU64,
}

/// The way to the collector.
pub(in crate::insight) struct Exporter {
    queue: SyncSender<Span>,
    sent: Arc<Sent>,
}

impl Exporter {
    /// Starts the thread that sends.
    pub(in crate::insight) fn start(
        otlp: Otlp,
        sent: Arc<Sent>,
        log: Log,
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(WAITING_MAX);
        let config = Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0);
        let agent = config.http_status_as_error(false).build().new_agent();
        let url = format!("{}/v1/traces", otlp.endpoint.trim_end_matches('/'));
        let sender = Sender { agent, url, headers: otlp.headers, sent: Arc::clone(&sent), log };
        spawn("loom-traces", move || sender.run(&waiting))?;
        Ok(Self { queue, sent })
    }

    /// Hands over the spans that end with a fact; never waits.
    pub(in crate::insight) fn take(&self, run: &OpenRun, fact: &Fact<'_>) {
        for span in spans(run, fact) {
            if self.queue.try_send(span).is_err() {
                self.sent.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

struct Sender {
    agent: Agent,
    url: String,
    headers: Vec<(String, String)>,
    sent: Arc<Sent>,
    log: Log,
}

/// Why spans were not taken.
enum Refused {
    /// It may go better later, after this long if the collector said so.
    ForNow(String, Option<Duration>),
    ForGood(String),
}

impl Sender {
    /// Sends until nobody is left to hand spans over.
    fn run(&self, waiting: &Receiver<Span>) {
        while let Ok(first) = waiting.recv() {
            let mut batch = vec![first];
            let until = Instant::now() + GATHER;
            while batch.len() < BATCH_MAX {
                match waiting.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Ok(span) => batch.push(span),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
            let count = batch.len() as u64;
            match self.deliver(&request(&batch)) {
                Ok(()) => self.sent.taken.fetch_add(count, Ordering::Relaxed),
                Err(why) => {
                    let fields = [("spans", count.into()), ("why", why.into())];
                    self.log.warn("the collector of traces did not take spans", &fields);
                    self.sent.dropped.fetch_add(count, Ordering::Relaxed)
                }
            };
        }
    }

    fn deliver(&self, body: &[u8]) -> Result<(), String> {
        let mut wait = BACK_OFF;
        let mut tries = 1;
        loop {
            match self.post(body) {
                Ok(()) => return Ok(()),
                Err(Refused::ForGood(why)) => return Err(why),
                Err(Refused::ForNow(why, _)) if tries == TRIES => return Err(why),
                Err(Refused::ForNow(_, asked)) => {
                    std::thread::park_timeout(asked.unwrap_or(wait).min(PATIENCE));
                    wait *= 2;
                    tries += 1;
                }
            }
        }
    }

    fn post(&self, body: &[u8]) -> Result<(), Refused> {
        let mut request =
            self.agent.post(&self.url).header("content-type", "application/x-protobuf");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response =
            request.send(body).map_err(|error| Refused::ForNow(error.to_string(), None))?;
        let status = response.status().as_u16();
        let why = || format!("it answered with status {status}");
        match status {
            200..=299 => Ok(()),
            429 | 502 | 503 | 504 => {
                let asked = response.headers().get("retry-after");
                let asked = asked.and_then(|value| value.to_str().ok()?.parse().ok());
                Err(Refused::ForNow(why(), asked.map(Duration::from_secs)))
            }
            _ => Err(Refused::ForGood(why())),
        }
    }
}
