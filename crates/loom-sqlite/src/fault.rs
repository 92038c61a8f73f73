//! What goes wrong inside, and what the caller is told.

use loom_store::StoreError;
use rusqlite::{Connection, ErrorCode, ffi};
use std::io;
use std::path::Path;

/// A failure of one of the driver's steps, before it is known by its class.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// Whether there is no room left.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Full(_)),
            Self::Sql(error) => matches!(classify(error, Path::new("")), StoreError::Full(_)),
        }
    }

    /// Whether SQLite may not write where it has to.
    pub(crate) fn is_read_only(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
    }

    /// The failure of a call of this connection. A disk is full to a process whose files may not grow,
    /// or whose user's quota is used up, too: SQLite knows only of one without free blocks.
    #[expect(unsafe_code, reason = "no safe call tells the system's error behind SQLite's")]
    pub(crate) fn of(self, conn: &Connection, database: &Path) -> Self {
        let Self::Sql(error) = &self else { return self };
        let code = error.sqlite_error().map(|cause| cause.extended_code);
        if code != Some(ffi::SQLITE_IOERR_WRITE) {
            return self;
        }
        // SAFETY: the handle is of a connection that is open as long as it is borrowed.
        let cause =
            io::Error::from_raw_os_error(unsafe { ffi::sqlite3_system_errno(conn.handle()) });
        let mend = match cause.kind() {
            io::ErrorKind::FileTooLarge => "allow larger files (ulimit -f)",
            io::ErrorKind::QuotaExceeded => "make room",
            _ => return self,
        };
        let database = database.display();
        Self::Store(StoreError::Full(format!("{database}: {error}: {cause}; {mend}")))
    }

    /// The error as callers of this database see it.
    pub(crate) fn about(self, database: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) => classify(&error, database),
        }
    }
}

fn classify(error: &rusqlite::Error, database: &Path) -> StoreError {
    let what = format!("{}: {error}", database.display());
    let Some(cause) = error.sqlite_error() else {
        // A statement of ours got a row of another shape than the schema has.
        return StoreError::Corrupt(what);
    };
    match cause.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy(what),
        ErrorCode::DiskFull => StoreError::Full(format!("{what}; make room on its disk")),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown => {
            StoreError::Corrupt(format!("{what}; restore it from a backup or name another file"))
        }
        ErrorCode::SystemIoFailure => match cause.extended_code {
            // The shared index of the write-ahead log could not grow.
            ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full(format!("{what}; make room on its disk")),
            ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA => {
                StoreError::Corrupt(what)
            }
            _ => StoreError::Unavailable(what),
        },
        _ => StoreError::Unavailable(what),
    }
}

/// Whether a row was refused because its key is taken.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|cause| {
        matches!(
            cause.extended_code,
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE
        )
    })
}

/// Says which file could not be treated how.
pub(crate) fn file_fault<'a>(
    verb: &'a str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> Fault + 'a {
    move |error| {
        let what = format!("cannot {verb} {}: {error}", path.display());
        Fault::Store(match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StoreError::Full(what),
            _ => StoreError::Unavailable(what),
        })
    }
}
