//! Lists of runs.

use super::Fixture;
use super::samples::{at, becomes, created, creates, definition, new_run, run_id};
use crate::{QueryStore, RunFilter, RunStore};
use loom_core::{Event, RunId, RunOutcome, RunState};

fn ids(store: &mut impl QueryStore, filter: &RunFilter) -> Vec<RunId> {
    store.list(filter).unwrap().runs.into_iter().map(|run| run.id).collect()
}

/// Pages lead from the youngest to the oldest, each starting behind the one before.
pub fn is_youngest_first_in_pages(fixture: &impl Fixture) {
    let mut store = fixture.session();
    for n in [3, 1, 5, 2, 4, 0, 6] {
        store.commit(&[created(run_id(n))]).unwrap();
    }
    let expected: Vec<RunId> = (0..7).rev().map(run_id).collect();
    for limit in [1, 3, 6, 7, 8] {
        let mut filter = RunFilter { limit, ..RunFilter::default() };
        let mut read = Vec::new();
        loop {
            let page = store.list(&filter).unwrap();
            assert!(page.runs.len() <= limit);
            read.extend(page.runs.iter().map(|run| run.id));
            if !page.more {
                break;
            }
            filter.before = page.runs.last().map(|run| run.id);
        }
        assert_eq!(read, expected, "in pages of {limit}");
    }
}

/// Filters hold together, also with paging.
pub fn is_filtered_by_state_workflow_and_namespace(fixture: &impl Fixture) {
    let mut store = fixture.session();
    for n in 0..12 {
        let mut definition = definition(if n % 2 == 0 { "even" } else { "odd" });
        definition.namespace = if n < 6 { "low".into() } else { "high".into() };
        store.commit(&[creates(run_id(n), new_run(definition))]).unwrap();
        if n % 3 == 0 {
            let started = Event::RunStarted { at: at(1) };
            store.commit(&[becomes(run_id(n), 1, started, RunState::Running)]).unwrap();
        }
    }
    let all = RunFilter::default();
    let workflow = Some("even".to_owned());
    let namespace = Some("high".to_owned());
    let state = Some(RunState::Running);
    let cases = [
        (RunFilter { workflow: workflow.clone(), ..all.clone() }, vec![10, 8, 6, 4, 2, 0]),
        (RunFilter { namespace: namespace.clone(), ..all.clone() }, vec![11, 10, 9, 8, 7, 6]),
        (RunFilter { state, ..all.clone() }, vec![9, 6, 3, 0]),
        (RunFilter { state, workflow: workflow.clone(), ..all.clone() }, vec![6, 0]),
        (RunFilter { state, workflow, namespace, ..all.clone() }, vec![6]),
        (RunFilter { state, before: Some(run_id(9)), ..all.clone() }, vec![6, 3, 0]),
        (RunFilter { state, before: Some(run_id(8)), limit: 2, ..all.clone() }, vec![6, 3]),
        (RunFilter { state: Some(RunState::Failed), ..all.clone() }, vec![]),
        (RunFilter { workflow: Some("Even".into()), ..all }, vec![]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<RunId> = expected.into_iter().map(run_id).collect();
        assert_eq!(ids(&mut store, &filter), expected, "{filter:?}");
    }
}

/// A run is listed under the state it is in, and no other.
pub fn follows_changes_of_state(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    let finished = |outcome| Event::RunFinished { at: at(2), outcome };
    let life = [
        (Event::RunStarted { at: at(1) }, RunState::Running),
        (Event::RunPaused { at: at(1), by: "somebody".into() }, RunState::Paused),
        (Event::RunResumed { at: at(1), by: "somebody".into() }, RunState::Running),
        (finished(RunOutcome::Failed), RunState::Failed),
        (Event::RunReopened { at: at(3), by: "b".into(), tasks: vec![] }, RunState::Running),
        (finished(RunOutcome::Cancelled), RunState::Cancelled),
    ];
    for (seq, (event, state)) in (1..).zip(life) {
        store.claim(run).unwrap();
        store.commit(&[becomes(run, seq, event, state)]).unwrap();
        for listed in RunState::ALL {
            let filter = RunFilter { state: Some(listed), ..RunFilter::default() };
            assert_eq!(ids(&mut store, &filter).len(), usize::from(listed == state), "{listed}");
        }
    }
}

/// Without a limit there are at most 1,000.
pub fn has_a_limit_of_its_own(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store.commit(&(0..1001).map(|n| created(run_id(n))).collect::<Vec<_>>()).unwrap();
    let page = store.list(&RunFilter::default()).unwrap();
    assert_eq!((page.runs.len(), page.more), (1000, true));
    let page = store.list(&RunFilter { limit: 1001, ..RunFilter::default() }).unwrap();
    assert_eq!((page.runs.len(), page.more), (1001, false));
}
