//! How it is kept what a file trigger knows: where it stands, its known files, and the runs that it
//! is to start or has under way. All keys begin with the trigger's salt, so that a trigger that is
//! about other files now knows nothing of those before.

use super::look::Mark;
use crate::ids::hex;
use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;
use loom_protocol::api::FileCounts;
use loom_store::{Change, Document, Expect, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

/// The collection of where triggers stand. Keys are salts.
pub(super) const STATES: &str = "file-states";
/// The collection of known files: `SALT/HASH`, of the path.
pub(super) const MARKS: &str = "file-marks";
/// The collection of runs that have not ended, as far as is known: `SALT/TIME-NUMBER`, in the order
/// in which they were decided on.
pub(super) const FIRINGS: &str = "file-firings";

/// Where a trigger stands. Whoever decides writes it in place of the state that was decided from:
/// so of two servers one decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) counts: FileCounts,
    pub(super) last: Option<Last>,
    /// Why the last refused run was refused.
    pub(super) problem: Option<String>,
}

/// The file that was decided on last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Last {
    pub(super) file: String,
    pub(super) run: RunId,
    pub(super) at: Timestamp,
}

/// A file as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) path: String,
    pub(super) mark: Mark,
}

/// A file that has a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Firing {
    pub(super) run: RunId,
    pub(super) path: String,
    pub(super) mark: Mark,
    /// Whether the run was started. One that was and is not there has ended and was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) begun: bool,
}

/// The prefix of a trigger's keys.
pub(super) fn prefix(salt: &str) -> String {
    format!("{salt}/")
}

pub(super) fn mark_key(salt: &str, path: &str) -> String {
    format!("{salt}/{}", &hex(&Sha256::digest(path))[..32])
}

pub(super) fn firing_key(salt: &str, now: Timestamp, number: usize) -> String {
    format!("{salt}/{:020}-{number:05}", now.0)
}

pub(super) fn put_mark(salt: &str, path: &str, mark: Mark) -> Change {
    let known = Known { path: path.to_owned(), mark };
    put(MARKS, mark_key(salt, path), &known, Expect::Any)
}

/// The change that keeps something.
pub(super) fn put(
    collection: &'static str,
    key: String,
    what: &impl Serialize,
    expect: Expect,
) -> Change {
    let write = Write::Put { body: json!(what), secret: None };
    Change { collection: collection.into(), key, expect, write }
}

pub(super) fn delete(collection: &'static str, key: String, expect: Expect) -> Change {
    Change { collection: collection.into(), key, expect, write: Write::Delete }
}

pub(super) fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Problem> {
    serde_json::from_value(document.body.clone()).map_err(|_| {
        let what = format!("the document `{}` of a file trigger cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}
