//! The file system under SQLite, with a record of what is written to the files of one store, and of what
//! is carried to the disk.
//!
//! SQLite reaches files through a table of functions. This one is its own, but for those that change a
//! file; files of other stores have nothing to do with it.
#![expect(unsafe_code, reason = "SQLite's file system is a table of C functions")]

use rusqlite::ffi;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Something that happened to a file, which is known by the order in which files were made: number 0
/// was there before.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Make {
        file: usize,
        name: PathBuf,
    },
    Write {
        file: usize,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: usize,
        length: usize,
    },
    Sync {
        file: usize,
    },
    Delete {
        name: PathBuf,
    },
    /// The store has said that the commit of this number is durable.
    Acknowledge(u64),
}

struct Record {
    /// How the names of the files begin that are recorded: that of the database.
    database: PathBuf,
    /// The files that there are.
    names: HashMap<PathBuf, usize>,
    /// The files that are open, by where SQLite keeps them, with the functions that they had.
    open: HashMap<usize, (usize, &'static ffi::sqlite3_io_methods)>,
    made: usize,
    ops: Vec<Op>,
}

static RECORD: Mutex<Option<Record>> = Mutex::new(None);
static BENEATH: OnceLock<usize> = OnceLock::new();

/// Records what is done to this database and the files beside it from now on.
pub(crate) fn start(database: &Path) {
    BENEATH.get_or_init(|| {
        // SAFETY: the default file system is there as long as the process is; the copy of it is never
        // freed, and has a name of its own.
        unsafe {
            let beneath = ffi::sqlite3_vfs_find(std::ptr::null());
            let recorder = ffi::sqlite3_vfs {
                pNext: std::ptr::null_mut(),
                zName: c"recorder".as_ptr(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..*beneath
            };
            ffi::sqlite3_vfs_register(Box::leak(Box::new(recorder)), 1);
            beneath as usize
        }
    });
    *RECORD.lock().unwrap() = Some(Record {
        database: database.to_owned(),
        names: [(database.to_owned(), 0)].into(),
        open: HashMap::new(),
        made: 1,
        ops: Vec::new(),
    });
}

pub(crate) fn acknowledge(commit: u64) {
    RECORD.lock().unwrap().as_mut().unwrap().ops.push(Op::Acknowledge(commit));
}

/// What happened since the start.
pub(crate) fn finish() -> Vec<Op> {
    RECORD.lock().unwrap().take().unwrap().ops
}

fn beneath() -> *mut ffi::sqlite3_vfs {
    *BENEATH.get().unwrap() as *mut ffi::sqlite3_vfs
}

/// The name, if its file is recorded.
///
/// # Safety
/// The name is null or a C string.
unsafe fn recorded<'a>(
    record: &'a mut MutexGuard<'_, Option<Record>>,
    name: *const c_char,
) -> Option<(&'a mut Record, PathBuf)> {
    let record = record.as_mut().filter(|_| !name.is_null())?;
    let name = PathBuf::from(unsafe { CStr::from_ptr(name) }.to_str().ok()?);
    let ours = name.to_str()?.starts_with(record.database.to_str()?);
    ours.then_some((record, name))
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls with what the function beneath takes, which then has set the methods.
    unsafe {
        let code = (*beneath()).xOpen.unwrap()(beneath(), name, file, flags, out);
        let mut record = RECORD.lock().unwrap();
        if code == ffi::SQLITE_OK
            && let Some((record, name)) = recorded(&mut record, name)
        {
            let known = record.names.get(&name).copied();
            let number = known.unwrap_or_else(|| {
                let file = record.made;
                record.made += 1;
                record.ops.push(Op::Make { file, name: name.clone() });
                record.names.insert(name, file);
                file
            });
            let methods: &'static ffi::sqlite3_io_methods = &*(*file).pMethods;
            record.open.insert(file as usize, (number, methods));
            (*file).pMethods = Box::leak(Box::new(ffi::sqlite3_io_methods {
                xWrite: Some(write),
                xTruncate: Some(truncate),
                xSync: Some(sync),
                ..*methods
            }));
        }
        code
    }
}

unsafe extern "C" fn delete(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: SQLite calls with what the function beneath takes.
    unsafe {
        let code = (*beneath()).xDelete.unwrap()(beneath(), name, sync_folder);
        let mut record = RECORD.lock().unwrap();
        if code == ffi::SQLITE_OK
            && let Some((record, name)) = recorded(&mut record, name)
        {
            record.names.remove(&name);
            record.ops.push(Op::Delete { name });
        }
        code
    }
}

/// Enters what is done to an open file, and answers with the functions that do it.
fn enter(
    file: *mut ffi::sqlite3_file,
    op: impl FnOnce(usize) -> Op,
) -> &'static ffi::sqlite3_io_methods {
    let mut record = RECORD.lock().unwrap();
    let record = record.as_mut().unwrap();
    let (number, methods) = record.open[&(file as usize)];
    record.ops.push(op(number));
    methods
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite calls with so many bytes, and with what the function beneath takes.
    unsafe {
        let bytes = std::slice::from_raw_parts(from.cast::<u8>(), length as usize).to_vec();
        let methods = enter(file, |file| Op::Write { file, offset: offset as usize, bytes });
        methods.xWrite.unwrap()(file, from, length, offset)
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    let methods = enter(file, |file| Op::Truncate { file, length: length as usize });
    // SAFETY: SQLite calls with what the function beneath takes.
    unsafe { methods.xTruncate.unwrap()(file, length) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite calls with what the function beneath takes. It enters the sync when it is over.
    unsafe {
        let methods = RECORD.lock().unwrap().as_ref().unwrap().open[&(file as usize)].1;
        let code = methods.xSync.unwrap()(file, flags);
        if code == ffi::SQLITE_OK {
            enter(file, |file| Op::Sync { file });
        }
        code
    }
}
