//! Finds a program and starts it.

use super::{LOOK, Launch, SETTLE};
use crate::job::{Ended, failure};
use crate::sys;
use loom_protocol::ErrorCode;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

thread_local! {
    /// The last program that this thread looked up.
    static LAST: RefCell<Option<Found>> = const { RefCell::new(None) };
    /// `/dev/null`, once this thread has needed it.
    static NOTHING: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// A program that was looked up.
struct Found {
    name: OsString,
    path: OsString,
    full: PathBuf,
}

/// Starts a process with these variables and, on top, its own.
pub(super) fn start(launch: &Launch, variables: &[(&str, Cow<'_, str>)]) -> Result<Child, Ended> {
    let mut command = prepare(launch, variables)?;
    command.stdin(if launch.stdin.is_some() { Stdio::piped() } else { nothing() });
    spawn(&mut command).map_err(|error| spawn_failure(launch, &error))
}

/// An empty standard input. The device stays open for the next attempt: to duplicate a descriptor
/// costs a tenth of opening a path.
fn nothing() -> Stdio {
    NOTHING.with_borrow_mut(|device| {
        if device.is_none() {
            *device = File::open("/dev/null").ok();
        }
        device
            .as_ref()
            .and_then(|device| device.try_clone().ok())
            .map_or_else(Stdio::null, Stdio::from)
    })
}

fn prepare(
    launch: &Launch,
    variables: &[(&str, Cow<'_, str>)],
) -> Result<std::process::Command, Ended> {
    let of_variable = |name: &str| {
        let own = launch.env.iter().rev().find(|(other, _)| other == name);
        own.map(|(_, value)| value.as_str()).or_else(|| {
            let found = variables.iter().rev().find(|(other, _)| *other == name);
            found.map(|(_, value)| value.as_ref())
        })
    };
    let path = match of_variable("PATH") {
        Some(path) => Some(OsString::from(path)),
        None => std::env::var_os("PATH"),
    };
    let program = find_program(&launch.program, &launch.cwd, path.as_deref())?;
    let mut command = std::process::Command::new(program);
    command
        .arg0(&launch.program)
        .args(&launch.args)
        .envs(variables.iter().map(|(name, value)| (name, value.as_ref())))
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&launch.cwd)
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

/// The program's absolute path: a name is looked up in `path`, a relative path starts from `cwd`.
fn find_program(program: &OsStr, cwd: &Path, path: Option<&OsStr>) -> Result<PathBuf, Ended> {
    let shown = program.to_string_lossy();
    let permanent = |message: String| failure(ErrorCode::TaskSpawn, message, false);
    if program.is_empty() {
        return Err(permanent("the command is empty; name a program to run".to_owned()));
    }
    if shown.contains('/') {
        let full = absolute(cwd).join(program);
        return match full.metadata() {
            Err(error) => Err(permanent(format!(
                "`{shown}` could not be started: {error} ({}); paths start from the folder of the \
                 workflow",
                full.display()
            ))),
            Ok(found) if !executable(&found) => Err(permanent(format!(
                "`{shown}` is not executable; run `chmod +x {}`",
                full.display()
            ))),
            Ok(_) => Ok(full),
        };
    }
    let path = path.unwrap_or_else(|| OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    if let Some(full) = remembered(program, path) {
        return Ok(full);
    }
    let mut unusable = None;
    for folder in std::env::split_paths(path) {
        let full = absolute(cwd).join(folder).join(program);
        match full.metadata() {
            Ok(found) if executable(&found) => {
                remember(program, path, &full);
                return Ok(full);
            }
            Ok(found) if found.is_file() => unusable = unusable.or(Some(full)),
            _ => {}
        }
    }
    Err(permanent(match unusable {
        Some(full) => {
            format!("`{shown}` is not executable; run `chmod +x {}`", full.display())
        }
        None => format!(
            "no program `{shown}` was found in PATH; install it, or write `./{shown}` for a file in \
             the workflow's folder"
        ),
    }))
}

/// Where a name was found in a `PATH` by this thread the last time, if it is still there. As in a
/// shell, a program that appears earlier in `PATH` meanwhile is not noticed.
fn remembered(program: &OsStr, path: &OsStr) -> Option<PathBuf> {
    LAST.with_borrow(|last| {
        let found = last.as_ref().filter(|found| found.name == program && found.path == path)?;
        let usable = found.full.metadata().is_ok_and(|metadata| executable(&metadata));
        usable.then(|| found.full.clone())
    })
}

fn remember(program: &OsStr, path: &OsStr, full: &Path) {
    // An entry that is relative to the attempt's folder may be another one the next time.
    if std::env::split_paths(path).all(|folder| folder.is_absolute()) {
        let (name, path, full) = (program.to_owned(), path.to_owned(), full.to_owned());
        LAST.set(Some(Found { name, path, full }));
    }
}

fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

fn executable(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.is_file() && file.permissions().mode() & 0o111 != 0
}

/// Starts a process. A program file that another thread has open for writing at this very moment
/// (it inherits to children until they exec) is tried again for a while.
fn spawn(command: &mut std::process::Command) -> io::Result<Child> {
    let until = Instant::now() + SETTLE;
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < until =>
            {
                let _ = sys::poll(&mut [], Some(Instant::now() + LOOK));
            }
            spawned => return spawned,
        }
    }
}

fn spawn_failure(launch: &Launch, error: &io::Error) -> Ended {
    let program = launch.program.to_string_lossy();
    let folder = launch.cwd.display();
    let (mend, retryable) = match error.raw_os_error() {
        _ if !launch.cwd.is_dir() => (format!("its folder {folder} does not exist"), false),
        Some(libc::E2BIG) => (
            "its variables and arguments are too large together; write large values to files and \
             pass the files' paths"
                .to_owned(),
            false,
        ),
        Some(libc::ENOEXEC) => (
            "it is no program for this machine; does its first line lack `#!/bin/sh`?".to_owned(),
            false,
        ),
        Some(libc::ENOENT) => ("does the interpreter in its first line exist?".to_owned(), false),
        Some(libc::EACCES) => ("check its permissions and those of its folder".to_owned(), false),
        Some(libc::EMFILE | libc::ENFILE) => {
            ("too many open files; raise `ulimit -n` or run fewer workers".to_owned(), true)
        }
        Some(libc::EAGAIN | libc::ENOMEM) => {
            ("the machine has no room for another process; run fewer workers".to_owned(), true)
        }
        Some(libc::ETXTBSY) => ("somebody is writing the program file".to_owned(), true),
        _ => ("check the command".to_owned(), false),
    };
    let message = format!("`{program}` could not be started: {error}; {mend}");
    failure(ErrorCode::TaskSpawn, message, retryable)
}
