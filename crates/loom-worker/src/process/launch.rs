//! Finds a program and starts it.

use super::{LOOK, Launch, SETTLE};
use crate::environment::{self, Inherited};
use crate::job::{Ended, failure};
use crate::sys::{self, Child, Spawn};
use loom_protocol::ErrorCode;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

/// How much of a script's first line the kernel reads, in bytes.
const FIRST_LINE: u64 = 256;

thread_local! {
    /// The last program that this thread looked up.
    static LAST: RefCell<Option<Found>> = const { RefCell::new(None) };
}

/// A program that was looked up.
struct Found {
    name: OsString,
    path: OsString,
    full: PathBuf,
}

/// A process that has just started, with our ends of its pipes.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) stdin: Option<PipeWriter>,
    pub(super) stdout: PipeReader,
    pub(super) stderr: PipeReader,
    /// Our copies of its ends of the pipes of its output, which do not end before these are closed.
    pub(super) ends: (PipeWriter, PipeWriter),
}

/// Starts a process with these variables and, on top, its own.
pub(super) fn start(
    launch: &Launch,
    inherited: &Inherited,
    variables: &[(&str, Cow<'_, str>)],
) -> Result<Started, Ended> {
    let more = launch.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let own = variables.iter().map(|(name, value)| (*name, value.as_ref())).chain(more);
    let mut path = inherited.get("PATH");
    if let Some((_, own)) = own.clone().rfind(|(name, _)| *name == "PATH") {
        path = Some(OsStr::new(own));
    }
    let program = find_program(&launch.program, &launch.cwd, path)?;
    let own = own.map(|(name, value)| {
        let (name, value) = (OsStr::new(name), OsStr::new(value));
        Ok((name, environment::entry(name, value)?))
    });
    let started = own.collect::<io::Result<Vec<_>>>().and_then(|own| {
        let texts = [program.as_os_str(), launch.cwd.as_os_str(), &launch.program];
        let texts = texts.into_iter().chain(launch.args.iter().map(OsString::as_os_str));
        let texts =
            texts.map(|text| CString::new(text.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let arguments: Vec<_> = texts[2..].iter().map(CString::as_c_str).collect();
        let environment = inherited.with(&own);
        connect(launch.stdin.is_some(), |streams| {
            let (program, folder) = (&texts[0], &texts[1]);
            let (arguments, environment) = (&arguments, &environment);
            spawn_settled(&Spawn { program, arguments, environment, folder, streams })
        })
    });
    started.map_err(|error| spawn_failure(launch, &program, &error))
}

/// Makes the pipes of a process and has it started with its ends of them.
fn connect(
    feeds: bool,
    start: impl FnOnce([BorrowedFd<'_>; 3]) -> io::Result<Child>,
) -> io::Result<Started> {
    let (stdout, out_end) = io::pipe()?;
    let (stderr, err_end) = io::pipe()?;
    let input = if feeds { Some(io::pipe()?) } else { None };
    let in_end = match &input {
        Some((in_end, _)) => in_end.as_fd(),
        None => nothing()?,
    };
    let child = start([in_end, out_end.as_fd(), err_end.as_fd()])?;
    let stdin = input.map(|(_, stdin)| stdin);
    Ok(Started { child, stdin, stdout, stderr, ends: (out_end, err_end) })
}

/// An empty standard input, opened once.
fn nothing() -> io::Result<BorrowedFd<'static>> {
    static NOTHING: OnceLock<File> = OnceLock::new();
    if let Some(device) = NOTHING.get() {
        return Ok(device.as_fd());
    }
    let device = File::open("/dev/null")?;
    Ok(NOTHING.get_or_init(|| device).as_fd())
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
            Ok(found) if found.is_dir() => {
                Err(permanent(format!("`{shown}` is a folder; name a program in it")))
            }
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
fn spawn_settled(spawn: &Spawn<'_>) -> io::Result<Child> {
    let until = Instant::now() + SETTLE;
    loop {
        match spawn.start() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < until =>
            {
                let _ = sys::poll(&mut [], Some(Instant::now() + LOOK));
            }
            started => return started,
        }
    }
}

fn spawn_failure(launch: &Launch, full: &Path, error: &io::Error) -> Ended {
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
        Some(libc::ENOENT) => (what_it_lacks(full), false),
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

/// Why the system does not find what a program file needs in order to run.
fn what_it_lacks(file: &Path) -> String {
    let mut start = Vec::new();
    // If it cannot be read, it has no first line to go by.
    let _ = File::open(file).and_then(|file| file.take(FIRST_LINE).read_to_end(&mut start));
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let shebang = String::from_utf8_lossy(line.strip_prefix(b"#!").unwrap_or_default());
    let interpreter = shebang.split_whitespace().next().unwrap_or_default();
    if shebang.ends_with('\r') {
        "its first line ends with a carriage return; save it with Unix line ends".to_owned()
    } else if !interpreter.is_empty() && !Path::new(interpreter).exists() {
        format!("its first line names `{interpreter}`, which is not there")
    } else {
        "the loader that it needs is not there; is it built for another system?".to_owned()
    }
}
