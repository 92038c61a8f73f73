//! Looking at runs, journals and definitions.

use super::Fixture;
use super::samples::{
    at, becomes, created, creates, definition, event, events, full_meta, new_run, records, run_id,
};
use crate::{
    Claim, NewRun, QueryStore, RunCommit, RunFilter, RunMeta, RunStore, RunSummary, StoreError,
    assert_refused,
};
use loom_core::{Event, RunId, RunOutcome, RunState};
use std::sync::Arc;

/// Either end of the identity's text finds the run, its middle does not, and upper case neither.
pub fn finds_runs_by_either_end_of_their_identity(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let random = |n: u64| RunId::new(n << 20, u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let runs: Vec<RunId> = (1..40).map(random).collect();
    store.commit(&runs.iter().map(|run| created(*run)).collect::<Vec<_>>()).unwrap();
    for run in &runs {
        let text = run.to_string();
        for length in 0..=text.len() {
            for part in [&text[..length], &text[text.len() - length..]] {
                let matching = |it: &&RunId| {
                    let it = it.to_string();
                    it.starts_with(part) || it.ends_with(part)
                };
                let expected: Vec<RunId> = runs.iter().rev().filter(matching).copied().collect();
                assert_eq!(store.find(part, 100).unwrap(), expected, "{part}");
                assert_eq!(store.find(part, 2).unwrap(), expected[..expected.len().min(2)]);
            }
        }
    }
    let text = runs[7].to_string();
    let longer = format!("{text}0");
    for none in [&text[9..20], &longer, "u", "last", "%", "é", "zzzzzzzz", &text.to_uppercase()] {
        assert_eq!(store.find(none, 100).unwrap(), [], "{none}");
    }
}

/// Pages follow one another without a gap, whatever their size and however the events came.
pub fn pages_a_journal(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[RunCommit { events: events(1, 600), ..created(run) }]).unwrap();
    for n in 601..=610 {
        store.commit(&[records(run, n, events(n, n))]).unwrap();
    }
    for limit in [1, 7, 256, 599, 610, 611] {
        let mut read = Vec::new();
        loop {
            let page = store.journal(run, read.len() as u64, limit).unwrap();
            assert!(page.events.len() <= limit);
            read.extend(page.events.into_iter().map(|recorded| (recorded.seq, recorded.event)));
            if !page.more {
                break;
            }
        }
        let expected: Vec<_> = (1..=610).map(|n| (n, event(n))).collect();
        assert!(read == expected, "in pages of {limit}");
    }
    for after in [610, 611, u64::MAX] {
        let page = store.journal(run, after, 10).unwrap();
        assert!(page.events.is_empty() && !page.more);
    }
    let nothing = store.journal(run, 609, 0).unwrap();
    assert!(nothing.events.is_empty() && nothing.more);
    store.commit(&[created(run_id(2))]).unwrap();
    assert!(!store.journal(run_id(2), 0, 10).unwrap().more);
}

/// Every field of the summary says what the run was created with.
pub fn shows_a_run_as_it_stands(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    let mut definition = definition("shown");
    definition.namespace = "space".into();
    definition.version = "2.3.4".into();
    let meta = Arc::new(full_meta());
    let new = NewRun { meta: Arc::clone(&meta), ..new_run(definition) };
    store.commit(&[creates(run, new.clone())]).unwrap();
    let expected = RunSummary {
        id: run,
        namespace: "space".into(),
        workflow: "shown".into(),
        version: "2.3.4".into(),
        definition: new.hash,
        state: RunState::Queued,
        created_at: at(0),
        started_at: None,
        finished_at: None,
        workers: 4,
        base: "/home/somebody".into(),
        alive: true,
        meta,
    };
    assert_eq!(store.run(run).unwrap(), expected);
    assert_eq!(store.list(&RunFilter::default()).unwrap().runs, [expected]);
    assert_eq!(store.variables(run).unwrap(), *new.variables);
}

/// The first start counts, and an end only until the run is opened again.
pub fn shows_when_a_run_started_and_ended(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    let failed = |seconds| Event::RunFinished { at: at(seconds), outcome: RunOutcome::Failed };
    let reopened = Event::RunReopened { at: at(9), by: "somebody".into(), tasks: vec![] };
    let paused = Event::RunPaused { at: at(6), by: "somebody".into() };
    let life = [
        (Event::RunStarted { at: at(5) }, RunState::Running, None),
        (paused, RunState::Paused, None),
        (Event::RunResumed { at: at(7), by: "somebody".into() }, RunState::Running, None),
        (failed(8), RunState::Failed, Some(at(8))),
        (reopened, RunState::Running, None),
        (failed(10), RunState::Failed, Some(at(10))),
    ];
    for (seq, (event, state, finished_at)) in (1..).zip(life) {
        store.claim(run).unwrap();
        store.commit(&[becomes(run, seq, event, state)]).unwrap();
        let summary = store.run(run).unwrap();
        assert_eq!(summary.state, state);
        assert_eq!(summary.started_at, Some(at(5)));
        assert_eq!(summary.finished_at, finished_at, "{state}");
    }
}

/// `alive` follows the owner's life, in summaries and in lists.
pub fn shows_whether_the_owner_lives(fixture: &impl Fixture) {
    let (mut first, mut second) = (fixture.session(), fixture.session());
    let mut reader = fixture.session();
    first.commit(&[created(run_id(1)), created(run_id(2))]).unwrap();
    second.commit(&[created(run_id(3))]).unwrap();
    first.release(run_id(2)).unwrap();
    let mut alive = || {
        let runs = reader.list(&RunFilter::default()).unwrap().runs;
        let listed: Vec<bool> = runs.iter().map(|run| run.alive).collect();
        let single: Vec<bool> = runs.iter().map(|run| reader.run(run.id).unwrap().alive).collect();
        assert_eq!(listed, single);
        listed
    };
    assert_eq!(alive(), [true, false, true]);
    drop(second);
    assert_eq!(alive(), [false, false, true]);
    drop(first);
    assert_eq!(alive(), [false, false, false]);
}

/// The owner that is named is the one that a claim would meet.
pub fn names_the_owner_that_lives(fixture: &impl Fixture) {
    let (mut owner, mut other) = (fixture.session(), fixture.session());
    let (kept, released, left) = (run_id(1), run_id(2), run_id(3));
    owner.commit(&[created(kept), created(released)]).unwrap();
    owner.release(released).unwrap();
    let mut gone = fixture.session();
    gone.commit(&[created(left)]).unwrap();
    drop(gone);
    let Claim::OwnedBy(name) = other.claim(kept).unwrap() else { panic!("it was taken over") };
    assert_eq!(other.owner(kept).unwrap(), Some(name.clone()));
    assert_eq!(owner.owner(kept).unwrap(), Some(name));
    assert_eq!(other.owner(released).unwrap(), None);
    assert_eq!(other.owner(left).unwrap(), None);
}

/// A reader beside a busy writer sees whole commits only: here two runs that grow together.
pub fn shows_only_what_is_committed(fixture: &impl Fixture) {
    let (mut writer, mut reader) = (fixture.session(), fixture.session());
    let (first, second) = (run_id(1), run_id(2));
    writer.commit(&[created(first), created(second)]).unwrap();
    let rounds = 60;
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            for n in 0..rounds {
                let from = 1 + n * 3;
                let grows = |run| records(run, from, events(from, from + 2));
                writer.commit(&[grows(second), grows(first)]).unwrap();
            }
        });
        loop {
            let done = writing.is_finished();
            let first_length = reader.load(first).unwrap().events.len() as u64;
            let second_length = reader.load(second).unwrap().events.len() as u64;
            assert!(first_length.is_multiple_of(3) && second_length >= first_length);
            if done {
                assert_eq!((first_length, second_length), (rounds * 3, rounds * 3));
                break;
            }
        }
    });
}

/// A definition is found under its hash, by every session, and kept once for many runs.
pub fn answers_with_definitions_by_content(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let (one, other) = (new_run(definition("one")), new_run(definition("other")));
    let again = NewRun { base: "/elsewhere".into(), ..one.clone() };
    store.commit(&[creates(run_id(1), one.clone()), creates(run_id(2), other.clone())]).unwrap();
    store.commit(&[creates(run_id(3), again)]).unwrap();
    let mut reader = fixture.session();
    for new in [one, other] {
        assert_eq!(reader.definition(&new.hash).unwrap(), *new.definition);
    }
    assert_refused!(reader.definition(&[0; 32]), StoreError::Unavailable(_));
}

/// What is said about a run is replaced where it is still what was said before; the run is found by
/// the new and not by the old, its owner goes on with it, and no other run is touched.
pub fn says_something_else_of_a_run(fixture: &impl Fixture) {
    let mut owner = fixture.session();
    let mut store = fixture.session();
    let [run, other, plain] = [1, 2, 3].map(run_id);
    let new = |meta: RunMeta| NewRun { meta: Arc::new(meta), ..new_run(definition("said")) };
    let before = full_meta();
    owner.commit(&[run, other].map(|run| creates(run, new(before.clone())))).unwrap();
    owner.commit(&[created(plain)]).unwrap();
    let tagged = |store: &mut dyn QueryStore, tag: &str, note: (&str, &str)| -> Vec<RunId> {
        let annotations = vec![(note.0.to_owned(), Some(note.1.to_owned()))];
        let filter = RunFilter { tags: vec![tag.into()], annotations, ..RunFilter::default() };
        store.list(&filter).unwrap().runs.iter().map(|run| run.id).collect()
    };
    let mut after = before.clone();
    after.tags = ["nightly".into(), "new".into()].into();
    after.annotations.insert("team".into(), "other".into());
    after.priority = 7;
    assert!(store.describe(run, &before, &after).unwrap());
    assert!(!store.describe(run, &before, &RunMeta::default()).unwrap(), "it is another by now");
    assert_eq!(*store.run(run).unwrap().meta, after);
    assert_eq!(*owner.load(run).unwrap().new.meta, after);
    assert_eq!(tagged(&mut store, "new", ("team", "other")), [run]);
    assert_eq!(tagged(&mut store, "nightly", ("team", "data")), [other]);
    assert_eq!(*store.run(other).unwrap().meta, before);

    assert!(store.describe(run, &after, &RunMeta::default()).unwrap());
    assert_eq!(tagged(&mut store, "new", ("team", "other")), []);
    assert!(store.describe(plain, &RunMeta::default(), &after).unwrap());
    assert_eq!(tagged(&mut store, "new", ("team", "other")), [plain]);
    owner.commit(&[records(plain, 1, events(1, 1))]).unwrap();
    assert_refused!(store.describe(run_id(9), &before, &after), StoreError::NoRun(_));
}

/// The number of the last event is that of the journal's end.
pub fn names_the_last_event(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    assert_refused!(store.last_seq(run), StoreError::NoRun(it) if it == run);
    store
        .commit(&[created(run), RunCommit { events: events(1, 3), ..created(run_id(2)) }])
        .unwrap();
    assert_eq!((store.last_seq(run).unwrap(), store.last_seq(run_id(2)).unwrap()), (0, 3));
    store.commit(&[records(run, 1, events(1, 700))]).unwrap();
    store.commit(&[records(run, 701, events(701, 701))]).unwrap();
    assert_eq!(store.last_seq(run).unwrap(), 701);
}
