//! How limits are kept: what was asked for, and what is taken, each in a collection of its own.

use super::ledger::Ledger;
use super::rule::Rules;
use crate::problem::Problem;
use loom_core::Timestamp;
use loom_protocol::ErrorCode;
use loom_protocol::api::LimitSpec;
use loom_store::{Change, Document, DocumentStore, Expect, Scan, StoreError, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The collection of what was asked for. Keys are names.
pub(super) const LIMITS: &str = "limits";
/// The collection of what is taken. Keys are places: what names the limit's counts, a slash and a
/// digest of the key.
pub(super) const COUNTS: &str = "limit-counts";

/// How many documents one look at the store brings.
pub(super) const PAGE: usize = 500;

/// A limit as it was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Limit {
    pub(super) spec: LimitSpec,
    /// Names its counts.
    pub(super) id: String,
    pub(super) changed_by: String,
    pub(super) changed_at: Timestamp,
}

impl Limit {
    pub(super) fn read(document: &Document) -> Result<Self, Problem> {
        parse(document).map_err(Problem::from)
    }

    /// The change that keeps it.
    pub(super) fn put(&self, name: &str, expect: Expect) -> Change {
        change(LIMITS, name, expect, Write::Put { body: json!(self), secret: None })
    }

    /// The namespace of what it counts; `None` if it counts in all.
    pub(super) fn namespace(&self) -> Option<&str> {
        match &self.spec {
            LimitSpec::Runs { namespace, .. } => Some(namespace),
            LimitSpec::Tasks { .. } => None,
        }
    }
}

/// All limits of the store, and the version of each.
pub(super) fn rules(store: &mut dyn DocumentStore) -> Result<(Rules, Vec<u64>), StoreError> {
    let mut found = Vec::new();
    all(store, LIMITS, |document| {
        let limit: Limit = parse(&document)?;
        found.push((document.key, limit, document.version));
        Ok(())
    })?;
    let versions = found.iter().map(|(_, _, version)| *version).collect();
    let specs =
        found.iter().map(|(name, limit, _)| (name.as_str(), limit.id.as_str(), &limit.spec));
    Ok((Rules::new(specs), versions))
}

/// All that is taken, by place, with the versions.
pub(super) fn ledgers(
    store: &mut dyn DocumentStore,
) -> Result<Vec<(String, Ledger, u64)>, StoreError> {
    let mut found = Vec::new();
    all(store, COUNTS, |document| {
        found.push((document.key.clone(), parse(&document)?, document.version));
        Ok(())
    })?;
    Ok(found)
}

pub(super) fn read_ledger(document: &Document) -> Result<Ledger, StoreError> {
    parse(document)
}

/// The change that keeps what is taken at a place.
pub(super) fn put_ledger(place: &str, ledger: &Ledger, expect: Expect) -> Change {
    let write = if ledger.is_empty() {
        Write::Delete
    } else {
        Write::Put { body: json!(ledger), secret: None }
    };
    change(COUNTS, place, expect, write)
}

pub(super) fn change(collection: &'static str, key: &str, expect: Expect, write: Write) -> Change {
    Change { collection: collection.into(), key: key.to_owned(), expect, write }
}

fn all(
    store: &mut dyn DocumentStore,
    collection: &str,
    mut take: impl FnMut(Document) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut scan = Scan { limit: PAGE, ..Scan::default() };
    loop {
        let page = store.scan(collection, &scan)?;
        scan.after = page.documents.last().map(|document| document.key.clone());
        page.documents.into_iter().try_for_each(&mut take)?;
        if !page.more {
            return Ok(());
        }
    }
}

fn parse<T: DeserializeOwned>(document: &Document) -> Result<T, StoreError> {
    serde_json::from_value(document.body.clone())
        .map_err(|_| StoreError::Corrupt(format!("the limit `{}` cannot be read", document.key)))
}

/// There is no such limit.
pub(super) fn missing(name: &str) -> Problem {
    Problem::new(ErrorCode::NotFound, format!("there is no limit `{name}`"))
}
