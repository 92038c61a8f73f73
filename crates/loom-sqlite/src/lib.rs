//! The SQLite driver of the store: one file, shared by any number of processes of one machine.
//!
//! - A commit is one transaction in write-ahead mode with `synchronous=FULL`: when it returns, one
//!   sync has carried it to the disk. The journal is only ever appended to; a run's own row is
//!   touched when its state changes.
//! - Readers see the last commit and never wait for the writer, nor it for them.
//! - A process owns runs under the name of a lock file that it holds while it lives (`owner`).
//! - Secrets are sealed with a key beside the database, which knows that key from others (`vault`).
//!
//! For a store `loom.db` the files are `loom.db`, SQLite's own `loom.db-wal` and `loom.db-shm`, and
//! the folder `loom.db.d` with the key, the owners' locks and the logs ([`Files`]).

mod commit;
mod documents;
mod fault;
mod files;
mod journal;
mod key;
mod log;
mod meta;
mod owner;
mod query;
mod requests;
mod runs;
mod schema;
mod search;
mod slots;
mod upkeep;
mod vault;
mod witness;
mod write;

pub use files::Files;

use fault::Fault;
use log::LogLayout;
use loom_core::RunId;
use loom_store::StoreError;
use owner::Owner;
use rusqlite::Connection;
use schema::Purpose;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a call waits for another process that is writing before it is refused as busy.
    pub busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5) }
    }
}

/// One session of a store in an SQLite file.
///
/// It becomes an owner with the first run that it creates or claims, and stops being one when it
/// is dropped. A session that only looks leaves no trace.
#[derive(Debug)]
pub struct SqliteStore {
    files: Files,
    conn: Connection,
    busy_timeout: Duration,
    owner: Option<Owner>,
    /// The next sequence number of runs that this session owns. Nobody else can move these while
    /// it lives, except that ended runs may be pruned: those are left out and looked up.
    next_seq: HashMap<RunId, u64>,
    log: LogLayout,
    /// The state of the database in which no request was left for this session.
    no_requests_at: Option<i64>,
}

impl SqliteStore {
    /// Opens the store in this file; makes it, and the folders on the way to it, if there is none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the file is something else or damaged, [`StoreError::Newer`] if a
    /// newer version wrote it, [`StoreError::Key`] if its secrets are sealed with a key that is not
    /// there, [`StoreError::Busy`] if another process keeps it locked, [`StoreError::Full`] or
    /// [`StoreError::Unavailable`] if it cannot be made or opened.
    #[expect(clippy::needless_pass_by_value, reason = "options are made for the call")]
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        let files = Files::new(path.as_ref());
        let opened = schema::open(&files, &options, Purpose::Write).and_then(|mut conn| {
            match vault::check_key(&mut conn, &files, options.busy_timeout) {
                Ok(()) => Ok(conn),
                Err(fault) => {
                    log::leave_if_any(&conn, &files.log());
                    Err(fault)
                }
            }
        });
        let conn = opened.map_err(|fault| fault.about(files.database()))?;
        Ok(Self::over(conn, files, &options))
    }

    /// Opens the store in this file to look at it. The key of its secrets is not needed for that.
    ///
    /// It works on a disk that is full to its last byte too. There nothing can be written, and other
    /// processes find the store locked as long as it is looked at. And it works where nothing may be
    /// written, unless part of the store is in a write-ahead log that a process has left there without
    /// its index. There nobody is expected to write it while it is looked at.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    #[expect(clippy::needless_pass_by_value, reason = "options are made for the call")]
    pub fn open_to_look(path: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        let files = Files::new(path.as_ref());
        let conn = schema::look(&files, &options).map_err(|fault| fault.about(files.database()))?;
        Ok(Self::over(conn, files, &options))
    }

    fn over(conn: Connection, files: Files, options: &Options) -> Self {
        Self {
            files,
            conn,
            busy_timeout: options.busy_timeout,
            owner: None,
            next_seq: HashMap::new(),
            log: LogLayout::default(),
            no_requests_at: None,
        }
    }

    /// Where the store's files are.
    pub const fn files(&self) -> &Files {
        &self.files
    }

    fn told<T>(&self, result: Result<T, Fault>) -> Result<T, StoreError> {
        let database = self.files.database();
        result.map_err(|fault| fault.of(&self.conn, database).about(database))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        log::leave_if_short(&self.conn, &self.files.log());
    }
}
