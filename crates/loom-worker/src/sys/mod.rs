//! Calls to the C library that the standard library does not offer.

mod spawn;

pub(crate) use spawn::{Child, Spawn};

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// One descriptor to wait for, and what was found.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Watched(libc::pollfd);

impl Watched {
    /// Waits for something to read, or for the far side to be gone.
    pub(crate) fn readable(fd: BorrowedFd<'_>) -> Self {
        Self(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 })
    }

    /// Waits for room to write, or for the far side to be gone.
    pub(crate) fn writable(fd: BorrowedFd<'_>) -> Self {
        Self(libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 })
    }

    /// A place that [`poll`] leaves alone.
    pub(crate) const fn nothing() -> Self {
        Self(libc::pollfd { fd: -1, events: 0, revents: 0 })
    }

    /// Whether the last [`poll`] found anything, the far side's end included.
    pub(crate) const fn ready(self) -> bool {
        self.0.revents != 0
    }
}

/// Waits until a descriptor is ready or `until` has come; `None` waits for ever.
#[expect(unsafe_code, reason = "poll(2) has no safe counterpart in the standard library")]
pub(crate) fn poll(watched: &mut [Watched], until: Option<Instant>) -> io::Result<()> {
    loop {
        let millis = until.map_or(-1, |until| {
            let left = until.saturating_duration_since(Instant::now());
            // Rounded up, so that a wait never ends before its time and spins.
            i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX)
        });
        // SAFETY: `Watched` is a transparent wrapper in layout: a struct of one `pollfd`, and the
        // pointer and length are those of a live, exclusively borrowed slice.
        let found = unsafe {
            libc::poll(watched.as_mut_ptr().cast(), watched.len() as libc::nfds_t, millis)
        };
        if found >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Makes reads and writes answer `WouldBlock` instead of waiting.
#[expect(unsafe_code, reason = "fcntl(2) has no safe counterpart for pipes")]
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is borrowed, so it is open; F_GETFL and F_SETFL take no pointers.
    let result = unsafe {
        let flags = libc::fcntl(fd.as_raw_fd(), libc::F_GETFL);
        if flags < 0 {
            flags
        } else {
            libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)
        }
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A descriptor that is readable once the process has exited; `None` where the kernel has none.
#[expect(unsafe_code, reason = "pidfd_open(2) has no safe counterpart in the standard library")]
pub(crate) fn pidfd(pid: u32) -> Option<OwnedFd> {
    #[cfg(test)]
    if WITHOUT_PIDFD.get() {
        return None;
    }
    // SAFETY: the call takes two integers; a result that is not negative is a new descriptor
    // (close-on-exec) that nobody else owns.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid as libc::pid_t, 0);
        i32::try_from(fd).ok().filter(|fd| *fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

#[cfg(test)]
thread_local! {
    /// Makes this thread's kernel one without descriptors of processes.
    pub(crate) static WITHOUT_PIDFD: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A signal that ends processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Asks.
    Term,
    /// Insists.
    Kill,
}

/// Sends a signal to every process of a group; `false` if there is none, or none that we may touch.
pub(crate) fn signal_group(group: u32, signal: Signal) -> bool {
    kill_group(
        group,
        match signal {
            Signal::Term => libc::SIGTERM,
            Signal::Kill => libc::SIGKILL,
        },
    )
}

/// Whether a process group has members. One that has exited and waits to be collected counts.
pub(crate) fn group_exists(group: u32) -> bool {
    kill_group(group, 0)
}

#[expect(unsafe_code, reason = "kill(2) has no safe counterpart in the standard library")]
fn kill_group(group: u32, signal: libc::c_int) -> bool {
    // 0 and 1 would mean our own group and everybody.
    match libc::pid_t::try_from(group) {
        // SAFETY: kill(2) takes two integers and touches no memory of ours.
        Ok(group) if group > 1 => unsafe { libc::kill(-group, signal) == 0 },
        _ => false,
    }
}

/// The size of a file system in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// In all.
    pub total: u64,
    /// Not in use.
    pub free: u64,
    /// What an ordinary user may still use.
    pub available: u64,
}

/// The space of the file system that a path is on.
#[expect(unsafe_code, reason = "statvfs(3) has no safe counterpart in the standard library")]
pub fn space(path: &std::path::Path) -> io::Result<Space> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with NUL and lives through the call; `found` has room for the answer,
    // which the call fills in whole when it returns 0.
    let found = unsafe {
        if libc::statvfs(path.as_ptr(), found.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        found.assume_init()
    };
    let block = found.f_frsize as u64;
    Ok(Space {
        total: block * found.f_blocks as u64,
        free: block * found.f_bfree as u64,
        available: block * found.f_bavail as u64,
    })
}

/// Lets exited children wait to be collected, also if whoever started us had the kernel do that: an
/// ignored SIGCHLD outlives an exec.
#[expect(unsafe_code, reason = "signal(2) has no safe counterpart in the standard library")]
pub(crate) fn keep_exited_children() {
    // SAFETY: the default action is no handler of ours, so nothing of ours runs in a signal's context.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// The user on whose behalf we act.
#[expect(unsafe_code, reason = "geteuid(2) has no safe counterpart in the standard library")]
pub(crate) fn user() -> u32 {
    // SAFETY: the call takes nothing, cannot fail and touches no memory.
    unsafe { libc::geteuid() }
}

/// The process group of a process; `None` if the process is gone.
#[expect(unsafe_code, reason = "getpgid(2) has no safe counterpart in the standard library")]
pub(crate) fn group_of(pid: u32) -> Option<u32> {
    // SAFETY: the call takes an integer and touches no memory of ours.
    let group = unsafe { libc::getpgid(pid as libc::pid_t) };
    u32::try_from(group).ok()
}

/// The time in microseconds since the epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the worker's own clock: it says when attempts began"
)]
pub(crate) fn now_micros() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since: Duration| since.as_micros() as u64)
}
