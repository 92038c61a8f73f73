//! What happened to a run: the facts that are recorded, from which everything else is derived.
//!
//! The serialised form is the journal's. It is kept short because there are many, and it is stable:
//! variants and fields are only added, with defaults.

use crate::{Failure, TaskDef, TaskRef, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fact about a run. Tasks becoming ready is not among them: it follows from the rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum Event {
    /// `queued → running`.
    RunStarted {
        /// When.
        at: Timestamp,
    },
    /// `running → paused`: nothing new starts.
    RunPaused {
        /// When.
        at: Timestamp,
        /// Who asked.
        by: String,
    },
    /// `paused → running`.
    RunResumed {
        /// When.
        at: Timestamp,
        /// Who asked.
        by: String,
    },
    /// Somebody asked for the run's end; what is under way is being stopped.
    CancelRequested {
        /// When.
        at: Timestamp,
        /// Who asked.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// `failed → running`: failed tasks are ready again, and what was skipped for their sake waits.
    RunReopened {
        /// When.
        at: Timestamp,
        /// Who asked.
        by: String,
        /// The failed tasks that run again.
        tasks: Vec<TaskRef>,
    },
    /// The run has ended.
    RunFinished {
        /// When.
        at: Timestamp,
        /// How.
        outcome: RunOutcome,
    },
    /// A run that another system executes has a further task: the one behind those that it had.
    Declared {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// What it is.
        def: Box<TaskDef>,
    },
    /// A task with `when` or `for_each` fired; `items` is what it runs over.
    Fired {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// The list, for a `for_each` task.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Vec<Value>>,
        /// Whether the list comes from a secret variable.
        #[serde(default, rename = "s", skip_serializing_if = "std::ops::Not::not")]
        secret: bool,
    },
    /// An attempt was handed over ahead of a free worker. Only [`Event::Started`] makes it run.
    Assigned {
        /// When.
        at: Timestamp,
        /// The task or item.
        #[serde(flatten)]
        task: TaskRef,
        /// The attempt, from 1.
        #[serde(rename = "a")]
        attempt: u32,
    },
    /// An attempt started.
    Started {
        /// When.
        at: Timestamp,
        /// The task or item.
        #[serde(flatten)]
        task: TaskRef,
        /// The attempt, from 1.
        #[serde(rename = "a")]
        attempt: u32,
    },
    /// An attempt succeeded, and with it the task or item.
    Succeeded {
        /// When.
        at: Timestamp,
        /// The task or item.
        #[serde(flatten)]
        task: TaskRef,
        /// The attempt.
        #[serde(rename = "a")]
        attempt: u32,
        /// What it emitted; only [`Output::declared`] ones are variables.
        #[serde(default, rename = "out", skip_serializing_if = "Vec::is_empty")]
        outputs: Vec<Output>,
    },
    /// An attempt failed; without `retry_at` the task or item failed with it.
    Failed {
        /// When.
        at: Timestamp,
        /// The task or item.
        #[serde(flatten)]
        task: TaskRef,
        /// The attempt; 0 if the task failed before it was attempted.
        #[serde(rename = "a")]
        attempt: u32,
        /// Why.
        failure: Box<Failure>,
        /// When it is tried again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<Timestamp>,
    },
    /// All items of a `for_each` task have settled, and with them the task; or an item had failed, and
    /// the run's end cut off the others.
    Gathered {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// How many of its items failed; the task failed if any did.
        failed: u32,
    },
    /// An attempt was cut off by the end of the process that ran it; it did not count.
    Interrupted {
        /// When this was found.
        at: Timestamp,
        /// The task or item.
        #[serde(flatten)]
        task: TaskRef,
        /// The attempt.
        #[serde(rename = "a")]
        attempt: u32,
    },
    /// A task will not run.
    Skipped {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Why not.
        reason: SkipReason,
    },
    /// Somebody asked for a task's end; its attempts under way are being stopped.
    TaskCancelRequested {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Who asked.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Somebody wants a task skipped that was handed over: it is being taken back. If it has begun by
    /// then, it goes on.
    SkipRequested {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Who asked.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Somebody changed how often a task may be attempted, or what its attempts from now on see.
    Amended {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Who.
        by: String,
        /// How many attempts there are in all from now on.
        #[serde(default, rename = "max", skip_serializing_if = "Option::is_none")]
        max_attempts: Option<u32>,
        /// What is seen in place of these inputs.
        #[serde(default, rename = "in", skip_serializing_if = "Vec::is_empty")]
        inputs: Vec<Variable>,
    },
    /// A task that settled announced an event of the workflow's own.
    Emitted {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// The event's name.
        name: String,
        /// Variables that go with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        payload: Vec<Variable>,
    },
    /// A task or item was cancelled, alone or with its run.
    Cancelled {
        /// When.
        at: Timestamp,
        /// The task or item.
        #[serde(flatten)]
        task: TaskRef,
    },
    /// Somebody settled a task by hand; it counts as succeeded.
    Resolved {
        /// When.
        at: Timestamp,
        /// The task.
        #[serde(flatten)]
        task: TaskRef,
        /// Who.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
        /// Variables set in the task's name.
        #[serde(default, rename = "out", skip_serializing_if = "Vec::is_empty")]
        outputs: Vec<Output>,
    },
}

impl Event {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::RunStarted { at }
            | Self::RunPaused { at, .. }
            | Self::RunResumed { at, .. }
            | Self::CancelRequested { at, .. }
            | Self::RunReopened { at, .. }
            | Self::RunFinished { at, .. }
            | Self::Declared { at, .. }
            | Self::Fired { at, .. }
            | Self::Assigned { at, .. }
            | Self::Started { at, .. }
            | Self::Succeeded { at, .. }
            | Self::Failed { at, .. }
            | Self::Gathered { at, .. }
            | Self::Interrupted { at, .. }
            | Self::Skipped { at, .. }
            | Self::TaskCancelRequested { at, .. }
            | Self::SkipRequested { at, .. }
            | Self::Amended { at, .. }
            | Self::Emitted { at, .. }
            | Self::Cancelled { at, .. }
            | Self::Resolved { at, .. } => *at,
        }
    }

    /// The task or item that it is about, unless it is about the run.
    pub const fn task(&self) -> Option<TaskRef> {
        match self {
            Self::RunStarted { .. }
            | Self::RunPaused { .. }
            | Self::RunResumed { .. }
            | Self::CancelRequested { .. }
            | Self::RunReopened { .. }
            | Self::RunFinished { .. } => None,
            Self::Declared { task, .. }
            | Self::Fired { task, .. }
            | Self::Assigned { task, .. }
            | Self::Started { task, .. }
            | Self::Succeeded { task, .. }
            | Self::Failed { task, .. }
            | Self::Gathered { task, .. }
            | Self::Interrupted { task, .. }
            | Self::Skipped { task, .. }
            | Self::TaskCancelRequested { task, .. }
            | Self::SkipRequested { task, .. }
            | Self::Amended { task, .. }
            | Self::Emitted { task, .. }
            | Self::Cancelled { task, .. }
            | Self::Resolved { task, .. } => Some(*task),
        }
    }

    /// The outputs that it carries.
    pub fn outputs(&self) -> &[Output] {
        match self {
            Self::Succeeded { outputs, .. } | Self::Resolved { outputs, .. } => outputs,
            _ => &[],
        }
    }

    /// The variables that it carries, besides its outputs.
    fn variables(&self) -> &[Variable] {
        match self {
            Self::Amended { inputs: variables, .. } | Self::Emitted { payload: variables, .. } => {
                variables
            }
            _ => &[],
        }
    }

    /// Whether any of [`Event::secrets_mut`] is there.
    pub fn has_secrets(&self) -> bool {
        matches!(self, Self::Fired { items: Some(_), secret: true, .. })
            || self.outputs().iter().any(|output| output.secret)
            || self.variables().iter().any(|variable| variable.secret)
    }

    /// The values in it that are masked in every output and sealed in the store.
    pub fn secrets_mut(&mut self) -> Vec<&mut Value> {
        match self {
            Self::Succeeded { outputs, .. } | Self::Resolved { outputs, .. } => {
                let secret = outputs.iter_mut().filter(|output| output.secret);
                secret.map(|output| &mut output.value).collect()
            }
            Self::Amended { inputs: variables, .. } | Self::Emitted { payload: variables, .. } => {
                let secret = variables.iter_mut().filter(|variable| variable.secret);
                secret.map(|variable| &mut variable.value).collect()
            }
            Self::Fired { items: Some(items), secret: true, .. } => items.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}

/// One thing that a task emitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The name it was emitted under.
    #[serde(rename = "n")]
    pub name: String,
    /// Its value.
    #[serde(rename = "v")]
    pub value: Value,
    /// Whether the task declares it; what is undeclared is kept and shown, but fires nothing.
    #[serde(default = "yes", rename = "d", skip_serializing_if = "is_true")]
    pub declared: bool,
    /// Whether the value is masked in every output and sealed in the store.
    #[serde(default, rename = "s", skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// A variable's name and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Value,
    /// Whether the value is masked in every output and sealed in the store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// No task failed without `allow_failure`.
    Succeeded,
    /// A task failed without `allow_failure`.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// Why a task will not run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum SkipReason {
    /// Nothing is left that could set an input.
    NoProducer {
        /// The variable that stays unset.
        variable: String,
        /// The tasks that could have set it, and how each ended.
        producers: Vec<Producer>,
    },
    /// A task that it depends on did not succeed.
    Dependency {
        /// That task.
        task: String,
    },
    /// `when` does not hold.
    Condition {
        /// The expression.
        when: String,
    },
    /// It waits, over others, for itself.
    Circular {
        /// The inputs that stay unset.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        variables: Vec<String>,
        /// The tasks that could have set them, and how each stands.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        producers: Vec<Producer>,
        /// The tasks that it depends on and that never end.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tasks: Vec<String>,
    },
    /// Somebody said so.
    ByHand {
        /// Who.
        by: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Another task failed and the workflow says `on_failure: stop`.
    Stopped {
        /// The task that failed.
        task: String,
    },
}

/// A task that could have set a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Producer {
    /// The task.
    pub task: String,
    /// How it ended: `succeeded` (without emitting the variable), `failed`, `skipped`, `cancelled`.
    pub ended: String,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_true(value: &bool) -> bool {
    *value
}
