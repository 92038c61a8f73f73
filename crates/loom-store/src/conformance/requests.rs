//! Requests: each reaches the run's owner, once, in order.

use super::Fixture;
use super::samples::{created, every_request, run_id};
use crate::{Posted, QueryStore, RunStore};
use loom_core::{Request, RunId};

fn pause(n: usize) -> Request {
    Request::Pause { by: format!("somebody {n}") }
}

fn posted(run: RunId, n: usize) -> Posted {
    Posted { run, request: pause(n) }
}

/// The oldest first, and none twice.
pub fn come_in_order_and_once(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let (a, b) = (run_id(1), run_id(2));
    owner.commit(&[created(a), created(b)]).unwrap();
    assert_eq!(owner.take_requests().unwrap(), []);
    for (n, run) in [b, a, b].into_iter().enumerate() {
        other.post(run, &pause(n)).unwrap();
    }
    assert_eq!(owner.take_requests().unwrap(), [posted(b, 0), posted(a, 1), posted(b, 2)]);
    assert_eq!(owner.take_requests().unwrap(), []);
    other.post(a, &pause(3)).unwrap();
    assert_eq!(owner.take_requests().unwrap(), [posted(a, 3)]);
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
    assert_eq!(reader.take_requests().unwrap(), []);
    assert_eq!(second.take_requests().unwrap(), [posted(b, 1)]);
    assert_eq!(first.take_requests().unwrap(), [posted(a, 0)]);
}

/// A request waits for an owner.
pub fn posted_while_nobody_owned_the_run_come_to_who_claims_it(fixture: &impl Fixture) {
    let run = run_id(1);
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    owner.commit(&[created(run)]).unwrap();
    next.commit(&[created(run_id(2))]).unwrap();
    owner.release(run).unwrap();
    fixture.session().post(run, &pause(0)).unwrap();
    assert_eq!(owner.take_requests().unwrap(), []);
    assert_eq!(next.take_requests().unwrap(), []);
    next.claim(run).unwrap();
    assert_eq!(next.take_requests().unwrap(), [posted(run, 0)]);
}

/// The owner's own session may post as well.
pub fn posted_by_the_owner_itself_come_too(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    assert_eq!(store.take_requests().unwrap(), []);
    store.post(run, &pause(0)).unwrap();
    assert_eq!(store.take_requests().unwrap(), [posted(run, 0)]);
}

/// What a dead owner did not take, the next one gets; what it took is gone.
pub fn untaken_at_the_owners_death_come_to_the_next(fixture: &impl Fixture) {
    let run = run_id(1);
    let (mut owner, mut next) = (fixture.session(), fixture.session());
    owner.commit(&[created(run)]).unwrap();
    next.post(run, &pause(0)).unwrap();
    assert_eq!(owner.take_requests().unwrap(), [posted(run, 0)]);
    next.post(run, &pause(1)).unwrap();
    drop(owner);
    next.claim(run).unwrap();
    assert_eq!(next.take_requests().unwrap(), [posted(run, 1)]);
}

/// Whatever can be asked arrives as it was asked, secrets included.
pub fn of_every_kind_come_as_they_were_posted(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[created(run)]).unwrap();
    for request in every_request() {
        other.post(run, &request).unwrap();
    }
    let taken = owner.take_requests().unwrap().into_iter().map(|posted| posted.request);
    assert_eq!(taken.collect::<Vec<_>>(), every_request());
}
