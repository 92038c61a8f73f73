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

/// Asks until there is an answer, be it that something is wrong. For what may be asked twice. Tells
/// once that there is something to wait for.
pub(crate) fn persist<T>(
    tell: impl Fn(&str),
    mut ask: impl FnMut() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut redial = Redial::new();
    loop {
        match ask() {
            Err(fault) if is_passing(&fault) => {
                if redial.is_first() {
                    tell(&format!("{}; it is asked again", fault.message));
                }
                if !redial.wait() {
                    return Err(fault);
                }
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_protocol::ErrorCode;
    use std::cell::{Cell, RefCell};

    #[test]
    fn what_passes_is_told_once_and_asked_again() {
        let (told, tries) = (RefCell::new(Vec::new()), Cell::new(0));
        let answer = persist(
            |text| told.borrow_mut().push(text.to_owned()),
            || {
                tries.set(tries.get() + 1);
                match tries.get() {
                    1 | 2 => Err(Fault::new(ErrorCode::ServerBusy, "it is busy")),
                    _ => Ok(tries.get()),
                }
            },
        );
        assert_eq!(answer.ok(), Some(3));
        assert_eq!(*told.borrow(), ["it is busy; it is asked again"]);
    }

    #[test]
    fn what_does_not_pass_is_the_answer() {
        let tries = Cell::new(0);
        let ask = || {
            tries.set(tries.get() + 1);
            Err::<(), _>(Fault::new(ErrorCode::NoSuchRun, "there is none"))
        };
        assert!(persist(|_| unreachable!("there is nothing to wait for"), ask).is_err());
        assert_eq!(tries.get(), 1);
    }
}
