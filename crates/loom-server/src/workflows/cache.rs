//! What starting runs needs, at hand without a look at the store.
//!
//! Answers stay fresh for a moment, so that what another process changes takes effect soon. What
//! this process changes takes effect at once: a change forgets the answers, and an answer that was
//! looked for before the change and found after it is not kept.

use super::prepared::Prepared;
use loom_core::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an answer is fresh.
const FRESH: Duration = Duration::from_secs(1);
/// How many answers are kept.
const ANSWERS_MAX: usize = 1024;

/// Namespace, name and version as they were asked for.
pub(super) type Asked = (String, String, Option<String>);

#[derive(Default)]
pub(super) struct Cache {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    answers: HashMap<Asked, (Timestamp, Arc<Prepared>)>,
    /// Counts the changes.
    changes: u64,
}

/// Stands for the moment before a look at the store.
#[derive(Clone, Copy)]
pub(super) struct Before(u64);

impl Cache {
    /// A fresh answer, or the mark of this moment.
    pub(super) fn get(&self, asked: &Asked, now: Timestamp) -> Result<Arc<Prepared>, Before> {
        let inner = self.inner();
        match inner.answers.get(asked) {
            Some((at, prepared)) if now.since(*at) < FRESH => Ok(Arc::clone(prepared)),
            _ => Err(Before(inner.changes)),
        }
    }

    /// Keeps an answer that was looked for since `before`.
    pub(super) fn put(&self, asked: Asked, found: Arc<Prepared>, before: Before, now: Timestamp) {
        let mut inner = self.inner();
        if inner.changes != before.0 {
            return;
        }
        if inner.answers.len() >= ANSWERS_MAX {
            inner.answers.clear();
        }
        inner.answers.insert(asked, (now, found));
    }

    /// Something was changed.
    pub(super) fn forget(&self) {
        let mut inner = self.inner();
        inner.changes += 1;
        inner.answers.clear();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Definition, TaskDef};

    fn prepared() -> Arc<Prepared> {
        let definition = Definition::new("w", vec![TaskDef::new("a", "noop")]);
        Arc::new(Prepared::new(definition, false))
    }

    fn asked() -> Asked {
        ("default".into(), "w".into(), None)
    }

    #[test]
    fn an_answer_is_fresh_for_a_moment() {
        let (cache, begin) = (Cache::default(), Timestamp(5_000_000));
        let before = cache.get(&asked(), begin).unwrap_err();
        cache.put(asked(), prepared(), before, begin);
        assert!(cache.get(&asked(), begin).is_ok());
        assert!(cache.get(&asked(), begin + FRESH).is_err());
    }

    #[test]
    fn a_change_forgets_what_is_kept_and_what_was_being_looked_for() {
        let (cache, now) = (Cache::default(), Timestamp(0));
        let before = cache.get(&asked(), now).unwrap_err();
        cache.put(asked(), prepared(), before, now);
        cache.forget();
        let late = cache.get(&asked(), now).unwrap_err();
        cache.put(asked(), prepared(), before, now);
        assert!(cache.get(&asked(), now).is_err(), "it was looked for before the change");
        cache.put(asked(), prepared(), late, now);
        assert!(cache.get(&asked(), now).is_ok());
    }
}
