//! Stores that cannot be used, in part or at all: damaged, foreign, locked, full, read-only.

use crate::open;
use loom_sqlite::{Options, SqliteStore};
use loom_store::conformance::samples::{
    SECRET, at, created, creates, definition, emits, ended, events, every_event, new_run,
    older_than, output, records, run_id, secretive_run,
};
use loom_store::{
    Change, DocumentStore, Expect, KeyFilter, QueryStore, RequestId, RequestState, RunCommit,
    RunFilter, RunStore, Scan, StoreError, UpkeepStore, Verdict, Write, assert_refused,
};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loom.db");
    (folder, path)
}

fn try_open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Options { busy_timeout: Duration::from_millis(20) })
}

/// A closed store with something in every table; part of its journal is in the index.
fn filled(path: &Path) {
    let mut store = open(path);
    for n in 0..40 {
        let create = RunCommit { events: every_event(), ..creates(run_id(n), secretive_run()) };
        store.commit(&[create, ended(run_id(n + 100), new_run(definition("other")), 9)]).unwrap();
    }
    drop(store);
    let mut store = open(path);
    store.claim(run_id(0)).unwrap();
    for n in 40..80 {
        let emitted = emits(vec![output("LONG", "x".repeat(3000), false)]);
        store.commit(&[RunCommit { events: vec![emitted], ..created(run_id(n)) }]).unwrap();
    }
    let pause = loom_core::Request::Pause { by: "somebody".into() };
    store.post(run_id(1), &pause).unwrap();
    let documents = (0..9).map(|n| put(&n.to_string(), &"x".repeat(3000))).collect();
    store.write(&[documents], at(1)).unwrap()[0].as_ref().unwrap();
}

/// Puts a document with a secret.
fn put(key: &str, body: &str) -> Change {
    let write = Write::Put { body: body.into(), secret: Some(SECRET.into()) };
    Change { collection: "things".into(), key: key.into(), expect: Expect::Any, write }
}

/// Uses every call; answers with the first refusal.
fn use_everything(path: &Path) -> Result<(), StoreError> {
    let mut store = try_open(path)?;
    let runs = store.list(&RunFilter::default())?.runs;
    store.list(&RunFilter { states: vec![loom_core::RunState::Queued], ..RunFilter::default() })?;
    store.find("x", 5)?;
    for run in &runs {
        store.run(run.id)?;
        store.variables(run.id)?;
        store.journal(run.id, 3, 50)?;
        store.last_seq(run.id)?;
        store.load(run.id)?;
        store.definition(&run.definition)?;
        store.claim(run.id)?;
        store.request_state(run.id, RequestId(1))?;
        store.withdraw(run.id, RequestId(1))?;
    }
    store.requests()?;
    store.commit(&[RunCommit { events: events(1, 3), ..created(run_id(7000)) }])?;
    for document in store.scan("things", &Scan::default())?.documents {
        store.document("things", &document.key)?;
    }
    drop(store.write(&[vec![put("more", "small")]], at(1))?);
    store.counts(&RunFilter::default())?;
    store.namespaces()?;
    store.annotation_keys(&KeyFilter { limit: 10, ..KeyFilter::default() })?;
    store.prune(&older_than(10, 1000))?;
    Ok(())
}

fn assert_sound_or_corrupt(path: &Path, what: &str) -> bool {
    match use_everything(path) {
        Ok(()) => false,
        // A link between rows that were hit may lead to one that is not there.
        Err(StoreError::Corrupt(_) | StoreError::NoRun(_) | StoreError::Conflict(_)) => true,
        Err(error) => panic!("{what}: {error:?}"),
    }
}

#[test]
fn a_damaged_page_is_reported_as_damage() {
    let (_folder, path) = folder();
    filled(&path);
    let sound = fs::read(&path).unwrap();
    use_everything(&path).unwrap();
    let pages = sound.len() / 4096;
    assert!(pages > 20);
    let mut reported = 0;
    for page in 0..pages {
        for fill in [0u8, 0x5a] {
            let mut damaged = sound.clone();
            damaged[page * 4096..(page + 1) * 4096].fill(fill);
            fs::write(&path, damaged).unwrap();
            reported += usize::from(assert_sound_or_corrupt(&path, &format!("page {page}")));
        }
    }
    assert!(reported > pages, "{reported} of {} damages were noticed", 2 * pages);
}

#[test]
fn a_truncated_file_is_reported_as_damage() {
    let (_folder, path) = folder();
    filled(&path);
    let sound = fs::read(&path).unwrap();
    for length in [0, 1, 50, 100, 4095, 4096, 5000, 4 * 4096, sound.len() / 2, sound.len() - 4096] {
        fs::write(&path, &sound[..length]).unwrap();
        assert!(assert_sound_or_corrupt(&path, &length.to_string()), "{length}");
    }
}

#[test]
fn an_index_that_leads_astray_is_reported_as_damage() {
    let (_folder, path) = folder();
    filled(&path);
    let conn = Connection::open(&path).unwrap();
    let astray = "UPDATE journal_index SET id = (SELECT max(id) FROM journal)";
    assert!(conn.execute(astray, []).unwrap() > 1);
    drop(conn);
    assert_refused!(open(&path).load(run_id(0)), StoreError::Corrupt(_));

    let conn = Connection::open(&path).unwrap();
    conn.execute("DELETE FROM journal_index", []).unwrap();
    conn.execute("DELETE FROM journal WHERE seq = 1", []).unwrap();
    conn.execute("UPDATE journal SET seq = 9", []).unwrap();
    conn.execute("UPDATE journal_indexed SET upto = 0", []).unwrap();
    conn.execute(
        "INSERT INTO journal (run, seq, at, events) VALUES (?, 5, 0, '[]')",
        [run_id(0).to_bytes()],
    )
    .unwrap();
    drop(conn);
    assert_refused!(open(&path).load(run_id(0)), StoreError::Corrupt(_));
}

#[test]
fn what_is_not_a_store_is_left_alone() {
    let (folder, path) = folder();
    fs::write(&path, "to whom it may concern".repeat(500)).unwrap();
    assert_refused!(try_open(&path), StoreError::Corrupt(_));
    assert!(fs::read_to_string(&path).unwrap().starts_with("to whom"));

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&other).unwrap();
    let Err(StoreError::Corrupt(why)) = try_open(&other) else { panic!("it was opened") };
    assert!(why.contains("another program"), "{why}");
    assert_eq!(fs::read(&other).unwrap(), before);

    assert_refused!(try_open(folder.path()), StoreError::Unavailable(_));
    assert_refused!(try_open(&path.join("below-a-file.db")), StoreError::Unavailable(_));
}

#[test]
fn an_empty_file_becomes_a_store() {
    let (_folder, path) = folder();
    fs::write(&path, "").unwrap();
    open(&path).commit(&[created(run_id(1))]).unwrap();
    open(&path).run(run_id(1)).unwrap();
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    filled(&path);
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    assert_refused!(try_open(&path), StoreError::Newer { found: 99, known: 3 });
}

#[test]
fn folders_are_made_on_the_way_and_everything_is_this_users_alone() {
    let (folder, _) = folder();
    let path = folder.path().join("a").join("b").join("loom.db");
    let mut store = open(&path);
    store.commit(&[creates(run_id(1), secretive_run())]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let files = store.files();
    assert_eq!(files.logs(), path.with_file_name("loom.db.d").join("logs"));
    for private in [folder.path().join("a"), folder.path().join("a/b"), files.folder().into()] {
        assert_eq!(mode(&private), 0o700, "{}", private.display());
    }
    let wal = path.with_file_name("loom.db-wal");
    let shm = path.with_file_name("loom.db-shm");
    for private in [&path, &wal, &shm, &files.key()] {
        assert_eq!(mode(private), 0o600, "{}", private.display());
    }
}

#[test]
fn a_session_that_only_looks_leaves_no_trace() {
    let (_folder, path) = folder();
    filled(&path);
    let owners = path.with_file_name("loom.db.d").join("owners");
    let mut reader = open(&path);
    reader.list(&RunFilter::default()).unwrap();
    reader.load(run_id(1)).unwrap();
    assert_eq!(fs::read_dir(owners).unwrap().count(), 0);
}

#[test]
fn a_locked_store_is_busy_for_writers_and_open_for_readers() {
    let (_folder, path) = folder();
    let mut store = try_open(&path).unwrap();
    store.commit(&[created(run_id(1))]).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_refused!(store.commit(&[created(run_id(2))]), StoreError::Busy(_));
    assert_refused!(store.release(run_id(1)), StoreError::Busy(_));
    let pause = loom_core::Request::Pause { by: "somebody".into() };
    assert_refused!(store.post(run_id(1), &pause), StoreError::Busy(_));
    assert_refused!(store.withdraw(run_id(1), RequestId(1)), StoreError::Busy(_));
    assert_refused!(store.write(&[vec![put("a", "b")]], at(1)), StoreError::Busy(_));
    store.load(run_id(1)).unwrap();
    assert_eq!(try_open(&path).unwrap().list(&RunFilter::default()).unwrap().runs.len(), 1);
    other.execute_batch("COMMIT").unwrap();
    store.commit(&[records(run_id(1), 1, events(1, 1)), created(run_id(2))]).unwrap();
    let id = store.post(run_id(1), &pause).unwrap();

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.requests().unwrap().len(), 1);
    assert_eq!(store.request_state(run_id(1), id).unwrap(), RequestState::Waits);
}

#[test]
fn a_request_that_cannot_be_read_keeps_nobody_from_the_others() {
    let (_folder, path) = folder();
    let mut store = try_open(&path).unwrap();
    let run = run_id(1);
    store.commit(&[created(run)]).unwrap();
    let other = Connection::open(&path).unwrap();
    for body in ["", "{", r#"{"r":"of a newer version"}"#, "[]"] {
        let row = rusqlite::params![run.to_bytes(), body];
        other.execute("INSERT INTO requests (run, body) VALUES (?, ?)", row).unwrap();
    }
    let pause = loom_core::Request::Pause { by: "somebody".into() };
    store.post(run, &pause).unwrap();
    let posted = store.requests().unwrap();
    let (garbled, sound) = posted.split_at(4);
    assert!(garbled.iter().all(|posted| posted.request.is_err()), "{garbled:?}");
    assert!(matches!(sound, [posted] if posted.request == Ok(pause)), "{sound:?}");
    let settles = garbled.iter().map(|posted| (posted.id, Verdict::Granted)).collect();
    store.commit(&[RunCommit { settles, ..records(run, 1, vec![]) }]).unwrap();
    assert_eq!(store.requests().unwrap(), sound);
}

/// A file system of its own, unmounted at the end.
struct Mount(TempDir);

impl Mount {
    /// `None`, and a reason on the screen, where mounting is not allowed.
    fn of_size(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output();
        match done {
            Ok(output) if output.status.success() => Some(Self(folder)),
            Ok(output) => {
                println!("skipped: {}", String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(error) => {
                println!("skipped: mount: {error}");
                None
            }
        }
    }

    fn make_read_only(&self) {
        let done = Command::new("mount").args(["-o", "remount,ro"]).arg(self.0.path()).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let done = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(done.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_full_disk_is_said_to_be_full_and_what_was_recorded_stays() {
    let Some(mount) = Mount::of_size("3m") else { return };
    let path = mount.0.path().join("loom.db");
    let filler = mount.0.path().join("filler");
    let run = run_id(1);
    let mut store = open(&path);
    store.commit(&[created(run)]).unwrap();
    fs::write(&filler, vec![0; 1 << 20]).unwrap();

    let large = || vec![emits(vec![output("LARGE", "x".repeat(1 << 16), false)])];
    let mut next = 1;
    let error = loop {
        match store.commit(&[records(run, next, large()), created(run_id(next + 1))]) {
            Ok(()) => next += 1,
            Err(error) => break error,
        }
        assert!(next < 100, "the disk does not fill up");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(next > 3);
    let recorded = |store: &mut SqliteStore| {
        assert_eq!(store.load(run).unwrap().events.len() as u64, next - 1);
        assert_refused!(store.run(run_id(next + 1)), StoreError::NoRun(_));
        store.run(run_id(next)).unwrap();
    };
    recorded(&mut store);
    recorded(&mut open(&path));

    fs::remove_file(&filler).unwrap();
    store.commit(&[records(run, next, large())]).unwrap();
    assert_eq!(open(&path).load(run).unwrap().events.len() as u64, next);
}

#[test]
fn no_room_for_a_new_store_is_said_to_be_no_room() {
    let Some(mount) = Mount::of_size("64k") else { return };
    fs::write(mount.0.path().join("filler"), vec![0; 48 << 10]).unwrap();
    let path = mount.0.path().join("loom.db");
    assert_refused!(try_open(&path), StoreError::Full(_));
    assert!(!path.exists());
}

/// Looks at everything that `filled` recorded.
fn look(path: &Path) -> Result<(), StoreError> {
    let options = Options { busy_timeout: Duration::from_millis(20) };
    let mut store = SqliteStore::open_to_look(path, options)?;
    let page = store.list(&RunFilter { limit: 1000, ..RunFilter::default() })?;
    assert_eq!(page.runs.len(), 120);
    for run in &page.runs {
        store.journal(run.id, 0, 100)?;
        store.variables(run.id)?;
        store.owner(run.id)?;
        store.definition(&run.definition)?;
    }
    Ok(())
}

#[test]
fn a_read_only_disk_is_looked_at_and_not_written() {
    let Some(mount) = Mount::of_size("8m") else { return };
    let path = mount.0.path().join("a 100% ?odd#name").join("loom.db");
    filled(&path);
    assert!(!path.with_file_name("loom.db-wal").exists(), "it is read without a log");
    mount.make_read_only();
    look(&path).unwrap();
    assert_refused!(use_everything(&path), StoreError::Unavailable(_));
    let new = mount.0.path().join("new.db");
    assert_refused!(try_open(&new), StoreError::Unavailable(_));
    assert_refused!(look(&new), StoreError::Unavailable(_));
}

#[test]
fn on_a_read_only_disk_nothing_is_missed_that_is_only_in_the_log() {
    let Some(mount) = Mount::of_size("8m") else { return };
    let (_folder, path) = folder();
    let held = open(&path);
    filled(&path);
    let copy = |name: &str| mount.0.path().join(name);
    let of = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    for name in ["whole.db", "part.db", "bare.db"] {
        fs::copy(&path, copy(name)).unwrap();
    }
    for name in ["whole.db", "part.db"] {
        fs::copy(of(&path, "-wal"), of(&copy(name), "-wal")).unwrap();
    }
    fs::copy(of(&path, "-shm"), of(&copy("whole.db"), "-shm")).unwrap();
    fs::write(of(&copy("bare.db"), "-wal"), "").unwrap();
    drop(held);
    mount.make_read_only();
    look(&copy("whole.db")).unwrap();
    let Err(StoreError::Unavailable(why)) = look(&copy("part.db")) else { panic!("it is read") };
    assert!(why.contains("part.db-wal") && why.contains("copy both"), "{why}");
    let bare = SqliteStore::open_to_look(copy("bare.db"), Options::default())
        .unwrap()
        .list(&RunFilter::default());
    assert_eq!(bare.unwrap().runs.len(), 0, "all that was recorded is in the log");
}

#[test]
fn a_read_only_store_of_an_older_format_says_what_to_do() {
    let Some(mount) = Mount::of_size("8m") else { return };
    let path = mount.0.path().join("loom.db");
    filled(&path);
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    drop(conn);
    mount.make_read_only();
    let Err(StoreError::Unavailable(why)) = look(&path) else { panic!("it is read") };
    assert!(why.contains("has format 1") && why.contains("copy it"), "{why}");
}

#[test]
fn a_device_is_refused_before_anything_is_done_to_it() {
    for device in ["/dev/null", "/dev/full", "/proc/self/fd"] {
        let path = Path::new(device);
        assert_refused!(try_open(path), StoreError::Unavailable(_));
        assert_refused!(look(path), StoreError::Unavailable(_));
    }
    assert!(!Path::new("/dev/null-journal").exists());
}
