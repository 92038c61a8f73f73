//! Starts, holds back, stops and reports attempts.
//!
//! - Attempts that only let time pass need no thread; all others run on a [`Pool`]'s threads.
//! - A held attempt waits in its run's lane until fewer than `lane_width` attempts of the run are
//!   at work. The thread that frees its place goes on with it at once, and says so in one report:
//!   nobody has to answer before the next process starts.
//! - Every attempt that [`Worker::start`] answers with [`Immediate::Running`] is reported ended
//!   exactly once, whatever happens.

use crate::attempt::{Way, Work};
use crate::host::Host;
use crate::job::{Ended, Plugin, failure};
use crate::permissions::{PERMISSION_TIMEOUT, PermissionService};
use crate::pool::Pool;
use crate::stop::StopSignal;
use crate::sys;
use crate::timers::Timers;
use loom_protocol::{AttemptId, AttemptNews, AttemptReport, AttemptRequest, ErrorCode, StopHow};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(5),
            threads: 4096,
            temporary: std::env::temp_dir(),
            permissions_url: None,
            permissions_timeout: PERMISSION_TIMEOUT,
        }
    }
}

/// Hears what happens to attempts. Called from the worker's threads, never from within
/// [`Worker::start`] or [`Worker::stop`]; it must not block.
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
    state: Mutex<State>,
    all_reported: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    lanes: HashMap<String, Lane>,
    live: HashMap<AttemptId, Live>,
    /// Attempts that are not reported ended yet.
    unreported: usize,
}

/// The attempts of one run.
#[derive(Default)]
struct Lane {
    working: u32,
    held: VecDeque<Work>,
}

/// An attempt that has not ended.
enum Live {
    Held,
    Threaded(StopSignal),
    Waiting(Arc<dyn Reporter>),
}

impl Worker {
    /// A worker that runs the plugins of `source`.
    pub fn new(options: WorkerOptions, source: Arc<dyn PluginSource>) -> io::Result<Self> {
        let permissions =
            PermissionService::new(options.permissions_url, options.permissions_timeout);
        Ok(Self(Arc::new(Inner {
            host: Arc::new(Host::new(options.grace, &options.temporary, permissions)),
            source,
            pool: Pool::new(options.threads),
            timers: Timers::new()?,
            state: Mutex::default(),
            all_reported: Condvar::new(),
        })))
    }

    /// Starts an attempt, or holds it back if it says so. Never blocks. What takes no time, and is
    /// not to be held, has ended when this returns.
    pub fn start(&self, request: AttemptRequest, reporter: Arc<dyn Reporter>) -> Immediate {
        let inner = &self.0;
        let Some(plugin) = inner.source.find(&request.plugin) else {
            return Immediate::Finished(no_plugin(&request.plugin));
        };
        let work = Work { request, plugin, reporter, stop: StopSignal::default() };
        if work.request.held {
            return inner.hold(work);
        }
        let way = work.way(&inner.host);
        if let Way::Done(news) = way {
            return Immediate::Finished(news);
        }
        let mut state = inner.state();
        if state.closed {
            return Immediate::Finished(AttemptNews::Stopped);
        }
        state.unreported += 1;
        state.occupy(&work);
        drop(state);
        inner.go(work, way, false);
        Immediate::Running
    }

    /// Ends an attempt; its report follows. Does nothing if it has ended.
    pub fn stop(&self, id: &AttemptId, how: StopHow) {
        let inner = &self.0;
        let mut state = inner.state();
        match state.live.get(id) {
            None => {}
            Some(Live::Threaded(stop)) => stop.ask(how),
            Some(Live::Held) => inner.take_back(state, id),
            Some(Live::Waiting(_)) => {
                let Some(reporter) = state.unwait(id) else { return };
                drop(state);
                let report = AttemptReport { id: id.clone(), news: AttemptNews::Stopped };
                inner.soon(move |inner| inner.ended_elsewhere(report, reporter));
            }
        }
    }

    /// Takes back an attempt that is still held, which is then reported as stopped. Does nothing to
    /// one that has begun.
    pub fn recall(&self, id: &AttemptId) {
        let state = self.0.state();
        if let Some(Live::Held) = state.live.get(id) {
            self.0.take_back(state, id);
        }
    }

    /// Ends all attempts and waits until the last one is reported. What is started afterwards is
    /// answered with [`AttemptNews::Stopped`].
    pub fn shutdown(&self, how: StopHow) {
        let mut state = self.0.state();
        state.closed = true;
        let ids: Vec<AttemptId> = state.live.keys().cloned().collect();
        drop(state);
        for id in ids {
            self.stop(&id, how);
        }
        let mut state = self.0.state();
        while state.unreported > 0 {
            state = self.0.all_reported.wait(state).unwrap_or_else(PoisonError::into_inner);
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
    match failure(ErrorCode::PluginFailed, message, false) {
        Ended::Failed(info) => AttemptNews::Failed(*info),
        Ended::Stopped => AttemptNews::Stopped,
    }
}

impl State {
    /// Counts an attempt as at work in its lane.
    fn occupy(&mut self, work: &Work) {
        let lane = match self.lanes.get_mut(&work.request.id.run) {
            Some(lane) => lane,
            None => self.lanes.entry(work.request.id.run.clone()).or_default(),
        };
        lane.working += 1;
        self.live.insert(work.request.id.clone(), Live::Threaded(work.stop.clone()));
    }

    /// Counts an attempt as ended, and takes out the held ones that may begin instead.
    fn vacate(&mut self, id: &AttemptId) -> VecDeque<Work> {
        self.live.remove(id);
        let mut ready = VecDeque::new();
        let Some(lane) = self.lanes.get_mut(&id.run) else { return ready };
        lane.working -= 1;
        while let Some(work) = lane.held.pop_front_if(|work| lane.working < width(&work.request)) {
            lane.working += 1;
            let live = Live::Threaded(work.stop.clone());
            self.live.insert(work.request.id.clone(), live);
            ready.push_back(work);
        }
        if lane.working == 0 {
            self.lanes.remove(&id.run);
        }
        ready
    }

    /// Takes out an attempt that lets time pass, with who hears of it; once only, so that it ends
    /// once.
    fn unwait(&mut self, id: &AttemptId) -> Option<Arc<dyn Reporter>> {
        match self.live.remove(id)? {
            Live::Waiting(reporter) => Some(reporter),
            other => {
                self.live.insert(id.clone(), other);
                None
            }
        }
    }

    fn unhold(&mut self, id: &AttemptId) -> Option<Work> {
        let held = &mut self.lanes.get_mut(&id.run)?.held;
        let place = held.iter().position(|work| work.request.id == *id)?;
        held.remove(place)
    }
}

/// At least one, so that nothing waits for ever.
fn width(request: &AttemptRequest) -> u32 {
    request.lane_width.max(1)
}

impl Inner {
    /// Reports a held attempt as stopped.
    fn take_back(self: &Arc<Self>, mut state: MutexGuard<'_, State>, id: &AttemptId) {
        state.live.remove(id);
        let Some(work) = state.unhold(id) else { return };
        drop(state);
        let report = AttemptReport { id: id.clone(), news: AttemptNews::Stopped };
        self.soon(move |inner| {
            work.reporter.report(vec![report]);
            inner.reported();
        });
    }

    fn hold(self: &Arc<Self>, work: Work) -> Immediate {
        let mut state = self.state();
        if state.closed {
            return Immediate::Finished(AttemptNews::Stopped);
        }
        state.unreported += 1;
        let lane = state.lanes.get_mut(&work.request.id.run);
        if let Some(lane) = lane
            && lane.working >= width(&work.request)
        {
            let id = work.request.id.clone();
            lane.held.push_back(work);
            state.live.insert(id, Live::Held);
            return Immediate::Running;
        }
        state.occupy(&work);
        drop(state);
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
        let run = Box::new(move || {
            if announce {
                work.reporter.report(vec![began(&work)]);
            }
            inner.run(work);
        });
        if !self.pool.submit(run) {
            self.grow_later();
        }
    }

    /// Tries again to make a thread, until there is one.
    fn grow_later(self: &Arc<Self>) {
        let inner = Arc::clone(self);
        let later = Instant::now() + Duration::from_millis(100);
        let deed = move || {
            if !inner.pool.grow() {
                inner.grow_later();
            }
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
        let mut state = self.state();
        if stop.asked().is_some() {
            drop(state);
            let report = AttemptReport { id, news: AttemptNews::Stopped };
            self.soon(move |inner| inner.ended_elsewhere(report, reporter));
            return;
        }
        state.live.insert(id.clone(), Live::Waiting(Arc::clone(&reporter)));
        drop(state);
        let inner = Arc::clone(self);
        let end = move || {
            // Taken out at the same time, so that a stop that comes now finds it ended.
            let waited = inner.state().unwait(&id).is_some();
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
        let mut ready = self.state().vacate(&report.id);
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
                    ready.extend(self.state().vacate(&id));
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
        let mut state = self.state();
        state.unreported -= 1;
        if state.unreported == 0 {
            drop(state);
            self.all_reported.notify_all();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn began(work: &Work) -> AttemptReport {
    let news = AttemptNews::Began(sys::now_micros());
    AttemptReport { id: work.request.id.clone(), news }
}

fn same(one: &Arc<dyn Reporter>, other: &Arc<dyn Reporter>) -> bool {
    Arc::as_ptr(one).cast::<()>() == Arc::as_ptr(other).cast::<()>()
}
