//! Runs that were started for later: they are created at once, and begin when their time comes, or,
//! where limits count them, when these have room.
//!
//! The store knows which they are: what is kept here is only when to look. Runs that a server held
//! which is gone are found by looking through the store now and then.

use super::service::Runs;
use crate::problem::Problem;
use loom_core::{RunId, RunState, Timestamp};
use loom_engine::EngineError;
use loom_store::RunFilter;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// How often the store is looked through for runs that another server held.
const RESCAN: Duration = Duration::from_secs(10);
/// How long a run rests that could not begin.
const REST: Duration = Duration::from_secs(1);
/// The longest sleep, so that a clock that is set is noticed.
const NAP: Duration = Duration::from_secs(1);
/// How many runs one look at the store brings.
const SCAN: usize = 500;
/// The most runs that begin at once.
const AT_ONCE: usize = 256;

/// The runs whose time is to come.
#[derive(Default)]
pub(super) struct Later {
    due: Mutex<BTreeSet<(Timestamp, RunId)>>,
    sooner: Notify,
}

impl Later {
    /// Lets a held run begin when its time comes.
    pub(super) fn add(&self, run: RunId, at: Timestamp) {
        self.due().insert((at, run));
        self.sooner.notify_one();
    }

    /// Lets go of a run that is not to begin any more.
    pub(super) fn forget(&self, run: RunId, at: Timestamp) {
        self.due().remove(&(at, run));
    }

    /// The runs that are held.
    fn all(&self) -> BTreeSet<(Timestamp, RunId)> {
        self.due().clone()
    }

    /// Takes out runs whose time has come.
    fn take(&self, now: Timestamp) -> Vec<RunId> {
        let mut due = self.due();
        let mut taken = Vec::new();
        while taken.len() < AT_ONCE
            && let Some(&(at, run)) = due.first()
            && at <= now
        {
            due.pop_first();
            taken.push(run);
        }
        taken
    }

    /// How many there are whose time has not come.
    pub(super) fn held(&self, now: Timestamp) -> usize {
        self.due().iter().rev().take_while(|(at, _)| *at > now).count()
    }

    fn next(&self) -> Option<Timestamp> {
        self.due().first().map(|(at, _)| *at)
    }

    fn due(&self) -> std::sync::MutexGuard<'_, BTreeSet<(Timestamp, RunId)>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins runs when their time comes, as long as it is kept.
pub(crate) struct Starter(AbortHandle);

impl Starter {
    /// Starts on the async runtime of the caller.
    pub(crate) fn start(runs: Arc<Runs>) -> Self {
        Self(tokio::spawn(drive(runs)).abort_handle())
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drive(runs: Arc<Runs>) {
    let mut rescan = Instant::now();
    loop {
        if Instant::now() >= rescan {
            rescan = Instant::now() + RESCAN;
            // A store that fails now is looked through later.
            let _ = runs.find_later().await;
        }
        let now = runs.clock.now();
        let due = runs.later.take(now);
        if !due.is_empty() && !runs.limits.are_idle() {
            due.into_iter().for_each(|run| runs.limits.due(run));
            continue;
        }
        if !due.is_empty() {
            let runs = &runs;
            let begins = due.into_iter().map(|run| {
                let runs = Arc::clone(runs);
                async move { (run, runs.limits.ask_to_begin(run).await) }
            });
            for (run, result) in begins.collect::<JoinSet<_>>().join_all().await {
                if result.is_err_and(|error| may_pass(&error)) {
                    runs.later.add(run, now + REST);
                }
            }
            continue;
        }
        let idle = runs.later.next().map_or(NAP, |next| next.since(now).min(NAP));
        tokio::select! {
            () = runs.later.sooner.notified() => {}
            () = sleep_until(rescan.min(Instant::now() + idle)) => {}
        }
    }
}

/// Whether it makes sense to try again. Who cancelled a run, or owns it, sees to it.
const fn may_pass(error: &EngineError) -> bool {
    matches!(error, EngineError::Busy | EngineError::Store(_) | EngineError::Leftovers(_))
}

impl Runs {
    /// Finds the runs of the store that have not begun, and lets go of those that are held here and are
    /// not among them: others have ended them.
    async fn find_later(&self) -> Result<(), Problem> {
        let mut gone = self.later.all();
        let mut filter =
            RunFilter { states: vec![RunState::Queued], limit: SCAN, ..RunFilter::default() };
        loop {
            let asked = filter.clone();
            let page = self.readers.ask(move |store| store.list(&asked)).await?;
            filter.after = page.runs.last().map(loom_store::RunSummary::cursor);
            let now = self.clock.now();
            for run in page.runs.iter().filter(|run| run.meta.external.is_none()) {
                let at = run.meta.start_at.unwrap_or_default();
                gone.remove(&(at, run.id));
                if at > now || self.limits.are_idle() {
                    self.later.add(run.id, at);
                } else {
                    self.limits.meet(run);
                }
            }
            if !page.more {
                gone.into_iter().for_each(|(at, run)| self.later.forget(run, at));
                return Ok(());
            }
        }
    }
}
