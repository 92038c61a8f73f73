//! The conversation between an engine and those who run attempts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Names one attempt.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct AttemptId {
    /// The run's identity.
    pub run: String,
    /// The task's place in the workflow.
    pub task: u32,
    /// The item, for a `for_each` task.
    pub item: Option<u32>,
    /// Counts from 1.
    pub attempt: u32,
}

/// A named value, as handed to an attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AttemptOutput {
    /// The variable's name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Whether it is, or contains, a secret.
    #[serde(default)]
    pub secret: bool,
}

/// Everything that is needed to run one attempt.
#[derive(Clone, Debug)]
pub struct AttemptRequest {
    /// Which attempt it is.
    pub id: AttemptId,
    /// The task's name.
    pub task: String,
    /// The workflow's name.
    pub workflow: String,
    /// The same for every attempt of one task or item of one run, different for any other.
    pub idempotency_key: String,
    /// The plugin's name.
    pub plugin: String,
    /// The plugin's parameters, as in the file: `{{ NAME }}` is not filled in yet.
    pub params: Map<String, Value>,
    /// Variables that every task of the run sees.
    pub shared: Arc<Vec<AttemptOutput>>,
    /// The task's inputs.
    pub inputs: Vec<AttemptOutput>,
    /// The item's value, for a `for_each` task.
    pub item: Option<Value>,
    /// Names of the declared outputs.
    pub outputs: Vec<String>,
    /// Environment variables of the engine's side, such as `TRACEPARENT`: what connects the attempt
    /// to what caused it. They are no variables of the run.
    pub context: Vec<(String, String)>,
    /// The longest that the attempt may take.
    pub timeout: Option<Duration>,
    /// Permissions that it needs.
    pub permissions: Vec<String>,
    /// JSON Schema for the object of declared outputs of a success.
    pub contract_success: Option<Value>,
    /// JSON Schema for the object that a failure emits as `ERROR`.
    pub contract_error: Option<Value>,
    /// Texts that must not appear in logs, messages or readable results.
    pub secrets: Arc<Vec<String>>,
    /// Names of variables whose values are secret as soon as the attempt emits them.
    pub secret_names: Vec<String>,
    /// The folder that the attempt works in.
    pub base: PathBuf,
    /// Where what it writes is kept; made when the first byte comes.
    pub log: PathBuf,
    /// Hold it back until one of the run's workers is free.
    pub held: bool,
    /// The most attempts of this run that work at once.
    pub lane_width: u32,
}

/// What happened to an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptReport {
    /// The attempt.
    pub id: AttemptId,
    /// What happened.
    pub news: AttemptNews,
}

/// What happened to an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptNews {
    /// A held attempt began, at this time (microseconds since the epoch).
    Began(u64),
    /// It ended well, with all that it emitted, declared or not.
    Succeeded(Vec<AttemptOutput>),
    /// It ended badly.
    Failed(FailureInfo),
    /// It was ended because that was asked for.
    Stopped,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureInfo {
    /// The error's code; one of the area [`crate::Area::Task`].
    pub code: crate::ErrorCode,
    /// One sentence for people.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
    /// How long the far side asked to wait.
    pub retry_after: Option<Duration>,
    /// The process's exit status, if it exited.
    pub exit_status: Option<i32>,
    /// The object that it emitted as `ERROR`.
    pub error: Option<Value>,
    /// The last lines that it wrote, secrets masked.
    pub tail: Vec<String>,
}

/// How an attempt is to be ended. The order is severity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StopHow {
    /// TERM to its process group, KILL after the grace period.
    Gently,
    /// KILL at once.
    Now,
}
