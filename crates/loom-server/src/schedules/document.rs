//! How a schedule is kept: what was asked for, and where it stands, each a document of its own, so
//! that the entity tag of the one does not change with every tick.

use super::rule::Rule;
use super::state::{Policy, State};
use crate::kept::Kept;
use crate::problem::Problem;
use loom_core::{Timestamp, Value};
use loom_protocol::ErrorCode;
use loom_protocol::api::{ScheduleSpec, StartRun};
use loom_store::{Change, Document, Expect, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The collection of what was asked for. Keys are names.
pub(super) const SCHEDULES: &str = "schedules";
/// The collection of where they stand, under the same keys.
pub(super) const STATES: &str = "schedule-states";

/// A schedule as it was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Definition {
    /// Its run's variables are kept apart, sealed.
    pub(super) spec: ScheduleSpec,
    /// Which of these variables were secret when it was asked for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) secrets: BTreeSet<String>,
    pub(super) salt: String,
    pub(super) anchor: Timestamp,
    pub(super) changed_by: String,
    pub(super) changed_at: Timestamp,
}

impl Kept for Definition {
    const COLLECTION: &'static str = SCHEDULES;
    const KIND: &'static str = "schedule";
    const MOST: usize = 2000;

    fn namespace(&self) -> &str {
        namespace(&self.spec.run)
    }

    fn read(document: Document) -> Result<Self, Problem> {
        let mut definition: Self = parse(&document)?;
        if let Some(secret) = document.secret {
            let variables: BTreeMap<String, Value> =
                serde_json::from_str(&secret).map_err(|_| damaged(&document.key))?;
            definition.spec.run.variables = variables;
        }
        Ok(definition)
    }
}

impl Definition {
    pub(super) fn rule(&self) -> Result<Rule, Problem> {
        Rule::new(&self.spec.timing, self.anchor)
    }

    pub(super) fn policy(&self) -> Policy {
        Policy {
            salt: self.salt.clone(),
            overlap: self.spec.overlap,
            catch_up: self.spec.catch_up,
            jitter: Duration::from_secs(self.spec.jitter_s.into()),
            grace: Duration::from_secs(self.spec.grace_s.into()),
        }
    }

    /// The change that keeps it.
    pub(super) fn put(&self, name: &str, expect: Expect) -> Change {
        let mut bare = self.clone();
        let variables = std::mem::take(&mut bare.spec.run.variables);
        let secret = (!variables.is_empty())
            .then(|| serde_json::to_string(&variables).expect("its keys are text"));
        change(SCHEDULES, name, expect, Write::Put { body: json!(bare), secret })
    }
}

/// The namespace that a run belongs to.
pub(super) fn namespace(run: &StartRun) -> &str {
    run.namespace.as_deref().unwrap_or("default")
}

/// The change that keeps a state.
pub(super) fn put_state(name: &str, state: &State, expect: Expect) -> Change {
    change(STATES, name, expect, Write::Put { body: json!(state), secret: None })
}

pub(super) fn read_state(document: &Document) -> Result<State, Problem> {
    parse(document)
}

pub(super) fn change(collection: &'static str, name: &str, expect: Expect, write: Write) -> Change {
    Change { collection: collection.into(), key: name.to_owned(), expect, write }
}

fn parse<T: DeserializeOwned>(document: &Document) -> Result<T, Problem> {
    serde_json::from_value(document.body.clone()).map_err(|_| damaged(&document.key))
}

fn damaged(name: &str) -> Problem {
    Problem::new(ErrorCode::StoreCorrupt, format!("the schedule `{name}` cannot be read"))
}
