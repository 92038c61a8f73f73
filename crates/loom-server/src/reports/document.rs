//! Which run shows which workflow.

use crate::problem::Problem;
use loom_core::{Observation, ObservedPhase, RunId};
use loom_protocol::ErrorCode;
use loom_store::{Change, Document, Expect, Write};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The collection of what is shown, by `NAMESPACE/WORKFLOW`.
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

/// The run that shows a workflow, and what has to be remembered of its reports beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) run: RunId,
    /// Who reported last: a token's identity, or a name.
    pub(super) by: String,
    /// After the run's end it was told that the workflow begins. That may be late, or said twice:
    /// only what a new start brings makes another run.
    pub(super) again: bool,
    /// Of a run whose end came first: what of its beginning has come since.
    pub(super) late: Option<Late>,
}

/// What has come of a beginning behind its end. Each comes once; the next one is of a new start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Late {
    /// That the workflow is there.
    pub(super) created: bool,
    /// That it begins.
    pub(super) began: bool,
}

/// A [`Shown`] as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    run: String,
    by: String,
    again: bool,
    late: Option<Late>,
}

impl Shown {
    pub(super) const fn new(run: RunId, by: String) -> Self {
        Self { run, by, again: false, late: None }
    }

    /// Whether a workflow that is told to be there is this one, whose end came first.
    pub(super) fn takes_late_creation(&mut self) -> bool {
        self.late.as_mut().is_some_and(|late| !std::mem::replace(&mut late.created, true))
    }

    /// Whether this makes sure that the workflow has started anew.
    pub(super) fn starts_anew(&self, seen: &Observation) -> bool {
        let Observation::Task(task) = seen else { return false };
        self.again && !matches!(task.phase, ObservedPhase::Succeeded | ObservedPhase::Failed)
    }

    /// Whether what an ended run does not take is of no other run either.
    pub(super) fn keeps(&mut self, seen: &Observation) -> bool {
        match (seen, &mut self.late) {
            (Observation::Began, Some(late)) if !late.began => late.began = true,
            (Observation::Began, _) => self.again = true,
            (Observation::Task(_), Some(_)) => {}
            _ => return false,
        }
        true
    }
}

/// What is kept of a workflow.
pub(super) fn read(document: &Document) -> Result<Shown, Problem> {
    let damaged = || {
        let what = format!("the document `{}` of `{SHOWN}` names no run", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    };
    let kept: Kept = serde_json::from_value(document.body.clone()).map_err(|_| damaged())?;
    let Kept { run, by, again, late } = kept;
    Ok(Shown { run: run.parse().map_err(|_| damaged())?, by, again, late })
}

pub(super) fn put(place: &Place, shown: &Shown) -> Change {
    let Shown { run, by, again, late } = shown.clone();
    let body = json!(Kept { run: run.to_string(), by, again, late });
    let write = Write::Put { body, secret: None };
    Change { collection: SHOWN.into(), key: place.key(), expect: Expect::Any, write }
}

pub(super) fn forget(document: &Document) -> Change {
    let expect = Expect::Version(document.version);
    let key = document.key.clone();
    Change { collection: SHOWN.into(), key, expect, write: Write::Delete }
}
