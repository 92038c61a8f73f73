//! Looks at each schedule when it is due.
//!
//! Nothing that is kept here matters: a schedule is read anew with every look. What another server
//! on the same store changed is noticed within a few seconds, and what changed here at once.

use super::document::STATES;
use super::service::Schedules;
use super::step::Next;
use crate::feed::{Batch, Follower};
use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;
use loom_store::Scan;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// How often all schedules are looked over for what others changed.
const RESCAN: Duration = Duration::from_secs(5);
/// How long a schedule rests that could not be looked at.
const REST: Duration = Duration::from_secs(1);
/// The most looks at once.
const AT_ONCE: usize = 32;
/// How many documents one look at the store brings.
const SCAN: usize = 500;

/// Drives the schedules as long as it is kept.
pub(crate) struct Clockwork(AbortHandle);

impl Clockwork {
    /// Starts on the async runtime of the caller. `follower` follows all events.
    pub(crate) fn start(schedules: Arc<Schedules>, follower: Follower) -> Self {
        let driver = Driver {
            schedules,
            follower,
            entries: HashMap::new(),
            owners: HashMap::new(),
            busy: HashSet::new(),
            looks: JoinSet::new(),
            rescan: Instant::now(),
        };
        Self(tokio::spawn(driver.drive()).abort_handle())
    }
}

impl Drop for Clockwork {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Look = (String, Result<Option<Next>, Problem>);

struct Driver {
    schedules: Arc<Schedules>,
    follower: Follower,
    entries: HashMap<String, Entry>,
    /// Whose a run is.
    owners: HashMap<RunId, String>,
    /// Schedules that are being looked at.
    busy: HashSet<String>,
    looks: JoinSet<Look>,
    rescan: Instant,
}

#[derive(Default)]
struct Entry {
    version: u64,
    wake: Option<Timestamp>,
}

impl Driver {
    async fn drive(mut self) {
        let schedules = Arc::clone(&self.schedules);
        loop {
            let now = self.schedules.clock.now();
            self.look(now);
            let until = self.rescan.min(Instant::now() + self.idle(now));
            tokio::select! {
                Some(look) = self.looks.join_next() => self.looked(look.ok()),
                () = schedules.changed.notified() => self.scan().await,
                news = self.follower.next() => match news {
                    Ok(batches) => self.ended(&batches.iter().filter_map(Batch::ended).collect::<Vec<_>>()),
                    Err(problem) if problem.code == ErrorCode::ServerStopping => return,
                    Err(_) => tokio::time::sleep(REST).await,
                },
                () = sleep_until(until) => if Instant::now() >= self.rescan { self.scan().await },
            }
        }
    }

    /// Starts to look at what is due.
    fn look(&mut self, now: Timestamp) {
        let due = |entry: &Entry| entry.wake.is_some_and(|wake| wake <= now);
        let room = AT_ONCE.saturating_sub(self.looks.len());
        let names =
            self.entries.iter().filter(|(name, entry)| due(entry) && !self.busy.contains(*name));
        let names: Vec<String> = names.take(room).map(|(name, _)| name.clone()).collect();
        for name in names {
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.wake = None;
            }
            self.busy.insert(name.clone());
            let schedules = Arc::clone(&self.schedules);
            self.looks.spawn(async move {
                let next = schedules.step(&name).await;
                (name, next)
            });
        }
    }

    /// How long nothing is due.
    fn idle(&self, now: Timestamp) -> Duration {
        let free = self.entries.iter().filter(|(name, _)| !self.busy.contains(*name));
        let soonest = free.filter_map(|(_, entry)| entry.wake).min();
        // Those who are due and not looked at wait for one of the looks to end.
        let room = self.looks.len() < AT_ONCE;
        soonest.filter(|_| room).map_or(RESCAN, |wake| wake.since(now))
    }

    fn looked(&mut self, look: Option<Look>) {
        let Some((name, next)) = look else {
            // A look panicked; the next scan begins all of them anew.
            self.busy.clear();
            self.entries.clear();
            return;
        };
        self.busy.remove(&name);
        match next {
            Ok(Some(next)) => {
                let new = next.active.iter().filter(|run| !self.owners.contains_key(run));
                // A run may have ended before anybody here knew whose it is: look once more.
                let again = new.count() > 0;
                self.owners.extend(next.active.iter().map(|run| (*run, name.clone())));
                let entry = self.entries.entry(name).or_default();
                entry.version = next.version;
                // Somebody may have asked for another look meanwhile.
                let again = again.then_some(Timestamp(0));
                entry.wake = entry.wake.into_iter().chain(next.wake).chain(again).min();
            }
            Ok(None) => drop(self.entries.remove(&name)),
            Err(_) => {
                let rest = self.schedules.clock.now() + REST;
                self.entries.entry(name).or_default().wake = Some(rest);
            }
        }
    }

    /// Runs that have ended may let others start.
    fn ended(&mut self, runs: &[RunId]) {
        for run in runs {
            if let Some(entry) =
                self.owners.remove(run).and_then(|name| self.entries.get_mut(&name))
            {
                entry.wake = Some(Timestamp(0));
            }
        }
    }

    /// Finds schedules that are new, gone or changed.
    async fn scan(&mut self) {
        self.rescan = Instant::now() + RESCAN;
        let Ok(found) = self.versions().await else { return };
        self.entries.retain(|name, _| found.contains_key(name));
        for (name, version) in found {
            let entry = self.entries.entry(name).or_default();
            if entry.version < version {
                entry.wake = Some(Timestamp(0));
            }
        }
    }

    async fn versions(&self) -> Result<HashMap<String, u64>, Problem> {
        let mut found = HashMap::new();
        let mut scan = Scan { limit: SCAN, ..Scan::default() };
        loop {
            let page = self.schedules.shelf.scan(STATES, scan.clone()).await?;
            scan.after = page.documents.last().map(|document| document.key.clone());
            found.extend(page.documents.into_iter().map(|it| (it.key, it.version)));
            if !page.more {
                return Ok(found);
            }
        }
    }
}
