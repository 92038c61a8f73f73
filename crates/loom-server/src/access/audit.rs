//! Who changed what, when, and from where.
//!
//! Entries are documents, in the order of their identities, which is that of time. They are written
//! behind the answers, those of one commit's time together; what a crash takes with it is at most
//! the last of these.

use super::made::{Made, Outcome};
use super::{Caller, Permission};
use crate::ids::new_id;
use crate::problem::Problem;
use crate::shelf::Shelf;
use loom_core::{RunId, Timestamp};
use loom_engine::Clock;
use loom_protocol::ErrorCode;
use loom_protocol::api::{AuditEntry, AuditList, AuditOutcome};
use loom_store::{Change, Document, Expect, Scan, Write};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The collection of entries.
const COLLECTION: &str = "audit";
/// The most bytes of a text in an entry. No name or identity that means something is as long.
const TEXT_MAX: usize = 1024;
/// How many entries may wait; further changes wait with them.
const WAITING_MAX: usize = 1024;
/// How many entries are written together.
const TOGETHER_MAX: usize = 256;
/// How many entries one call looks at.
const LOOKED_AT_MAX: usize = 20_000;
/// How many entries are read, or deleted, at once.
const PAGE: usize = 1000;
/// How long to wait after a failure of the store.
const REST: Duration = Duration::from_secs(1);

/// The audit log of a store.
pub struct Audit {
    shelf: Shelf,
    clock: Arc<dyn Clock>,
    entries: mpsc::Sender<Job>,
    /// The identity of the youngest entry.
    last: Mutex<RunId>,
}

enum Job {
    Write(Box<AuditEntry>),
    /// Tells when all before it is written.
    Flush(oneshot::Sender<()>),
}

/// A change that is to be recorded.
#[derive(Clone, Debug)]
pub struct Deed {
    /// From which address.
    pub from: String,
    /// What: the permission that it takes.
    pub action: Permission,
    /// The call, such as `POST /api/v1/runs/{id}/cancel`.
    pub call: String,
    /// What it was done to, and what was made.
    pub target: BTreeMap<String, String>,
    /// What that may do.
    pub detail: BTreeMap<String, String>,
    /// The status of the answer; 0 where there is none.
    pub status: u16,
}

impl Deed {
    /// The entries that tell what came of it.
    pub fn told(self, outcome: Outcome) -> Vec<Self> {
        let Outcome { status, made } = outcome;
        let deed = Self { status, ..self };
        if made.is_empty() {
            return vec![deed];
        }
        let told = |made: Made| {
            let mut deed = deed.clone();
            deed.target.extend(made.target);
            deed.detail.extend(made.detail);
            deed
        };
        made.into_iter().map(told).collect()
    }
}

/// Which entries to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only of this caller.
    pub who: Option<String>,
    /// Only of this permission.
    pub action: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<AuditOutcome>,
    /// Only about this: a name or identity.
    pub target: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl Audit {
    /// Starts the writer, which needs the runtime.
    pub(super) fn start(shelf: Shelf, clock: Arc<dyn Clock>) -> Self {
        let (entries, queue) = mpsc::channel(WAITING_MAX);
        tokio::spawn(write_down(queue, shelf.clone()));
        Self { shelf, clock, entries, last: Mutex::new(RunId::new(0, 0)) }
    }

    /// A new identity, behind those of all entries before.
    fn next_id(&self, now: Timestamp) -> Result<RunId, Problem> {
        let fresh = new_id(now)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = u128::from_be_bytes(last.to_bytes()).saturating_add(1);
        *last = fresh.max(RunId::from_bytes(behind.to_be_bytes()));
        Ok(*last)
    }

    /// Records what a caller did. Waits only if very many entries wait.
    pub async fn record(&self, caller: &Caller, deed: Deed) -> Result<(), Problem> {
        let now = self.clock.now();
        let target = deed.target.into_iter().map(|(name, value)| (name, shortened(value)));
        let detail = deed.detail.into_iter().map(|(name, value)| (name, shortened(value)));
        let entry = AuditEntry {
            id: self.next_id(now)?.to_string(),
            at: loom_protocol::rfc3339(now.0),
            who: shortened(caller.name().to_owned()),
            token: caller.token().map(str::to_owned),
            issuer: caller.issuer().map(|issuer| shortened(issuer.to_owned())),
            from: deed.from,
            action: deed.action.name().to_owned(),
            call: deed.call,
            target: target.collect(),
            detail: detail.collect(),
            outcome: outcome(deed.status),
            status: deed.status,
        };
        let job = Job::Write(Box::new(entry));
        self.entries.send(job).await.map_err(|_| Problem::stopping())
    }

    /// Waits until everything that was recorded is durable.
    pub async fn flush(&self) {
        let (told, written) = oneshot::channel();
        if self.entries.send(Job::Flush(told)).await.is_ok() {
            // An error means that the writer has ended, and with it the runtime.
            let _ = written.await;
        }
    }

    /// Entries, newest first, behind the place where a page ended. A page may hold fewer than `limit`
    /// and yet have a next one.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        place: Option<String>,
        limit: usize,
    ) -> Result<AuditList, Problem> {
        caller.may_everywhere(Permission::AuditList)?;
        let mut after = place.or_else(|| filter.until.map(first_key));
        let mut items = Vec::new();
        let mut looked_at = 0;
        loop {
            let scan = Scan { after, descending: true, limit: PAGE, ..Scan::default() };
            let page = self.shelf.scan(COLLECTION, scan).await?;
            looked_at += page.documents.len();
            let last = page.documents.last().map(|document| document.key.clone());
            for document in page.documents {
                if filter.since.is_some_and(|since| document.key < first_key(since)) {
                    return Ok(AuditList { items, next_cursor: None });
                }
                let entry = read(&document)?;
                if filter.takes(&entry) {
                    items.push(entry);
                }
                if items.len() == limit {
                    return Ok(AuditList { items, next_cursor: Some(document.key) });
                }
            }
            if !page.more || looked_at >= LOOKED_AT_MAX {
                return Ok(AuditList { items, next_cursor: last.filter(|_| page.more) });
            }
            after = last;
        }
    }

    /// Deletes entries that are older than this.
    pub(super) async fn forget(&self, age: Duration) -> Result<(), Problem> {
        let end = Timestamp(self.clock.now().0.saturating_sub(age.as_micros() as u64));
        let end = first_key(end);
        loop {
            let scan = Scan { limit: PAGE, ..Scan::default() };
            let page = self.shelf.scan(COLLECTION, scan).await?;
            let old = page.documents.into_iter().take_while(|document| document.key < end);
            let changes: Vec<Change> = old.map(|it| change(it.key, Write::Delete)).collect();
            let whole = changes.len() == PAGE;
            if !changes.is_empty() {
                self.shelf.write(changes).await?.map_err(|stale| Problem::stale(&stale))?;
            }
            if !whole {
                return Ok(());
            }
        }
    }
}

impl AuditFilter {
    fn takes(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.who, &entry.who)
            && is(&self.action, &entry.action)
            && self.outcome.is_none_or(|wanted| wanted == entry.outcome)
            && self.target.as_ref().is_none_or(|it| entry.target.values().any(|of| of == it))
    }
}

async fn write_down(mut queue: mpsc::Receiver<Job>, shelf: Shelf) {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, TOGETHER_MAX).await > 0 {
        let (mut changes, mut flushes) = (Vec::new(), Vec::new());
        for job in jobs.drain(..) {
            match job {
                Job::Write(entry) => {
                    let write = Write::Put { body: json!(entry), secret: None };
                    changes.push(change(entry.id, write));
                }
                Job::Flush(told) => flushes.push(told),
            }
        }
        // A store that is full or locked for a while loses no entry; changes wait for it. It fails for
        // no other reason: entries are short.
        while !changes.is_empty() && shelf.write(changes.clone()).await.is_err() {
            tokio::time::sleep(REST).await;
        }
        for told in flushes {
            // Who waited may have gone.
            let _ = told.send(());
        }
    }
}

/// As much of a text as an entry keeps: what callers send may be longer than the store takes, and
/// an entry that it does not take would hold up all others.
fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    text
}

fn change(key: String, write: Write) -> Change {
    Change { collection: COLLECTION.into(), key, expect: Expect::Any, write }
}

/// The first key of this time.
fn first_key(time: Timestamp) -> String {
    RunId::new(time.as_millis(), 0).to_string()
}

const fn outcome(status: u16) -> AuditOutcome {
    match status {
        403 => AuditOutcome::Forbidden,
        0..400 => AuditOutcome::Done,
        400..500 => AuditOutcome::Refused,
        _ => AuditOutcome::Failed,
    }
}

fn read(document: &Document) -> Result<AuditEntry, Problem> {
    serde_json::from_value(document.body.clone()).map_err(|_| {
        let what = format!("the audit entry `{}` cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_time_stand_before_all_entries_of_it() {
        let time = Timestamp::from_millis(1_800_000_000_000);
        let entry = RunId::new(time.as_millis(), 1).to_string();
        assert!(first_key(time) < entry);
        assert!(entry < first_key(Timestamp::from_millis(time.as_millis() + 1)));
    }

    #[test]
    fn each_thing_that_was_made_has_an_entry() {
        let deed = Deed {
            from: "127.0.0.1".to_owned(),
            action: Permission::RunsRetry,
            call: "POST /api/v1/runs/{id}/rerun".to_owned(),
            target: [("id".to_owned(), "1".to_owned())].into(),
            detail: BTreeMap::new(),
            status: 0,
        };
        let plain = deed.clone().told(Outcome::of(409));
        assert_eq!((plain.len(), plain[0].status, plain[0].target.len()), (1, 409, 1));
        let made = ["2", "3"].map(|run| Made::one("run", run)).into();
        let told = deed.told(Outcome { status: 201, made });
        let runs: Vec<_> = told.iter().map(|deed| &*deed.target["run"]).collect();
        assert_eq!(runs, ["2", "3"]);
        assert!(told.iter().all(|it| it.target["id"] == "1"));
    }

    #[test]
    fn outcomes_follow_from_the_status() {
        for (status, expected) in [
            (0, AuditOutcome::Done),
            (201, AuditOutcome::Done),
            (400, AuditOutcome::Refused),
            (403, AuditOutcome::Forbidden),
            (409, AuditOutcome::Refused),
            (503, AuditOutcome::Failed),
        ] {
            assert_eq!(outcome(status), expected, "{status}");
        }
    }
}
