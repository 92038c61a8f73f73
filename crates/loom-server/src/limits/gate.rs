//! Lets runs begin when there is room.
//!
//! One pass takes in what happened, decides, writes what is taken, and only then begins runs. Of
//! those that are under way without having passed here (started from a command line, tried again
//! after a failure, or before a limit was made) some have no place; they are counted now and then.

use super::book::{Newcomer, Shut};
use super::decide::{News, Rank};
use super::document::{COUNTS, change, ledgers, read_ledger};
use super::rule::{Count, Facts, Rules, limit_of};
use super::service::{Limits, rank_of};
use crate::feed::{Batch, Follower, Hub};
use crate::problem::Problem;
use futures_util::stream::{self, StreamExt};
use loom_core::{Event, RunId, RunState, Timestamp};
use loom_engine::{EngineError, Input};
use loom_protocol::ErrorCode;
use loom_store::{Expect, QueryStore, RunFilter, RunSummary, StoreError, Write};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// How often the limits are looked over for what other servers changed.
const RELOAD: Duration = Duration::from_secs(5);
/// How often it is looked whether the counts say what is so.
const RECOUNT: Duration = Duration::from_secs(10);
/// How soon that may be repeated.
const RECOUNT_LEAST: Duration = Duration::from_secs(1);
/// How long to rest after a failure that may pass.
const REST: Duration = Duration::from_secs(1);
/// How long a run that has a place may not be there: somebody is about to create it.
const CREATION: Duration = Duration::from_mins(1);
/// How many runs one look at the store brings.
const SCAN: usize = 500;
/// The most runs that begin at once.
const AT_ONCE: usize = 256;
/// How often a decision is made anew because another server was quicker.
const TRIES: usize = 100;

/// Drives the limits as long as it is kept.
pub(crate) struct Gatekeeper(AbortHandle);

impl Gatekeeper {
    /// Starts on the async runtime of the caller.
    pub(crate) fn start(limits: Arc<Limits>, hub: Arc<Hub>) -> Self {
        Self(tokio::spawn(drive(limits, hub)).abort_handle())
    }
}

impl Drop for Gatekeeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn drive(limits: Arc<Limits>, hub: Arc<Hub>) {
    let mut follower: Option<Follower> = None;
    let mut reload = Instant::now() + RELOAD;
    let (mut counted, mut reopened) = (Instant::now(), false);
    loop {
        if Instant::now() >= reload {
            reload = Instant::now() + RELOAD;
            // What cannot be read now is read later; what was read before holds.
            let _ = limits.reload().await;
        }
        let mut until = reload;
        if limits.are_idle() {
            follower = None;
        } else {
            if follower.is_none() {
                // From before the runs are counted, so that nothing falls between the two.
                follower = Some(Follower::from_now(Arc::clone(&hub), limits.readers.clone()));
                limits.book().counted = false;
            }
            let age = counted.elapsed();
            if age >= RECOUNT || reopened && age >= RECOUNT_LEAST {
                (counted, reopened) = (Instant::now(), false);
                let _ = limits.recount_now().await;
            }
            until = until.min(counted + if reopened { RECOUNT_LEAST } else { RECOUNT });
            let wait = match limits.pass().await {
                Ok(wake) => wake.map(|at| at.since(limits.clock.now())),
                Err(_) => Some(REST),
            };
            until = wait.map_or(until, |wait| until.min(Instant::now() + wait));
        }
        tokio::select! {
            () = limits.news.notified() => {}
            news = follow(&mut follower) => match news {
                Ok(batches) => reopened |= limits.take(&batches),
                Err(problem) if problem.code == ErrorCode::ServerStopping => return,
                // It begins anew with what is so then.
                Err(_) => follower = None,
            },
            () = sleep_until(until) => {}
        }
    }
}

async fn follow(follower: &mut Option<Follower>) -> Result<Vec<Batch>, Problem> {
    match follower {
        Some(follower) => follower.next().await,
        None => std::future::pending().await,
    }
}

/// What a decision came to, once it is written.
pub(super) struct Settled {
    begins: Vec<RunId>,
    wake: Option<Timestamp>,
    pub(super) shut: Option<Shut>,
}

impl Limits {
    /// Lets begin who may. Answers with when to look again.
    async fn pass(&self) -> Result<Option<Timestamp>, Problem> {
        let turn = self.turn.lock().await;
        self.be_counted().await?;
        self.classify().await?;
        let Settled { begins, wake, .. } = self.settle(None).await?;
        drop(turn);
        let again = self.begin(begins).await?;
        Ok(wake.into_iter().chain(again).min())
    }

    /// Decides, and writes what was decided in place of what it was decided from. Whoever calls has
    /// the turn.
    pub(super) async fn settle(&self, newcomer: Option<&Newcomer<'_>>) -> Result<Settled, Problem> {
        for _ in 0..TRIES {
            let now = self.clock.now();
            let (plan, shut) = self.book().plan(now, newcomer);
            let places: Vec<String> = plan.changes.iter().map(|it| it.key.clone()).collect();
            let written = if places.is_empty() {
                Ok(Vec::new())
            } else {
                self.shelf.write(plan.changes.clone()).await?
            };
            match written {
                Ok(versions) => {
                    let (begins, wake) = self.book().written(plan, &versions, now);
                    return Ok(Settled { begins, wake, shut });
                }
                Err(_) => self.refresh(places).await?,
            }
        }
        Err(Problem::busy("other servers on this store change its limits all the time"))
    }

    /// Reads what is taken at these places.
    async fn refresh(&self, places: Vec<String>) -> Result<(), Problem> {
        let read = move |store: &mut dyn loom_store::DocumentStore| {
            let mut found = Vec::with_capacity(places.len());
            for place in places {
                let document = store.document(COUNTS, &place)?;
                let ledger = document.map(|it| Ok((read_ledger(&it)?, it.version)));
                found.push((place, ledger.transpose()?));
            }
            Ok::<_, StoreError>(found)
        };
        let found = self.shelf.read(read).await?;
        let mut book = self.book();
        found.into_iter().for_each(|(place, ledger)| book.set_ledger(place, ledger));
        Ok(())
    }

    /// Finds out what runs count against that wait.
    async fn classify(&self) -> Result<(), Problem> {
        loop {
            let (rules, runs) = {
                let book = self.book();
                (Arc::clone(&book.rules), book.unknown(SCAN))
            };
            if runs.is_empty() {
                return Ok(());
            }
            let asked = Arc::clone(&rules);
            let look = move |store: &mut (dyn QueryStore + 'static)| {
                let all = runs.into_iter().map(|run| Ok((run, waiting(store, &asked, run)?)));
                all.collect::<Result<Vec<_>, StoreError>>()
            };
            let found = self.readers.ask(look).await?;
            let mut book = self.book();
            for (run, found) in found {
                match found {
                    Some((rank, counts)) => book.learn(&rules, rank, counts),
                    None => book.leave(run),
                }
            }
        }
    }

    /// Lets these runs begin. Answers with when to look at those again with which it failed.
    async fn begin(&self, runs: Vec<RunId>) -> Result<Option<Timestamp>, Problem> {
        let begins: Vec<_> = runs
            .into_iter()
            .map(|run| async move { (run, self.ask_to_begin(run).await) })
            .collect();
        let begun: Vec<_> = stream::iter(begins).buffer_unordered(AT_ONCE).collect().await;
        let mut again = None;
        let mut doubtful = Vec::new();
        for (run, result) in begun {
            match result {
                Ok(()) => self.book().leave(run),
                // It learns from the counts that the run may begin.
                Err(EngineError::Alive(_)) => self.book().is_elsewhere(run),
                Err(EngineError::Refused(_)) => doubtful.push(run),
                Err(EngineError::Store(error)) if matches!(*error, StoreError::NoRun(_)) => {
                    self.book().tell(News::Gone(run, None));
                }
                Err(_) => {
                    let until = self.clock.now() + REST;
                    self.book().rest(run, until);
                    again = Some(until);
                }
            }
        }
        self.look_at(doubtful).await?;
        Ok(again)
    }

    /// Lets a held run begin, whatever limits say.
    pub(crate) async fn ask_to_begin(&self, run: RunId) -> Result<(), EngineError> {
        let (answer, receiver) = oneshot::channel();
        let reply = Box::new(move |result| {
            // The asker may have gone.
            let _ = answer.send(result);
        });
        self.engine.send(Input::Begin(run, reply));
        receiver.await.unwrap_or(Err(EngineError::Stopped))
    }

    /// These runs have begun, or ended, without our doing.
    async fn look_at(&self, runs: Vec<RunId>) -> Result<(), Problem> {
        if runs.is_empty() {
            return Ok(());
        }
        let look = move |store: &mut (dyn QueryStore + 'static)| {
            let mut news = Vec::new();
            for run in runs {
                match store.run(run) {
                    Ok(found) => news.extend(story(&found)),
                    Err(StoreError::NoRun(_)) => news.push(News::Gone(run, None)),
                    Err(error) => return Err(error),
                }
            }
            Ok(news)
        };
        let news = self.readers.ask(look).await?;
        news.into_iter().for_each(|news| self.book().tell(news));
        self.news.notify_one();
        Ok(())
    }

    /// Takes in what happened. Answers with whether a run goes on that had ended.
    fn take(&self, batches: &[Batch]) -> bool {
        let mut reopened = false;
        let mut book = self.book();
        for batch in batches {
            for (_, event) in batch.events() {
                match event {
                    Event::RunStarted { at } => book.tell(News::Begun(batch.run(), *at)),
                    Event::RunFinished { at, .. } => {
                        book.tell(News::Gone(batch.run(), Some(*at)));
                    }
                    Event::RunReopened { .. } => {
                        reopened |= book.rules.concern(batch.namespace(), batch.workflow());
                    }
                    _ => {}
                }
            }
        }
        reopened
    }
}

/// Seeing to it that the counts say what is so.
impl Limits {
    /// Counts all that is under way, unless that has been done under these rules.
    pub(super) async fn be_counted(&self) -> Result<(), Problem> {
        while !self.book().counted {
            let rules = self.recount(true).await?;
            let mut book = self.book();
            book.counted = Arc::ptr_eq(&rules, &book.rules);
        }
        Ok(())
    }

    async fn recount_now(&self) -> Result<(), Problem> {
        let _turn = self.turn.lock().await;
        self.recount(false).await.map(drop)
    }

    /// Reads what is taken, and corrects what is not so. `anew` looks also at what runs count
    /// against that have something already. Answers with the rules by which this was done.
    async fn recount(&self, anew: bool) -> Result<Arc<Rules>, Problem> {
        let found = self.shelf.read(ledgers).await?;
        let (rules, holders) = {
            let mut book = self.book();
            book.set_ledgers(
                found.iter().map(|(place, ledger, version)| (&**place, ledger, *version)),
            );
            (Arc::clone(&book.rules), book.holders())
        };
        let asked = Arc::clone(&rules);
        let look =
            move |store: &mut (dyn QueryStore + 'static)| survey(store, &asked, holders, anew);
        let (news, missing) = self.readers.ask(look).await?;
        let gone = self.missing(missing);
        {
            let mut book = self.book();
            news.into_iter().chain(gone).for_each(|news| book.tell(news));
        }
        self.clean(&rules, found).await?;
        Ok(rules)
    }

    /// The runs that have not been there for so long that nobody is about to create them.
    fn missing(&self, runs: Vec<RunId>) -> Vec<News> {
        let now = self.clock.now();
        let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut doubts.missing);
        let since = |run: &RunId| before.get(run).copied().unwrap_or(now);
        doubts.missing = runs.iter().map(|run| (*run, since(run))).collect();
        let gone = runs.into_iter().filter(|run| now.since(since(run)) >= CREATION);
        gone.map(|run| News::Gone(run, None)).collect()
    }

    /// Deletes counts that say nothing any more, and those of limits that were deleted.
    async fn clean(
        &self,
        rules: &Rules,
        found: Vec<(String, super::ledger::Ledger, u64)>,
    ) -> Result<(), Problem> {
        let (now, limits) = (self.clock.now(), rules.by_id());
        let (mut idle, mut orphans) = (Vec::new(), Vec::new());
        for (place, mut ledger, version) in found {
            match limits.get(limit_of(&place)) {
                Some(limit) => {
                    ledger.sweep(limit, now);
                    idle.extend(ledger.is_empty().then_some((place, version)));
                }
                None => orphans.push((place, version)),
            }
        }
        {
            // Another server may know a limit that is not known here yet.
            let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
            let names = orphans.iter().map(|(place, _)| place.clone()).collect();
            let before = std::mem::replace(&mut doubts.orphans, names);
            idle.extend(orphans.into_iter().filter(|(place, _)| before.contains(place)));
        }
        let deletes = idle.into_iter().map(|(place, version)| async move {
            let change = change(COUNTS, &place, Expect::Version(version), Write::Delete);
            let deleted = self.shelf.write(vec![change]).await?;
            // One that was changed meanwhile is in use.
            Ok::<_, Problem>(deleted.ok().map(|_| place))
        });
        let deletes: Vec<_> = deletes.collect();
        let mut deletes = stream::iter(deletes).buffer_unordered(AT_ONCE);
        while let Some(deleted) = deletes.next().await {
            if let Some(place) = deleted? {
                self.book().set_ledger(place, None);
            }
        }
        Ok(())
    }
}

/// What a run counts against, and its place in line; `None` if it does not wait.
pub(super) fn waiting(
    store: &mut dyn QueryStore,
    rules: &Rules,
    run: RunId,
) -> Result<Option<(Rank, Vec<Count>)>, StoreError> {
    let found = match store.run(run) {
        Ok(found) if found.state == RunState::Queued => found,
        Ok(_) | Err(StoreError::NoRun(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let counts = counts(store, rules, &found)?;
    Ok(Some((rank_of(&found), counts)))
}

/// What a run counts against.
pub(super) fn counts(
    store: &mut dyn QueryStore,
    rules: &Rules,
    run: &RunSummary,
) -> Result<Vec<Count>, StoreError> {
    let RunSummary { namespace, workflow, meta, .. } = run;
    let asked = rules.ask_variables(namespace, workflow);
    let variables = if asked { store.variables(run.id)? } else { Vec::new() };
    let key = meta.concurrency_key.as_deref();
    Ok(rules.counts(&Facts { namespace, workflow, key, variables: &variables }))
}

/// What became of a run, as the journal told it.
fn story(run: &RunSummary) -> impl Iterator<Item = News> {
    let begun = run.started_at.map(|at| News::Begun(run.id, at));
    let gone = run.state.is_final().then_some(News::Gone(run.id, run.started_at));
    begun.into_iter().chain(gone)
}

/// Compares what is taken with what is so: what has to be corrected, and the runs that have
/// something and are not there. `holders` are the runs that have something, and whether they have a
/// start that is not used.
fn survey(
    store: &mut dyn QueryStore,
    rules: &Rules,
    mut holders: HashMap<RunId, bool>,
    anew: bool,
) -> Result<(Vec<News>, Vec<RunId>), StoreError> {
    let (mut news, mut missing) = (Vec::new(), Vec::new());
    let namespaces = rules.runs.iter().map(|limit| limit.namespace.clone()).collect();
    let mut filter = RunFilter {
        states: vec![RunState::Running, RunState::Paused],
        namespaces: Some(namespaces),
        limit: SCAN,
        ..RunFilter::default()
    };
    loop {
        let page = store.list(&filter)?;
        filter.after = page.runs.last().map(RunSummary::cursor);
        for run in page.runs.iter().filter(|run| run.meta.external.is_none()) {
            let held = holders.remove(&run.id);
            if held == Some(true) {
                news.extend(story(run));
            }
            if (anew || held.is_none()) && rules.concern(&run.namespace, &run.workflow) {
                news.push(News::UnderWay(run.id, counts(store, rules, run)?));
            }
        }
        if !page.more {
            break;
        }
    }
    for run in holders.into_keys() {
        match store.run(run) {
            Ok(found) => news.extend(story(&found)),
            Err(StoreError::NoRun(_)) => missing.push(run),
            Err(error) => return Err(error),
        }
    }
    Ok((news, missing))
}
