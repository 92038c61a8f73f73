//! Secrets: opened for the engine, masked for everybody else, unreadable in what is kept.

use super::Fixture;
use super::samples::{SECRET, creates, every_event, every_request, run_id, secretive_run};
use crate::record::MASK;
use crate::{QueryStore, RunCommit, RunStore};
use loom_core::Event;

fn secretive_commit() -> RunCommit {
    RunCommit { events: every_event(), ..creates(run_id(1), secretive_run()) }
}

/// Nothing that a reader gets holds a secret, and what is not secret reads as it is.
pub fn are_masked_for_those_who_look(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store.commit(&[secretive_commit()]).unwrap();
    let variables = store.variables(run_id(1)).unwrap();
    let values: Vec<_> = variables.iter().map(|variable| variable.value.clone()).collect();
    assert_eq!(values, [MASK, MASK, "readable"]);
    assert!(variables[0].secret && !variables[2].secret);

    let journal = store.journal(run_id(1), 0, usize::MAX).unwrap().events;
    assert!(!format!("{journal:?}").contains(SECRET));
    for (recorded, mut original) in journal.into_iter().zip(every_event()) {
        for secret in original.secrets_mut() {
            *secret = MASK.into();
        }
        assert_eq!(recorded.event, original);
    }

    let definition = store.definition(&secretive_run().hash).unwrap();
    let values: Vec<_> = definition.env.iter().map(|var| var.value.clone()).collect();
    assert_eq!(values, ["{{ENV:API_TOKEN}}", MASK, MASK, "readable"]);
}

/// The engine gets every secret as it was.
pub fn are_opened_for_the_engine(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store.commit(&[secretive_commit()]).unwrap();
    let loaded = store.load(run_id(1)).unwrap();
    assert_eq!(loaded.events, every_event());
    assert_eq!(loaded.new.definition, secretive_run().definition);
    assert_eq!(loaded.new.variables, secretive_run().variables);
}

/// One session opens what another sealed, in either direction.
pub fn are_opened_for_another_session(fixture: &impl Fixture) {
    let (mut first, mut second) = (fixture.session(), fixture.session());
    first.commit(&[secretive_commit()]).unwrap();
    second.commit(&[creates(run_id(2), secretive_run())]).unwrap();
    assert_eq!(first.load(run_id(2)).unwrap().new.variables, secretive_run().variables);
    drop(first);
    let loaded = second.load(run_id(1)).unwrap();
    assert!(loaded.events.iter().any(|event| matches!(event, Event::Resolved { .. })));
    assert_eq!(loaded.events, every_event());
}

/// Whoever reads what the store keeps, but not its key, finds the rest and no secret.
pub fn are_not_readable_in_what_is_kept(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store.commit(&[secretive_commit()]).unwrap();
    for request in every_request() {
        store.post(run_id(1), &request).unwrap();
    }
    let Some(kept) = fixture.readable() else { return };
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("readable") && holds("by hand"), "the test does not see what is kept");
    assert!(!holds(SECRET) && !holds(&SECRET[8..]));
}
