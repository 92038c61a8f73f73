//! The store and the logs that a server works on.

use loom_core::RunId;
use loom_server::{LogFile, Logs, Space, Stores};
use loom_sqlite::SqliteStore;
use loom_store::{DocumentStore, QueryStore, StoreError, UpkeepStore};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Opens connections to the database.
pub(crate) struct Database(pub(crate) PathBuf);

impl Stores for Database {
    fn query(&self) -> Result<Box<dyn QueryStore>, StoreError> {
        Ok(Box::new(SqliteStore::open_to_look(&self.0, loom_sqlite::Options::default())?))
    }

    fn documents(&self) -> Result<Box<dyn DocumentStore>, StoreError> {
        Ok(Box::new(SqliteStore::open(&self.0, loom_sqlite::Options::default())?))
    }

    fn space(&self) -> io::Result<Option<Space>> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        let space = loom_worker::space(folder.unwrap_or(Path::new(".")))?;
        Ok(Some(Space { total: space.total, available: space.available }))
    }

    fn upkeep(&self) -> Result<Box<dyn UpkeepStore>, StoreError> {
        Ok(Box::new(SqliteStore::open(&self.0, loom_sqlite::Options::default())?))
    }
}

/// The folder that logs are in, one folder a run.
pub(super) struct LogFolder(pub(super) PathBuf);

impl Logs for LogFolder {
    fn open(&self, log: LogFile) -> io::Result<File> {
        let name = crate::bridge::log_name(log.task, log.attempt);
        File::open(self.0.join(log.run.to_string()).join(name))
    }

    fn delete(&self, run: RunId) -> io::Result<()> {
        match std::fs::remove_dir_all(self.0.join(run.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}
