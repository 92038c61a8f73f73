//! Threads that each look at the store over a session of their own, beside the one that writes.

use crate::open;
use loom_sqlite::{Options, SqliteStore};
use loom_store::conformance::samples::{created, events, records, run_id};
use loom_store::{FeedPosition, QueryStore, RunFilter, RunStore};

const READERS: usize = 4;
const COMMITS: u64 = 200;

#[test]
fn they_see_whole_commits_and_hinder_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    let mut writer = open(&path);
    let (first, second) = (run_id(1), run_id(2));
    writer.commit(&[created(first), created(second)]).unwrap();
    let look = || SqliteStore::open_to_look(&path, Options::default()).unwrap();
    let sessions: Vec<SqliteStore> = (0..READERS).map(|_| look()).collect();
    std::thread::scope(|scope| {
        for mut session in sessions {
            scope.spawn(move || {
                let (mut seen, mut position) = (0, FeedPosition::START);
                while seen < 2 * COMMITS {
                    let page = session.feed(position, 10).unwrap();
                    position = page.rows.last().map_or(position, |row| row.position);
                    seen += page.rows.iter().map(|row| row.events.len() as u64).sum::<u64>();
                    let runs = session.list(&RunFilter::default()).unwrap().runs;
                    assert!(runs.len() == 2 && runs.iter().all(|run| run.alive));
                    let ahead = session.journal(second, 0, usize::MAX).unwrap().events.len();
                    let behind = session.journal(first, 0, usize::MAX).unwrap().events.len();
                    assert!(ahead <= behind, "the second was read first");
                }
                assert_eq!(session.feed_end().unwrap(), position);
            });
        }
        for n in 1..=COMMITS {
            let grows = |run| records(run, n, events(n, n));
            writer.commit(&[grows(first), grows(second)]).unwrap();
        }
    });
}

#[test]
fn a_look_sees_what_was_recorded_before_it_and_may_be_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    let mut writer = open(&path);
    for n in 0..50 {
        writer.commit(&[created(run_id(n))]).unwrap();
        let mut look = SqliteStore::open_to_look(&path, Options::default()).unwrap();
        assert!(look.run(run_id(n)).unwrap().alive);
    }
    writer.commit(&[created(run_id(99))]).unwrap();
}
