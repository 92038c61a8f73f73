//! Waking the reader of the journal.

use loom_engine::Observer;
use loom_store::RunCommit;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Rung when something was committed. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    inner: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    rung: bool,
    over: bool,
}

/// The engine's end of a [`Bell`].
#[derive(Debug)]
pub struct Ringer(Bell);

impl Bell {
    /// What an engine rings the bell by.
    pub fn ringer(&self) -> Ringer {
        Ringer(self.clone())
    }

    /// Wakes whoever waits, or will wait next.
    pub fn ring(&self) {
        self.state().rung = true;
        self.inner.1.notify_one();
    }

    /// Lets nobody wait any more.
    pub(crate) fn end(&self) {
        self.state().over = true;
        self.inner.1.notify_all();
    }

    /// Waits until the bell rings, at most `patience`. Answers whether to go on.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        let state = self.state();
        let (mut state, _) = self
            .inner
            .1
            .wait_timeout_while(state, patience, |state| !state.rung && !state.over)
            .unwrap_or_else(PoisonError::into_inner);
        state.rung = false;
        !state.over
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Ringer {
    fn committed(&mut self, _commits: &[RunCommit]) {
        self.0.ring();
    }
}
