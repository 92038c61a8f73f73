//! Starts, holds back, stops and reports attempts.
//!
//! - Attempts that only let time pass need no thread; all others run on a [`Pool`]'s threads.
//! - A held attempt waits in its run's lane until fewer than `lane_width` attempts of the run are
//!   at work. The thread that frees its place goes on with it at once, and says so in one report:
//!   nobody has to answer before the next process starts.
//! - Every attempt that [`Worker::start`] answers with [`Immediate::Running`] is reported ended
//!   exactly once, whatever happens: a panic in an attempt is how it failed.
//! - An attempt for which no thread can be made is queued, and it is tried again until one can: it
//!   never depends on another attempt's end.

use crate::attempt::{Way, Work, caught};
use crate::host::Host;
use crate::job::{Plugin, failed};
use crate::lanes::{Lanes, Live};
use crate::permissions::PERMISSION_TIMEOUT;
use crate::pool::Pool;
use crate::stop::StopSignal;
use crate::sys;
use crate::timers::Timers;
use loom_protocol::{AttemptId, AttemptNews, AttemptReport, AttemptRequest, ErrorCode, StopHow};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often it is tried again to make a thread that could not be made.
const GROW_AGAIN: Duration = Duration::from_millis(100);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// How long a process has between TERM and KILL.
    pub grace: Duration,
    /// The most threads, and so the most attempts that need one, at once; more are queued.
    pub threads: usize,
    /// Where the private folder of the files `$LOOM_OUTPUT` is made.
    pub temporary: PathBuf,
    /// The address of the permission service; without one, tasks that need permissions fail.
    pub permissions_url: Option<String>,
    /// How long the permission service may take to answer.
    pub permissions_timeout: Duration,
    /// A file with the certificates, in PEM, that `https` trusts instead of the built-in ones. It is
    /// read once; if it cannot be, nothing is asked by `https`.
    pub certificates: Option<PathBuf>,
    /// Variables of `loom`'s own environment that no process is given.
    pub withheld: Vec<&'static str>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(5),
            threads: 4096,
            temporary: std::env::temp_dir(),
            permissions_url: None,
            permissions_timeout: PERMISSION_TIMEOUT,
            certificates: None,
            withheld: Vec::new(),
        }
    }
}

/// Hears what happens to attempts. Called from the worker's threads, never from within
/// [`Worker::start`] or [`Worker::stop`]; it must neither block nor panic.
pub trait Reporter: Send + Sync {
    /// Takes reports that belong together, in the order in which things happened.
    fn report(&self, reports: Vec<AttemptReport>);

    /// Hears of something that did not disturb the attempt but that somebody should know, such as a
    /// log that could not be written.
    fn trouble(&self, _id: &AttemptId, _what: &str) {}
}

/// Knows plugins by name.
pub trait PluginSource: Send + Sync {
    /// The plugin of this name.
    fn find(&self, name: &str) -> Option<Arc<dyn Plugin>>;
}

/// What became of an attempt by the time [`Worker::start`] returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Immediate {
    /// It has ended already; there will be no report.
    Finished(AttemptNews),
    /// It is under way or held; reports will come.
    Running,
}

/// Runs attempts. Dropping it ends them at once.
pub struct Worker(Arc<Inner>);

struct Inner {
    host: Arc<Host>,
    source: Arc<dyn PluginSource>,
    pool: Pool,
    timers: Timers,
    lanes: Mutex<Lanes>,
    all_reported: Condvar,
}

impl Worker {
    /// A worker that runs the plugins of `source`.
    pub fn new(options: WorkerOptions, source: Arc<dyn PluginSource>) -> io::Result<Self> {
        let pool = Pool::new(options.threads);
        Self::on(pool, options, source)
    }

    fn on(pool: Pool, options: WorkerOptions, source: Arc<dyn PluginSource>) -> io::Result<Self> {
        sys::keep_exited_children();
        Ok(Self(Arc::new(Inner {
            host: Arc::new(Host::new(options)),
            source,
            pool,
            timers: Timers::new()?,
            lanes: Mutex::default(),
            all_reported: Condvar::new(),
        })))
    }

    /// Starts an attempt, or holds it back if it says so. Never blocks. What takes no time, and is
    /// not to be held, has ended when this returns.
    pub fn start(&self, request: AttemptRequest, reporter: Arc<dyn Reporter>) -> Immediate {
        let inner = &self.0;
        let plugin = match caught(&request.plugin, || inner.source.find(&request.plugin)) {
            Ok(Some(plugin)) => plugin,
            Ok(None) => return Immediate::Finished(no_plugin(&request.plugin)),
            Err(news) => return Immediate::Finished(news),
        };
        let work = Work { request, plugin, reporter, stop: StopSignal::default() };
        if work.request.held {
            return inner.hold(work);
        }
        let way = work.way(&inner.host);
        if let Way::Done(news) = way {
            return Immediate::Finished(news);
        }
        let mut lanes = inner.lanes();
        if lanes.closed {
            return Immediate::Finished(AttemptNews::Stopped);
        }
        lanes.unreported += 1;
        lanes.occupy(&work);
        drop(lanes);
        inner.go(work, way, false);
        Immediate::Running
    }

    /// Ends an attempt; its report follows. Does nothing if it has ended.
    pub fn stop(&self, id: &AttemptId, how: StopHow) {
        let inner = &self.0;
        let mut lanes = inner.lanes();
        match lanes.get(id) {
            None => {}
            Some(Live::Threaded(stop)) => stop.ask(how),
            Some(Live::Held) => inner.take_back(lanes, id),
            Some(Live::Waiting(_)) => {
                let Some(reporter) = lanes.unwait(id) else { return };
                drop(lanes);
                let report = AttemptReport { id: id.clone(), news: AttemptNews::Stopped };
                inner.soon(move |inner| inner.ended_elsewhere(report, reporter));
            }
        }
    }

    /// Takes back an attempt that is still held, which is then reported as stopped. Does nothing to
    /// one that has begun.
    pub fn recall(&self, id: &AttemptId) {
        self.0.take_back(self.0.lanes(), id);
    }

    /// Ends all attempts and waits until the last one is reported. What is started afterwards is
    /// answered with [`AttemptNews::Stopped`].
    pub fn shutdown(&self, how: StopHow) {
        let mut lanes = self.0.lanes();
        lanes.closed = true;
        let ids = lanes.ids();
        drop(lanes);
        for id in ids {
            self.stop(&id, how);
        }
        let mut lanes = self.0.lanes();
        while lanes.unreported > 0 {
            lanes = self.0.all_reported.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shutdown(StopHow::Now);
        self.0.pool.close();
    }
}

fn no_plugin(name: &str) -> AttemptNews {
    let message =
        format!("there is no plugin `{name}` here any more; `loom plugin list` shows all");
    AttemptNews::Failed(failed(ErrorCode::PluginFailed, message, false))
}

impl Inner {
    /// Reports an attempt as stopped if it is held.
    fn take_back(self: &Arc<Self>, mut lanes: MutexGuard<'_, Lanes>, id: &AttemptId) {
        let Some(work) = lanes.unhold(id) else { return };
        drop(lanes);
        let report = AttemptReport { id: id.clone(), news: AttemptNews::Stopped };
        self.soon(move |inner| {
            work.reporter.report(vec![report]);
            inner.reported();
        });
    }

    fn hold(self: &Arc<Self>, work: Work) -> Immediate {
        let mut lanes = self.lanes();
        if lanes.closed {
            return Immediate::Finished(AttemptNews::Stopped);
        }
        lanes.unreported += 1;
        let Some(work) = lanes.occupy_or_hold(work) else { return Immediate::Running };
        drop(lanes);
        let way = work.way(&self.host);
        self.go(work, way, true);
        Immediate::Running
    }

    /// Sends an attempt that has its place in the lane on its way.
    fn go(self: &Arc<Self>, work: Work, way: Way, announce: bool) {
        match way {
            Way::Thread => self.submit(work, announce),
            Way::Done(news) => self.wait(work, Duration::ZERO, news, announce),
            Way::Wait(takes, news) => self.wait(work, takes, news, announce),
        }
    }

    fn submit(self: &Arc<Self>, work: Work, announce: bool) {
        let inner = Arc::clone(self);
        let (id, reporter) = (work.request.id.clone(), Arc::clone(&work.reporter));
        let run = Box::new(move || {
            if announce {
                work.reporter.report(vec![began(&work)]);
            }
            inner.run(work);
        });
        if self.pool.submit(run).is_err() {
            self.grow_later(Some((id, reporter)));
        }
    }

    /// Tries again and again to make a thread, until the pool needs no more; says so to this one, if
    /// it is not over soon.
    fn grow_later(self: &Arc<Self>, mut told: Option<(AttemptId, Arc<dyn Reporter>)>) {
        let inner = Arc::clone(self);
        let later = Instant::now() + GROW_AGAIN;
        let deed = move || {
            let Err(error) = inner.pool.grow() else { return };
            if let Some((id, reporter)) = told.take() {
                let what = format!("it waits, because no thread can be made for it: {error}");
                reporter.trouble(&id, &what);
            }
            inner.grow_later(None);
        };
        self.timers.at(later, Box::new(deed));
    }

    /// Lets time pass for an attempt, which ends so unless it is stopped before.
    fn wait(self: &Arc<Self>, work: Work, takes: Duration, news: AttemptNews, announce: bool) {
        let Work { request, reporter, stop, .. } = work;
        let id = request.id;
        if announce {
            let (reporter, id) = (Arc::clone(&reporter), id.clone());
            let news = AttemptNews::Began(sys::now_micros());
            self.soon(move |_| reporter.report(vec![AttemptReport { id, news }]));
        }
        let mut lanes = self.lanes();
        if stop.asked().is_some() {
            drop(lanes);
            let report = AttemptReport { id, news: AttemptNews::Stopped };
            self.soon(move |inner| inner.ended_elsewhere(report, reporter));
            return;
        }
        lanes.wait(id.clone(), Arc::clone(&reporter));
        drop(lanes);
        let inner = Arc::clone(self);
        let end = move || {
            // Taken out at the same time, so that a stop that comes now finds it ended.
            let waited = inner.lanes().unwait(&id).is_some();
            if waited {
                inner.ended_elsewhere(AttemptReport { id, news }, reporter);
            }
        };
        self.timers.at(Instant::now() + takes, Box::new(end));
    }

    /// Does something on the timers' thread as soon as may be.
    fn soon(self: &Arc<Self>, deed: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let inner = Arc::clone(self);
        self.timers.at(Instant::now(), Box::new(move || deed(&inner)));
    }

    /// Runs an attempt on this thread, and then the held ones whose turn it is.
    fn run(self: &Arc<Self>, mut work: Work) {
        loop {
            let reporter = Arc::clone(&work.reporter);
            let report = work.run(&self.host);
            match self.ended(report, reporter) {
                Some(next) => work = next,
                None => return,
            }
        }
    }

    /// As [`Inner::ended`], on a thread that runs no attempts.
    fn ended_elsewhere(self: &Arc<Self>, report: AttemptReport, reporter: Arc<dyn Reporter>) {
        if let Some(next) = self.ended(report, reporter) {
            self.submit(next, false);
        }
    }

    /// Reports an attempt's end together with the beginning of those that take its place. Returns
    /// the one that the caller is to go on with.
    fn ended(
        self: &Arc<Self>,
        report: AttemptReport,
        mut reporter: Arc<dyn Reporter>,
    ) -> Option<Work> {
        let mut ready = self.lanes().vacate(&report.id);
        let mut batch = vec![report];
        let mut ended = 1;
        let mut next = None;
        let mut waiting = Vec::new();
        while let Some(work) = ready.pop_front() {
            if next.is_some() {
                let way = work.way(&self.host);
                self.go(work, way, true);
                continue;
            }
            if !same(&reporter, &work.reporter) {
                reporter.report(std::mem::take(&mut batch));
                reporter = Arc::clone(&work.reporter);
            }
            batch.push(began(&work));
            match work.way(&self.host) {
                Way::Thread => next = Some(work),
                Way::Wait(takes, news) => waiting.push((work, takes, news)),
                Way::Done(news) => {
                    let id = work.request.id;
                    ready.extend(self.lanes().vacate(&id));
                    batch.push(AttemptReport { id, news });
                    ended += 1;
                }
            }
        }
        if !batch.is_empty() {
            reporter.report(batch);
        }
        for (work, takes, news) in waiting {
            self.wait(work, takes, news, false);
        }
        for _ in 0..ended {
            self.reported();
        }
        next
    }

    fn reported(&self) {
        let mut lanes = self.lanes();
        lanes.unreported -= 1;
        if lanes.unreported == 0 {
            drop(lanes);
            self.all_reported.notify_all();
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn began(work: &Work) -> AttemptReport {
    let news = AttemptNews::Began(sys::now_micros());
    AttemptReport { id: work.request.id.clone(), news }
}

fn same(one: &Arc<dyn Reporter>, other: &Arc<dyn Reporter>) -> bool {
    Arc::as_ptr(one).cast::<()>() == Arc::as_ptr(other).cast::<()>()
}

#[cfg(test)]
mod tests;
