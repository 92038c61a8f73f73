//! Sends a watch to each file trigger, and tells watches when their runs have ended.

use super::allowed::Allowed;
use super::pattern::Pattern;
use super::watch::{self, Order, Trouble};
use crate::feed::{Batch, Follower};
use crate::kept::Kept;
use crate::parts::Folders;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::runs::Runs;
use crate::shelf::Shelf;
use crate::triggers::document::Trigger;
use loom_core::{RunId, Timestamp};
use loom_engine::Clock;
use loom_protocol::ErrorCode;
use loom_protocol::api::TriggerSpec;
use loom_store::{Document, Scan};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// How often all triggers are looked over for what others changed.
const RESCAN: Duration = Duration::from_secs(5);
/// How long to rest after a failure that may pass.
const REST: Duration = Duration::from_secs(1);
/// How many documents one look at the store brings.
const SCAN: usize = 500;

/// What watches share.
#[derive(Clone)]
pub(in crate::triggers) struct Office {
    pub(in crate::triggers) shelf: Shelf,
    pub(in crate::triggers) readers: Readers,
    pub(in crate::triggers) runs: Arc<Runs>,
    pub(in crate::triggers) clock: Arc<dyn Clock>,
    /// When the server began.
    pub(in crate::triggers) began: Timestamp,
    pub(in crate::triggers) allowed: Arc<Allowed>,
    pub(in crate::triggers) folders: Arc<dyn Folders>,
    /// Who is told of a run's end.
    pub(in crate::triggers) owners: Arc<Mutex<HashMap<RunId, Arc<Notify>>>>,
}

impl Office {
    /// Tells `owner` when one of these runs ends, from now on.
    pub(super) fn own(&self, runs: impl Iterator<Item = RunId>, owner: &Arc<Notify>) {
        let mut owners = self.owners();
        owners.extend(runs.map(|run| (run, Arc::clone(owner))));
    }

    fn ended(&self, run: RunId) {
        if let Some(owner) = self.owners().remove(&run) {
            owner.notify_one();
        }
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<RunId, Arc<Notify>>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The watches of this server.
pub(in crate::triggers) struct Watches {
    pub(super) office: Office,
    /// Told when a trigger was changed here.
    pub(in crate::triggers) changed: Notify,
    there: Mutex<HashMap<String, Watching>>,
}

/// A watch at work; it ends with this.
struct Watching {
    version: u64,
    task: AbortHandle,
    trouble: Trouble,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watches {
    pub(in crate::triggers) fn new(office: Office) -> Self {
        Self { office, changed: Notify::new(), there: Mutex::default() }
    }

    /// What keeps the watch of this trigger from looking.
    pub(super) fn trouble(&self, name: &str) -> Option<String> {
        let trouble = self.there().get(name).map(|watching| Arc::clone(&watching.trouble))?;
        trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends watches where there are none, or other ones where triggers were changed.
    async fn scan(&self) -> Result<(), Problem> {
        let mut names = HashSet::new();
        let mut scan = Scan { limit: SCAN, ..Scan::default() };
        loop {
            let page = self.office.shelf.scan(Trigger::COLLECTION, scan.clone()).await?;
            scan.after = page.documents.last().map(|document| document.key.clone());
            for document in page.documents {
                names.insert(document.key.clone());
                self.send(document);
            }
            if !page.more {
                break;
            }
        }
        self.there().retain(|name, _| names.contains(name));
        Ok(())
    }

    /// Sends a watch, if the trigger is one for files and is not paused.
    fn send(&self, document: Document) {
        let (name, version) = (document.key.clone(), document.version);
        let mut there = self.there();
        if there.get(&name).is_some_and(|watching| watching.version == version) {
            return;
        }
        there.remove(&name);
        // What cannot be read is told to whoever asks for the trigger.
        let Ok(trigger) = Trigger::read(document) else { return };
        let (TriggerSpec::File(spec), Some(salt), false) =
            (trigger.spec, trigger.salt, trigger.paused)
        else {
            return;
        };
        let Ok(pattern) = Pattern::parse(&spec.file) else { return };
        let trouble = Trouble::default();
        let order = Order { name: name.clone(), version, salt, spec, pattern: Arc::new(pattern) };
        let work = watch::run(self.office.clone(), order, Arc::clone(&trouble));
        let task = tokio::spawn(work).abort_handle();
        there.insert(name, Watching { version, task, trouble });
    }

    fn there(&self) -> MutexGuard<'_, HashMap<String, Watching>> {
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drives the watches as long as it is kept.
pub(crate) struct Lookout(AbortHandle);

impl Lookout {
    /// Starts on the async runtime of the caller. `follower` follows all events.
    pub(in crate::triggers) fn start(watches: Arc<Watches>, follower: Follower) -> Self {
        Self(tokio::spawn(drive(watches, follower)).abort_handle())
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drive(watches: Arc<Watches>, mut follower: Follower) {
    let mut rescan = Instant::now();
    loop {
        if Instant::now() >= rescan {
            // A store that fails now is looked over later.
            let _ = watches.scan().await;
            rescan = Instant::now() + RESCAN;
        }
        tokio::select! {
            news = follower.next() => match news {
                Ok(batches) => {
                    let ended = batches.iter().filter_map(Batch::ended);
                    ended.for_each(|run| watches.office.ended(run));
                }
                Err(problem) if problem.code == ErrorCode::ServerStopping => return,
                Err(_) => sleep(REST).await,
            },
            () = watches.changed.notified() => rescan = Instant::now(),
            () = sleep_until(rescan) => {}
        }
    }
}
