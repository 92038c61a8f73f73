//! Changing what may change about a run after its start.

use super::service::Runs;
use super::start::check_labels;
use crate::access::{Caller, Permission};
use crate::asked::Precondition;
use crate::problem::Problem;
use crate::workflows::Tagged;
use loom_core::RunState;
use loom_protocol::ErrorCode;
use loom_protocol::api::{ChangeRun, RunView};
use loom_store::{RunMeta, RunSummary};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a run is started with and keeps.
const FIXED: [&str; 12] = [
    "workflow",
    "namespace",
    "version",
    "variables",
    "workers",
    "start_at",
    "initiator",
    "source",
    "correlation_id",
    "concurrency_key",
    "identity",
    "state",
];

impl Runs {
    /// As [`Self::change`], of something that somebody wrote: what cannot be changed is told apart
    /// from what is not there.
    pub async fn change_as_written(
        &self,
        caller: &Caller,
        id: &str,
        change: Map<String, Value>,
        when: impl Into<Precondition>,
    ) -> Result<Tagged<RunView>, Problem> {
        self.permitted(caller, id, Permission::RunsUpdate).await?;
        self.change(caller, id, read(change)?, when).await
    }

    /// Changes labels, the reason, and, as long as the run has not begun, its priority. With a tag,
    /// only if nobody has changed these meanwhile.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &str,
        change: ChangeRun,
        when: impl Into<Precondition>,
    ) -> Result<Tagged<RunView>, Problem> {
        let mut found = self.permitted(caller, id, Permission::RunsUpdate).await?;
        let when = when.into();
        loop {
            let version = tag(&found.meta);
            when.check(Some(version), "run", "run", &found.id.to_string())?;
            let next = Arc::new(changed(&found, &change)?);
            let (run, before, after) = (found.id, Arc::clone(&found.meta), Arc::clone(&next));
            if self.readers.ask(move |store| store.describe(run, &before, &after)).await? {
                if change.priority.is_some() {
                    self.limits.set_priority(run, next.priority);
                }
                let value = self.summary_of(run).await?;
                return Ok(Tagged { value, version: tag(&next) });
            }
            // Somebody else was quicker.
            found = self.permitted(caller, id, Permission::RunsUpdate).await?;
        }
    }
}

/// Names what may be changed about a run, as it is.
pub(super) fn tag(meta: &RunMeta) -> u64 {
    let parts = (&meta.tags, &meta.annotations, &meta.reason, meta.priority);
    let text = serde_json::to_vec(&parts).expect("its keys are text");
    let digest = Sha256::digest(text);
    u64::from_be_bytes(digest[..8].try_into().expect("it has more bytes than these"))
}

fn read(change: Map<String, Value>) -> Result<ChangeRun, Problem> {
    if let Some(fixed) = FIXED.iter().find(|fixed| change.contains_key(**fixed)) {
        let message = format!("`{fixed}` of a run cannot be changed after its start");
        let help = match *fixed {
            "variables" | "version" => {
                "`POST /api/v1/runs/{id}/rerun` runs the workflow again with other variables"
            }
            "state" => "`POST /api/v1/runs/{id}/cancel`, `pause` and `resume` steer a run",
            _ => "`tags`, `annotations`, `reason` and `priority` can be changed",
        };
        return Err(Problem::new(ErrorCode::FixedAtStart, message).help(help));
    }
    serde_json::from_value(Value::Object(change))
        .map_err(|error| Problem::argument(format!("the body is wrong: {error}")))
}

fn changed(run: &RunSummary, change: &ChangeRun) -> Result<RunMeta, Problem> {
    let mut meta = RunMeta::clone(&run.meta);
    if let Some(tags) = &change.tags {
        meta.tags.clone_from(tags);
    }
    for (key, value) in &change.annotations {
        match value {
            Some(value) => drop(meta.annotations.insert(key.clone(), value.clone())),
            None => drop(meta.annotations.remove(key)),
        }
    }
    if let Some(reason) = &change.reason {
        meta.reason.clone_from(reason);
    }
    if let Some(priority) = change.priority.filter(|priority| *priority != meta.priority) {
        if run.state != RunState::Queued {
            let message = "the run has begun: its `priority` decides nothing any more";
            return Err(Problem::new(ErrorCode::Refused, message));
        }
        meta.priority = priority;
    }
    check_labels(&meta)?;
    Ok(meta)
}
