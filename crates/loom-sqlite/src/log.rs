//! The write-ahead log: laid out ahead of what is written to it, and left where it is short.
//!
//! As long as a file grows, every sync of it also writes its inode; in a log that is long enough
//! already, a commit is one write. Laying it out costs as much as some twenty such commits, and so
//! does giving its blocks back when the last session removes it: only a session that has shown that
//! it commits often has it done.
//!
//! The last session to end would move what is in the log into the database, sync both and remove the
//! log: half of what a short run has to wait for the disk. The log is as durable as the database, and
//! whoever opens the store next reads it; so a short one is left to them.

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// How long a log is once it is laid out.
const LOG_BYTES: u64 = 1 << 20;

/// How long a log may be that is left: it is read when the store is opened next, in well below a
/// millisecond.
const LEFT_BYTES: u64 = 512 << 10;

/// The commit of a session that lays the log out.
const OFTEN: u32 = 16;

/// How often a session has committed, as far as that matters.
#[derive(Debug, Default)]
pub(crate) struct LogLayout {
    commits: u32,
}

impl LogLayout {
    /// Notes that a commit is being made, and lays the log out if it is the one that shows that
    /// there will be many.
    ///
    /// To be called with the right to write (`BEGIN IMMEDIATE`), which nobody can have who appends to
    /// the log, starts it again, cuts it or recovers it. What is added are zeros behind its end,
    /// which SQLite takes for the end of the log. SQLite holds no lock on the log's own file, so
    /// closing ours lets go of none. Only speed is lost if this fails.
    pub(crate) fn committing(&mut self, log: &Path) {
        if self.commits < OFTEN {
            self.commits += 1;
            if self.commits == OFTEN {
                let _ = lay_out(log);
            }
        }
    }
}

/// To be called before a session ends: leaves the log if it is short.
pub(crate) fn leave_if_short(conn: &Connection, log: &Path) {
    leave(conn, log, LEFT_BYTES);
}

/// To be called before a session ends that has found something wrong: whatever is in the log stays
/// there, and the database as it is.
pub(crate) fn leave_if_any(conn: &Connection, log: &Path) {
    leave(conn, log, u64::MAX);
}

/// An empty log goes: nothing is lost with it.
fn leave(conn: &Connection, log: &Path, most: u64) {
    if fs::metadata(log).is_ok_and(|log| (1..=most).contains(&log.len())) {
        // Should this fail, SQLite does at the end what it always does.
        let _ = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// Adds zeros up to the length, or nothing.
fn lay_out(log: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(log)?;
    let end = file.seek(SeekFrom::End(0))?;
    fill(&mut file, LOG_BYTES.saturating_sub(end)).or_else(|_| file.set_len(end))
}

fn fill(file: &mut File, count: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(count), file).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, SqliteStore};
    use loom_store::RunStore;
    use loom_store::conformance::samples;

    #[test]
    fn a_session_that_commits_often_lays_the_log_out_and_all_it_wrote_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loom.db");
        let mut store = SqliteStore::open(&path, Options::default()).unwrap();
        let log = store.files().log();
        for nth in 1..=2 * OFTEN {
            let run = samples::run_id(nth.into());
            store.commit(&[samples::created(run)]).unwrap();
            let length = fs::metadata(&log).unwrap().len();
            assert_eq!(length == LOG_BYTES, nth >= OFTEN, "{length} bytes at commit {nth}");
        }
        // Another session reads the log while it is in use, and once more from the disk alone.
        for copied in [false, true] {
            let path = if copied { copy(folder.path()) } else { path.clone() };
            let mut other = SqliteStore::open(path, Options::default()).unwrap();
            for nth in 1..=2 * OFTEN {
                other.load(samples::run_id(nth.into())).unwrap();
            }
        }
    }

    /// What a machine would find that lost its power now: the database and its log, no more.
    fn copy(store: &Path) -> std::path::PathBuf {
        let copy = store.join("copy.db");
        for end in ["", "-wal"] {
            let to = store.join(format!("copy.db{end}"));
            fs::copy(store.join(format!("loom.db{end}")), to).unwrap();
        }
        copy
    }

    #[test]
    fn a_short_log_is_left_to_the_next_session_and_a_long_one_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loom.db");
        let mut runs = 1..;
        let mut session = |commits: u32| {
            let mut store = SqliteStore::open(&path, Options::default()).unwrap();
            for run in runs.by_ref().take(commits as usize) {
                store.commit(&[samples::created(samples::run_id(run))]).unwrap();
            }
            for run in 1..runs.start {
                store.load(samples::run_id(run)).unwrap();
            }
            let log = store.files().log();
            drop(store);
            log.exists()
        };
        assert!(session(1) && session(2) && session(0), "few commits");
        assert!(!session(2 * OFTEN), "the log was laid out");
        assert!(session(1), "few commits");
    }

    #[test]
    fn a_longer_log_stays_as_it_is_and_a_missing_one_is_nobodys_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert!(lay_out(&log).is_err(), "SQLite makes its logs itself");
        assert!(!log.exists());
        let long = vec![7; LOG_BYTES as usize + 5];
        fs::write(&log, &long).unwrap();
        lay_out(&log).unwrap();
        assert_eq!(fs::read(&log).unwrap(), long);
        fs::write(&log, "abc").unwrap();
        lay_out(&log).unwrap();
        let laid = fs::read(&log).unwrap();
        assert_eq!(laid.len() as u64, LOG_BYTES);
        assert!(laid.starts_with(b"abc\0") && laid[3..].iter().all(|byte| *byte == 0));
    }
}
