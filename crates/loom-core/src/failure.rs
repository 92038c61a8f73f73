//! How things go wrong: an attempt that failed, a command that was refused.

use crate::json::Unfit;
use crate::{RunState, TaskPhase};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// One sentence for people: what happened and, where it is known, how to mend it.
    #[serde(rename = "msg")]
    pub message: String,
    /// Whether trying again may help. A permanent failure ends the task whatever its attempts.
    #[serde(default, rename = "again")]
    pub retryable: bool,
    /// How long the far side asked to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Duration>,
    /// The process's exit status, if it exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    /// The error object that the task emitted as `ERROR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// The last lines that it wrote, secrets masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
}

impl Failure {
    /// A permanent failure.
    pub fn permanent(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            retryable: false,
            retry_after: None,
            exit_status: None,
            error: None,
            tail: Vec::new(),
        }
    }

    /// A failure that may pass.
    pub fn retryable(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::permanent(kind, message) }
    }
}

/// The kinds of failure; the names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The command exited with a status other than 0.
    Exit,
    /// The command was ended by a signal.
    Signal,
    /// The attempt took longer than its timeout.
    Timeout,
    /// The command could not be started.
    Spawn,
    /// The attempt succeeded without emitting a required output.
    MissingOutput,
    /// What it emitted could not be read as outputs, or was too large.
    BadOutput,
    /// A permission is missing, or could not be established.
    PermissionDenied,
    /// The result or the error object breaks the task's contract.
    ContractViolation,
    /// The plugin reported an error, or died.
    Plugin,
    /// The far side answered with a status that was not expected.
    HttpStatus,
    /// The far side could not be reached, or broke off.
    Connection,
    /// A parameter has no usable value once variables are filled in.
    BadParameter,
    /// `when` or `for_each` could not be evaluated.
    Expression,
}

impl FailureKind {
    /// The stable name, as in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exit => "exit",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::Spawn => "spawn",
            Self::MissingOutput => "missing_output",
            Self::BadOutput => "bad_output",
            Self::PermissionDenied => "permission_denied",
            Self::ContractViolation => "contract_violation",
            Self::Plugin => "plugin",
            Self::HttpStatus => "http_status",
            Self::Connection => "connection",
            Self::BadParameter => "bad_parameter",
            Self::Expression => "expression",
        }
    }
}

/// Why a command was refused. The run is as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The run is not in a state that allows it.
    Run {
        /// What was asked.
        wanted: &'static str,
        /// The state the run is in.
        state: RunState,
    },
    /// The task is not in a phase that allows it.
    Task {
        /// The task's name.
        task: String,
        /// What was asked.
        wanted: &'static str,
        /// The phase the task is in.
        phase: TaskPhase,
    },
    /// No such task, or item of it.
    UnknownTask(String),
    /// Somebody has cancelled or skipped the task already, and its attempts are being stopped.
    TaskEnding(String),
    /// The task cannot be changed so.
    Amendment {
        /// The task's name.
        task: String,
        /// Why not.
        why: BadAmendment,
    },
    /// Settling a task by hand would leave required outputs of it unset, for good.
    OutputsMissing {
        /// The task's name.
        task: String,
        /// The outputs.
        outputs: Vec<String>,
    },
    /// A task is to be settled by hand with outputs that it does not declare.
    NotOutputs {
        /// The task's name.
        task: String,
        /// The outputs.
        outputs: Vec<String>,
    },
    /// The report is not about the attempt that is under way.
    StaleReport,
    /// Another system executes the run: nothing can be asked of it here.
    External {
        /// What was asked.
        wanted: &'static str,
        /// The system.
        system: String,
    },
    /// A value is none that a run takes.
    Unfit {
        /// Its name.
        name: String,
        /// Why not.
        why: Unfit,
    },
    /// Whoever starts the run gives a variable by which programs are steered, and the workflow does not
    /// name it.
    Steering {
        /// Its name.
        name: String,
    },
    /// A run that another system executes has as many tasks as it may have.
    TooManyTasks {
        /// How many.
        most: usize,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { wanted, state } => write!(f, "cannot {wanted} a run that {}", state.said()),
            Self::Task { task, wanted, phase } => {
                write!(f, "cannot {wanted} task `{task}`, which {}", phase.said())
            }
            Self::UnknownTask(task) => write!(f, "the workflow has no task `{task}`"),
            Self::TaskEnding(task) => write!(f, "task `{task}` is being ended already"),
            Self::Amendment { task, why } => write!(f, "cannot amend task `{task}`: {why}"),
            Self::OutputsMissing { task, outputs } => {
                write!(
                    f,
                    "resolving task `{task}` sets no value for `{}`, which it has to emit",
                    outputs.join("`, `")
                )
            }
            Self::NotOutputs { task, outputs } => {
                write!(f, "task `{task}` declares no output `{}`", outputs.join("`, `"))
            }
            Self::StaleReport => f.write_str("the report is not about an attempt under way"),
            Self::External { wanted, system } => {
                write!(f, "cannot {wanted} a run that `{system}` executes and only reports here")
            }
            Self::Unfit { name, why } => write!(f, "the value of `{name}` is not taken: {why}"),
            Self::Steering { name } => write!(
                f,
                "the variable `{name}` would change how the tasks' programs run, and the workflow does \
                 not ask for it; if callers may decide it, name it in `env` or in a task's `inputs`"
            ),
            Self::TooManyTasks { most } => {
                write!(f, "a run that another system reports has at most {most} tasks")
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a task cannot be changed as was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadAmendment {
    /// Neither attempts nor inputs are given.
    Nothing,
    /// The task does not declare this input.
    NotAnInput(String),
    /// The value for this input has more bytes, as JSON, than an amended input may have.
    TooLarge(String),
    /// So many attempts are not allowed, or are used up.
    Attempts {
        /// The least that can be asked for.
        least: u32,
        /// The most.
        most: u32,
    },
}

impl fmt::Display for BadAmendment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("neither attempts nor inputs are given"),
            Self::NotAnInput(name) => write!(f, "it does not take `{name}` as an input"),
            Self::TooLarge(name) => write!(
                f,
                "the value for `{name}` is larger than {} bytes",
                crate::run::AMENDED_BYTES_MAX
            ),
            Self::Attempts { least, most } if least <= most => {
                write!(f, "it can have {least} to {most} attempts")
            }
            Self::Attempts { most, .. } => {
                write!(f, "it has used {most} attempts, and can have no more")
            }
        }
    }
}
