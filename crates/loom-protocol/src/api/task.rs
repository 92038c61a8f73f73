//! One task of a run, whole.

use super::{AttemptView, TaskView, VariableView};
use crate::unique::unique;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A task of a run with what its attempts saw and what it set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskDetail {
    /// Where it stands, and its attempts.
    #[serde(flatten)]
    pub task: TaskView,
    /// Variables that it, or somebody in its name, set, in order.
    pub outputs: Vec<VariableView>,
    /// The tasks before it: those that may set what it takes, and those that it depends on.
    pub parents: Vec<String>,
    /// The tasks behind it: those that take what it may set, and those that depend on it.
    pub children: Vec<String>,
}

/// One attempt with what it saw and emitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct AttemptDetail {
    /// When it worked, and what came of it.
    #[serde(flatten)]
    #[cfg_attr(feature = "graphql", graphql(flatten))]
    pub attempt: AttemptView,
    /// The values of its inputs when it was handed over. Secret ones read `***`.
    pub inputs: Vec<InputView>,
    /// What it emitted without its task declaring it: kept, and firing nothing.
    pub undeclared: Vec<UndeclaredView>,
}

/// What an attempt saw of one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "graphql",
    derive(async_graphql::SimpleObject),
    graphql(name = "AttemptInput")
)]
pub struct InputView {
    /// The variable, with who set it and when.
    #[serde(flatten)]
    #[cfg_attr(feature = "graphql", graphql(flatten))]
    pub variable: VariableView,
    /// Whether it has been set again since.
    pub outdated: bool,
}

/// A value that was emitted without being declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "graphql",
    derive(async_graphql::SimpleObject),
    graphql(name = "UndeclaredOutput")
)]
pub struct UndeclaredView {
    /// The name.
    pub name: String,
    /// The value; the text `***` if it is secret.
    pub value: Value,
}

/// What is changed about a task before it next starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::InputObject))]
#[serde(deny_unknown_fields)]
pub struct AmendTask {
    /// The most attempts, the first included.
    #[serde(default)]
    pub max_attempts: Option<u32>,
    /// Values for declared inputs.
    #[serde(default, deserialize_with = "unique")]
    #[cfg_attr(feature = "graphql", graphql(default))]
    pub inputs: BTreeMap<String, Value>,
}
