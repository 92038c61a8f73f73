//! What was recorded of all runs, in one order.

use super::Fixture;
use super::samples::{
    SECRET, at, becomes, created, creates, definition, ended, event, events, every_event,
    full_meta, new_run, older_than, records, run_id, secretive_run,
};
use crate::{FeedPosition, NewRun, QueryStore, RunCommit, RunStore, UpkeepStore};
use loom_core::{Event, RunId, RunOutcome, RunState};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The events behind a position, read in pages of this size, and where they end. Asserts that
/// positions grow.
fn follow(
    store: &mut impl QueryStore,
    mut after: FeedPosition,
    limit: usize,
) -> (Vec<(RunId, u64, Event)>, FeedPosition) {
    let mut read = Vec::new();
    loop {
        let page = store.feed(after, limit).unwrap();
        for row in page.rows {
            assert!(row.position > after && !row.events.is_empty());
            assert_eq!(row.definition, store.run(row.run).unwrap().definition);
            after = row.position;
            let numbered = (row.first_seq..).zip(row.events);
            read.extend(numbered.map(|(seq, event)| (row.run, seq, event)));
        }
        if !page.more {
            return (read, after);
        }
    }
}

fn all(store: &mut impl QueryStore) -> Vec<(RunId, u64, Event)> {
    follow(store, FeedPosition::START, usize::MAX).0
}

fn numbered(run: RunId, from: u64, to: u64) -> impl Iterator<Item = (RunId, u64, Event)> {
    (from..=to).map(move |n| (run, n, event(n)))
}

/// Rows come in the order in which they were recorded, within a call and over calls, and refused
/// ones do not come.
pub fn is_in_the_order_of_the_commits(fixture: &impl Fixture) {
    let (mut store, mut other) = (fixture.session(), fixture.session());
    let (a, b, c) = (run_id(3), run_id(1), run_id(2));
    assert_eq!(store.feed_end().unwrap(), FeedPosition::START);
    assert_eq!(all(&mut store), []);
    store.commit(&[created(a), created(b), records(b, 1, events(1, 2))]).unwrap();
    other.commit(&[RunCommit { events: events(1, 700), ..created(c) }]).unwrap();
    store.commit(&[records(a, 1, events(1, 1)), records(b, 9, events(9, 9))]).unwrap_err();
    store.commit(&[records(b, 3, events(3, 3)), records(a, 1, events(1, 1))]).unwrap();
    let order = [(b, 1, 2), (c, 1, 700), (b, 3, 3), (a, 1, 1)];
    let expected: Vec<_> =
        order.into_iter().flat_map(|(run, from, to)| numbered(run, from, to)).collect();
    assert_eq!(all(&mut store), expected);
    assert_eq!(all(&mut fixture.session()), expected);
    let (_, end) = follow(&mut other, FeedPosition::START, 1);
    assert_eq!(other.feed_end().unwrap(), end);
    assert_eq!(follow(&mut other, end, 9), (vec![], end));
    assert_eq!(all(&mut other).len(), 704);
}

/// However large the pages, together they hold everything once.
pub fn pages_follow_one_another_without_a_gap(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    store.commit(&[RunCommit { events: events(1, 600), ..created(run) }]).unwrap();
    for n in 601..=620 {
        store.commit(&[records(run, n, events(n, n))]).unwrap();
    }
    let expected: Vec<_> = numbered(run, 1, 620).collect();
    for limit in [1, 3, 256, 257, 599, 1000] {
        assert_eq!(follow(&mut store, FeedPosition::START, limit).0, expected, "pages of {limit}");
    }
    let page = store.feed(FeedPosition::START, 0).unwrap();
    assert!(page.rows.is_empty() && page.more);
    let first = store.feed(FeedPosition::START, 600).unwrap().rows;
    let tail = store.feed(first.last().unwrap().position, 5);
    assert_eq!(tail.unwrap().rows.len(), 5);
    assert!(!store.feed(FeedPosition(u64::MAX), 5).unwrap().more);
}

/// Who goes on from where the last page ended misses nothing and gets nothing twice.
pub fn has_every_event_once_while_several_write(fixture: &impl Fixture) {
    let (writers, rounds) = (3, 40);
    let mut reader = fixture.session();
    let mut sessions: Vec<_> = (0..writers).map(|_| fixture.session()).collect();
    std::thread::scope(|scope| {
        let threads = sessions.iter_mut().zip(0..).map(|(session, n)| {
            scope.spawn(move || {
                let run = run_id(n);
                session.commit(&[created(run)]).unwrap();
                for round in 0..rounds {
                    let first = 1 + round * 2;
                    session.commit(&[records(run, first, events(first, first + 1))]).unwrap();
                }
            })
        });
        let threads: Vec<_> = threads.collect();
        let mut next: BTreeMap<RunId, u64> = BTreeMap::new();
        let mut end = FeedPosition::START;
        loop {
            let done = threads.iter().all(std::thread::ScopedJoinHandle::is_finished);
            let (read, now) = follow(&mut reader, end, 7);
            end = now;
            for (run, seq, _) in read {
                let expected = next.entry(run).or_insert(1);
                assert_eq!(seq, *expected, "of run {run}");
                *expected += 1;
            }
            if done {
                break;
            }
        }
        let read: Vec<u64> = next.into_values().collect();
        assert_eq!(read, vec![rounds * 2 + 1; writers]);
    });
}

/// A position that was read once stands for the same place for ever, also when everything behind it
/// was pruned and the store was closed.
pub fn never_uses_a_position_again(fixture: &impl Fixture) {
    let mut reader = fixture.session();
    let mut last = FeedPosition::START;
    for n in 0..4 {
        let mut store = fixture.session();
        let new = new_run(definition("sample"));
        store.commit(&[ended(run_id(2 * n), new.clone(), 10)]).unwrap();
        store.commit(&[ended(run_id(2 * n + 1), new, 10)]).unwrap();
        let (read, end) = follow(&mut reader, last, 1);
        assert_eq!(read.len(), 4, "round {n}");
        assert_eq!(reader.feed_end().unwrap(), end);
        last = end;
        assert_eq!(store.prune(&older_than(99, 100)).unwrap().len(), 2);
        assert_eq!(reader.feed_end().unwrap(), end, "round {n}");
        assert_eq!(all(&mut reader), []);
        if n % 2 == 0 {
            assert_eq!(store.prune(&older_than(99, 100)).unwrap(), []);
        }
    }
}

/// Pruning takes a run's events out and leaves the others where they stood.
pub fn leaves_out_what_is_pruned_and_nothing_else(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let (old, lasting) = (run_id(1), run_id(2));
    store.commit(&[created(old), created(lasting)]).unwrap();
    for n in 1..=3 {
        let grow = |run| records(run, n, events(n, n));
        store.commit(&[grow(lasting), grow(old)]).unwrap();
    }
    let finished = Event::RunFinished { at: at(5), outcome: RunOutcome::Failed };
    store.commit(&[becomes(old, 4, finished, RunState::Failed)]).unwrap();
    let rows = |store: &mut dyn QueryStore| store.feed(FeedPosition::START, 99).unwrap().rows;
    let mut expected = rows(&mut store);
    expected.retain(|row| row.run == lasting);
    assert_eq!(store.prune(&older_than(9, 9)).unwrap(), [old]);
    assert_eq!(rows(&mut store), expected);
    store.commit(&[records(lasting, 4, events(4, 4))]).unwrap();
    let after = rows(&mut store);
    assert_eq!(after[..3], expected);
    assert_eq!((after.len(), after[3].first_seq), (4, 4));
    assert_eq!(store.load(lasting).unwrap().events, events(1, 4));
}

/// Nothing in it holds a secret.
pub fn masks_secrets(fixture: &impl Fixture) {
    let mut store = fixture.session();
    store
        .commit(&[RunCommit { events: every_event(), ..creates(run_id(1), secretive_run()) }])
        .unwrap();
    let read = all(&mut store);
    let journal = store.journal(run_id(1), 0, usize::MAX).unwrap().events;
    assert!(!format!("{read:?}").contains(SECRET));
    let journal: Vec<_> = journal.into_iter().map(|it| (run_id(1), it.seq, it.event)).collect();
    assert_eq!(read, journal);
}

/// The row with which a run starts says by what its starter knows the matter, and no other does.
pub fn names_the_matter_of_a_run_where_it_starts(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let run = run_id(1);
    let new = NewRun { meta: Arc::new(full_meta()), ..new_run(definition("sample")) };
    store.commit(&[creates(run, new), created(run_id(2))]).unwrap();
    let start = || Event::RunStarted { at: at(1) };
    for id in [run, run_id(2)] {
        store.commit(&[becomes(id, 1, start(), RunState::Running)]).unwrap();
        store.commit(&[records(id, 2, events(2, 2))]).unwrap();
    }
    let rows = store.feed(FeedPosition::START, usize::MAX).unwrap().rows;
    let told = rows.iter().map(|row| (row.run, row.first_seq, row.correlation_id.as_str()));
    let other = run_id(2);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(run, 1, "c-1"), (run, 2, ""), (other, 1, ""), (other, 2, "")]
    );
}
