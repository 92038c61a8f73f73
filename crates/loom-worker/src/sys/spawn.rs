//! Starts processes, by `posix_spawn`.
//!
//! The standard library does too, but makes a map of the whole environment and a C string of each of
//! its entries for every process. Here the caller has them ready.

use super::{Signal, signal_group};
use std::ffi::{CStr, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::ptr::null_mut;

/// A process to start.
pub(crate) struct Spawn<'a> {
    /// The path of its file.
    pub(crate) program: &'a CStr,
    /// Its arguments, its own name first.
    pub(crate) arguments: &'a [&'a CStr],
    /// Its environment, as `NAME=value`.
    pub(crate) environment: &'a [&'a CStr],
    /// The folder that it starts in.
    pub(crate) folder: &'a CStr,
    /// What become its standard input, output and error. The standard library sees to it that 0, 1
    /// and 2 are taken before `main`, so these are others.
    pub(crate) streams: [BorrowedFd<'a>; 3],
}

/// A process that was started here and is to be collected. Dropped before it is, as by a panic, it
/// is killed with its group.
#[derive(Debug)]
pub(crate) struct Child {
    pid: libc::pid_t,
    status: Option<ExitStatus>,
    is_ours: bool,
}

impl Spawn<'_> {
    /// Starts it as the leader of a process group of its own, with no signal blocked, and with each
    /// as it is by default: also SIGPIPE, which Rust programs ignore, and what whoever started us
    /// ignores. Of our descriptors it gets the three streams and those that are not closed by an
    /// exec.
    #[expect(
        unsafe_code,
        reason = "posix_spawn(3) has no safe counterpart that takes prepared lists"
    )]
    pub(crate) fn start(&self) -> io::Result<Child> {
        let attributes = Attributes::new()?;
        let actions = Actions::new(self.folder, self.streams)?;
        let arguments = pointers(self.arguments);
        let environment = pointers(self.environment);
        let mut pid = 0;
        // SAFETY: `program` and all that the two lists point to are C strings borrowed for longer
        // than the call, and the lists end with a null pointer. The call writes to none of them in
        // spite of its type. `attributes` and `actions` are initialised.
        let error = unsafe {
            libc::posix_spawn(
                &raw mut pid,
                self.program.as_ptr(),
                &raw const actions.0,
                &raw const attributes.0,
                arguments.as_ptr(),
                environment.as_ptr(),
            )
        };
        check(error).map(|()| Child { pid, status: None, is_ours: true })
    }
}

/// A list as exec takes it.
fn pointers(strings: &[&CStr]) -> Vec<*mut c_char> {
    strings.iter().map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect()
}

/// The calls of this family return their error.
fn check(error: c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    #[expect(unsafe_code, reason = "the attributes of posix_spawn(3) are made by calls")]
    fn new() -> io::Result<Self> {
        let flags = libc::POSIX_SPAWN_SETPGROUP
            | libc::POSIX_SPAWN_SETSIGMASK
            | libc::POSIX_SPAWN_SETSIGDEF;
        let mut made = MaybeUninit::uninit();
        let mut signals = MaybeUninit::uninit();
        // SAFETY: each value is initialised by the first call that gets it, and used after that has
        // answered 0; the pointers are to live places of the right types.
        unsafe {
            check(libc::posix_spawnattr_init(made.as_mut_ptr()))?;
            let mut attributes = Self(made.assume_init());
            let made = &raw mut attributes.0;
            check(libc::posix_spawnattr_setflags(made, flags as _))?;
            check(libc::posix_spawnattr_setpgroup(made, 0))?;
            libc::sigemptyset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(made, signals.as_ptr()))?;
            // All of them: glibc would ask for each of the others whether it is ignored.
            libc::sigfillset(signals.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(made, signals.as_ptr()))?;
            Ok(attributes)
        }
    }
}

impl Drop for Attributes {
    #[expect(unsafe_code, reason = "the attributes of posix_spawn(3) are freed by a call")]
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, and not used any more.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    #[expect(unsafe_code, reason = "the file actions of posix_spawn(3) are made by calls")]
    fn new(folder: &CStr, streams: [BorrowedFd<'_>; 3]) -> io::Result<Self> {
        let mut made = MaybeUninit::uninit();
        // SAFETY: as in `Attributes::new`. The folder's name is copied.
        unsafe {
            check(libc::posix_spawn_file_actions_init(made.as_mut_ptr()))?;
            let mut actions = Self(made.assume_init());
            let made = &raw mut actions.0;
            check(libc::posix_spawn_file_actions_addchdir_np(made, folder.as_ptr()))?;
            for (target, stream) in (0..).zip(streams) {
                let source = stream.as_raw_fd();
                check(libc::posix_spawn_file_actions_adddup2(made, source, target))?;
            }
            Ok(actions)
        }
    }
}

impl Drop for Actions {
    #[expect(unsafe_code, reason = "the file actions of posix_spawn(3) are freed by a call")]
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, and not used any more.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.0) };
    }
}

impl Child {
    /// Its number, which is also that of its group.
    pub(crate) const fn id(&self) -> u32 {
        self.pid as u32
    }

    /// Collects it if it has exited.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.collect(libc::WNOHANG)?;
        Ok(self.status)
    }

    /// Waits until it has exited, and collects it.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            self.collect(0)?;
            if let Some(status) = self.status {
                return Ok(status);
            }
        }
    }

    #[expect(unsafe_code, reason = "waitpid(2) has no safe counterpart for a process started here")]
    fn collect(&mut self, options: c_int) -> io::Result<()> {
        if self.status.is_some() {
            return Ok(());
        }
        let mut status = 0;
        // SAFETY: the call writes to `status` alone. The process has not been collected, so the
        // number is its own.
        let collected = unsafe { libc::waitpid(self.pid, &raw mut status, options) };
        if collected == self.pid {
            self.status = Some(ExitStatus::from_raw(status));
        } else if collected < 0 {
            let error = io::Error::last_os_error();
            // Somebody else has collected it: its number may be another's by now.
            self.is_ours &= error.raw_os_error() != Some(libc::ECHILD);
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() && self.is_ours {
            signal_group(self.id(), Signal::Kill);
            let _ = self.wait();
        }
    }
}
