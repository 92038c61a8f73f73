//! What happens to a run, as programs read it: `--json`, and the API's live events.
//!
//! `docs/events.md` describes each type and field.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunEvent {
    /// The run's identity.
    pub run: String,
    /// Counts from 1 within the run, without a gap.
    pub seq: u64,
    /// When it happened: RFC 3339, UTC, in microseconds.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub what: RunEventKind,
}

/// What happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type")]
pub enum RunEventKind {
    /// The run began.
    #[serde(rename = "run.started")]
    RunStarted {
        /// The workflow's namespace.
        namespace: String,
        /// The workflow's name.
        workflow: String,
        /// The workflow's version.
        version: String,
        /// By what its starter knows the matter: the `X-Correlation-ID` of the request.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        correlation_id: String,
    },
    /// Nothing new starts.
    #[serde(rename = "run.paused")]
    RunPaused {
        /// Who asked.
        by: String,
    },
    /// The run goes on after a pause.
    #[serde(rename = "run.resumed")]
    RunResumed {
        /// Who asked.
        by: String,
    },
    /// Somebody asked for the run's end.
    #[serde(rename = "run.cancel_requested")]
    CancelRequested {
        /// Who asked.
        by: String,
        /// Why.
        reason: String,
    },
    /// Failed tasks are tried again.
    #[serde(rename = "run.reopened")]
    RunReopened {
        /// Who asked.
        by: String,
        /// The failed tasks that run again.
        tasks: Vec<String>,
    },
    /// The run has ended.
    #[serde(rename = "run.finished")]
    RunFinished {
        /// `succeeded`, `failed` or `cancelled`.
        outcome: String,
    },
    /// A run that another system executes has a further task.
    #[serde(rename = "task.declared")]
    TaskDeclared {
        /// The task.
        task: String,
        /// The label that groups it with others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// A task with `when` or `for_each` fired.
    #[serde(rename = "task.fired")]
    TaskFired {
        /// The task.
        task: String,
        /// The list that it runs over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Value>>,
    },
    /// An attempt was handed over ahead of a free worker.
    #[serde(rename = "task.assigned")]
    TaskAssigned {
        /// Which attempt.
        #[serde(flatten)]
        of: AttemptOf,
    },
    /// An attempt started.
    #[serde(rename = "task.started")]
    TaskStarted {
        /// Which attempt.
        #[serde(flatten)]
        of: AttemptOf,
    },
    /// An attempt succeeded, and with it the task or item.
    #[serde(rename = "task.succeeded")]
    TaskSucceeded {
        /// Which attempt.
        #[serde(flatten)]
        of: AttemptOf,
        /// What it emitted.
        #[serde(default)]
        outputs: Vec<OutputEvent>,
    },
    /// An attempt failed; without `retry_at` the task or item failed with it.
    #[serde(rename = "task.failed")]
    TaskFailed {
        /// Which attempt; number 0 if the task failed before it was attempted.
        #[serde(flatten)]
        of: AttemptOf,
        /// Why.
        failure: FailureEvent,
        /// When it is tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<String>,
    },
    /// All items of a `for_each` task have settled.
    #[serde(rename = "task.gathered")]
    TaskGathered {
        /// The task.
        task: String,
        /// How many of its items failed.
        failed: u32,
    },
    /// An attempt was cut off by the end of the process that ran it.
    #[serde(rename = "task.interrupted")]
    TaskInterrupted {
        /// Which attempt.
        #[serde(flatten)]
        of: AttemptOf,
    },
    /// The task will not run.
    #[serde(rename = "task.skipped")]
    TaskSkipped {
        /// The task.
        task: String,
        /// Why not.
        reason: Value,
    },
    /// Somebody asked for a task's end.
    #[serde(rename = "task.cancel_requested")]
    TaskCancelRequested {
        /// The task.
        task: String,
        /// Who asked.
        by: String,
        /// Why.
        reason: String,
    },
    /// Somebody wants a task skipped that was handed over: it is being taken back. If it has begun by
    /// then, it goes on.
    #[serde(rename = "task.skip_requested")]
    TaskSkipRequested {
        /// The task.
        task: String,
        /// Who asked.
        by: String,
        /// Why.
        reason: String,
    },
    /// Somebody changed how often a task may be attempted, or what its attempts from now on see.
    #[serde(rename = "task.amended")]
    TaskAmended {
        /// The task.
        task: String,
        /// Who.
        by: String,
        /// How many attempts there are in all from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_attempts: Option<u32>,
        /// What is seen in place of these inputs.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        inputs: BTreeMap<String, Value>,
    },
    /// A task that settled announced an event of the workflow's own.
    #[serde(rename = "custom")]
    Custom {
        /// The event's name, as the workflow gives it.
        name: String,
        /// The task.
        task: String,
        /// Variables that go with it; the text `***` for one that is secret.
        #[serde(default)]
        payload: BTreeMap<String, Value>,
    },
    /// The task or item was cancelled, alone or with its run.
    #[serde(rename = "task.cancelled")]
    TaskCancelled {
        /// The task.
        task: String,
        /// The item's index, from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<u32>,
    },
    /// Somebody settled the task by hand.
    #[serde(rename = "task.resolved")]
    TaskResolved {
        /// The task.
        task: String,
        /// Who.
        by: String,
        /// Why.
        reason: String,
        /// What was set in its name.
        #[serde(default)]
        outputs: Vec<OutputEvent>,
    },
}

/// An attempt of a task or item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptOf {
    /// The task's name.
    pub task: String,
    /// The item's index, from 0, for a `for_each` task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// Counts from 1.
    pub attempt: u32,
}

/// One thing that a task emitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutputEvent {
    /// Its name.
    pub name: String,
    /// Its value; the text `***` if it is secret.
    pub value: Value,
    /// Whether the task declares it; what is undeclared fires nothing.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub declared: bool,
    /// Whether the value is secret.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Failure"))]
pub struct FailureEvent {
    /// The stable name of the kind of failure.
    pub kind: String,
    /// The error's code, such as `L401`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
    /// The wait that the far side asked for, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// The process's exit status, if it exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    /// The object that it emitted as `ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// The last lines that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
}

/// An error of a command, on a line of its own: the last one that it prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorEvent {
    /// Always `error`.
    #[serde(rename = "type")]
    pub kind: ErrorTag,
    /// The error's code, such as `L601`.
    pub code: String,
    /// What happened.
    pub message: String,
    /// How to mend it.
    pub help: Vec<String>,
}

/// The type of an [`ErrorEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorTag {
    /// `error`.
    Error,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_true(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rfc3339;
    use serde_json::json;

    #[test]
    fn an_event_is_one_flat_object() {
        let of = AttemptOf { task: "a".into(), item: None, attempt: 2 };
        let event = RunEvent {
            run: "r".into(),
            seq: 7,
            at: rfc3339(0),
            what: RunEventKind::TaskStarted { of },
        };
        let text = json!({
            "run": "r", "seq": 7, "at": "1970-01-01T00:00:00.000000Z",
            "type": "task.started", "task": "a", "attempt": 2,
        });
        assert_eq!(serde_json::to_value(&event).unwrap(), text);
        assert_eq!(serde_json::from_value::<RunEvent>(text).unwrap(), event);
    }
}
