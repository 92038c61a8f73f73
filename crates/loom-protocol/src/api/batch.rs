//! Many runs in one call.

use super::{ProblemDocument, RunSelector, StartRun};
use serde::{Deserialize, Serialize};

/// Runs to be started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchStart {
    /// Each is started, or fails, by itself: at most 1,000.
    pub runs: Vec<StartRun>,
}

/// What became of each, in the order of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchStarted {
    /// One for each run of the call.
    pub items: Vec<BatchStartedItem>,
    /// How many were accepted.
    pub accepted: u32,
    /// How many were refused.
    pub refused: u32,
}

/// What became of one run of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchStartedItem {
    /// The run's identity, if it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether an earlier request had started it.
    #[serde(default)]
    pub repeated: bool,
    /// Why it was not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemDocument>,
}

/// Something to be done to all runs that match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchAct {
    /// Which runs. It must ask for something: an empty one is refused.
    pub filter: RunSelector,
    /// Why; only a cancellation keeps it.
    #[serde(default)]
    pub reason: String,
    /// Only say which runs it would be.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchDone {
    /// The runs, oldest first: at most 1,000.
    pub items: Vec<BatchDoneItem>,
    /// Whether there are more that match. The same call again takes the next.
    pub more: bool,
    /// Whether nothing was done.
    pub dry_run: bool,
}

/// What was done to one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchDoneItem {
    /// The run.
    pub id: String,
    /// Why it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemDocument>,
}
