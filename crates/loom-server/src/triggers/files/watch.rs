//! One trigger's files, watched: what the kernel tells, or a look now and then, leads to a decision,
//! which is written down before any run is started.

use super::decide::{Open, Policy};
use super::fire::{Fire, Step};
use super::ledger::Ledger;
use super::look::look;
use super::lookout::Office;
use super::pattern::Pattern;
use crate::kept;
use crate::problem::Problem;
use crate::triggers::document::Trigger;
use loom_protocol::ErrorCode;
use loom_protocol::api::FileTrigger;
use std::any::Any;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

/// How often the files are looked at where the kernel does not tell.
const POLL: Duration = Duration::from_secs(1);
/// How often they are looked at although the kernel tells: network folders change without a word,
/// and a file that is open for long is written without one.
const POLL_BESIDE: Duration = Duration::from_secs(5);
/// How long after a notice the files are looked at: more of them come at once.
const GAP: Duration = Duration::from_millis(20);
/// How many times longer than a look takes it is waited after a notice.
const GAP_FACTOR: u32 = 4;
/// How long to rest after a failure that may pass.
const REST: Duration = Duration::from_secs(1);

/// What keeps a watch from looking, for people.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

/// What is watched for.
pub(super) struct Order {
    pub(super) name: String,
    /// Of the trigger's document. Where it is another by now, somebody else watches.
    pub(super) version: u64,
    pub(super) salt: String,
    pub(super) spec: FileTrigger,
    pub(super) pattern: Arc<Pattern>,
}

/// Watches until the trigger is changed or gone, or the server stops.
pub(super) async fn run(office: Office, order: Order, trouble: Trouble) {
    let mut watch = Watch {
        office,
        order,
        trouble,
        open: Open::new(),
        folders: Vec::new(),
        notices: None,
        changed: Arc::default(),
        cost: Duration::ZERO,
        ended: Arc::default(),
    };
    loop {
        match watch.work().await {
            Ok(()) => return,
            Err(End::Changed) => {}
            Err(End::Failed(problem)) if problem.code == ErrorCode::ServerStopping => return,
            Err(End::Failed(problem)) => {
                watch.tell(Some(problem.message));
                sleep(REST).await;
            }
        }
    }
}

/// Why the work is begun anew.
enum End {
    /// The ledger is not what it was.
    Changed,
    /// The store failed: what was not written down is decided again.
    Failed(Problem),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

struct Watch {
    office: Office,
    order: Order,
    trouble: Trouble,
    open: Open,
    /// The folders of the last look.
    folders: Vec<PathBuf>,
    /// What tells of changes in them.
    notices: Option<Notices>,
    /// Told of changes in them.
    changed: Arc<Notify>,
    /// How long the last look took.
    cost: Duration,
    /// Told when one of the trigger's runs has ended.
    ended: Arc<Notify>,
}

impl Watch {
    async fn work(&mut self) -> Result<(), End> {
        let (shelf, Order { name, version, salt, .. }) = (&self.office.shelf, &self.order);
        match kept::find::<Trigger>(shelf, name).await? {
            Some(trigger) if trigger.version == *version => {}
            _ => return Ok(()),
        }
        let Some(mut ledger) = Ledger::load(shelf, salt).await? else { return Ok(()) };
        let mut look_at = Instant::now();
        let mut fire_at = look_at;
        loop {
            if Instant::now() >= look_at {
                look_at = Instant::now() + self.look(&mut ledger).await?;
                fire_at = Instant::now();
            }
            if Instant::now() >= fire_at {
                fire_at = match self.fire(&mut ledger).await? {
                    Step::Done => look_at,
                    Step::Again => Instant::now() + REST,
                    Step::Changed => return Err(End::Changed),
                };
            }
            tokio::select! {
                () = self.changed.notified() => {
                    look_at = look_at.min(Instant::now() + GAP.max(self.cost * GAP_FACTOR));
                }
                () = self.ended.notified() => fire_at = Instant::now(),
                () = sleep_until(look_at.min(fire_at)) => {}
            }
        }
    }

    /// Looks at the files and decides; answers how long until the next look.
    async fn look(&mut self, ledger: &mut Ledger) -> Result<Duration, End> {
        let (pattern, allowed) =
            (Arc::clone(&self.order.pattern), Arc::clone(&self.office.allowed));
        let begun = Instant::now();
        let seen = blocking(move || look(&pattern, &allowed)).await?;
        self.cost = begun.elapsed();
        let seen = match seen {
            Ok(seen) => seen,
            Err(why) => {
                self.tell(Some(why));
                (self.notices, self.folders) = (None, Vec::new());
                return Ok(POLL);
            }
        };
        self.tell(seen.strange);
        let lost = self.notices.as_ref().is_some_and(Notices::lost);
        if lost || seen.folders != self.folders {
            self.attend(seen.folders).await?;
            if self.notices.is_some() {
                // Something may have come before the notices did.
                return Ok(Duration::ZERO);
            }
        }
        let quiet = Duration::from_millis(self.order.spec.quiet_ms.into());
        let (catch_up, began) = (self.order.spec.catch_up, self.office.began);
        let policy = Policy { quiet, catch_up, began };
        let now = self.office.clock.now();
        let decision = self.open.decide(policy, &ledger.files, &seen.files, now);
        if !decision.is_empty() && !ledger.write(&self.office.shelf, &decision, now).await? {
            return Err(End::Changed);
        }
        let poll = if self.notices.is_some() { POLL_BESIDE } else { POLL };
        Ok(decision.wake.map_or(poll, |wake| wake.since(now).min(poll)))
    }

    /// Lets the kernel tell of these folders from now on.
    async fn attend(&mut self, folders: Vec<PathBuf>) -> Result<(), End> {
        self.notices = None;
        let (watcher, those) = (Arc::clone(&self.office.folders), folders.clone());
        let (lost, changed) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.changed));
        let is_lost = Arc::clone(&lost);
        let told = Box::new(move |whole: bool| {
            is_lost.fetch_or(!whole, Ordering::Release);
            changed.notify_one();
        });
        let watch = blocking(move || watcher.watch(&those, told)).await?;
        self.notices = watch.map(|watch| Notices { lost, _watch: watch });
        self.folders = folders;
        Ok(())
    }

    async fn fire(&self, ledger: &mut Ledger) -> Result<Step, Problem> {
        let Order { name, salt, spec, .. } = &self.order;
        let (office, ended) = (&self.office, &self.ended);
        Fire { office, name, salt, spec, ended }.step(ledger).await
    }

    fn tell(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Does what blocks on a thread that may be blocked.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Problem::stopping())
}

/// What tells of changes in folders, as long as it is kept.
struct Notices {
    /// Whether it may not have told of everything.
    lost: Arc<AtomicBool>,
    _watch: Box<dyn Any + Send + Sync>,
}

impl Notices {
    fn lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}
