//! How an attempt learns that it is to end early.

use crate::sys;
use loom_protocol::StopHow;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tells an attempt, on whatever it waits, that somebody asked for its end. Cheap to clone; all
/// clones are one signal. Requests only ever get more severe.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asked: Option<StopHow>,
    wakeup: Option<Arc<Wakeup>>,
}

impl StopSignal {
    /// Asks for the end. Asking again, or for less, changes nothing.
    pub(crate) fn ask(&self, how: StopHow) {
        let mut state = self.state();
        if state.asked >= Some(how) {
            return;
        }
        state.asked = Some(how);
        if let Some(wakeup) = &state.wakeup {
            wakeup.wake();
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// What was asked for, if anything.
    pub fn asked(&self) -> Option<StopHow> {
        self.state().asked
    }

    /// Waits until the end is asked for or `until` has come, and says what was asked for.
    pub fn wait(&self, until: Instant) -> Option<StopHow> {
        let mut state = self.state();
        while state.asked.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return None;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.asked
    }

    /// Makes `wakeup` readable at each request from now on, and at once if there was one already.
    /// One attempt waits in one place, so a signal has one wake-up; ends with the guard.
    pub(crate) fn wake(&self, wakeup: &Arc<Wakeup>) -> WakeGuard {
        let mut state = self.state();
        if state.asked.is_some() {
            wakeup.wake();
        }
        state.wakeup = Some(Arc::clone(wakeup));
        WakeGuard(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Undoes [`StopSignal::wake`], and leaves the wake-up as it was.
#[must_use = "the wake-up ends with the guard"]
pub(crate) struct WakeGuard(StopSignal);

impl Drop for WakeGuard {
    fn drop(&mut self) {
        if let Some(wakeup) = self.0.state().wakeup.take() {
            wakeup.clear();
        }
    }
}

/// A descriptor to poll beside others. It may serve many attempts, one after the other.
#[derive(Debug)]
pub(crate) struct Wakeup {
    reader: io::PipeReader,
    writer: io::PipeWriter,
    used: std::sync::atomic::AtomicBool,
}

impl Wakeup {
    /// A new one, of two descriptors.
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        sys::set_nonblocking(reader.as_fd())?;
        sys::set_nonblocking(writer.as_fd())?;
        Ok(Self { reader, writer, used: false.into() })
    }

    /// Makes it readable.
    pub(crate) fn wake(&self) {
        self.used.store(true, std::sync::atomic::Ordering::Release);
        // A full pipe is readable, which is all that is wanted.
        let _ = (&self.writer).write(&[1]);
    }

    /// Makes it wait again.
    pub(crate) fn clear(&self) {
        if self.used.swap(false, std::sync::atomic::Ordering::AcqRel) {
            let mut bytes = [0; 64];
            while matches!((&self.reader).read(&mut bytes), Ok(count) if count > 0) {}
        }
    }
}

impl AsFd for Wakeup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(wakeup: &Wakeup) -> bool {
        let mut watched = [sys::Watched::readable(wakeup.as_fd())];
        sys::poll(&mut watched, Some(Instant::now())).unwrap();
        watched[0].ready()
    }

    #[test]
    fn requests_only_get_more_severe() {
        let stop = StopSignal::default();
        assert_eq!(stop.asked(), None);
        stop.ask(StopHow::Now);
        stop.ask(StopHow::Gently);
        assert_eq!(stop.asked(), Some(StopHow::Now));
    }

    #[test]
    fn a_wakeup_serves_one_attempt_after_the_other() {
        let wakeup = Arc::new(Wakeup::new().unwrap());
        let early = StopSignal::default();
        early.ask(StopHow::Gently);
        let guard = early.wake(&wakeup);
        assert!(readable(&wakeup));
        drop(guard);
        let next = StopSignal::default();
        let guard = next.wake(&wakeup);
        assert!(!readable(&wakeup));
        next.ask(StopHow::Gently);
        assert!(readable(&wakeup));
        wakeup.clear();
        next.ask(StopHow::Now);
        assert!(readable(&wakeup), "an escalation wakes again");
        drop(guard);
        assert!(!readable(&wakeup));
    }

    #[test]
    fn waiting_ends_at_its_time_or_at_a_request() {
        let stop = StopSignal::default();
        assert_eq!(stop.wait(Instant::now()), None);
        let asker = stop.clone();
        let thread = std::thread::spawn(move || asker.ask(StopHow::Gently));
        assert_eq!(stop.wait(Instant::now() + Duration::from_mins(1)), Some(StopHow::Gently));
        thread.join().unwrap();
    }
}
