//! Taking a run up again.

use super::Fixture;
use super::samples::{
    created, creates, events, every_event, full_meta, new_run, run_id, secretive_run,
};
use crate::{NewRun, RunCommit, RunStore};
use std::sync::Arc;

/// Every kind of event comes back exactly as it went in.
pub fn answers_with_what_was_committed_for_every_kind_of_event(fixture: &impl Fixture) {
    let run = run_id(1);
    let mut store = fixture.session();
    store.commit(&[RunCommit { events: every_event(), ..created(run) }]).unwrap();
    assert_eq!(store.load(run).unwrap().events, every_event());
    drop(store);
    assert_eq!(fixture.session().load(run).unwrap().events, every_event());
}

/// The definition, the variables and the rest come back too.
pub fn answers_with_what_the_run_was_created_from(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let plain = NewRun { workers: u32::MAX, ..new_run(super::samples::definition("plain")) };
    let said = NewRun { meta: Arc::new(full_meta()), ..plain.clone() };
    for (n, new) in [(1, secretive_run()), (2, plain), (3, said)] {
        store.commit(&[creates(run_id(n), new.clone())]).unwrap();
        let loaded = store.load(run_id(n)).unwrap().new;
        assert_eq!(loaded.definition, new.definition);
        assert_eq!(loaded.hash, new.hash);
        assert_eq!(loaded.variables, new.variables);
        assert_eq!((loaded.workers, loaded.base), (new.workers, new.base));
        assert_eq!(loaded.created_at, new.created_at);
        assert_eq!(loaded.meta, new.meta);
    }
}

/// Anybody may load a run, also while its owner goes on.
pub fn needs_no_ownership(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let run = run_id(1);
    owner.commit(&[RunCommit { events: events(1, 2), ..created(run) }]).unwrap();
    assert_eq!(other.load(run).unwrap().events, events(1, 2));
}
