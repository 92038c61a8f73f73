//! Which run shows which workflow.

use crate::problem::Problem;
use loom_core::RunId;
use loom_protocol::ErrorCode;
use loom_store::{Change, Document, Expect, Write};
use serde_json::json;

/// The collection of runs by `NAMESPACE/WORKFLOW`.
pub(super) const SHOWN: &str = "reports";

/// A workflow of theirs, within the namespace that its reporter may report into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) workflow: String,
}

impl Place {
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.workflow)
    }
}

/// The run that shows the workflow.
pub(super) fn read(document: &Document) -> Result<RunId, Problem> {
    document.body.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        let what = format!("the document `{}` of `{SHOWN}` names no run", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}

pub(super) fn put(place: &Place, run: RunId) -> Change {
    let write = Write::Put { body: json!(run.to_string()), secret: None };
    Change { collection: SHOWN.into(), key: place.key(), expect: Expect::Any, write }
}

pub(super) fn forget(document: &Document) -> Change {
    let expect = Expect::Version(document.version);
    let key = document.key.clone();
    Change { collection: SHOWN.into(), key, expect, write: Write::Delete }
}
