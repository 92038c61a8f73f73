//! One thread that does things at their time, for all attempts that only let time pass.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

type Deed = Box<dyn FnOnce() + Send>;

/// The timers of one worker. The thread ends with it.
pub(crate) struct Timers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    entries: BinaryHeap<Entry>,
    next: u64,
    closed: bool,
}

struct Entry {
    at: Instant,
    /// Keeps deeds of one time in the order of their coming.
    number: u64,
    deed: Deed,
}

impl Timers {
    /// Starts the thread.
    pub(crate) fn new() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        std::thread::Builder::new().name("loom-timers".into()).spawn(move || thread.serve())?;
        Ok(Self(shared))
    }

    /// Does `deed` at its time, on the timers' thread; it must not block.
    pub(crate) fn at(&self, at: Instant, deed: Deed) {
        let mut state = self.0.state();
        let number = state.next;
        state.next += 1;
        let first = state.entries.peek().is_none_or(|entry| at < entry.at);
        state.entries.push(Entry { at, number, deed });
        drop(state);
        if first {
            self.0.changed.notify_one();
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn serve(&self) {
        let mut state = self.state();
        while !state.closed {
            let now = Instant::now();
            let Some(at) = state.entries.peek().map(|entry| entry.at) else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if at > now {
                let waited = self.changed.wait_timeout(state, at - now);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let due = state.entries.pop();
            drop(state);
            if let Some(entry) = due {
                (entry.deed)();
            }
            state = self.state();
        }
        // Deeds may hold what holds these timers.
        let entries = std::mem::take(&mut state.entries);
        drop(state);
        drop(entries);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest, so that it is on top of the heap.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn deeds_are_done_in_the_order_of_their_times() {
        let timers = Timers::new().unwrap();
        let (sender, receiver) = mpsc::channel();
        let start = Instant::now();
        for (number, millis) in [(2, 20), (0, 0), (3, 20), (1, 5)] {
            let sender = sender.clone();
            let at = start + Duration::from_millis(millis);
            timers.at(at, Box::new(move || sender.send((number, Instant::now() >= at)).unwrap()));
        }
        let done: Vec<_> = receiver.iter().take(4).collect();
        assert_eq!(done, [(0, true), (1, true), (2, true), (3, true)]);
    }
}
