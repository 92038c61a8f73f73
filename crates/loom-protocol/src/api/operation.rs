//! What is asked of runs and tasks that are there.

use crate::unique::unique;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is asked of a run or a task, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// As [`Operation`], about one task.
pub type TaskOperation = Operation;

/// A run that is to be run again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::InputObject))]
#[serde(deny_unknown_fields)]
pub struct RerunRun {
    /// Variables that differ, and those that are secret: what the first run was given in secret is
    /// not read back.
    #[serde(default, deserialize_with = "unique")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub variables: BTreeMap<String, Value>,
    /// Another version of the workflow; that of the first run if absent.
    #[serde(default)]
    pub version: Option<String>,
    /// Why it is run again.
    #[serde(default)]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub reason: String,
}

/// How a task is settled by hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::InputObject))]
#[serde(deny_unknown_fields)]
pub struct ResolveTask {
    /// Why.
    #[serde(default)]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub reason: String,
    /// Variables to set in its name.
    #[serde(default, deserialize_with = "unique")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub outputs: BTreeMap<String, Value>,
    /// Required outputs may stay unset: whatever waits for them is skipped.
    #[serde(default)]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub without_outputs: bool,
}
