//! How stores refuse.

use super::Fixture;
use super::samples::{created, events, records, run_id};
use crate::{QueryStore, RunStore, StoreError, assert_refused};
use loom_core::Request;

/// Every call about a run that does not exist says so and names it.
pub fn name_the_run_that_is_not_there(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store.commit(&[created(run_id(1))]).unwrap();
    let missing = run_id(2);
    let pause = Request::Pause { by: "somebody".into() };
    let commit = store.commit(&[records(missing, 1, events(1, 1))]);
    assert_refused!(commit, StoreError::NoRun(run) if run == missing);
    assert_refused!(store.load(missing), StoreError::NoRun(run) if run == missing);
    assert_refused!(store.claim(missing), StoreError::NoRun(run) if run == missing);
    assert_refused!(store.run(missing), StoreError::NoRun(run) if run == missing);
    assert_refused!(store.owner(missing), StoreError::NoRun(run) if run == missing);
    assert_refused!(store.variables(missing), StoreError::NoRun(run) if run == missing);
    assert_refused!(store.journal(missing, 0, 1), StoreError::NoRun(run) if run == missing);
    assert_refused!(store.post(missing, &pause), StoreError::NoRun(run) if run == missing);
}

/// After a refusal everything goes on as before.
pub fn leave_the_store_usable(fixture: &impl Fixture) {
    let mut store = fixture.session();
    for n in 1..20 {
        let run = run_id(n);
        store.commit(&[created(run), records(run, 1, events(1, 1))]).unwrap();
        let refused = store.commit(&[records(run, 2, events(2, 2)), records(run, 2, events(2, 2))]);
        assert_refused!(refused, StoreError::Conflict(it) if it == run);
        store.commit(&[records(run, 2, events(2, 2))]).unwrap();
        assert_eq!(store.load(run).unwrap().events, events(1, 2));
    }
}
