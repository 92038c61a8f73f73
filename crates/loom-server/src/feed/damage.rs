//! What of the journal cannot be read: said once in the log, and told to those who ask how the server
//! stands.

use crate::log::Log;
use loom_core::RunId;
use loom_store::{FeedPosition, StoreError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many rows are told apart. Those beyond are passed over without a word: there are plenty.
const ROWS_MAX: usize = 1000;

/// Shared by all who read the feed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Damage {
    log: Log,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    /// Rows that were passed over.
    rows: BTreeSet<FeedPosition>,
    /// What is wrong with the first that was found.
    first: Option<String>,
    /// Why the journal cannot be read at all, while it cannot.
    failing: Option<String>,
}

impl Damage {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, known: Arc::default() }
    }

    /// A row cannot be read, and is passed over.
    pub(crate) fn passed_over(&self, at: FeedPosition, run: RunId, why: &str) {
        let mut known = self.known();
        if known.rows.len() >= ROWS_MAX || !known.rows.insert(at) {
            return;
        }
        known.first.get_or_insert_with(|| format!("of run {run}: {why}"));
        drop(known);
        let fields = [("run", run.to_string().into()), ("why", why.into())];
        self.log.error("events cannot be read, and nobody will hear of them", &fields);
    }

    /// How the last reading of the journal went.
    pub(super) fn read(&self, result: &Result<(), StoreError>) {
        let mut known = self.known();
        let before = known.failing.take();
        known.failing = result.as_ref().err().map(ToString::to_string);
        if let (None, Some(why)) = (&before, &known.failing) {
            let fields = [("why", why.clone().into())];
            self.log.error("the journal cannot be read; trying again every second", &fields);
        } else if before.is_some() && known.failing.is_none() {
            self.log.info("the journal can be read again", &[]);
        }
    }

    /// How it stands, for people: an error if nobody hears of what happens.
    pub(crate) fn state(&self) -> Result<String, String> {
        let known = self.known();
        if let Some(why) = &known.failing {
            return Err(format!("the journal cannot be read: {why}"));
        }
        Ok(match &known.first {
            None => "is read".to_owned(),
            Some(first) => format!(
                "is read; passed over, because they cannot be: {} rows, the first {first}",
                known.rows.len()
            ),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
