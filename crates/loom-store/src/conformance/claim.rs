//! Ownership: a living owner is never taken over, a dead one is.

use super::Fixture;
use super::samples::{created, definition, ended, events, new_run, records, run_id};
use crate::{Claim, QueryStore, RunCommit, RunStore, StoreError, assert_refused};
use loom_core::RunState;

/// The claim names the living owner and changes nothing.
pub fn of_a_living_owners_run_is_refused(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    let Claim::OwnedBy(name) = other.claim(run).unwrap() else { panic!("it was taken over") };
    assert!(!name.is_empty());
    assert_refused!(other.commit(&[records(run, 1, events(1, 1))]), StoreError::Conflict(_));
    owner.commit(&[records(run, 1, events(1, 1))]).unwrap();
}

/// Whoever comes first after the owner's death has the run.
pub fn of_a_dead_owners_run_succeeds(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    drop(owner);
    assert!(!other.run(run).unwrap().alive);
    assert_eq!(other.claim(run).unwrap(), Claim::Claimed);
    assert!(other.run(run).unwrap().alive);
    assert!(matches!(fixture.session().claim(run).unwrap(), Claim::OwnedBy(_)));
}

/// A run that was given up may be claimed while its former owner lives.
pub fn of_a_released_run_succeeds(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    owner.release(run).unwrap();
    assert!(!other.run(run).unwrap().alive);
    assert_eq!(other.claim(run).unwrap(), Claim::Claimed);
    assert!(matches!(owner.claim(run).unwrap(), Claim::OwnedBy(_)));
    assert_refused!(owner.commit(&[records(run, 1, events(1, 1))]), StoreError::Conflict(_));
    other.commit(&[records(run, 1, events(1, 1))]).unwrap();
}

/// Nobody has a run that has ended, whoever brought it to its end.
pub fn of_an_ended_run_succeeds_while_its_owner_lives(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[ended(run, new_run(definition("sample")), 1)]).unwrap();
    assert!(!other.run(run).unwrap().alive);
    assert_eq!(other.claim(run).unwrap(), Claim::Claimed);
    assert!(matches!(owner.claim(run).unwrap(), Claim::OwnedBy(_)));
    other.commit(&[records(run, 3, events(3, 3))]).unwrap();
    assert_refused!(owner.commit(&[records(run, 4, events(4, 4))]), StoreError::Conflict(_));
}

/// Who claimed an ended run and has nothing to record gives it up with a commit of nothing.
pub fn of_an_ended_run_is_undone_by_recording_nothing(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[ended(run, new_run(definition("sample")), 1)]).unwrap();
    let before = owner.run(run).unwrap();
    owner.claim(run).unwrap();
    assert!(matches!(other.claim(run).unwrap(), Claim::OwnedBy(_)));
    let nothing = RunCommit { state: RunState::Succeeded, ..records(run, 3, vec![]) };
    owner.commit(&[nothing]).unwrap();
    assert_eq!(owner.run(run).unwrap(), before);
    assert_eq!(other.claim(run).unwrap(), Claim::Claimed);
}

/// Claiming twice is as good as once.
pub fn of_an_own_run_changes_nothing(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[RunCommit { events: events(1, 2), ..created(run) }]).unwrap();
    assert_eq!(store.claim(run).unwrap(), Claim::Claimed);
    store.commit(&[records(run, 3, events(3, 3))]).unwrap();
    assert_eq!(store.claim(run).unwrap(), Claim::Claimed);
    store.commit(&[records(run, 4, events(4, 4))]).unwrap();
    assert_eq!(store.load(run).unwrap().events, events(1, 4));
}

/// Numbers go on behind the last event that the dead owner recorded.
pub fn continues_where_the_dead_owner_stopped(fixture: &impl Fixture) {
    let run = run_id(1);
    let mut owner = fixture.session();
    owner.commit(&[RunCommit { events: events(1, 300), ..created(run) }]).unwrap();
    owner.commit(&[records(run, 301, events(301, 303))]).unwrap();
    drop(owner);
    let mut next = fixture.session();
    next.claim(run).unwrap();
    assert_refused!(next.commit(&[records(run, 303, events(303, 303))]), StoreError::Conflict(_));
    next.commit(&[records(run, 304, events(304, 304))]).unwrap();
    assert_eq!(next.load(run).unwrap().events, events(1, 304));
}

/// Of many who claim at once, one wins, and the others are told who.
pub fn is_won_by_one_of_many(fixture: &impl Fixture) {
    let run = run_id(1);
    let mut owner = fixture.session();
    owner.commit(&[created(run)]).unwrap();
    drop(owner);
    let mut sessions: Vec<_> = (0..4).map(|_| fixture.session()).collect();
    let claims: Vec<Claim> = std::thread::scope(|scope| {
        let threads: Vec<_> = sessions
            .iter_mut()
            .map(|session| scope.spawn(move || session.claim(run).unwrap()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won = claims.iter().filter(|claim| **claim == Claim::Claimed).count();
    assert_eq!(won, 1, "{claims:?}");
}

/// Only the owner can give a run up.
pub fn release_of_anothers_run_has_no_effect(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    other.release(run).unwrap();
    other.release(run_id(2)).unwrap();
    assert!(matches!(other.claim(run).unwrap(), Claim::OwnedBy(_)));
    owner.commit(&[records(run, 1, events(1, 1))]).unwrap();
}
