//! Why a run that is queued has not begun.

use super::book::Book;
use super::document::{ledgers, rules};
use super::gate::counts;
use super::service::rank_of;
use loom_core::{RunId, RunState, Timestamp};
use loom_protocol::api::{FewHolders, HolderView, RunWaits};
use loom_protocol::rfc3339;
use loom_store::{DocumentStore, QueryStore, RunFilter, RunSort, RunSummary, StoreError};
use std::sync::Arc;

/// The most runs that are named.
const SHOWN: usize = 5;
/// How many runs of a line are looked at, the oldest.
const LINE_MAX: usize = 10_000;

/// What a run waits for that is queued, read from a store alone, as a server on it would decide.
pub fn waits(
    store: &mut (impl QueryStore + DocumentStore),
    run: &RunSummary,
    now: Timestamp,
) -> Result<Option<RunWaits>, StoreError> {
    if run.state != RunState::Queued {
        return Ok(None);
    }
    if let Some(at) = time_to_come(run, now) {
        return Ok(Some(RunWaits::Start { at: rfc3339(at.0) }));
    }
    let (rules, _) = rules(store)?;
    if !rules.concern(&run.namespace, &run.workflow) {
        return Ok(None);
    }
    let mut book = Book::default();
    book.set_rules(rules);
    let rules = Arc::clone(&book.rules);
    for (place, ledger, version) in ledgers(store)? {
        book.set_ledger(place, Some((ledger, version)));
    }
    let filter = RunFilter {
        states: vec![RunState::Queued],
        namespaces: Some(vec![run.namespace.clone()]),
        sort: RunSort::CreatedAsc,
        limit: LINE_MAX,
        ..RunFilter::default()
    };
    for other in store.list(&filter)?.runs {
        if other.meta.external.is_none() && time_to_come(&other, now).is_none() {
            let counts = counts(store, &rules, &other)?;
            book.enter(rank_of(&other), &rules, counts);
        }
    }
    book.counted = true;
    let (plan, _) = book.plan(now, None);
    let versions = vec![0; plan.changes.len()];
    book.written(plan, &versions, now);
    let Some((wait, runs)) = book.wait(run.id) else { return Ok(None) };
    Ok(Some(RunWaits::Limit { wait, holders: holders(store, &runs)? }))
}

/// When the run's time comes, if it has not.
pub(crate) fn time_to_come(run: &RunSummary, now: Timestamp) -> Option<Timestamp> {
    run.meta.start_at.filter(|at| *at > now)
}

/// The first few of the runs that have places.
pub(crate) fn holders(
    store: &mut dyn QueryStore,
    runs: &[RunId],
) -> Result<FewHolders, StoreError> {
    let mut few = FewHolders::default();
    for run in runs {
        if few.first.len() == SHOWN {
            few.more += 1;
            continue;
        }
        match store.run(*run) {
            Ok(found) => few.first.push(HolderView {
                run: run.to_string(),
                workflow: found.workflow,
                state: crate::runs::wire_state(found.state),
            }),
            // It is about to be created, or was deleted.
            Err(StoreError::NoRun(_)) => few.more += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(few)
}
