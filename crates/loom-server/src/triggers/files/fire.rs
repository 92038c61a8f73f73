//! Starting the runs that were decided on, and waiting for their end. A run that was to be started
//! when a server ended is started by the next, under the same identity.

use super::document::{FIRINGS, Firing, delete, prefix, put, read};
use super::ledger::Ledger;
use super::lookout::Office;
use crate::problem::Problem;
use crate::runs::StartContext;
use crate::triggers::receive::acting;
use futures_util::future::join_all;
use loom_core::{RunId, Value};
use loom_protocol::api::{FileFact, FileTrigger};
use loom_protocol::rfc3339;
use loom_store::{Expect, Scan, StoreError};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Notify;

/// How many runs are started at once.
const AT_ONCE: usize = 32;
/// The annotations that lead from a run to its trigger and its file.
const BY: &str = "trigger";
const FILE: &str = "trigger.file";
/// The longest path that is an annotation; longer ones are variables alone.
const FILE_MAX: usize = 256;

/// A trigger's runs.
pub(super) struct Fire<'a> {
    pub(super) office: &'a Office,
    pub(super) name: &'a str,
    pub(super) salt: &'a str,
    pub(super) spec: &'a FileTrigger,
    /// Told when one of the runs has ended.
    pub(super) ended: &'a Arc<Notify>,
}

/// A firing as it is kept.
struct Kept {
    key: String,
    version: u64,
    firing: Firing,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is nothing to do until a run ends.
    Done,
    /// Something is to be tried again in a while.
    Again,
    /// The ledger is not what it was.
    Changed,
}

impl Fire<'_> {
    /// Starts as many as there may be, and forgets those that have ended.
    pub(super) async fn step(&self, ledger: &mut Ledger) -> Result<Step, Problem> {
        loop {
            let firings = self.firings().await?;
            // Told of their end from here on, so that none ends unnoticed.
            self.office.own(firings.iter().map(|kept| kept.firing.run), self.ended);
            let over = self.over(&firings).await?;
            let ended = firings.iter().filter(|kept| over.contains(&kept.firing.run));
            let removed = join_all(ended.map(|kept| self.remove(kept))).await;
            let removed = removed.into_iter().collect::<Result<Vec<_>, _>>()?;
            let mut again = false;
            let new: Vec<&Kept> = firings.iter().filter(|kept| !kept.firing.begun).collect();
            for some in new.chunks(AT_ONCE) {
                let started = join_all(some.iter().map(|kept| self.start(kept))).await;
                for (kept, result) in some.iter().zip(started) {
                    match result {
                        Ok(()) => {}
                        Err(problem) if problem.status().is_server_error() => again = true,
                        Err(problem) => {
                            if !self.refused(ledger, kept, &problem).await? {
                                return Ok(Step::Changed);
                            }
                        }
                    }
                }
            }
            if again {
                return Ok(Step::Again);
            }
            if removed.is_empty() && new.is_empty() {
                return Ok(Step::Done);
            }
        }
    }

    async fn firings(&self) -> Result<Vec<Kept>, Problem> {
        let limit = self.spec.at_once as usize;
        let scan = Scan { prefix: prefix(self.salt), limit, ..Scan::default() };
        let page = self.office.shelf.scan(FIRINGS, scan).await?;
        let kept = |document: loom_store::Document| {
            let firing = read(&document)?;
            Ok(Kept { key: document.key, version: document.version, firing })
        };
        page.documents.into_iter().map(kept).collect()
    }

    /// Those that were started and have ended.
    async fn over(&self, firings: &[Kept]) -> Result<HashSet<RunId>, Problem> {
        let begun = firings.iter().filter(|kept| kept.firing.begun);
        let runs: Vec<RunId> = begun.map(|kept| kept.firing.run).collect();
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| {
            let mut over = HashSet::new();
            for run in runs {
                match store.run(run) {
                    Ok(summary) if !summary.state.is_final() => {}
                    Ok(_) | Err(StoreError::NoRun(_)) => drop(over.insert(run)),
                    Err(error) => return Err(error),
                }
            }
            Ok(over)
        };
        self.office.readers.ask(look).await
    }

    async fn start(&self, kept: &Kept) -> Result<(), Problem> {
        let mut request = self.spec.run.clone();
        let caller = acting(self.name, request.namespace.as_deref().unwrap_or("default"));
        request.initiator = Some(caller.name().to_owned());
        request.annotations.insert(BY.into(), self.name.to_owned());
        let firing = &kept.firing;
        let path = &firing.path;
        if path.chars().count() <= FILE_MAX && !path.contains(char::is_control) {
            request.annotations.insert(FILE.into(), path.clone());
        }
        let taken = self.spec.variables.iter();
        request.variables.extend(taken.map(|(name, fact)| (name.clone(), value(*fact, firing))));
        let context = StartContext::default();
        self.office.runs.start_reserved(&caller, request, context, firing.run).await?;
        let begun = Firing { begun: true, ..firing.clone() };
        let change = put(FIRINGS, kept.key.clone(), &begun, Expect::Version(kept.version));
        // If somebody else was quicker, they know as much.
        self.office.shelf.write(vec![change]).await.map(drop)
    }

    async fn remove(&self, kept: &Kept) -> Result<(), Problem> {
        let change = delete(FIRINGS, kept.key.clone(), Expect::Version(kept.version));
        self.office.shelf.write(vec![change]).await.map(drop)
    }

    /// Gives a run up that never can be started; `false` if the ledger is not what it was.
    async fn refused(
        &self,
        ledger: &mut Ledger,
        kept: &Kept,
        problem: &Problem,
    ) -> Result<bool, Problem> {
        let mut state = ledger.state.clone();
        state.counts.fired = state.counts.fired.saturating_sub(1);
        state.counts.refused += 1;
        let file = &kept.firing.path;
        state.problem = Some(format!("{file}: {}: {}", problem.code, problem.message));
        let gone = delete(FIRINGS, kept.key.clone(), Expect::Version(kept.version));
        ledger.write_state(&self.office.shelf, state, vec![gone]).await
    }
}

fn value(fact: FileFact, firing: &Firing) -> Value {
    let path = Path::new(&firing.path);
    match fact {
        FileFact::Path => firing.path.clone().into(),
        FileFact::Name => path.file_name().and_then(|name| name.to_str()).into(),
        FileFact::Size => firing.mark.size.into(),
        FileFact::Modified => rfc3339(firing.mark.modified().0).into(),
    }
}
