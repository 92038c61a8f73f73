//! Limits, for those who may see and change them, and for runs that are about to begin.

use super::book::{Book, Newcomer, Shut};
use super::decide::{Lacking, News, Rank};
use super::document::{LIMITS, Limit, change, missing, rules};
use super::rule::{Count, Facts, Rules, check_template};
use crate::access::{Caller, Permission};
use crate::asked::{self, Precondition};
use crate::ids::random;
use crate::insight::Page;
use crate::kept;
use crate::parts::Stores;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::shelf::Shelf;
use crate::workflows::Tagged;
use loom_core::{RunId, Timestamp};
use loom_engine::{Clock, Handle, Input, NewSubmission};
use loom_protocol::api::{LimitKey, LimitList, LimitSpec, LimitView, LimitWait};
use loom_protocol::{ErrorCode, rfc3339};
use loom_store::record::hex;
use loom_store::{Expect, RunSummary, Scan, StoreError, Write};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, Notify};

/// The most limits.
const LIMITS_MAX: usize = 200;
/// The most runs at once, and the most starts in a period, of one limit.
const RUNS_MAX: u32 = 1000;
/// The longest period.
const PERIOD_MAX: u32 = 24 * 60 * 60;
/// The most tasks at once of a queue.
const TASKS_MAX: u32 = 100_000;
/// The most runs that wait at once. More may be there after limits were made for runs that waited for
/// something else.
const WAITING_MAX: usize = 100_000;
/// The longest template of a key, and the longest name of what is counted.
const TEXT_MAX: usize = 256;

/// The limits.
pub struct Limits {
    pub(super) shelf: Shelf,
    pub(super) readers: Readers,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) engine: Handle,
    /// Tells the gatekeeper that there is something to do.
    pub(super) news: Notify,
    /// Who decides: one at a time.
    pub(super) turn: AsyncMutex<()>,
    /// Who reads the limits anew.
    reading: AsyncMutex<()>,
    /// Who makes or changes one here.
    making: AsyncMutex<()>,
    book: Mutex<Book>,
    /// The versions of the limits that are in force.
    versions: Mutex<Vec<u64>>,
    /// What of the counts is to be cleaned up, if it is still so the next time.
    pub(super) doubts: Mutex<Doubts>,
}

/// What looks wrong in the counts, and is only wrong if it stays so.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// Runs that have something and are not there, and since when.
    pub(super) missing: HashMap<RunId, Timestamp>,
    /// Counts of limits that are not known.
    pub(super) orphans: Vec<String>,
}

/// A run that is about to be created and counts against limits.
pub(crate) struct Ticket {
    rank: Rank,
    rules: Arc<Rules>,
    counts: Vec<Count>,
}

impl Limits {
    /// Reads the limits, so that they hold before anything starts.
    pub(crate) fn start(
        stores: &dyn Stores,
        shelf: Shelf,
        readers: Readers,
        engine: Handle,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let (rules, versions) = rules(stores.documents()?.as_mut())?;
        let limits = Self {
            shelf,
            readers,
            clock,
            engine,
            news: Notify::new(),
            turn: AsyncMutex::new(()),
            reading: AsyncMutex::new(()),
            making: AsyncMutex::new(()),
            book: Mutex::default(),
            versions: Mutex::default(),
            doubts: Mutex::default(),
        };
        limits.follow(rules, versions);
        Ok(limits)
    }

    /// Notices limits that were changed, here or by another server.
    pub(super) async fn reload(&self) -> Result<(), Problem> {
        // One at a time: whoever has read earlier also follows earlier.
        let _alone = self.reading.lock().await;
        let (rules, versions) = self.shelf.read(rules).await?;
        self.follow(rules, versions);
        Ok(())
    }

    fn follow(&self, rules: Rules, versions: Vec<u64>) {
        let mut known = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == versions {
            return;
        }
        *known = versions;
        let mut book = self.book();
        if rules.queues != book.rules.queues {
            self.engine.send(Input::Queues(rules.queues.clone()));
        }
        book.set_rules(rules);
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For those who ask what holds.
impl Limits {
    /// How many tasks of this queue there may be at once.
    pub(crate) fn queue(&self, name: &str) -> Option<u32> {
        self.book().rules.queues.get(name).copied()
    }
}

/// For those who look after limits.
impl Limits {
    /// A limit, with its entity tag.
    pub async fn get(&self, caller: &Caller, name: &str) -> Result<Tagged<LimitView>, Problem> {
        let (limit, version) = self.visible(caller, name, Permission::LimitsList).await?;
        Ok(Tagged { value: view(&self.book().figures(), name, limit), version })
    }

    /// Limits by name, from behind the one named `after`.
    pub async fn list(
        &self,
        caller: &Caller,
        namespace: Option<&str>,
        after: Option<String>,
        limit: usize,
    ) -> Result<LimitList, Problem> {
        let allowed = caller.within(Permission::LimitsList, namespace)?;
        let figures = self.book().figures();
        let mut items: Vec<LimitView> = Vec::new();
        let mut scan = Scan { after, limit, ..Scan::default() };
        loop {
            let page = self.shelf.scan(LIMITS, scan.clone()).await?;
            scan.after = page.documents.last().map(|document| document.key.clone());
            for document in page.documents {
                let found = Limit::read(&document)?;
                if !may_see(allowed.as_deref(), &found) {
                    continue;
                }
                if items.len() == limit {
                    let next_cursor = items.last().map(|item| item.name.clone());
                    return Ok(LimitList { items, next_cursor });
                }
                items.push(view(&figures, &document.key, found));
            }
            if !page.more {
                return Ok(LimitList { items, next_cursor: None });
            }
        }
    }

    /// Makes or replaces a limit; the answer says whether it is new. It holds for runs that have not
    /// begun; those that are under way count.
    pub async fn put(
        &self,
        caller: &Caller,
        name: &str,
        spec: LimitSpec,
        when: Precondition,
    ) -> Result<(Tagged<LimitView>, bool), Problem> {
        asked::name(name)?;
        check(&spec)?;
        may_change(caller, &spec)?;
        // One at a time: two that are counted at once are one too many.
        let _alone = self.making.lock().await;
        loop {
            let present = self.present(name).await?;
            if let Some((present, _)) = &present {
                let permissions = (Permission::LimitsList, Permission::LimitsWrite);
                kept::may_replace(caller, permissions, present.namespace(), name)?;
            }
            let version = present.as_ref().map(|(_, version)| *version);
            when.check(version, "limit", LIMITS, name)?;
            let id = if let Some((present, _)) = &present {
                counts_alike(&present.spec, &spec).then(|| present.id.clone())
            } else {
                self.room().await?;
                None
            };
            let id = id.map_or_else(|| random::<8>().map(|bytes| hex(&bytes)), Ok)?;
            let (changed_by, changed_at) = (caller.name().to_owned(), self.clock.now());
            let limit = Limit { spec: spec.clone(), id, changed_by, changed_at };
            let change = limit.put(name, version.map_or(Expect::Absent, Expect::Version));
            // Where somebody else was quicker, all is looked at again.
            if let Ok(versions) = self.shelf.write(vec![change]).await? {
                self.changed().await?;
                let value = view(&self.book().figures(), name, limit);
                return Ok((Tagged { value, version: versions[0] }, version.is_none()));
            }
        }
    }

    /// Deletes a limit. Runs that waited for it alone begin.
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &str,
        when: Precondition,
    ) -> Result<(), Problem> {
        loop {
            let (limit, version) = self.visible(caller, name, Permission::LimitsWrite).await?;
            may_change(caller, &limit.spec)?;
            when.check(Some(version), "limit", LIMITS, name)?;
            let change = change(LIMITS, name, Expect::Version(version), Write::Delete);
            // Where somebody else was quicker, all is looked at again.
            if self.shelf.write(vec![change]).await?.is_ok() {
                return self.changed().await;
            }
        }
    }

    /// How limits stand, for those who watch.
    pub(crate) fn write(&self, page: &mut Page) {
        let book = self.book();
        let figures = book.figures();
        let named = |limit: &Arc<super::rule::RunLimit>| {
            (limit.name.clone(), figures.get(&limit.id).copied().unwrap_or_default())
        };
        let named: Vec<_> = book.rules.runs.iter().map(named).collect();
        drop(book);
        page.metric("loom_limit_runs", "gauge", "Runs that have a place of a limit.");
        for (name, (runs, _)) in &named {
            page.sample("loom_limit_runs", &[("limit", name)], runs);
        }
        page.metric("loom_limit_waiting", "gauge", "Runs that wait for a limit.");
        for (name, (_, waiting)) in &named {
            page.sample("loom_limit_waiting", &[("limit", name)], waiting);
        }
    }

    /// What was changed holds here at once.
    async fn changed(&self) -> Result<(), Problem> {
        self.reload().await?;
        self.news.notify_one();
        Ok(())
    }

    async fn present(&self, name: &str) -> Result<Option<(Limit, u64)>, Problem> {
        let Some(document) = self.shelf.document(LIMITS, name).await? else { return Ok(None) };
        Ok(Some((Limit::read(&document)?, document.version)))
    }

    /// The limit, if the caller may do this to it. Of others not even that they are there is told.
    async fn visible(
        &self,
        caller: &Caller,
        name: &str,
        permission: Permission,
    ) -> Result<(Limit, u64), Problem> {
        let visible = caller.namespaces(permission)?;
        let present = self.present(name).await?;
        let seen = |(limit, _): &(Limit, u64)| may_see(visible.as_deref(), limit);
        present.filter(seen).ok_or_else(|| missing(name))
    }

    async fn room(&self) -> Result<(), Problem> {
        let scan = Scan { limit: LIMITS_MAX, ..Scan::default() };
        if self.shelf.scan(LIMITS, scan).await?.documents.len() < LIMITS_MAX {
            return Ok(());
        }
        let most = format!("there are {LIMITS_MAX} limits, which is the most");
        Err(Problem::new(ErrorCode::LimitReached, most).help("delete one that is not used"))
    }
}

/// For runs that are about to begin.
impl Limits {
    /// Whether runs may have to wait: if not, nobody has to ask.
    pub(crate) fn are_idle(&self) -> bool {
        self.book().is_idle()
    }

    /// How many runs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.book().waiting()
    }

    /// What a run that is about to be created counts against; `None` if no limit counts it, which
    /// is found out without the store.
    pub(crate) fn ticket(&self, submission: &NewSubmission) -> Option<Ticket> {
        let rules = Arc::clone(&self.book().rules);
        if rules.runs.is_empty() {
            return None;
        }
        let (definition, meta) = (submission.plan.definition(), &submission.meta);
        let facts = Facts {
            namespace: &definition.namespace,
            workflow: &definition.name,
            key: meta.concurrency_key.as_deref(),
            variables: &submission.variables,
        };
        let counts = rules.counts(&facts);
        let since = meta.start_at.unwrap_or_default().max(self.clock.now());
        let rank = Rank { priority: Reverse(meta.priority), since, run: submission.id };
        (!counts.is_empty()).then_some(Ticket { rank, rules, counts })
    }

    /// Refuses a run that a limit does not let wait, or for which too many wait already. If it is let in,
    /// it has its places; whoever does not create it then says so ([`Limits::abandon`]).
    pub(crate) async fn knock(&self, ticket: &Ticket) -> Result<(), Problem> {
        if self.book().waiting() >= WAITING_MAX {
            let message = format!("{WAITING_MAX} runs wait for limits, which is the most");
            return Err(Problem::new(ErrorCode::LimitReached, message)
                .help("send the request again when some of them have begun"));
        }
        // In the order in which they are taken, those that refuse come first.
        let refusing = ticket.counts.iter().take_while(|count| count.limit.refuses).count();
        let counts = &ticket.counts[..refusing];
        if counts.is_empty() {
            return Ok(());
        }
        let newcomer = Newcomer { run: ticket.rank.run, counts };
        let _turn = self.turn.lock().await;
        self.be_counted().await?;
        let settled = self.settle(Some(&newcomer)).await?;
        // Others may have been found to have room.
        self.news.notify_one();
        match settled.shut {
            None => Ok(()),
            Some(shut) => Err(full(&counts[shut.count], &shut, self.clock.now())),
        }
    }

    /// A run that was let in is not created.
    pub(crate) fn abandon(&self, ticket: &Ticket) {
        self.book().tell(News::Gone(ticket.rank.run, None));
        self.news.notify_one();
    }

    /// The run is there, and begins when it may.
    pub(crate) fn enter(&self, ticket: Ticket) {
        self.book().enter(ticket.rank, &ticket.rules, ticket.counts);
        self.news.notify_one();
    }

    /// The time of a run has come, of which it is not known what it counts against.
    pub(crate) fn due(&self, run: RunId) {
        let rank = Rank { priority: Reverse(0), since: self.clock.now(), run };
        self.book().enter_unknown(rank);
        self.news.notify_one();
    }

    /// The store says that a run waits.
    pub(crate) fn meet(&self, run: &RunSummary) {
        self.book().meet(rank_of(run));
        self.news.notify_one();
    }

    /// A run that waits goes before or behind others.
    pub(crate) fn set_priority(&self, run: RunId, priority: i32) {
        self.book().set_priority(run, priority);
        self.news.notify_one();
    }

    /// What a run waits for, and who has the places of that.
    pub(crate) fn wait(&self, run: RunId) -> Option<(LimitWait, Vec<RunId>)> {
        self.book().wait(run)
    }
}

fn view(figures: &BTreeMap<String, (u64, u64)>, name: &str, limit: Limit) -> LimitView {
    let (runs, waiting) = figures.get(&limit.id).copied().unwrap_or_default();
    LimitView {
        name: name.to_owned(),
        spec: limit.spec,
        runs,
        waiting,
        changed_by: limit.changed_by,
        changed_at: rfc3339(limit.changed_at.0),
    }
}

/// The place of a run that waits.
pub(super) fn rank_of(run: &RunSummary) -> Rank {
    let since = run.meta.start_at.unwrap_or_default().max(run.created_at);
    Rank { priority: Reverse(run.meta.priority), since, run: run.id }
}

fn full(count: &Count, shut: &Shut, now: Timestamp) -> Problem {
    let limit = &count.limit;
    let of = count.key.as_ref().map(|key| format!(" for `{key}`")).unwrap_or_default();
    let (why, wait) = if let (Lacking::Start(at), Some(pace)) = (shut.lacks, limit.pace) {
        let why = format!("{} runs have begun within {} s", pace.starts, pace.period.as_secs());
        (why, at.map(|at| at.since(now)))
    } else {
        let most = limit.max_runs.unwrap_or_default();
        (format!("as many runs as it allows, {most}, are under way"), None)
    };
    let message = format!("the limit `{}` has no room{of}: {why}", limit.name);
    // Whole seconds, rounded up: a header has no others.
    let wait = wait.map_or(1, |wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
    let problem = Problem::new(ErrorCode::LimitFull, message)
        .help("send the request again later")
        .help("with `when_full: wait` the limit lets runs wait for their turn");
    Problem { retry_after: Some(Duration::from_secs(wait)), ..problem }
}

fn may_see(allowed: Option<&[String]>, limit: &Limit) -> bool {
    // What counts in all namespaces is for those who may look into all.
    allowed.is_none_or(|names| limit.namespace().is_some_and(|of| names.iter().any(|it| it == of)))
}

fn may_change(caller: &Caller, spec: &LimitSpec) -> Result<(), Problem> {
    match spec {
        LimitSpec::Runs { namespace, .. } => caller.may(Permission::LimitsWrite, namespace),
        LimitSpec::Tasks { .. } => caller.may_everywhere(Permission::LimitsWrite),
    }
}

/// Whether what one has counted is what the other counts.
fn counts_alike(one: &LimitSpec, other: &LimitSpec) -> bool {
    let scope = |spec: &LimitSpec| match spec {
        LimitSpec::Runs { namespace, workflow, key, .. } => {
            Some((namespace.clone(), workflow.clone(), key.clone()))
        }
        LimitSpec::Tasks { .. } => None,
    };
    scope(one) == scope(other)
}

/// Refuses what could not work.
fn check(spec: &LimitSpec) -> Result<(), Problem> {
    let text = |what: &str, text: &str| {
        let good = !text.is_empty()
            && text.chars().count() <= TEXT_MAX
            && !text.contains(char::is_control);
        let wrong = format!("`{what}` has 1 to {TEXT_MAX} characters, none of them a control");
        if good { Ok(()) } else { Err(Problem::argument(wrong)) }
    };
    match spec {
        LimitSpec::Tasks { queue, max_tasks } => {
            text("queue", queue)?;
            asked::within("`max_tasks`", *max_tasks, 1, TASKS_MAX)
        }
        LimitSpec::Runs { namespace, workflow, key, max_runs, rate, when_full: _ } => {
            text("namespace", namespace)?;
            workflow.iter().try_for_each(|workflow| text("workflow", workflow))?;
            if let Some(LimitKey::Variables { template }) = key {
                text("key.template", template)?;
                check_template(template).map_err(|why| {
                    Problem::argument(why).help("write `{{CUSTOMER}}` for the value of CUSTOMER")
                })?;
            }
            if max_runs.is_none() && rate.is_none() {
                return Err(Problem::argument("the limit allows everything")
                    .help("give `max_runs`, `rate` or both"));
            }
            max_runs.iter().try_for_each(|most| asked::within("`max_runs`", *most, 1, RUNS_MAX))?;
            rate.iter().try_for_each(|rate| {
                asked::within("`rate.starts`", rate.starts, 1, RUNS_MAX)?;
                asked::within("`rate.per_s`", rate.per_s, 1, PERIOD_MAX)
            })
        }
    }
}
