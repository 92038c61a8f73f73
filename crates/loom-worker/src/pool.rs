//! Threads that are made when they are needed, used again, and let go when they are not.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a thread waits for work before it ends.
const LINGER: Duration = Duration::from_secs(10);

/// How long a thread that has just worked looks for more before it sleeps. The answer to a report
/// usually is the next attempt, one commit later, and waking a sleeper costs as much as the commit.
const LOOK: Duration = Duration::from_micros(400);

type Work = Box<dyn FnOnce() + Send>;

/// Makes a thread that serves the pool.
type Make = Box<dyn Fn(Pool) -> io::Result<()> + Send + Sync>;

/// The threads of one worker. Clones are the same pool.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    limit: usize,
    make: Make,
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
        Self::with(limit, Box::new(thread))
    }

    /// As [`Pool::new`], with threads made by `make`.
    pub(crate) fn with(limit: usize, make: Make) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        let queued = AtomicUsize::new(0);
        Self(Arc::new(Shared { limit: limit.max(1), make, state, changed, queued }))
    }

    /// Queues work. An error means that no thread of its own could be made for it, though the limit
    /// allows one: it stays queued, and [`Pool::grow`] is to be tried again, since the threads that
    /// there are may be waiting for what this work does.
    pub(crate) fn submit(&self, work: Work) -> io::Result<()> {
        self.state().queue.push_back(work);
        self.0.queued.fetch_add(1, Ordering::Release);
        self.grow()
    }

    /// Sees to it that a thread takes the next piece of queued work, if there is one.
    pub(crate) fn grow(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.looking > 0 {
            state.looking -= 1;
            state.found += 1;
            return Ok(());
        }
        if state.idle > state.called {
            state.called += 1;
            drop(state);
            self.0.changed.notify_one();
            return Ok(());
        }
        if state.threads >= self.0.limit || state.queue.is_empty() {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        (self.0.make)(self.clone()).inspect_err(|_| self.state().threads -= 1)
    }

    /// Lets the threads go once the queue is empty.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.0.changed.notify_all();
    }

    /// Works until the pool is closed, or there has been nothing to do for a while.
    pub(crate) fn serve(&self) {
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

fn thread(pool: Pool) -> io::Result<()> {
    let made = std::thread::Builder::new().name("loom-attempt".into()).spawn(move || pool.serve());
    made.map(drop)
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
            pool.submit(Box::new(move || sender.send(()).unwrap())).unwrap();
            receiver.recv().unwrap();
        }
        assert!(pool.state().threads <= 8);
        pool.close();
    }

    #[test]
    fn a_thread_that_wakes_without_being_called_is_not_counted_twice() {
        let pool = Pool::new(4);
        pool.submit(Box::new(|| {})).unwrap();
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
            }))
            .unwrap();
        }
        assert_eq!(pool.state().threads, 2);
        for _ in 0..20 {
            go.send(()).unwrap();
        }
        let mut numbers: Vec<i32> = finished.iter().take(20).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..20));
    }

    #[test]
    fn work_without_a_thread_of_its_own_is_told_apart_though_another_thread_lives() {
        let room = Arc::new(AtomicUsize::new(1));
        let ours = Arc::clone(&room);
        let make = move |pool| {
            let free = |room: usize| room.checked_sub(1);
            match ours.fetch_update(Ordering::SeqCst, Ordering::SeqCst, free) {
                Ok(_) => thread(pool),
                Err(_) => Err(io::ErrorKind::WouldBlock.into()),
            }
        };
        let pool = Pool::with(8, Box::new(make));
        let (second, first_waits) = mpsc::channel();
        let (done, all_done) = mpsc::channel();
        let first_done = done.clone();
        // The first waits for what only the second does.
        let first = move || {
            first_waits.recv().unwrap();
            first_done.send(1).unwrap();
        };
        pool.submit(Box::new(first)).unwrap();
        let second = move || {
            second.send(()).unwrap();
            done.send(2).unwrap();
        };
        assert!(pool.submit(Box::new(second)).is_err());
        assert!(pool.grow().is_err());
        assert_eq!(pool.state().threads, 1);
        room.store(1, Ordering::SeqCst);
        pool.grow().unwrap();
        let mut both: Vec<i32> = all_done.iter().take(2).collect();
        both.sort_unstable();
        assert_eq!(both, [1, 2]);
        pool.grow().expect("nothing is queued any more");
        pool.close();
    }
}
