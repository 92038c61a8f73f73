//! Pruning and deleting.

use super::Fixture;
use super::samples::{
    at, becomes, created, definition, ended, events, full_meta, new_run, older_than, records,
    run_id, secretive_run,
};
use crate::{
    Claim, NewRun, QueryStore, Retention, RunCommit, RunFilter, RunStore, StoreError, UpkeepStore,
    assert_refused,
};
use loom_core::{Event, RunId, RunOutcome, RunState};
use std::sync::Arc;

/// What has not ended, or not long ago, stays; of the rest nothing does.
pub fn prunes_only_ended_runs_that_are_old_enough(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let new = || new_run(definition("sample"));
    let (old, young, running) = (run_id(1), run_id(2), run_id(3));
    let commits = [
        ended(old, new(), 10),
        ended(young, new(), 20),
        created(running),
        becomes(running, 1, Event::RunStarted { at: at(1) }, RunState::Running),
    ];
    store.commit(&commits).unwrap();
    assert_eq!(store.prune(&older_than(10, 100)).unwrap(), []);
    assert_eq!(store.prune(&older_than(20, 100)).unwrap(), [old]);
    assert_refused!(store.run(old), StoreError::NoRun(_));
    assert_refused!(store.load(old), StoreError::NoRun(_));
    assert_refused!(store.journal(old, 0, 9), StoreError::NoRun(_));
    assert_refused!(store.variables(old), StoreError::NoRun(_));
    assert_refused!(store.claim(old), StoreError::NoRun(_));
    assert_eq!(store.load(young).unwrap().events.len(), 2);
    assert_eq!(store.load(running).unwrap().events.len(), 1);
    assert_eq!(store.find("", 9).unwrap(), [running, young]);
}

/// The limit holds, the oldest go first, and the rest go with the next call.
pub fn prunes_at_most_so_many(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let new = new_run(definition("sample"));
    let commits: Vec<_> = (0..5).map(|n| ended(run_id(n), new.clone(), 10)).collect();
    store.commit(&commits).unwrap();
    assert_eq!(store.prune(&older_than(99, 0)).unwrap(), []);
    assert_eq!(store.prune(&older_than(99, 3)).unwrap(), [0, 1, 2].map(run_id));
    assert_eq!(store.prune(&older_than(99, 3)).unwrap(), [3, 4].map(run_id));
    assert_eq!(store.prune(&older_than(99, 3)).unwrap(), []);
}

/// A definition goes with its last run and may come back with another.
pub fn prunes_definitions_that_no_run_uses(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let (shared, own) = (new_run(definition("shared")), secretive_run());
    let commits = [
        ended(run_id(1), shared.clone(), 10),
        ended(run_id(2), shared.clone(), 20),
        ended(run_id(3), own.clone(), 10),
    ];
    store.commit(&commits).unwrap();
    assert_eq!(store.prune(&older_than(15, 100)).unwrap(), [run_id(1), run_id(3)]);
    assert_eq!(store.definition(&shared.hash).unwrap(), *shared.definition);
    assert_refused!(store.definition(&own.hash), StoreError::Unavailable(_));
    store.commit(&[ended(run_id(4), own.clone(), 10)]).unwrap();
    assert_eq!(store.load(run_id(4)).unwrap().new.definition, own.definition);
}

/// What is pruned may be confined to namespaces, a workflow and states, all of which must hold.
pub fn prunes_only_what_it_is_told_to(fixture: &impl Fixture) {
    let mut store = fixture.session();
    for n in 0..8 {
        let mut definition = definition(if n % 2 == 0 { "even" } else { "odd" });
        definition.namespace = if n < 4 { "low".into() } else { "high".into() };
        let state = if n % 4 < 2 { RunState::Failed } else { RunState::Cancelled };
        let end = ended(run_id(n), new_run(definition), 10);
        store.commit(&[RunCommit { state, ..end }]).unwrap();
    }
    let all = older_than(20, 100);
    let names = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    let even = Some("even".to_owned());
    let cases = [
        (Retention { namespaces: names(&[]), ..all.clone() }, vec![]),
        (Retention { namespaces: names(&["other"]), ..all.clone() }, vec![]),
        (Retention { states: vec![RunState::Succeeded], ..all.clone() }, vec![]),
        (Retention { states: vec![RunState::Queued], ..all.clone() }, vec![]),
        (
            Retention {
                namespaces: names(&["low", "other"]),
                workflow: even.clone(),
                states: vec![RunState::Running, RunState::Failed],
                ..all.clone()
            },
            vec![0],
        ),
        (Retention { namespaces: names(&["low"]), ..all.clone() }, vec![1, 2, 3]),
        (Retention { workflow: even, ..all.clone() }, vec![4, 6]),
        (Retention { states: vec![RunState::Failed], ..all.clone() }, vec![5]),
        (all, vec![7]),
    ];
    for (retention, expected) in cases {
        let expected: Vec<RunId> = expected.into_iter().map(run_id).collect();
        assert_eq!(store.prune(&retention).unwrap(), expected, "{retention:?}");
    }
}

/// An ended run is deleted with all that is kept of it, however lately it ended; its neighbours
/// stay.
pub fn deletes_one_run(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let new = NewRun { meta: Arc::new(full_meta()), ..secretive_run() };
    let (gone, other) = (run_id(1), run_id(2));
    store.commit(&[ended(gone, new.clone(), 10), ended(other, new.clone(), 10)]).unwrap();
    store.delete(gone).unwrap();
    assert_refused!(store.delete(gone), StoreError::NoRun(run) if run == gone);
    assert_refused!(store.run(gone), StoreError::NoRun(_));
    assert_refused!(store.journal(gone, 0, 9), StoreError::NoRun(_));
    let tagged = RunFilter { tags: vec!["nightly".into()], ..RunFilter::default() };
    let found: Vec<RunId> = store.list(&tagged).unwrap().runs.iter().map(|run| run.id).collect();
    assert_eq!(found, [other]);
    assert_eq!(store.load(other).unwrap().new.definition, new.definition);
    store.delete(other).unwrap();
    assert_refused!(store.definition(&new.hash), StoreError::Unavailable(_));
    // Nothing is left of them that would be in the way.
    store.commit(&[ended(gone, new, 10)]).unwrap();
    assert_eq!(store.list(&tagged).unwrap().runs.len(), 1);
}

/// A run that has not ended is not deleted, nor is one that was opened again.
pub fn deletes_no_run_that_has_not_ended(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    let refused = |store: &mut _| {
        assert_refused!(UpkeepStore::delete(store, run), StoreError::NotEnded(it) if it == run);
        assert_eq!(QueryStore::run(store, run).unwrap().id, run);
    };
    store.commit(&[created(run)]).unwrap();
    refused(&mut store);
    let outcome = RunOutcome::Failed;
    let end = Event::RunFinished { at: at(2), outcome };
    store.commit(&[becomes(run, 1, end, RunState::Failed)]).unwrap();
    store.claim(run).unwrap();
    let again = Event::RunReopened { at: at(3), by: "somebody".into(), tasks: vec![] };
    store.commit(&[becomes(run, 2, again, RunState::Running)]).unwrap();
    refused(&mut store);
}

/// What takes a pruned run's place is there like anything else.
pub fn leaves_room_for_what_is_recorded_next(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let new = || new_run(definition("sample"));
    let kept = RunCommit { events: events(1, 2), ..created(run_id(0)) };
    store.commit(&[kept, ended(run_id(1), new(), 10)]).unwrap();
    assert_eq!(store.prune(&older_than(99, 100)).unwrap(), [run_id(1)]);
    store.commit(&[records(run_id(0), 3, events(3, 3)), ended(run_id(1), new(), 10)]).unwrap();
    assert_eq!(store.load(run_id(0)).unwrap().events, events(1, 3));
    assert_eq!(store.load(run_id(1)).unwrap().events.len(), 2);
    assert_eq!(store.journal(run_id(1), 0, 9).unwrap().events.len(), 2);
}

/// Who ended a run that is then pruned is told that it is gone; nothing else is disturbed.
pub fn prunes_what_nobody_then_can_change(fixture: &impl Fixture) {
    let (mut owner, mut janitor) = (fixture.session(), fixture.session());
    let new = || new_run(definition("sample"));
    let (gone, other) = (run_id(1), run_id(2));
    owner.commit(&[ended(gone, new(), 10), created(other)]).unwrap();
    assert_eq!(janitor.prune(&older_than(99, 100)).unwrap(), [gone]);
    let late = owner.commit(&[records(other, 1, events(1, 1)), records(gone, 3, events(3, 3))]);
    assert_refused!(late, StoreError::NoRun(run) if run == gone);
    owner.commit(&[records(other, 1, events(1, 1))]).unwrap();
    assert_eq!(owner.claim(other).unwrap(), Claim::Claimed);
    owner.release(gone).unwrap();
}

/// Between the claim of an ended run and the commit that opens it again, the run stays.
pub fn leaves_a_run_that_a_living_owner_goes_on_with(fixture: &impl Fixture) {
    let (mut owner, mut janitor) = (fixture.session(), fixture.session());
    let new = || new_run(definition("sample"));
    let (wanted, other) = (run_id(1), run_id(2));
    janitor.commit(&[ended(wanted, new(), 10), ended(other, new(), 10)]).unwrap();
    owner.claim(wanted).unwrap();
    assert_eq!(janitor.prune(&older_than(99, 1)).unwrap(), [other]);
    assert_eq!(janitor.prune(&older_than(99, 100)).unwrap(), []);
    drop(owner);
    assert_eq!(janitor.prune(&older_than(99, 100)).unwrap(), [wanted]);
}
