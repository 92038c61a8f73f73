//! Owners: which processes live.
//!
//! An owner is a session that holds the exclusive lock on a file of its name. The system drops the
//! lock when the process ends, however it ends, so nobody has to tell the time or send signs of
//! life. A file that is not locked, or not there, is a dead owner's. Files appear under their
//! final name only once they are locked, and their descriptors are not inherited by commands.

use crate::fault::{Fault, file_fault};
use crate::files::{discard, make_folder};
use chacha20poly1305::aead::Generate;
use loom_store::record::hex;
use loom_store::{OwnerId, StoreError};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A living owner: this one.
#[derive(Debug)]
pub(crate) struct Owner {
    id: OwnerId,
    path: PathBuf,
    _lock: File,
}

impl Owner {
    /// Becomes an owner, and clears away what dead ones left in the folder.
    pub(crate) fn begin(folder: &Path) -> Result<Self, Fault> {
        if let Some(above) = folder.parent() {
            make_folder(above)?;
        }
        make_folder(folder)?;
        sweep(folder)?;
        loop {
            let id = format!("{}-{}-{}", std::process::id(), start_time(), random_name()?);
            let (draft, path) = (folder.join(format!("{id}.new")), lock_path(folder, &id));
            let lock = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&draft)
                .map_err(file_fault("make the lock file", &draft))?;
            lock.lock().map_err(file_fault("lock", &draft))?;
            match fs::rename(&draft, &path) {
                Ok(()) => return Ok(Self { id, path, _lock: lock }),
                // Another process swept the draft away before it was locked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(file_fault("make the lock file", &path)(error)),
            }
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        discard(&self.path);
    }
}

/// Whether the owner of this name lives.
pub(crate) fn is_alive(folder: &Path, owner: &str) -> Result<bool, Fault> {
    is_locked(&lock_path(folder, owner))
}

fn lock_path(folder: &Path, owner: &str) -> PathBuf {
    folder.join(format!("{owner}.lock"))
}

fn is_locked(path: &Path) -> Result<bool, Fault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(file_fault("open", path)(error)),
    };
    // Shared, so that two who look at once do not take each other for the owner.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(file_fault("examine", path)(error)),
    }
}

fn sweep(folder: &Path) -> Result<(), Fault> {
    for entry in fs::read_dir(folder).map_err(file_fault("read", folder))? {
        let path = entry.map_err(file_fault("read", folder))?.path();
        if !is_locked(&path)? {
            discard(&path);
        }
    }
    Ok(())
}

/// When this process started, in the system's ticks since it booted; it tells people which of two
/// processes of the same number an owner was.
fn start_time() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    behind_name.split_whitespace().nth(19).and_then(|ticks| ticks.parse().ok()).unwrap_or_default()
}

/// A name that nothing else has.
pub(crate) fn random_name() -> Result<String, StoreError> {
    <[u8; 8]>::try_generate().map(|bytes| hex(&bytes)).map_err(|error| no_random(&error))
}

pub(crate) fn no_random(error: &impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("the system gives no random numbers: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_lives_until_it_is_dropped_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner::begin(folder.path()).unwrap();
        let other = Owner::begin(folder.path()).unwrap();
        assert_ne!(owner.id(), other.id());
        assert!(is_alive(folder.path(), owner.id()).unwrap());
        let id = owner.id().to_owned();
        drop(owner);
        assert!(!is_alive(folder.path(), &id).unwrap());
        assert!(is_alive(folder.path(), other.id()).unwrap());
        drop(other);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_dead_owners_left_is_swept_and_living_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let living = Owner::begin(folder.path()).unwrap();
        for left in ["1-2-dead.lock", "1-2-dead.new"] {
            fs::write(folder.path().join(left), "").unwrap();
        }
        assert!(!is_alive(folder.path(), "1-2-dead").unwrap());
        let _other = Owner::begin(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(is_alive(folder.path(), living.id()).unwrap());
    }

    #[test]
    fn this_processes_start_time_is_known() {
        assert!(start_time() > 0);
    }
}
