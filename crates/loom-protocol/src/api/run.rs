//! Runs, their tasks and attempts.

use super::limit::LimitWait;
use crate::event::FailureEvent;
use crate::unique::unique;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A run to be started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::InputObject))]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// The workflow's name.
    pub workflow: String,
    /// Its namespace; `default` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its version; the latest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Variables, by name.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub variables: BTreeMap<String, Value>,
    /// Labels to find it by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub tags: BTreeSet<String>,
    /// Notes to find it by.
    #[serde(default, deserialize_with = "unique", skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub annotations: BTreeMap<String, String>,
    /// Who or what starts it; the caller's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<String>,
    /// The system that starts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why it is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// It begins no earlier (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<String>,
    /// Carried to the run's attempts and webhooks; the request's `X-Correlation-ID`, or a new one, if
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The most tasks at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Which run goes first where limits do not let all begin: -100 to 100, the greater before the
    /// smaller.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub priority: i32,
    /// Runs of one key are counted together by limits that ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// What makes this request the same as another.
    #[serde(default)]
    #[cfg_attr(feature = "graphql", graphql(skip))]
    pub identity: Identity,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// What makes two requests to start a run the same. A repeat answers with the first run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "by", deny_unknown_fields)]
pub enum Identity {
    /// The `Idempotency-Key` header, if there is one; otherwise every request is new.
    // Braces: of a variant without, serde passes over fields that are not there.
    Key {},
    /// The same workflow, version and variables, within a window.
    Content {
        /// How long, in seconds: 1 to 604,800.
        window_s: u32,
    },
}

impl Default for Identity {
    fn default() -> Self {
        Self::Key {}
    }
}

/// A run was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct Started {
    /// The run's identity.
    pub id: String,
    /// Whether an earlier request had started it.
    pub repeated: bool,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Accepted, not begun.
    Queued,
    /// Under way.
    Running,
    /// Nothing new starts.
    Paused,
    /// Ended well.
    Succeeded,
    /// Ended with a failed task.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl RunState {
    /// The name, as JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A run, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct RunView {
    /// The run's identity.
    pub id: String,
    /// The workflow's namespace.
    pub namespace: String,
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's version.
    pub version: String,
    /// Where it stands.
    pub state: RunState,
    /// Whether a living process works on it. One that has not ended and has none was interrupted.
    pub alive: bool,
    /// When it was accepted.
    pub created_at: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// The most tasks at once.
    pub workers: u32,
    /// The folder that relative paths of its workflow start from.
    pub base: String,
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Who or what started it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub initiator: String,
    /// The system that started it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Why it was started.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Carried to the run's attempts and webhooks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub correlation_id: String,
    /// It began, or will begin, no earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<String>,
    /// Which run goes first where limits do not let all begin.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The key by which limits may count it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// The limit that does not let it begin yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<LimitWait>,
    /// The run that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<String>,
    /// The system that executes it and only reports here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
}

/// A page of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunList {
    /// In the order that was asked for.
    pub items: Vec<RunView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// How many runs stand where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct RunCounts {
    /// All that match.
    pub total: u64,
    /// By state; states without a run are there with 0.
    pub by_state: BTreeMap<String, u64>,
}

/// What a run began with. With its events it is all that there is to know of the run: everything
/// else follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSubmission {
    /// What lists show.
    #[serde(flatten)]
    pub run: RunView,
    /// The number of its last event.
    pub last_seq: u64,
    /// The checked workflow, in the form in which stores keep it. Secret values read `***`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub definition: Value,
    /// The variables that it began with.
    pub variables: Vec<GivenVariable>,
}

/// A variable that a run began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GivenVariable {
    /// The name.
    pub name: String,
    /// The value; the text `***` if it is secret.
    pub value: Value,
    /// Whether it is secret.
    pub secret: bool,
}

/// Everything that is known of a run, with the first of its tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunDetail {
    /// What lists show.
    #[serde(flatten)]
    pub run: RunView,
    /// The number of its last event.
    pub last_seq: u64,
    /// How many tasks stand where.
    pub counts: BTreeMap<String, u64>,
    /// Variables, with who set them and when. Secret values read `***`.
    pub variables: Vec<VariableView>,
    /// Its tasks, in the order of the workflow; the first of them if there are many.
    pub tasks: Vec<TaskView>,
    /// Gives the tasks behind these, of the same moment, as `cursor` of `/runs/{id}/tasks`; absent if
    /// there are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What people did to it.
    pub interventions: Vec<InterventionView>,
    /// The chain of tasks that decided how long it took.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical_path: Vec<PathLinkView>,
}

/// A variable of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Variable"))]
pub struct VariableView {
    /// The name.
    pub name: String,
    /// The value; the text `***` if it is secret.
    pub value: Value,
    /// Whether it is secret.
    pub secret: bool,
    /// The task that set it; absent if it was set at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// When it was set.
    pub at: String,
}

/// A page of the tasks of a run. All pages of one list are of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskList {
    /// In the order that was asked for.
    pub items: Vec<TaskView>,
    /// The number of the run's last event at the moment of the list: what happened since comes behind
    /// it.
    pub last_seq: u64,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct TaskView {
    /// The name.
    pub name: String,
    /// What it runs.
    pub plugin: String,
    /// Where it stands: `waiting`, `ready`, `running`, `backing_off`, `succeeded`, `failed`,
    /// `skipped`, `cancelled` or `resolved`.
    pub phase: String,
    /// Since when it could wait for something.
    pub waiting_since: String,
    /// When all that it waited for was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<String>,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
    /// The most attempts of it, or of each item, the first included.
    pub max_attempts: u32,
    /// The variables that it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// What it is given in place of some of them, by hand. Secret values read `***`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub amended: BTreeMap<String, Value>,
    /// How many items a `for_each` task has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// How many of them have settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_settled: Option<u32>,
    /// Its attempts, oldest first.
    #[cfg_attr(feature = "graphql", graphql(skip))]
    pub attempts: Vec<AttemptView>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Value>,
    /// Who settled it by hand, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<SkipView>,
    /// Why it failed without an attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureEvent>,
}

/// Who did something by hand, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Resolution"))]
pub struct SkipView {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// An attempt of a task or item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Attempt"))]
pub struct AttemptView {
    /// Counts from 1.
    pub attempt: u32,
    /// The item's index, from 0, for a `for_each` task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// When it could have started.
    pub ready_at: String,
    /// When it was handed over ahead of a free worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<String>,
    /// When it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// `held`, `running`, `succeeded`, `failed`, `interrupted` or `cancelled`.
    pub result: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureEvent>,
    /// When the next one starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
}

/// Somebody interfered with the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "graphql",
    derive(async_graphql::SimpleObject),
    graphql(name = "Intervention")
)]
pub struct InterventionView {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// What they did.
    pub act: String,
    /// The tasks that it was about.
    pub tasks: Vec<String>,
    /// Why.
    pub reason: String,
    /// The new limit of attempts, where it was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// The new inputs, where they were changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Value>,
}

/// A link of the critical path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "PathLink"))]
pub struct PathLinkView {
    /// The task.
    pub task: String,
    /// The item's index, from 0, for a `for_each` task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// When it could have started.
    pub ready_at: String,
    /// When it ended, or now.
    pub ended_at: String,
    /// From when on it counts, if not from `ready_at`: when the link before it ended, which it could
    /// not run beside because one of the two is `async: false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<String>,
    /// How long it waited for a worker or another limit.
    pub queued_s: f64,
    /// What for: the parts of `queued_s`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldView>,
    /// How long it ran.
    pub ran_s: f64,
    /// How long it waited between attempts.
    pub backed_off_s: f64,
    /// How long attempts had run that were cut off, up to when that was found.
    #[serde(default)]
    pub lost_s: f64,
    /// How long it waited to be settled by hand.
    #[serde(default)]
    pub by_hand_s: f64,
    /// How many attempts started.
    #[serde(default)]
    pub attempts: u32,
}

/// What a task waited for that could have started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Held"))]
pub struct HeldView {
    /// `pause`: the run was paused. `alone`: `task` ran, which is `async: false`; `ahead`: it had its
    /// turn first. `others`: it is `async: false` itself, and others ran. `workers`: all workers of the
    /// run were busy. `instances`: as many instances as `execution.workers` allows were under way, in
    /// this run or others. `queue`: `queue` had no place, whoever had them. `start`: nothing that is
    /// recorded.
    pub by: String,
    /// The task that ran alone, or was to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// How long, in seconds.
    pub s: f64,
}
