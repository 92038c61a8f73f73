//! Recording: all or nothing, in order, by the owner only.

use super::Fixture;
use super::samples::{
    at, becomes, created, creates, definition, emits, ended, event, events, new_run, output,
    records, run_id, variable,
};
use crate::{NewRun, QueryStore, RunCommit, RunFilter, RunStore, StoreError, assert_refused};
use loom_core::{Event, RunId, RunOutcome, RunState, Value};
use std::sync::Arc;

fn recorded(store: &mut impl RunStore, run: RunId) -> Vec<Event> {
    store.load(run).unwrap().events
}

/// A refused commit undoes those before it in the same call.
pub fn is_all_or_nothing_over_several_runs(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let (first, second, third) = (run_id(1), run_id(2), run_id(3));
    store.commit(&[created(first), created(second)]).unwrap();
    let good = becomes(first, 1, Event::RunStarted { at: at(1) }, RunState::Running);
    let wrong = records(second, 2, events(1, 1));
    let refused = store.commit(&[created(third), good.clone(), wrong]);
    assert_refused!(refused, StoreError::Conflict(run) if run == second);

    assert_refused!(store.run(third), StoreError::NoRun(_));
    assert_eq!(recorded(&mut store, first), []);
    assert_eq!(store.run(first).unwrap().state, RunState::Queued);
    store.commit(&[created(third), good, records(second, 1, events(1, 1))]).unwrap();
    assert_eq!(recorded(&mut store, second), events(1, 1));
}

/// The number of the first event must be the next one, neither less nor more.
pub fn of_a_wrong_number_changes_nothing(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    store.commit(&[records(run, 1, events(1, 3))]).unwrap();
    for wrong in [0, 1, 2, 3, 5, u64::MAX / 2] {
        let refused = store.commit(&[records(run, wrong, events(4, 5))]);
        assert_refused!(refused, StoreError::Conflict(it) if it == run);
    }
    assert_eq!(recorded(&mut store, run), events(1, 3));
    store.commit(&[records(run, 4, events(4, 5))]).unwrap();
    assert_eq!(recorded(&mut store, run), events(1, 5));
}

/// Only the owner may record.
pub fn to_another_owners_run_changes_nothing(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    let refused = other.commit(&[created(run_id(2)), records(run, 1, events(1, 1))]);
    assert_refused!(refused, StoreError::Conflict(it) if it == run);
    assert_eq!(recorded(&mut owner, run), []);
    assert_refused!(other.run(run_id(2)), StoreError::NoRun(_));
}

/// Who gave a run up must claim it again first.
pub fn to_a_released_run_is_refused(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    store.release(run).unwrap();
    let refused = store.commit(&[records(run, 1, events(1, 1))]);
    assert_refused!(refused, StoreError::Conflict(it) if it == run);
    store.claim(run).unwrap();
    store.commit(&[records(run, 1, events(1, 1))]).unwrap();
}

/// The commit that ends a run gives it up, however the run came to its end.
pub fn to_an_ended_run_is_refused(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let (first, second) = (run_id(1), run_id(2));
    store.commit(&[ended(first, new_run(definition("sample")), 1), created(second)]).unwrap();
    let outcome = RunOutcome::Failed;
    let end = becomes(second, 1, Event::RunFinished { at: at(1), outcome }, RunState::Failed);
    let within = store.commit(&[end.clone(), records(second, 2, events(2, 2))]);
    assert_refused!(within, StoreError::Conflict(it) if it == second);
    store.commit(&[end]).unwrap();
    for (run, next) in [(first, 3), (second, 2)] {
        let refused = store.commit(&[records(run, next, events(1, 1))]);
        assert_refused!(refused, StoreError::Conflict(it) if it == run);
        store.claim(run).unwrap();
        store.commit(&[records(run, next, events(1, 1))]).unwrap();
    }
}

/// A run's identity is taken for good, even for its owner, even within one call.
pub fn creates_a_run_only_once(fixture: &impl Fixture) {
    let (mut store, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    assert_refused!(store.commit(&[created(run), created(run)]), StoreError::Conflict(_));
    let late = RunCommit { first_seq: 2, ..created(run) };
    assert_refused!(store.commit(&[late]), StoreError::Conflict(_));
    store.commit(&[created(run)]).unwrap();
    assert_refused!(store.commit(&[created(run)]), StoreError::Conflict(_));
    assert_refused!(other.commit(&[created(run)]), StoreError::Conflict(_));
}

/// Numbers count from 1 in the order of recording, however the events came.
pub fn numbers_events_without_a_gap(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[RunCommit { events: events(1, 2), ..created(run) }]).unwrap();
    let mut next = 3;
    for size in [1, 700, 0, 2, 300] {
        store.commit(&[records(run, next, events(next, next + size - 1))]).unwrap();
        next += size;
    }
    let page = store.journal(run, 0, usize::MAX).unwrap();
    assert!(!page.more);
    let expected: Vec<_> = (1..next).map(|n| (n, event(n))).collect();
    let got: Vec<_> = page.events.into_iter().map(|it| (it.seq, it.event)).collect();
    assert_eq!(got, expected);
}

/// One call may hold several commits of one run, its creation included.
pub fn takes_several_commits_of_one_run(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    let (first, second) = (records(run, 1, events(1, 2)), records(run, 3, events(3, 3)));
    store.commit(&[created(run), first, second]).unwrap();
    store.commit(&[records(run, 4, events(4, 4)), records(run, 5, events(5, 5))]).unwrap();
    assert_eq!(recorded(&mut store, run), events(1, 5));
}

/// A commit may hold a change of state and nothing else.
pub fn without_events_may_change_the_state(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    store.commit(&[RunCommit { state_changed: true, ..records(run, 1, vec![]) }]).unwrap();
    assert_eq!(store.run(run).unwrap().state, RunState::Running);
    store.commit(&[records(run, 1, events(1, 1))]).unwrap();
}

/// An empty call succeeds.
pub fn of_nothing_is_fine(fixture: &impl Fixture) {
    fixture.session().commit(&[]).unwrap();
}

/// A big group commit is one call.
pub fn takes_five_thousand_runs_at_once(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let new = new_run(definition("sample"));
    let create = |n| RunCommit { events: events(1, 2), ..creates(run_id(n), new.clone()) };
    store.commit(&(0..5000).map(create).collect::<Vec<_>>()).unwrap();
    let more = |n| records(run_id(n), 3, events(3, 3));
    store.commit(&(0..5000).map(more).collect::<Vec<_>>()).unwrap();
    for n in [0, 1, 2499, 4999] {
        assert_eq!(recorded(&mut store, run_id(n)), events(1, 3));
    }
    let all = store.list(&RunFilter { limit: 6000, ..RunFilter::default() }).unwrap();
    assert_eq!((all.runs.len(), all.more), (5000, false));
}

/// A value of a mebibyte is a value like any other.
pub fn keeps_large_values_whole(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    let large: Value = "0123456789abcdef".repeat(1 << 16).into();
    let new = NewRun {
        variables: Arc::new(vec![variable("LARGE", large.clone(), true)]),
        ..new_run(definition("sample"))
    };
    let emitted = emits(vec![output("A", large.clone(), false), output("B", large, true)]);
    let variables = Arc::clone(&new.variables);
    store.commit(&[RunCommit { events: vec![emitted.clone()], ..creates(run, new) }]).unwrap();
    let loaded = store.load(run).unwrap();
    assert!(loaded.events == [emitted] && loaded.new.variables == variables);
}

/// Text is kept to the last character, whatever its script.
pub fn keeps_any_text_as_it_is(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    let text = "Grüße, 世界 🚀 \u{202e}\u{0}\r\n\t\"quoted\" \\ 'single' {{ENV:X}} \u{10ffff}";
    let new = NewRun {
        variables: Arc::new(vec![variable(text, text, false), variable("S", text, true)]),
        base: format!("/tmp/{text}"),
        ..new_run(definition(text))
    };
    let emitted = emits(vec![output(text, text, false), output("S", text, true)]);
    let create = RunCommit { events: vec![emitted.clone()], ..creates(run, new.clone()) };
    store.commit(&[create]).unwrap();
    let loaded = store.load(run).unwrap();
    assert_eq!(loaded.events, [emitted]);
    assert_eq!((loaded.new.variables, loaded.new.base.clone()), (new.variables, new.base.clone()));
    assert_eq!(loaded.new.definition, new.definition);
    let summary = store.run(run).unwrap();
    assert_eq!((summary.workflow.as_str(), summary.base), (text, new.base));
    let filter = RunFilter { workflow: Some(text.into()), ..RunFilter::default() };
    assert_eq!(store.list(&filter).unwrap().runs.len(), 1);
}
