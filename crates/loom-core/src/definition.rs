//! What a workflow is: the checked content of a workflow file, ready to be compiled and stored.
//!
//! A definition is data. Its serialised form is what the store keeps by content hash, so fields are
//! only ever added, with a default.

use crate::RetryPolicy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// A named, versioned workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The namespace that owns the name; `default` unless said otherwise.
    pub namespace: String,
    /// The workflow's name.
    pub name: String,
    /// Semantic version, `0.1.0` unless said otherwise.
    pub version: String,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// For finding runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Variables set before the first task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvVar>,
    /// Names of variables whose values are secret, besides those that `env` marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// What a task's final failure does to the rest of the run.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// The system that executes the runs and only reports them here. Nothing of them is decided or
    /// started by us, and their tasks are declared as they are heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// The tasks, in the order of the file.
    pub tasks: Vec<TaskDef>,
}

/// A variable that the workflow sets at the start of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvVar {
    /// The variable's name.
    pub name: String,
    /// Its value; strings in it may hold `{{ENV:NAME}}`, which is replaced from the environment of
    /// the process that submits the run.
    pub value: Value,
    /// Whether the value is masked in every output and sealed in the store.
    #[serde(default, skip_serializing_if = "is_default")]
    pub secret: bool,
}

/// What the final failure of a task without `allow_failure` does to the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Branches that do not need the failed task go on.
    #[default]
    Continue,
    /// The run ends at once.
    Stop,
}

/// One node of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskDef {
    /// Unique within the workflow.
    pub name: String,
    /// The name of the plugin that the task runs.
    pub plugin: String,
    /// How the plugin takes part in scheduling.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: TaskKind,
    /// Variables that must be set before the task fires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Variables that the task sets.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outputs: Outputs,
    /// The plugin's parameters.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
    /// Permissions that an attempt needs, after the plugin's own were added where
    /// `requires_auth` asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// When and where it runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub execution: Execution,
    /// An expression over variables; the task is skipped if it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Run once for each item of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEach>,
    /// How often and when it is tried again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: RetryPolicy,
    /// Whether the run may succeed although this task failed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_failure: bool,
    /// Events of the workflow's own that it announces when it settles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventDecl>,
    /// What its outputs and its error object must look like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Box<Contract>>,
    /// For people and tools; no effect on execution.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// How a task takes part in scheduling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Does work, and takes one of the run's workers while it does.
    #[default]
    Work,
    /// Takes no time and no worker (`start`, `noop`).
    Instant,
    /// `end`: takes no worker, and waits for every task that is not downstream of it to settle.
    Barrier,
}

/// What a task may emit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// Declared by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<OutputDecl>,
    /// `["*"]`: whatever else it emits becomes a variable too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub any: bool,
}

/// One declared output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputDecl {
    /// The variable's name.
    pub name: String,
    /// Whether success without it is fine (`NAME?`, or the plugin's manifest says so).
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
}

/// When and where a task runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// `async: false`: alone within its run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exclusive: bool,
    /// The longest that one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// The most instances of this task at once, over items and runs alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Tasks that must have succeeded or been resolved first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// A label that groups tasks in pictures and in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_group: Option<String>,
    /// Asserts that the task is a join; checked when the file is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sync_before: bool,
    /// Asserts that a join follows the task; checked when the file is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sync_after: bool,
    /// Names the limit that the task counts against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Higher goes first among tasks that are ready.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
}

/// What a `for_each` task runs over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForEach {
    /// A variable that holds a list (or a string that is a JSON list).
    Variable(String),
    /// The list itself.
    Items(Vec<Value>),
}

/// An event that a task announces when it settles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDecl {
    /// The event's name.
    pub name: String,
    /// When it is announced.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on: EventTrigger,
    /// The inputs and outputs that go with it; all declared outputs if it is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Vec<String>>,
}

/// How a task must settle for its event to be announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventTrigger {
    /// It succeeded, or was resolved by hand.
    #[default]
    Success,
    /// It failed.
    Failure,
    /// However it settled, skipped and cancelled included.
    Always,
}

/// JSON Schemas (2020-12) that results must satisfy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contract {
    /// Over the object of a successful attempt's declared outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Value>,
    /// Over the object that a failing attempt emits as `ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

impl TaskDef {
    /// A task with nothing but a name and a plugin.
    pub fn new(name: impl Into<String>, plugin: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            plugin: plugin.into(),
            kind: TaskKind::default(),
            inputs: Vec::new(),
            outputs: Outputs::default(),
            params: Map::new(),
            permissions: Vec::new(),
            execution: Execution::default(),
            when: None,
            for_each: None,
            retry: RetryPolicy::default(),
            allow_failure: false,
            events: Vec::new(),
            contract: None,
            annotations: BTreeMap::new(),
        }
    }
}

impl Definition {
    /// A workflow of these tasks in the default namespace.
    pub fn new(name: impl Into<String>, tasks: Vec<TaskDef>) -> Self {
        Self {
            namespace: "default".into(),
            name: name.into(),
            version: "0.1.0".into(),
            description: String::new(),
            tags: Vec::new(),
            env: Vec::new(),
            secrets: Vec::new(),
            on_failure: OnFailure::default(),
            external: None,
            tasks,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
