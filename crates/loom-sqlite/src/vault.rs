//! Which key the secrets of a store are sealed with, and that it is no other.
//!
//! The key lies beside the database: it keeps secrets out of the database and of its copies, not from
//! those who may read the folder. So that a key that is lost or exchanged is not taken for the first
//! one, the database has its fingerprint, recorded in the transaction that stores the first secret.
//! From then on nothing is sealed and nothing opened with another.

use crate::fault::Fault;
use crate::files::Files;
use crate::key::{Fingerprint, Key};
use crate::witness::{Witness, look_for_witness};
use crate::write::begin;
use loom_store::StoreError;
use loom_store::record::Vault;
use rusqlite::Connection;
use std::cell::OnceCell;
use std::time::Duration;

/// What the database knows of its key.
enum Known {
    /// Nothing is sealed.
    Unsealed,
    /// Something may be sealed, by a format that kept no fingerprint.
    Older,
    Key(Fingerprint),
}

/// Seals and opens secrets of one transaction, or of a read outside of one.
pub(crate) struct Sealing<'a> {
    conn: &'a Connection,
    files: &'a Files,
    /// The key that is recorded, once it was needed.
    key: OnceCell<Key>,
}

impl<'a> Sealing<'a> {
    pub(crate) const fn new(conn: &'a Connection, files: &'a Files) -> Self {
        Self { conn, files, key: OnceCell::new() }
    }

    /// The key that is recorded, if one is.
    fn key(&self) -> Result<Option<&Key>, Fault> {
        if self.key.get().is_none()
            && let Known::Key(fingerprint) = known(self.conn)?
        {
            let key = read_recorded(self.files, fingerprint)?;
            return Ok(Some(self.key.get_or_init(|| key)));
        }
        Ok(self.key.get())
    }

    /// The key to seal with from now on.
    fn key_to_seal(&self) -> Result<&Key, Fault> {
        if self.key.get().is_none() && matches!(known(self.conn)?, Known::Older) {
            adopt(self.conn, self.files)?;
        }
        match self.key()? {
            Some(key) => Ok(key),
            None => self.first_key(),
        }
    }

    /// The key for the store's first secret: made, unless one is there, and recorded.
    fn first_key(&self) -> Result<&Key, Fault> {
        let path = self.files.key();
        if !path.exists() {
            Key::make(&path)?;
        }
        let key = Key::read(&path)?.ok_or_else(|| missing(self.files))?;
        record(self.conn, Some(key.fingerprint))?;
        Ok(self.key.get_or_init(|| key))
    }

    fn try_seal(&self, secret: &[u8]) -> Result<String, Fault> {
        Ok(self.key_to_seal()?.seal(secret)?)
    }

    fn try_open(&self, sealed: &str) -> Result<Vec<u8>, Fault> {
        let opened = match self.key()? {
            Some(key) => key.open(sealed),
            None => Key::read(&self.files.key())?.ok_or_else(|| missing(self.files))?.open(sealed),
        };
        opened.ok_or_else(|| {
            let (key, database) = (self.files.key(), self.files.database().display());
            let what = format!("{database}: a secret does not open with {}", key.display());
            StoreError::Corrupt(what).into()
        })
    }
}

impl Vault for Sealing<'_> {
    fn seal(&self, secret: &[u8]) -> Result<String, StoreError> {
        self.try_seal(secret).map_err(|fault| fault.about(self.files.database()))
    }

    fn open(&self, sealed: &str) -> Result<Vec<u8>, StoreError> {
        self.try_open(sealed).map_err(|fault| fault.about(self.files.database()))
    }
}

/// Refuses a store that is sealed with a key that is not there. One of an older format learns which
/// key it is sealed with: the one that is there, if anything opens with it.
pub(crate) fn check_key(
    conn: &mut Connection,
    files: &Files,
    timeout: Duration,
) -> Result<(), Fault> {
    match known(conn)? {
        Known::Unsealed => Ok(()),
        Known::Key(fingerprint) => read_recorded(files, fingerprint).map(drop),
        Known::Older => {
            let tx = begin(conn, timeout)?;
            adopt(&tx, files)?;
            Ok(tx.commit()?)
        }
    }
}

/// Finds out which key is the store's. To be called with the right to write.
fn adopt(conn: &Connection, files: &Files) -> Result<(), Fault> {
    let key = Key::read(&files.key())?;
    let found = look_for_witness(conn, &Sealing::new(conn, files))?;
    let fingerprint = match (found, key) {
        (Witness::None, _) => None,
        (Witness::Opens, Some(key)) => Some(key.fingerprint),
        (_, None) => return Err(missing(files).into()),
        (Witness::Sealed, Some(_)) => {
            let (key, database) = (files.key(), files.database().display());
            let what = format!("the key in {} opens no secret of {database}", key.display());
            return Err(StoreError::Key(what).into());
        }
    };
    record(conn, fingerprint)
}

fn read_recorded(files: &Files, fingerprint: Fingerprint) -> Result<Key, Fault> {
    let (path, database) = (files.key(), files.database().display());
    let sealed = format!(
        "the secrets of {database} are sealed with the key whose file has the SHA-256 {fingerprint}…"
    );
    match Key::read(&path)? {
        Some(key) if key.fingerprint == fingerprint => Ok(key),
        Some(key) => {
            let (path, found) = (path.display(), key.fingerprint);
            let what = format!("{sealed}; that of {path} is {found}…");
            Err(StoreError::Key(what).into())
        }
        None => {
            let what = format!("{sealed}; there is no file {}", path.display());
            Err(StoreError::Key(what).into())
        }
    }
}

fn missing(files: &Files) -> StoreError {
    let (key, database) = (files.key(), files.database().display());
    StoreError::Key(format!(
        "{database} has sealed secrets, and there is no file {}",
        key.display()
    ))
}

fn known(conn: &Connection) -> Result<Known, Fault> {
    let mut select = conn.prepare_cached("SELECT fingerprint FROM sealing")?;
    let found: Option<Vec<u8>> = select.query_row([], |row| row.get(0))?;
    match found {
        None => Ok(Known::Unsealed),
        Some(bytes) if bytes.is_empty() => Ok(Known::Older),
        Some(bytes) => match bytes.try_into() {
            Ok(bytes) => Ok(Known::Key(Fingerprint(bytes))),
            Err(_) => Err(StoreError::Corrupt("the fingerprint of its key".into()).into()),
        },
    }
}

/// Enters with which key the store is sealed, if with any.
fn record(conn: &Connection, fingerprint: Option<Fingerprint>) -> Result<(), Fault> {
    let bytes = fingerprint.map(|fingerprint| fingerprint.0);
    conn.prepare_cached("UPDATE sealing SET fingerprint = ?")?.execute([bytes])?;
    Ok(())
}
