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
    /// Settle a failed or waiting task by hand.
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
    /// Who asks.
    pub fn by(&self) -> &str {
        match self {
            Self::Pause { by }
            | Self::Resume { by }
            | Self::Cancel { by, .. }
            | Self::Retry { by, .. }
            | Self::Resolve { by, .. } => by,
        }
    }
}
