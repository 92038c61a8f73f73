//! Making, opening and migrating the database.

use crate::Options;
use crate::fault::{Fault, file_fault};
use crate::files::{Files, KEY_DRAFT, NEW_DRAFT, discard, make_folder, make_lasting_folder};
use crate::log;
use crate::owner::random_name;
use loom_store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Says in the file's header that it is ours: "loom" in ASCII.
const APPLICATION_ID: i32 = 0x6c6f_6f6d;

/// What leads from each format to the next; a database's `user_version` is how many of them it has
/// seen. What was released is never changed, only added to.
const MIGRATIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// How many pages (of 4 KiB) the write-ahead log gathers before a commit moves them into the
/// database: 16 MiB. With SQLite's own 1,000 a busy store would stop four times as often, and copy
/// pages that change again soon; with many more the log takes disk space and time to recover.
const CHECKPOINT_PAGES: u32 = 4000;

/// How old a draft must be to count as left behind by a crash. Whoever still works on one has made it
/// a moment ago.
const DRAFT_AGE: Duration = Duration::from_hours(1);

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To record runs.
    Write,
    /// To look at what was recorded.
    Look,
}

/// Opens the database, or makes it, and brings it to the newest format.
pub(crate) fn open(
    files: &Files,
    options: &Options,
    purpose: Purpose,
) -> Result<Connection, Fault> {
    let path = files.database();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(files)?,
        Err(error) => return Err(file_fault("reach", path)(error)),
        // Of a device or a folder SQLite would find out late, and leave a journal beside it.
        Ok(found) if !found.is_file() => {
            let what = format!("{} is no file that a store could be in", path.display());
            return Err(StoreError::Unavailable(what).into());
        }
        // SQLite takes a single byte for none, and either for a new database.
        Ok(found) if found.len() <= 1 && files.folder().exists() => {
            let what = format!("{} is empty; restore it from a backup", path.display());
            return Err(StoreError::Corrupt(what).into());
        }
        Ok(_) => {}
    }
    if purpose == Purpose::Write {
        sweep(files.folder(), DRAFT_AGE);
    }
    let mut conn = connect(path, flags(), options, "")?;
    match bring_up_to_date(&mut conn, path) {
        Ok(()) => Ok(conn),
        Err(fault) => {
            log::leave_if_any(&conn, &files.log());
            Err(fault)
        }
    }
}

fn bring_up_to_date(conn: &mut Connection, path: &Path) -> Result<(), Fault> {
    if version(conn, path)? < MIGRATIONS.len() {
        migrate(conn, path)?;
    }
    let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let path = path.display();
        let what =
            format!("{path}: its file system has no shared memory, which SQLite's WAL needs");
        return Err(StoreError::Unavailable(what).into());
    }
    Ok(())
}

/// Opens a database to look at it, in whatever way its place allows: there may be no room to write,
/// or no right to.
pub(crate) fn look(files: &Files, options: &Options) -> Result<Connection, Fault> {
    match open(files, options, Purpose::Look) {
        Err(fault) if fault.is_full() && files.database().exists() => open_alone(files, options),
        Err(fault) if fault.is_read_only() => open_frozen(files, options, fault),
        opened => opened,
    }
}

/// Opens a database for reading without a byte of disk space: the shared index of its write-ahead
/// log, which needs some, is this process's own for the time being, so that others are locked out.
fn open_alone(files: &Files, options: &Options) -> Result<Connection, Fault> {
    let path = files.database();
    let conn =
        connect(path, flags(), options, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA query_only=ON;")?;
    if version(&conn, path)? < MIGRATIONS.len() {
        let what = format!("{} has no room for the newest format", path.display());
        return Err(StoreError::Full(what).into());
    }
    Ok(conn)
}

/// Opens a database that may not be written, nor anything beside it: without locks, and without the
/// shared index of a write-ahead log. There must be none, or an empty one; SQLite reads such a database
/// in the usual way if both are there.
fn open_frozen(files: &Files, options: &Options, fault: Fault) -> Result<Connection, Fault> {
    let path = files.database();
    let log = files.log();
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        let what = format!(
            "{} may not be written here, and part of it is in {}; copy both to where you may write",
            path.display(),
            log.display()
        );
        return Err(StoreError::Unavailable(what).into());
    }
    let uri = frozen_uri(&std::path::absolute(path).map_err(file_fault("reach", path))?);
    let read = OpenFlags::SQLITE_OPEN_READ_ONLY
        .union(OpenFlags::SQLITE_OPEN_URI)
        .union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
    let Ok(conn) = connect(&uri, read, options, "") else { return Err(fault) };
    let found = version(&conn, path)?;
    if found < MIGRATIONS.len() {
        let (path, known) = (path.display(), MIGRATIONS.len());
        let what = format!(
            "{path} has format {found}, and may not be written here to bring it to format {known}; copy it \
             to where you may write"
        );
        return Err(StoreError::Unavailable(what).into());
    }
    Ok(conn)
}

/// The address under which SQLite takes for granted that nobody writes the database.
fn frozen_uri(path: &Path) -> PathBuf {
    let mut uri = b"file://".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => uri.extend(format!("%{byte:02x}").bytes()),
            _ => uri.push(byte),
        }
    }
    uri.extend(b"?immutable=1");
    OsString::from_vec(uri).into()
}

/// Removes drafts that a crash left. Nobody is hindered by one that stays, so no failure is told.
fn sweep(folder: &Path, age: Duration) {
    let is_left = |entry: &fs::DirEntry| {
        let modified = entry.metadata().and_then(|found| found.modified());
        is_draft(entry) && modified.is_ok_and(|at| at.elapsed().is_ok_and(|old| old >= age))
    };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(is_left) {
        discard(&entry.path());
    }
}

fn is_draft(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    [NEW_DRAFT, KEY_DRAFT]
        .iter()
        .any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
}

/// Makes an empty store. It appears under its name only when it is complete, so that neither a
/// crash nor another process that does the same leaves half of one. Nothing in it needs to outlast
/// a loss of power before the first commit, which syncs the folder too; the file itself is synced
/// here because the write-ahead log is worth nothing without it.
fn create(files: &Files) -> Result<(), Fault> {
    let path = files.database();
    make_lasting_folder(path.parent().unwrap_or(Path::new("")))?;
    make_folder(files.folder())?;
    let draft = files.folder().join(format!("{NEW_DRAFT}{}.db", random_name()?));
    let made = fill(&draft, path).and_then(|()| {
        File::open(&draft)
            .and_then(|file| file.sync_all())
            .and_then(|()| match fs::hard_link(&draft, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            })
            .map_err(file_fault("make", path))
    });
    discard(&draft);
    made
}

fn fill(draft: &Path, path: &Path) -> Result<(), Fault> {
    let mut new = OpenOptions::new();
    new.write(true).create_new(true).mode(0o600);
    new.open(draft).map_err(file_fault("make", draft))?;
    let mut conn = Connection::open_with_flags(draft, flags())?;
    conn.execute_batch(
        "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE;",
    )?;
    migrate(&mut conn, path)?;
    conn.execute_batch("PRAGMA journal_mode=WAL")?;
    conn.close().map_err(|(_, error)| error.into())
}

const fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// `first` is set before anything else, some of which reads the database.
fn connect(
    path: &Path,
    flags: OpenFlags,
    options: &Options,
    first: &str,
) -> Result<Connection, Fault> {
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(options.busy_timeout)?;
    conn.set_prepared_statement_cache_capacity(64);
    // Else a statement that a partial index might serve is planned anew for every value it is given.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(&format!(
        "{first}
         PRAGMA synchronous=FULL;
         PRAGMA foreign_keys=ON;
         PRAGMA cell_size_check=ON;
         PRAGMA trusted_schema=OFF;
         PRAGMA temp_store=MEMORY;
         PRAGMA cache_size=-8192;
         PRAGMA journal_size_limit=67108864;
         PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES};"
    ))?;
    Ok(conn)
}

/// The format that the database has: how many migrations it has seen.
fn version(conn: &Connection, path: &Path) -> Result<usize, Fault> {
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: u32 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    let (Ok(found), APPLICATION_ID) = (u32::try_from(version), application) else {
        let path = path.display();
        let what = format!("{path} is a database of another program; name another file");
        return Err(StoreError::Corrupt(what).into());
    };
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(StoreError::Newer { found, known }.into());
    }
    Ok(found as usize)
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), Fault> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again: another process may have done it meanwhile.
    for migration in &MIGRATIONS[version(&tx, path)?..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    Ok(tx.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SqliteStore;
    use loom_store::conformance::samples;
    use loom_store::{
        Claim, DocumentStore, QueryStore, RequestId, RequestState, RunCommit, RunFilter, RunStore,
        Verdict,
    };

    #[test]
    fn a_database_opened_alone_is_read_without_a_file_more_and_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(&folder.path().join("loom.db"));
        let options = Options { busy_timeout: std::time::Duration::from_millis(20) };
        drop(open(&files, &options, Purpose::Write).unwrap());
        let count = || fs::read_dir(folder.path()).unwrap().count();
        let before = count();
        let conn = open_alone(&files, &options).unwrap();
        let upto: i64 =
            conn.query_row("SELECT upto FROM journal_indexed", [], |row| row.get(0)).unwrap();
        assert_eq!(upto, 0);
        let shared_index = folder.path().join("loom.db-shm");
        assert!(!shared_index.exists(), "it needs room that a full disk has not");
        assert!(conn.execute("UPDATE journal_indexed SET upto = 1", []).is_err());
        drop(conn);
        assert_eq!(count(), before);
    }

    #[test]
    fn every_older_format_is_brought_to_the_newest_with_all_that_is_in_it() {
        for format in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("loom.db");
            let old = Connection::open(&path).unwrap();
            for migration in &MIGRATIONS[..format] {
                old.execute_batch(migration).unwrap();
            }
            old.execute_batch(include_str!("schema/sample-1.sql")).unwrap();
            old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            old.pragma_update(None, "user_version", format as u32).unwrap();
            drop(old);
            assert_sample_is_whole(&path);
            let conn = Connection::open(&path).unwrap();
            assert_eq!(version(&conn, &path).unwrap(), MIGRATIONS.len());
            let broken = "SELECT count(*) FROM pragma_foreign_key_check";
            let broken: u32 = conn.query_row(broken, [], |row| row.get(0)).unwrap();
            assert_eq!(broken, 0, "format {format}");
            let unsealed = "SELECT fingerprint IS NULL FROM sealing";
            assert!(conn.query_row(unsealed, [], |row| row.get::<_, bool>(0)).unwrap());
        }
    }

    /// The run of `sample-1.sql` is there and can be taken up, and what is new can be used.
    fn assert_sample_is_whole(path: &Path) {
        let mut store = SqliteStore::open(path, Options::default()).unwrap();
        let run = samples::run_id(1);
        let loaded = store.load(run).unwrap();
        assert_eq!(*loaded.new.definition, samples::definition("sample"));
        assert_eq!(loaded.events, samples::events(1, 2));
        assert_eq!(store.claim(run).unwrap(), Claim::Claimed);
        let waits: Vec<_> = store.requests().unwrap().iter().map(|posted| posted.id).collect();
        assert_eq!(waits, [RequestId(1)]);
        let settles = vec![(RequestId(1), Verdict::Granted)];
        let commit = samples::records(run, 3, samples::events(3, 3));
        store.commit(&[RunCommit { settles, ..commit }]).unwrap();
        let granted = RequestState::Settled(Verdict::Granted);
        assert_eq!(store.request_state(run, RequestId(1)).unwrap(), granted);
        let pause = loom_core::Request::Pause { by: "somebody".into() };
        assert_eq!(store.post(run, &pause).unwrap(), RequestId(2));
        assert_eq!(store.document("any", "key").unwrap(), None);
        assert_eq!(store.list(&RunFilter::default()).unwrap().runs.len(), 1);
    }

    #[test]
    fn drafts_that_a_crash_left_are_swept_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["new-1.db", "new-1.db-journal", "new-2.log", "key-3", "key", "news", "logs"];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let left = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        sweep(folder.path(), DRAFT_AGE);
        assert_eq!(left().len(), names.len(), "they may be somebody's at this moment");
        sweep(folder.path(), Duration::ZERO);
        assert_eq!(left(), ["key", "logs", "news"]);
    }

    #[test]
    fn a_store_of_the_first_format_is_brought_to_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(&folder.path().join("loom.db"));
        let conn = Connection::open(files.database()).unwrap();
        conn.execute_batch(MIGRATIONS[0]).unwrap();
        conn.execute_batch(
            "INSERT INTO definitions VALUES (x'00', '', '', '', '');
             INSERT INTO runs VALUES (x'01', x'00', 'failed', 'me', 1, 0, 0, 0, '', ''),
                                     (x'02', x'00', 'running', 'me', 1, 0, 0, 0, '', '');",
        )
        .unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        drop(conn);
        let conn = open(&files, &Options::default(), Purpose::Write).unwrap();
        assert_eq!(version(&conn, files.database()).unwrap(), MIGRATIONS.len());
        let owned: String = conn
            .query_row("SELECT hex(id) FROM runs WHERE owner = 'me'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(owned, "02", "what has ended belongs to nobody");
        let known = "SELECT fingerprint FROM sealing";
        let known: Vec<u8> = conn.query_row(known, [], |row| row.get(0)).unwrap();
        assert!(known.is_empty(), "it may hold something sealed");
    }
}
