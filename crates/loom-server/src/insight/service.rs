//! [`Insight`]: what is asked about the server and about how runs go.

use super::bottlenecks::bottlenecks;
use super::expose::Page;
use super::gone::{Forgetter, Gone};
use super::health::Health;
use super::http::Requests;
use super::meter::CommitMeter;
use super::metrics::Metrics;
use super::open::OpenRuns;
use super::performance::performance;
use super::projector::Projector;
use super::question::Question;
use super::table::Table;
use super::tail::Tail;
use super::trace::{Exporter, Sent};
use super::{process, run};
use crate::access::{Caller, Permission};
use crate::config::Config;
use crate::feed::{Hub, News};
use crate::limits::Limits;
use crate::log::Log;
use crate::parts::Stores;
use crate::problem::Problem;
use crate::readers::{Readers, spawn};
use crate::runs::{Look, Runs};
use crate::shelf::Shelf;
use crate::tls::Certificates;
use loom_core::{RunState, TaskPhase, Timestamp};
use loom_engine::{Clock, Handle};
use loom_protocol::ErrorCode;
use loom_protocol::api::{Bottlenecks, Performance, Readiness, Retries, RunAnalysis, Status};
use loom_protocol::rfc3339;
use loom_store::{QueryStore, RunFilter, StoreError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, watch};

/// The longest period of a question, in hours: a year.
const HOURS_MAX: u32 = 366 * 24;

/// What the projector writes and the service reads.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) table: RwLock<Table>,
    /// Whether what was recorded before the start is still being read.
    pub(super) rebuilding: AtomicBool,
    metrics: Mutex<Metrics>,
    open: Mutex<OpenRuns>,
    gone: Mutex<Gone>,
}

impl Shared {
    pub(super) fn metrics(&self) -> MutexGuard<'_, Metrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn gone(&self) -> MutexGuard<'_, Gone> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes runs that were deleted out of the table.
    pub(super) fn sweep(&self) {
        let gone = self.gone().take();
        if !gone.is_empty() {
            self.table.write().unwrap_or_else(PoisonError::into_inner).remove(&gone);
        }
    }

    pub(super) fn open(&self) -> MutexGuard<'_, OpenRuns> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What analytics are asked about.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// One namespace alone.
    pub namespace: Option<String>,
    /// One workflow alone.
    pub workflow: Option<String>,
    /// One version alone.
    pub version: Option<String>,
    /// The last so many hours; 24 if absent.
    pub hours: Option<u32>,
}

/// What it is made of.
pub(crate) struct InsightParts<'a> {
    pub(crate) engine: Handle,
    pub(crate) stores: &'a Arc<dyn Stores>,
    pub(crate) hub: &'a Arc<Hub>,
    pub(crate) readers: Readers,
    pub(crate) shelf: Shelf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) commits: Arc<CommitMeter>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) log: Log,
    pub(crate) config: Arc<Config>,
}

/// Health, metrics and analytics.
pub struct Insight {
    shared: Arc<Shared>,
    news: watch::Receiver<News>,
    health: Health,
    readers: Readers,
    commits: Arc<CommitMeter>,
    streams: Arc<Semaphore>,
    certificates: Option<Arc<Certificates>>,
    config: Arc<Config>,
    sent: Arc<Sent>,
    /// Ends with the exporter of traces, if there is one.
    exported: Option<watch::Receiver<()>>,
    started_at: Timestamp,
    /// Told of every request.
    pub(crate) requests: Requests,
}

impl Insight {
    /// Starts to follow the feed. Called within the runtime.
    pub(crate) fn start(parts: InsightParts<'_>) -> Result<Self, StoreError> {
        let InsightParts {
            engine,
            stores,
            hub,
            readers,
            shelf,
            clock,
            commits,
            streams,
            certificates,
            log,
            config,
        } = parts;
        let shared = Arc::new(Shared {
            clock: Arc::clone(&clock),
            table: RwLock::new(Table::new(config.limits.analytics_attempts)),
            rebuilding: AtomicBool::new(true),
            metrics: Mutex::new(Metrics::new(config.limits.metric_workflows)),
            open: Mutex::default(),
            gone: Mutex::default(),
        });
        let runtime = tokio::runtime::Handle::current();
        let tail = || Ok::<_, StoreError>(Tail::new(hub, stores.query()?));
        let sent = Arc::new(Sent::default());
        let exported = match config.otlp.clone() {
            None => None,
            Some(otlp) => {
                let (shelf, clock) = (shelf.clone(), Arc::clone(&clock));
                let (log, sent) = (log.clone(), Arc::clone(&sent));
                let exporter = Exporter { tail: tail()?, shelf, clock, log, sent };
                Some(exporter.start(otlp, runtime.clone())?)
            }
        };
        let projector = Projector { tail: tail()?, shared: Arc::clone(&shared), log };
        spawn("loom-insight", move || projector.run(&runtime))?;
        let health = Health {
            engine,
            readers: readers.clone(),
            shelf,
            stores: Arc::clone(stores),
            damage: hub.damage().clone(),
            clock: Arc::clone(&clock),
            last: AsyncMutex::new(None),
        };
        let started_at = clock.now();
        let requests = Requests::default();
        Ok(Self {
            shared,
            news: hub.watch(),
            health,
            readers,
            commits,
            streams,
            certificates,
            config,
            sent,
            exported,
            started_at,
            requests,
        })
    }

    /// How many attempts are under way.
    pub(crate) fn under_way(&self) -> u64 {
        self.shared.open().queue().running
    }

    /// A way to tell of runs that were deleted.
    pub(crate) fn forgetter(&self) -> Forgetter {
        Forgetter { shared: Arc::clone(&self.shared), news: self.news.clone() }
    }

    /// Waits until the traces that can be sent now are sent, once the feed is over.
    pub(crate) async fn finish(&self) {
        if let Some(mut exported) = self.exported.clone() {
            // Nothing is ever told but that it has ended.
            let _ = exported.changed().await;
        }
    }

    /// Whether the server can do its work. Anybody may ask.
    pub async fn ready(&self) -> Readiness {
        self.health.ready().await
    }

    /// How the server stands.
    pub async fn status(&self, runs: &Runs, caller: &Caller) -> Result<Status, Problem> {
        caller.may_everywhere(Permission::StatusGet)?;
        let counts = self.readers.ask(|store| store.counts(&RunFilter::default())).await?;
        let queue = self.shared.open().queue();
        let lag = self.shared.metrics().lag();
        let queued = runs.queued(counts.get(&RunState::Queued).copied().unwrap_or(0));
        let retries = Retries {
            backing_off: queue.tasks.get(TaskPhase::BackingOff.name()).copied().unwrap_or(0),
            exhausted: queue.exhausted,
        };
        Ok(Status {
            queued,
            retries,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: rfc3339(self.started_at.0),
            uptime_s: self.shared.clock.now().since(self.started_at).as_secs_f64(),
            runs: counts.into_iter().map(|(state, n)| (state.name().to_owned(), n)).collect(),
            tasks: queue.tasks.iter().map(|(&phase, &n)| (phase.to_owned(), n)).collect(),
            tasks_ready: queue.ready,
            tasks_running: queue.running,
            feed_lag_s: lag.as_secs_f64(),
            rebuilding: self.rebuilding(),
            streams: self.open_streams() as u64,
            tls: self.certificates.as_deref().map(Certificates::status),
        })
    }

    /// All metrics, as Prometheus reads them. `caller` is `None` where they are open to all.
    pub async fn metrics(
        &self,
        caller: Option<&Caller>,
        limits: &Limits,
    ) -> Result<String, Problem> {
        if let Some(caller) = caller {
            caller.may_everywhere(Permission::MetricsGet)?;
        }
        let counts = self.readers.ask(|store| store.counts(&RunFilter::default())).await?;
        let mut page = Page::default();
        page.metric("loom_build_info", "gauge", "The version that runs.");
        page.sample("loom_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.metric("loom_runs", "gauge", "Runs in the store, by state.");
        for (state, count) in counts {
            page.sample("loom_runs", &[("state", state.name())], count);
        }
        self.write_queue(&mut page);
        self.shared.metrics().write(&mut page);
        limits.write(&mut page);
        self.commits.write(&mut page);
        self.requests.write(&mut page);
        self.write_sent(&mut page);
        process::write(&mut page, self.started_at.0 as f64 / 1e6);
        Ok(page.finish())
    }

    fn write_queue(&self, page: &mut Page) {
        let queue = self.shared.open().queue();
        let now = self.shared.clock.now();
        let age = queue.oldest.map_or(0.0, |since| now.since(since).as_secs_f64());
        let help = "Tasks that could start and wait for a worker or a limit.";
        page.single("loom_tasks_ready", "gauge", help, queue.ready);
        let help = "How long the first of them has waited.";
        page.single("loom_tasks_ready_oldest_seconds", "gauge", help, age);
        let help = "Tasks with an attempt under way.";
        page.single("loom_tasks_running", "gauge", help, queue.running);
        let help = "Open event streams.";
        page.single("loom_event_streams", "gauge", help, self.open_streams());
        let help = "1 while analytics still read what was recorded before the server started.";
        page.single("loom_analytics_rebuilding", "gauge", help, u8::from(self.rebuilding()));
    }

    fn write_sent(&self, page: &mut Page) {
        if self.exported.is_none() {
            return;
        }
        let mut counter = |name, help, count: &AtomicU64| {
            page.single(name, "counter", help, count.load(Ordering::Relaxed));
        };
        let sent = &self.sent;
        counter("loom_spans_sent_total", "Spans that the collector took.", &sent.taken);
        counter("loom_spans_dropped_total", "Spans that the collector refused.", &sent.dropped);
        let help = "Requests that the collector did not take, and that are repeated.";
        counter("loom_span_requests_failed_total", help, &sent.failed);
        let help = "How long ago the oldest span ended that waits for the collector.";
        let lag = sent.lag(self.shared.clock.now());
        page.single("loom_spans_lag_seconds", "gauge", help, lag.as_secs_f64());
    }

    /// How much was done, how well and how fast.
    pub async fn performance(&self, caller: &Caller, scope: Scope) -> Result<Performance, Problem> {
        let question = self.question(caller, scope)?;
        self.ask(move |table| performance(table, &question)).await
    }

    /// Where the time goes and what fails.
    pub async fn bottlenecks(&self, caller: &Caller, scope: Scope) -> Result<Bottlenecks, Problem> {
        let question = self.question(caller, scope)?;
        self.ask(move |table| bottlenecks(table, &question)).await
    }

    /// One run, taken apart.
    pub async fn run(
        &self,
        runs: &Runs,
        caller: &Caller,
        id: &str,
    ) -> Result<RunAnalysis, Problem> {
        let now = self.shared.clock.now();
        let analyse = move |_: &mut dyn QueryStore, look: &Look| Ok(run::analyse(look, now));
        runs.look(caller, id, Permission::AnalyticsGet, analyse).await
    }

    fn question(&self, caller: &Caller, scope: Scope) -> Result<Question, Problem> {
        let Scope { namespace, workflow, version, hours } = scope;
        let namespaces = caller.within(Permission::AnalyticsGet, namespace.as_deref())?;
        let hours = hours.unwrap_or(24);
        if !(1..=HOURS_MAX).contains(&hours) {
            return Err(Problem::argument(format!("`hours` is 1 to {HOURS_MAX}")));
        }
        let now = self.shared.clock.now();
        let rebuilding = self.rebuilding();
        Ok(Question { namespaces, workflow, version, hours, now, rebuilding })
    }

    /// Asks the table on a thread that may be kept busy.
    async fn ask<T, F>(&self, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Table) -> T + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let answer = tokio::task::spawn_blocking(move || {
            shared.sweep();
            question(&shared.table.read().unwrap_or_else(PoisonError::into_inner))
        });
        answer.await.map_err(|error| {
            Problem::new(ErrorCode::MachineFailed, format!("no answer was found: {error}"))
        })
    }

    fn rebuilding(&self) -> bool {
        self.shared.rebuilding.load(Ordering::Relaxed)
    }

    fn open_streams(&self) -> usize {
        self.config.limits.streams.saturating_sub(self.streams.available_permits())
    }
}
