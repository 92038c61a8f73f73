//! Threads that are made when they are needed, used again, and let go when they are not.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a thread waits for work before it ends.
const LINGER: Duration = Duration::from_secs(10);

/// How long a thread that has just worked looks for more before it sleeps. The answer to a report
/// usually is the next attempt, one commit later, and waking a sleeper costs as much as the commit.
const LOOK: Duration = Duration::from_micros(400);

type Work = Box<dyn FnOnce() + Send>;

/// The threads of one worker. Clones are the same pool.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
    /// Pieces of work ever queued: what a looking thread watches without the lock.
    queued: AtomicUsize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Work>,
    threads: usize,
    /// Threads that wait.
    idle: usize,
    /// Waiting threads that queued work is meant for. Which of them comes for it does not matter: a
    /// thread may wake without having been called.
    called: usize,
    /// Threads that look for more, and that no work was meant for.
    looking: usize,
    /// Threads that look for more, and that queued work is meant for.
    found: usize,
    closed: bool,
}

impl Pool {
    /// A pool without threads yet, which never has more than `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let queued = AtomicUsize::new(0);
        Self(Arc::new(Shared { limit: limit.max(1), state, changed, queued }))
    }

    /// Queues work. Answers `false` if there is no thread to do it and none could be made: the work
    /// stays queued, and [`Pool::grow`] is to be tried again.
    pub(crate) fn submit(&self, work: Work) -> bool {
        self.state().queue.push_back(work);
        self.0.queued.fetch_add(1, Ordering::Release);
        self.grow()
    }

    /// Sees to it that a thread takes the next piece of queued work.
    pub(crate) fn grow(&self) -> bool {
        let mut state = self.state();
        if state.looking > 0 {
            state.looking -= 1;
            state.found += 1;
            return true;
        }
        if state.idle > state.called {
            state.called += 1;
            drop(state);
            self.0.changed.notify_one();
            return true;
        }
        if state.threads >= self.0.limit || state.queue.is_empty() {
            return true;
        }
        state.threads += 1;
        drop(state);
        let pool = self.clone();
        let made = std::thread::Builder::new().name("loom-attempt".into()).spawn(move || {
            pool.serve();
        });
        if made.is_ok() {
            return true;
        }
        let mut state = self.state();
        state.threads -= 1;
        state.threads > 0
    }

    /// Lets the threads go once the queue is empty.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.0.changed.notify_all();
    }

    fn serve(&self) {
        let mut state = self.state();
        loop {
            while let Some(work) = state.queue.pop_front() {
                drop(state);
                work();
                state = self.look();
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let waited = self.0.changed.wait_timeout(state, LINGER);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = after;
            state.idle -= 1;
            state.called = state.called.saturating_sub(1);
            if (timeout.timed_out() || state.closed) && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    /// Gives more work a moment to come.
    fn look(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        if !state.queue.is_empty() || state.closed {
            return state;
        }
        state.looking += 1;
        let seen = self.0.queued.load(Ordering::Acquire);
        drop(state);
        let end = Instant::now() + LOOK;
        while self.0.queued.load(Ordering::Acquire) == seen && Instant::now() < end {
            std::thread::yield_now();
        }
        let mut state = self.state();
        if state.found > 0 {
            state.found -= 1;
        } else {
            state.looking -= 1;
        }
        state
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn threads_are_used_again() {
        let pool = Pool::new(8);
        let (sender, receiver) = mpsc::channel();
        for _ in 0..100 {
            let sender = sender.clone();
            assert!(pool.submit(Box::new(move || sender.send(()).unwrap())));
            receiver.recv().unwrap();
        }
        assert!(pool.state().threads <= 8);
        pool.close();
    }

    #[test]
    fn a_thread_that_wakes_without_being_called_is_not_counted_twice() {
        let pool = Pool::new(4);
        assert!(pool.submit(Box::new(|| {})));
        while pool.state().idle == 0 {
            std::thread::yield_now();
        }
        for _ in 0..1000 {
            pool.0.changed.notify_all();
            std::thread::yield_now();
            assert!(pool.state().idle <= 1);
        }
        pool.close();
    }

    #[test]
    fn work_beyond_the_limit_waits_its_turn() {
        let pool = Pool::new(2);
        let (done, finished) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        for number in 0..20 {
            let (done, gate) = (done.clone(), Arc::clone(&gate));
            pool.submit(Box::new(move || {
                gate.lock().unwrap().recv().unwrap();
                done.send(number).unwrap();
            }));
        }
        assert_eq!(pool.state().threads, 2);
        for _ in 0..20 {
            go.send(()).unwrap();
        }
        let mut numbers: Vec<i32> = finished.iter().take(20).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..20));
    }
}
