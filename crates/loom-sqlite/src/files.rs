//! Where a store keeps what.

use crate::fault::{Fault, file_fault};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How the names of files begin that are about to become the database.
pub(crate) const NEW_DRAFT: &str = "new-";

/// How the names of files begin that are about to become the key.
pub(crate) const KEY_DRAFT: &str = "key-";

/// The files of a store.
#[derive(Clone, Debug)]
pub struct Files {
    database: PathBuf,
    folder: PathBuf,
}

impl Files {
    /// The files of the store in this database.
    pub fn new(database: &Path) -> Self {
        let mut folder = database.as_os_str().to_owned();
        folder.push(".d");
        Self { database: database.to_owned(), folder: folder.into() }
    }

    /// The SQLite database.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// The folder for everything that is not in the database. It may not exist yet.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder for the logs of attempts. It may not exist yet.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The key that secrets are sealed with. It exists once a secret was sealed.
    pub fn key(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// The write-ahead log, under the name that SQLite gives it.
    pub(crate) fn log(&self) -> PathBuf {
        let mut name = self.database.as_os_str().to_owned();
        name.push("-wal");
        name.into()
    }

    pub(crate) fn owners(&self) -> PathBuf {
        self.folder.join("owners")
    }
}

/// Makes a folder for this user only, unless it is there.
pub(crate) fn make_folder(path: &Path) -> Result<(), Fault> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if !path.is_dir() => Err(file_fault("make the folder", path)(error)),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it, such that they outlast a loss of power.
pub(crate) fn make_lasting_folder(path: &Path) -> Result<(), Fault> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    make_lasting_folder(above)?;
    make_folder(path)?;
    sync_folder(above)
}

/// Makes the names in a folder outlast a loss of power.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Fault> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(file_fault("write the folder", path))
}

/// Removes a file that nobody needs any more; it does no harm if it stays.
pub(crate) fn discard(path: &Path) {
    drop(fs::remove_file(path));
}
