//! How long a server that has gone is waited for.

use super::answer::is_passing;
use crate::fault::Fault;
use std::time::{Duration, Instant};

/// How long in all: a restart, with all that it takes up again, is done by then.
const PATIENCE: Duration = Duration::from_mins(5);
/// The first wait, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Attempts at a server since it was last there.
pub(crate) struct Redial {
    since: Option<Instant>,
    wait: Duration,
}

impl Redial {
    pub(crate) const fn new() -> Self {
        Self { since: None, wait: WAITS.0 }
    }

    /// The server is there.
    pub(crate) fn reached(&mut self) {
        *self = Self::new();
    }

    /// Whether this is the first failure since it was.
    pub(crate) const fn is_first(&self) -> bool {
        self.since.is_none()
    }

    /// Waits a moment: a server that ends what it began at once is not asked again and again.
    pub(crate) fn breathe() {
        std::thread::park_timeout(WAITS.0);
    }

    /// Waits before the next attempt; false if there should be none.
    pub(crate) fn wait(&mut self) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() > PATIENCE {
            return false;
        }
        std::thread::park_timeout(self.wait);
        self.wait = (self.wait * 2).min(WAITS.1);
        true
    }
}

/// Asks until there is an answer, be it that something is wrong. For what may be asked twice.
pub(crate) fn persist<T>(mut ask: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    let mut redial = Redial::new();
    loop {
        match ask() {
            Err(fault) if is_passing(&fault) && redial.wait() => {}
            answer => return answer,
        }
    }
}
