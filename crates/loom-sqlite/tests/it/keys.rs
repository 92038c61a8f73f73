//! The key of a store: made once, known from others, never replaced.

use crate::open;
use loom_core::{Request, RunId, Variable};
use loom_sqlite::{Files, Options, SqliteStore};
use loom_store::conformance::samples::{
    SECRET, at, created, creates, definition, emits, new_run, output, run_id, secretive_run,
};
use loom_store::{
    Change, DocumentStore, Expect, NewRun, QueryStore, RunCommit, RunFilter, RunStore, StoreError,
    Write, assert_refused,
};
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use tempfile::TempDir;

struct Site {
    _folder: TempDir,
    path: PathBuf,
    key: PathBuf,
}

/// A place for a store.
fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    let key = Files::new(&path).key();
    Site { _folder: folder, path, key }
}

/// A store with a run that has secrets and one that has none.
fn sealed() -> Site {
    let site = site();
    open(&site.path).commit(&[creates(run_id(1), secretive_run()), created(run_id(2))]).unwrap();
    site
}

fn try_open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Options { busy_timeout: Duration::from_millis(20) })
}

fn look(path: &Path) -> SqliteStore {
    SqliteStore::open_to_look(path, Options::default()).unwrap()
}

/// Puts a document with a secret, if there is none of this key.
fn put(key: &str) -> Change {
    let write = Write::Put { body: "body".into(), secret: Some(SECRET.into()) };
    Change { collection: "things".into(), key: key.into(), expect: Expect::Absent, write }
}

/// The store is refused by those who would write, for want of its key.
#[track_caller]
fn lacks_its_key(path: &Path) -> String {
    match try_open(path) {
        Err(StoreError::Key(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// The secrets of this run, which was created with some, are read.
#[track_caller]
fn opens(store: &mut SqliteStore, run: RunId) {
    let (read, created) = (store.load(run).unwrap().new, secretive_run());
    assert_eq!((read.definition, read.variables), (created.definition, created.variables));
}

#[test]
fn a_lost_key_is_missed_and_not_replaced() {
    let Site { path, key, _folder } = sealed();
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let why = lacks_its_key(&path);
    assert!(why.contains(key.to_str().unwrap()) && why.contains("SHA-256"), "{why}");
    assert!(!key.exists());

    let mut store = look(&path);
    assert_eq!(store.list(&RunFilter::default()).unwrap().runs.len(), 2);
    store.journal(run_id(1), 0, 100).unwrap();
    store.variables(run_id(1)).unwrap();
    store.load(run_id(2)).unwrap();
    assert_refused!(store.load(run_id(1)), StoreError::Key(_));
    assert!(!key.exists());

    fs::write(&key, kept).unwrap();
    opens(&mut open(&path), run_id(1));
}

#[test]
fn another_key_is_told_from_the_stores_own() {
    let Site { path, key, _folder } = sealed();
    for other in [&[7; 32][..], b"", b"short"] {
        fs::write(&key, other).unwrap();
        let why = lacks_its_key(&path);
        assert!(why.contains(key.to_str().unwrap()) && !why.contains(SECRET), "{why}");
        assert_refused!(look(&path).load(run_id(1)), StoreError::Key(_));
    }
}

#[test]
fn a_key_that_goes_while_a_session_lasts_is_missed_at_the_next_secret() {
    let Site { path, key, _folder } = sealed();
    let mut store = open(&path);
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert_refused!(store.commit(&[creates(run_id(3), secretive_run())]), StoreError::Key(_));
    assert_refused!(store.write(&[vec![put("a")]], at(1)), StoreError::Key(_));
    let resolve = request();
    assert_refused!(store.post(run_id(2), &resolve), StoreError::Key(_));
    assert_refused!(store.load(run_id(1)), StoreError::Key(_));
    store.commit(&[created(run_id(4))]).unwrap();
    assert!(!key.exists());
    fs::write(&key, kept).unwrap();
    store.commit(&[creates(run_id(3), secretive_run())]).unwrap();
}

/// A request with a secret.
fn request() -> Request {
    Request::Resolve {
        by: "somebody".into(),
        task: "only".into(),
        reason: String::new(),
        outputs: vec![Variable { name: "A".into(), value: SECRET.into(), secret: true }],
        without_outputs: false,
    }
}

#[test]
fn the_key_counts_from_the_commit_of_the_first_secret() {
    let Site { path, key, _folder } = site();
    let mut store = open(&path);
    store.commit(&[created(run_id(1))]).unwrap();
    let fails = [creates(run_id(2), secretive_run()), created(run_id(1))];
    assert_refused!(store.commit(&fails), StoreError::Conflict(_));
    assert!(key.exists(), "it was made for the commit that failed");

    // Nothing is sealed with it: a key is made anew.
    fs::remove_file(&key).unwrap();
    drop(open(&path));
    store.commit(&[creates(run_id(2), secretive_run())]).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    lacks_its_key(&path);
}

#[test]
fn a_set_of_changes_that_is_refused_takes_no_fingerprint_with_it() {
    let Site { path, key, _folder } = site();
    let mut store = open(&path);
    let written = store.write(&[vec![put("a"), put("a")], vec![put("b")]], at(1)).unwrap();
    assert!(written[0].is_err() && written[1].is_ok(), "{written:?}");
    assert_eq!(store.document("things", "b").unwrap().unwrap().secret.as_deref(), Some(SECRET));
    fs::write(&key, [7; 32]).unwrap();
    lacks_its_key(&path);
}

#[test]
fn many_who_seal_the_first_secret_at_once_use_one_key() {
    const SESSIONS: u64 = 8;
    let Site { path, _folder, .. } = site();
    drop(open(&path));
    let start = Arc::new(Barrier::new(SESSIONS as usize));
    let sessions: Vec<_> = (0..SESSIONS)
        .map(|n| {
            let (path, start) = (path.clone(), Arc::clone(&start));
            std::thread::spawn(move || {
                let mut store = open(&path);
                start.wait();
                store.commit(&[creates(run_id(n), secretive_run())]).unwrap();
            })
        })
        .collect();
    sessions.into_iter().for_each(|session| session.join().unwrap());
    let mut store = open(&path);
    for n in 0..SESSIONS {
        opens(&mut store, run_id(n));
    }
}

/// What an older format leaves: something may be sealed, and nobody knows with what.
fn forget_fingerprint(path: &Path) {
    let conn = Connection::open(path).unwrap();
    assert_eq!(conn.execute("UPDATE sealing SET fingerprint = x''", []).unwrap(), 1);
}

/// The fingerprint that the database has, if any.
fn fingerprint(path: &Path) -> Option<Vec<u8>> {
    let conn = Connection::open(path).unwrap();
    conn.query_row("SELECT fingerprint FROM sealing", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_store_of_an_older_format_adopts_the_key_that_opens_any_of_its_secrets() {
    type Fill = fn(&mut SqliteStore);
    let only_definition =
        || NewRun { variables: Arc::default(), ..new_run((*secretive_run().definition).clone()) };
    let only_variables =
        NewRun { variables: secretive_run().variables, ..new_run(definition("w")) };
    let secret = emits(vec![output("A", SECRET, true)]);
    let places: [(&str, Fill); 2] = [
        ("a document", |store| drop(store.write(&[vec![put("a")]], at(1)).unwrap())),
        ("a request", |store| {
            store.commit(&[created(run_id(1))]).unwrap();
            store.post(run_id(1), &request()).unwrap();
        }),
    ];
    let commits = [
        ("a definition", creates(run_id(1), only_definition())),
        ("variables", creates(run_id(1), only_variables)),
        ("events", RunCommit { events: vec![secret], ..created(run_id(1)) }),
    ];
    let mut sites = Vec::new();
    for (what, fill) in places {
        let site = site();
        fill(&mut open(&site.path));
        sites.push((what, site));
    }
    for (what, commit) in commits {
        let site = site();
        open(&site.path).commit(&[commit]).unwrap();
        sites.push((what, site));
    }
    for (what, Site { path, key, _folder }) in &sites {
        let known = fingerprint(path).expect(what);
        assert_eq!(known.len(), 32, "{what}");
        let kept = fs::read(key).unwrap();
        forget_fingerprint(path);
        fs::remove_file(key).unwrap();
        assert!(lacks_its_key(path).contains(key.to_str().unwrap()), "{what}");
        assert_refused!(look(path).write(&[vec![put("z")]], at(1)), StoreError::Key(_));
        assert!(!key.exists(), "{what}");
        fs::write(key, [7; 32]).unwrap();
        assert!(lacks_its_key(path).contains("opens no secret"), "{what}");
        assert_refused!(look(path).write(&[vec![put("z")]], at(1)), StoreError::Key(_));
        assert_eq!(fingerprint(path), Some(Vec::new()), "{what}");

        fs::write(key, kept).unwrap();
        look(path).write(&[vec![put("z")]], at(1)).unwrap()[0].as_ref().expect(what);
        assert_eq!(fingerprint(path).as_ref(), Some(&known), "{what}");
        forget_fingerprint(path);
        drop(open(path));
        assert_eq!(fingerprint(path), Some(known), "{what}");
    }
}

#[test]
fn a_store_of_an_older_format_without_secrets_needs_no_key() {
    let Site { path, key, _folder } = site();
    let output = emits(vec![output("A", r#"{"secret":true,"s":true}"#, false)]);
    open(&path).commit(&[RunCommit { events: vec![output], ..created(run_id(1)) }]).unwrap();
    forget_fingerprint(&path);
    drop(open(&path));
    assert_eq!(fingerprint(&path), None);
    assert!(!key.exists());
}
