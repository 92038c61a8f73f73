//! Loss of power, at any moment between two changes of the store's files: what was carried to the disk
//! is there; of what was written since, each piece is there, is torn or is missing, whatever came
//! after it.

use crate::open;
use crate::random::Random;
use crate::recorder::{self, Op};
use loom_core::RunId;
use loom_sqlite::SqliteStore;
use loom_store::conformance::samples::{created, emits, output, records, run_id};
use loom_store::{Claim, RunStore, StoreError};
use rusqlite::Connection;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How many commits there are, each about both runs.
const COMMITS: u64 = 60;

const RUNS: [RunId; 2] = [run_id(1), run_id(2)];

/// How many losses of power are tried.
const LOSSES: usize = 600;

/// A file on a disk that has a cache.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    cached: Vec<Op>,
}

/// A disk, as a loss of power may leave it.
struct Disk {
    files: HashMap<usize, File>,
    /// The files that may be found under a name: none is one that is not there.
    names: HashMap<PathBuf, Vec<Option<usize>>>,
}

impl Disk {
    /// A disk with this file.
    fn with(name: &Path, content: Vec<u8>) -> Self {
        let file = File { durable: content, cached: Vec::new() };
        Self { files: [(0, file)].into(), names: [(name.to_owned(), vec![Some(0)])].into() }
    }

    fn takes(&mut self, op: &Op) {
        match op {
            Op::Make { file, name } => {
                self.files.insert(*file, File::default());
                self.names.entry(name.clone()).or_insert_with(|| vec![None]).push(Some(*file));
            }
            Op::Delete { name } => self.names.get_mut(name).unwrap().push(None),
            Op::Write { file, .. } | Op::Truncate { file, .. } => {
                self.files.get_mut(file).unwrap().cached.push(op.clone());
            }
            // The first sync of a new file carries its name with it.
            Op::Sync { file } => {
                let synced = self.files.get_mut(file).unwrap();
                for op in std::mem::take(&mut synced.cached) {
                    change(&mut synced.durable, &op, usize::MAX);
                }
                for found in
                    self.names.values_mut().filter(|found| found.last() == Some(&Some(*file)))
                {
                    *found = vec![Some(*file)];
                }
            }
            Op::Acknowledge(_) => {}
        }
    }

    /// Writes what is left to a folder.
    fn lose_power(&self, random: &mut Random, folder: &Path) {
        for (name, found) in &self.names {
            let Some(file) = random.pick(found) else { continue };
            let File { durable, cached } = &self.files[file];
            let mut content = durable.clone();
            // Often all of it, or nothing: by chance alone that hardly happens.
            let mode = random.below(4);
            for op in cached {
                match (mode, random.below(3)) {
                    (0, _) | (2.., 0) => {}
                    (1, _) | (2.., 1) => change(&mut content, op, usize::MAX),
                    _ => change(&mut content, op, random.below(4096) as usize),
                }
            }
            fs::write(folder.join(name.file_name().unwrap()), content).unwrap();
        }
    }
}

/// Does what was asked of a file, up to so many bytes.
fn change(content: &mut Vec<u8>, op: &Op, most: usize) {
    match op {
        Op::Write { offset, bytes, .. } => {
            let bytes = &bytes[..bytes.len().min(most)];
            let end = offset + bytes.len();
            content.resize(content.len().max(end), 0);
            content[*offset..end].copy_from_slice(bytes);
        }
        Op::Truncate { length, .. } => content.resize(*length, 0),
        _ => unreachable!("only changes of a file's content are cached"),
    }
}

/// Commits, now with little and now with much in them; sessions that end, and the log moved into the
/// database while one lasts.
fn work(path: &Path) -> Vec<Op> {
    recorder::start(path);
    let mut store = owner(path);
    for nth in 1..=COMMITS {
        let length = if nth % 7 == 0 { 50_000 } else { 100 };
        let event = || vec![emits(vec![output("A", "x".repeat(length), false)])];
        store.commit(&RUNS.map(|run| records(run, nth, event()))).unwrap();
        recorder::acknowledge(nth);
        if nth % 20 == 0 {
            drop(store);
            store = owner(path);
        } else if nth % 9 == 0 {
            move_log(path);
        }
    }
    drop(store);
    recorder::finish()
}

/// Moves the write-ahead log into the database.
fn move_log(path: &Path) {
    let conn = Connection::open(path).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
}

/// A session that has both runs.
fn owner(path: &Path) -> SqliteStore {
    let mut store = open(path);
    for run in RUNS {
        assert_eq!(store.claim(run).unwrap(), Claim::Claimed);
    }
    store
}

/// How many commits the store in this folder has, if it can be read; both runs have each of them.
fn commits(path: &Path) -> Result<u64, StoreError> {
    let mut store = SqliteStore::open(path, loom_sqlite::Options::default())?;
    let [first, second] = RUNS.map(|run| store.load(run).map(|found| found.events.len() as u64));
    let (first, second) = (first?, second?);
    assert_eq!(first, second, "a commit is there by half");
    Ok(first)
}

/// A folder in memory, if there is a place for one: those who open a store sync it, too.
fn fast_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    open(&path).commit(&RUNS.map(created)).unwrap();
    move_log(&path);
    let before = fs::read(&path).unwrap();
    let ops = work(&path);
    let syncs = ops.iter().filter(|op| matches!(op, Op::Sync { .. })).count();
    assert!(syncs as u64 > COMMITS, "{syncs} syncs");

    let mut random = Random(1);
    let mut lost_by_liars = 0;
    for _ in 0..LOSSES {
        let moment = random.below(ops.len() as u64 + 1) as usize;
        let is_liar = random.below(4) == 0;
        let mut disk = Disk::with(&path, before.clone());
        let mut acknowledged = 0;
        for op in &ops[..moment] {
            match op {
                Op::Acknowledge(commit) => acknowledged = *commit,
                // It says that it has carried all to the disk, and has not.
                Op::Sync { .. } if is_liar => {}
                op => disk.takes(op),
            }
        }
        let left = fast_folder();
        disk.lose_power(&mut random, left.path());
        let found = commits(&left.path().join("loom.db"));
        if is_liar {
            lost_by_liars += u32::from(!found.is_ok_and(|found| found >= acknowledged));
        } else {
            let found = found.unwrap();
            let under_way = acknowledged + 1;
            assert!((acknowledged..=under_way).contains(&found), "{found} of {acknowledged}");
        }
    }
    println!("{} changes, {LOSSES} losses, {lost_by_liars} by disks that lie", ops.len());
    assert!(lost_by_liars > 20, "this test finds what a disk loses: {lost_by_liars}");
}
