//! Requests: each reaches the run's owner, in order, and takes effect once.

use super::Fixture;
use super::samples::{
    at, becomes, created, definition, ended, events, every_request, new_run, records, run_id,
};
use crate::{QueryStore, RunCommit, RunStore, StoreError, assert_refused};
use loom_core::{Event, Request, RunId, RunOutcome, RunState};

fn pause(n: usize) -> Request {
    Request::Pause { by: format!("somebody {n}") }
}

fn posted(store: &mut impl RunStore) -> Vec<(RunId, Request)> {
    let posted = store.requests().unwrap().into_iter();
    posted.map(|posted| (posted.run, posted.request.unwrap())).collect()
}

/// What settles the request that is posted for this run.
fn settles(store: &mut impl RunStore, run: RunId) -> RunCommit {
    let posted = store.requests().unwrap();
    let of_run = posted.into_iter().filter(|posted| posted.run == run);
    RunCommit { settles: of_run.map(|posted| posted.id).collect(), ..records(run, 1, vec![]) }
}

/// The oldest first, as often as they are read, and none that a commit has settled.
pub fn come_in_order_until_they_are_settled(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let (a, b) = (run_id(1), run_id(2));
    owner.commit(&[created(a), created(b)]).unwrap();
    assert_eq!(posted(&mut owner), []);
    for (n, run) in [b, a, b].into_iter().enumerate() {
        other.post(run, &pause(n)).unwrap();
    }
    let all = [(b, pause(0)), (a, pause(1)), (b, pause(2))];
    assert_eq!(posted(&mut owner), all);
    assert_eq!(posted(&mut owner), all);
    let first = owner.requests().unwrap()[0].id;
    owner.commit(&[RunCommit { settles: vec![first], ..records(b, 1, events(1, 1)) }]).unwrap();
    assert_eq!(posted(&mut owner), all[1..]);
    let rest = settles(&mut owner, a);
    owner.commit(&[rest]).unwrap();
    assert_eq!(posted(&mut owner), all[2..]);
    other.post(a, &pause(3)).unwrap();
    assert_eq!(posted(&mut owner), [(b, pause(2)), (a, pause(3))]);
    let rest = [settles(&mut owner, a), RunCommit { first_seq: 2, ..settles(&mut owner, b) }];
    owner.commit(&rest).unwrap();
    assert_eq!(posted(&mut owner), []);
}

/// A request for somebody else's run stays where it is.
pub fn come_only_to_the_runs_owner(fixture: &impl Fixture) {
    let (mut first, mut second) = (fixture.session(), fixture.session());
    let (a, b) = (run_id(1), run_id(2));
    first.commit(&[created(a)]).unwrap();
    second.commit(&[created(b)]).unwrap();
    let mut reader = fixture.session();
    reader.post(a, &pause(0)).unwrap();
    reader.post(b, &pause(1)).unwrap();
    assert_eq!(posted(&mut reader), []);
    assert_eq!(posted(&mut second), [(b, pause(1))]);
    let theirs = first.requests().unwrap()[0].id;
    second.commit(&[RunCommit { settles: vec![theirs], ..records(b, 1, vec![]) }]).unwrap();
    assert_eq!(posted(&mut first), [(a, pause(0))]);
}

/// A request waits for an owner.
pub fn posted_while_nobody_owned_the_run_come_to_who_claims_it(fixture: &impl Fixture) {
    let run = run_id(1);
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    owner.commit(&[created(run)]).unwrap();
    next.commit(&[created(run_id(2))]).unwrap();
    owner.release(run).unwrap();
    fixture.session().post(run, &pause(0)).unwrap();
    assert_eq!(posted(&mut owner), []);
    assert_eq!(posted(&mut next), []);
    next.claim(run).unwrap();
    assert_eq!(posted(&mut next), [(run, pause(0))]);
}

/// The owner's own session may post as well.
pub fn posted_by_the_owner_itself_come_too(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    assert_eq!(posted(&mut store), []);
    store.post(run, &pause(0)).unwrap();
    assert_eq!(posted(&mut store), [(run, pause(0))]);
}

/// What a dead owner had read and not settled, the next one gets; what it settled is gone.
pub fn not_settled_at_the_owners_death_come_to_the_next(fixture: &impl Fixture) {
    let run = run_id(1);
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    owner.commit(&[created(run)]).unwrap();
    next.post(run, &pause(0)).unwrap();
    let settled = settles(&mut owner, run);
    owner.commit(&[settled]).unwrap();
    next.post(run, &pause(1)).unwrap();
    assert_eq!(posted(&mut owner), [(run, pause(1))]);
    drop(owner);
    next.claim(run).unwrap();
    assert_eq!(posted(&mut next), [(run, pause(1))]);
}

/// A commit that is refused settles nothing.
pub fn are_settled_with_their_commit_or_not_at_all(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    store.post(run, &pause(0)).unwrap();
    let settled = settles(&mut store, run);
    let wrong = RunCommit { first_seq: 7, ..settled.clone() };
    assert_refused!(store.commit(&[settled, wrong]), StoreError::Conflict(_));
    assert_eq!(posted(&mut store), [(run, pause(0))]);
}

/// What was asked of a run under way does not befall it when it is opened again.
pub fn end_with_their_run(fixture: &impl Fixture) {
    let (mut store, mut other) = (fixture.session(), fixture.session());
    let (ending, lasting) = (run_id(1), run_id(2));
    store.commit(&[created(ending), created(lasting)]).unwrap();
    other.post(ending, &pause(0)).unwrap();
    other.post(lasting, &pause(1)).unwrap();
    let finished = Event::RunFinished { at: at(1), outcome: RunOutcome::Failed };
    store.commit(&[becomes(ending, 1, finished, RunState::Failed)]).unwrap();
    other.claim(ending).unwrap();
    assert_eq!(posted(&mut other), []);
    assert_eq!(posted(&mut store), [(lasting, pause(1))]);
}

/// Whoever asks something of a run that has ended has to claim it.
pub fn of_an_ended_run_are_refused(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[ended(run, new_run(definition("sample")), 1)]).unwrap();
    assert_refused!(store.post(run, &pause(0)), StoreError::Conflict(it) if it == run);
    store.claim(run).unwrap();
    assert_eq!(posted(&mut store), []);
}

/// Whatever can be asked arrives as it was asked, secrets included.
pub fn of_every_kind_come_as_they_were_posted(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    for request in every_request() {
        other.post(run, &request).unwrap();
    }
    let came: Vec<Request> = posted(&mut owner).into_iter().map(|(_, request)| request).collect();
    assert_eq!(came, every_request());
}
