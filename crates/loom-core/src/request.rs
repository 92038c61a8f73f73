//! What people and programs may ask of a run, from any process that reaches the store.

use crate::Variable;
use serde::{Deserialize, Serialize};

/// A request about one run. Its serialised form is how one process hands it to the one that owns
/// the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Start nothing new; what is under way goes on.
    Pause {
        /// Who asks.
        by: String,
    },
    /// Go on after a pause.
    Resume {
        /// Who asks.
        by: String,
    },
    /// End the run.
    Cancel {
        /// Who asks.
        by: String,
        /// Why.
        reason: String,
    },
    /// Try failed tasks again: this one, or all of them.
    Retry {
        /// Who asks.
        by: String,
        /// The task's name.
        task: Option<String>,
    },
    /// Cancel one task alone; the run goes on.
    CancelTask {
        /// Who asks.
        by: String,
        /// Why.
        reason: String,
        /// The task's name.
        task: String,
    },
    /// Skip a task that has not started.
    Skip {
        /// Who asks.
        by: String,
        /// Why.
        reason: String,
        /// The task's name.
        task: String,
    },
    /// Change how often a task may be attempted, and what it is given.
    Amend {
        /// Who asks.
        by: String,
        /// The task's name.
        task: String,
        /// How many attempts there are in all from now on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_attempts: Option<u32>,
        /// What later attempts see in place of these declared inputs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inputs: Vec<Variable>,
    },
    /// Settle a failed, cancelled or waiting task by hand.
    Resolve {
        /// Who asks.
        by: String,
        /// The task's name.
        task: String,
        /// Why.
        reason: String,
        /// Variables to set in its name.
        outputs: Vec<Variable>,
        /// Required outputs may stay unset: whoever waits for them is skipped.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        without_outputs: bool,
    },
}

impl Request {
    /// The variables that it carries: secret ones among them are sealed in the store.
    pub fn variables_mut(&mut self) -> &mut [Variable] {
        match self {
            Self::Resolve { outputs: variables, .. } | Self::Amend { inputs: variables, .. } => {
                variables
            }
            Self::Pause { .. }
            | Self::Resume { .. }
            | Self::Cancel { .. }
            | Self::CancelTask { .. }
            | Self::Skip { .. }
            | Self::Retry { .. } => &mut [],
        }
    }

    /// The variables that it carries.
    pub fn variables(&self) -> &[Variable] {
        match self {
            Self::Resolve { outputs: variables, .. } | Self::Amend { inputs: variables, .. } => {
                variables
            }
            Self::Pause { .. }
            | Self::Resume { .. }
            | Self::Cancel { .. }
            | Self::CancelTask { .. }
            | Self::Skip { .. }
            | Self::Retry { .. } => &[],
        }
    }

    /// What is asked, as in "cannot cancel a run …".
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::Cancel { .. } => "cancel",
            Self::Retry { .. } => "retry",
            Self::CancelTask { .. } => "cancel a task of",
            Self::Skip { .. } => "skip a task of",
            Self::Amend { .. } => "amend a task of",
            Self::Resolve { .. } => "resolve a task of",
        }
    }

    /// Who asks.
    pub fn by(&self) -> &str {
        match self {
            Self::Pause { by }
            | Self::Resume { by }
            | Self::Cancel { by, .. }
            | Self::CancelTask { by, .. }
            | Self::Skip { by, .. }
            | Self::Amend { by, .. }
            | Self::Retry { by, .. }
            | Self::Resolve { by, .. } => by,
        }
    }
}
