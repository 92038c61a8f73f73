//! Ctrl-C and TERM, counted on a thread of their own; and signals that are not to end this process.

use crate::fault::Fault;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Listens until it is dropped.
pub(crate) struct Listener {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Start nothing new and stop when what is under way has ended.
    Drain,
    /// Stop now.
    Kill,
}

/// Makes a file that may grow no further (`ulimit -f`) an error of the write that meets it, and not this
/// process's end. By a handler: what is ignored would be by the processes that we start, too.
pub(crate) fn outlive_file_limit() -> Result<(), Fault> {
    let failed = |error| Fault::machine("cannot handle the signal of too large files", error);
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop).map_err(failed)
}

impl Listener {
    /// Calls `heard` at each signal: first for a drain, from the second on for a kill.
    pub(crate) fn start(heard: impl Fn(Wish) + Send + 'static) -> Result<Self, Fault> {
        let failed = |error| Fault::machine("cannot listen for signals", error);
        let mut wanted = vec![SIGINT, SIGTERM, SIGHUP];
        // What a caller such as nohup has turned off stays off.
        wanted.retain(|signal| !is_ignored(*signal));
        let mut signals = Signals::new(wanted).map_err(failed)?;
        let handle = signals.handle();
        let listen = move || {
            for (count, _) in signals.forever().enumerate() {
                heard(if count == 0 { Wish::Drain } else { Wish::Kill });
            }
        };
        let thread = std::thread::Builder::new()
            .name("loom-signals".into())
            .spawn(listen)
            .map_err(failed)?;
        Ok(Self { handle, thread: Some(thread) })
    }
}

/// Whether a signal was ignored when this process began, as far as the system tells.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been told by the panic hook.
            let _ = thread.join();
        }
    }
}
