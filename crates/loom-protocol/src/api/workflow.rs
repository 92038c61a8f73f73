//! Registered workflows, namespaces, plugins.

use super::{DiagnosticInfo, RunState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A workflow to be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterWorkflow {
    /// The workflow document, YAML or JSON.
    pub source: String,
}

/// A workflow to be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ValidateWorkflow {
    /// The workflow document, YAML or JSON.
    pub source: String,
    /// The names of variables that a run would be given.
    #[serde(default)]
    pub variables: Vec<String>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validation {
    /// Whether it may be registered and run.
    pub valid: bool,
    /// Everything that is wrong or worth knowing, in the order of the document.
    pub diagnostics: Vec<DiagnosticInfo>,
}

/// A version of a registered workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject))]
pub struct WorkflowView {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version (semver).
    pub version: String,
    /// What it is for.
    pub description: String,
    /// Labels.
    pub tags: Vec<String>,
    /// Whether new runs are refused.
    pub disabled: bool,
    /// When this version was registered.
    pub registered_at: String,
    /// Who registered it.
    pub registered_by: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub hash: String,
    /// How many tasks it has.
    pub tasks: u32,
    /// What a run must or may be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "graphql", graphql(skip))]
    pub needs: Vec<NeedView>,
    /// The document, as it was registered; only where one workflow is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "graphql", graphql(skip))]
    pub source: Option<String>,
}

/// A variable that a run must be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Need"))]
pub struct NeedView {
    /// The variable's name.
    pub name: String,
    /// The tasks that wait for it.
    pub tasks: Vec<String>,
}

/// A page of workflows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowList {
    /// The newest version of each, by namespace and name.
    pub items: Vec<WorkflowView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A page of the versions of one workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionList {
    /// Newest version first, in the order of semver.
    pub items: Vec<WorkflowView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A page of the namespaces that the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamespaceList {
    /// By name.
    pub items: Vec<NamespaceView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Namespace"))]
pub struct NamespaceView {
    /// The name.
    pub name: String,
    /// How many workflows are registered in it.
    pub workflows: u64,
    /// How many runs are kept of it.
    pub runs: u64,
}

/// The graph of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "Graph"))]
pub struct GraphView {
    /// The tasks, in the order of the document.
    pub nodes: Vec<NodeView>,
    /// Who waits for whom.
    pub edges: Vec<EdgeView>,
    /// Variables that so many tasks set and take that an edge between any two of them would be too
    /// much: all `from` lead to all `to`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knots: Vec<KnotView>,
    /// Tasks by their distance from the start, along the longest way.
    pub levels: Vec<Vec<String>>,
    /// As Mermaid.
    pub mermaid: String,
    /// As DOT (Graphviz).
    pub dot: String,
}

/// A task in a graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "GraphNode"))]
pub struct NodeView {
    /// The task's name.
    pub name: String,
    /// What it runs.
    pub plugin: String,
    /// Its distance from the start; absent on and behind a circle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Whether several tasks follow it.
    pub split: bool,
    /// Whether it waits for several tasks.
    pub join: bool,
}

/// The graph of a run: its workflow's, and where each task stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunGraphView {
    /// The run's identity.
    pub run: String,
    /// Where the run stands.
    pub state: RunState,
    /// The number of its last event.
    pub last_seq: u64,
    /// The tasks, in the order of the document.
    pub nodes: Vec<RunNodeView>,
    /// Who waits for whom.
    pub edges: Vec<EdgeView>,
    /// Variables that so many tasks set and take that an edge between any two of them would be too
    /// much: all `from` lead to all `to`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knots: Vec<KnotView>,
    /// Tasks by their distance from the start, along the longest way.
    pub levels: Vec<Vec<String>>,
    /// As Mermaid; classes and shapes tell where tasks stand.
    pub mermaid: String,
    /// As DOT (Graphviz); colours and shapes tell where tasks stand.
    pub dot: String,
}

/// A task in the graph of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunNodeView {
    /// Its place in the workflow.
    #[serde(flatten)]
    pub node: NodeView,
    /// Where it stands, as in lists of tasks.
    pub phase: String,
    /// How many attempts there were, of all items.
    pub attempts: u32,
    /// How long it has been at work, from its first attempt to its end or to now, in seconds; absent
    /// before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_s: Option<f64>,
    /// How many items a `for_each` task has, by where they stand.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub items: BTreeMap<String, u64>,
}

/// A task waits for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "GraphEdge"))]
pub struct EdgeView {
    /// The task that comes first.
    pub from: String,
    /// The task that waits.
    pub to: String,
    /// The variables that lead from one to the other; none for an order alone.
    pub variables: Vec<String>,
    /// Whether it is there for `depends_on` alone.
    pub order: bool,
}

/// A variable that leads from many tasks to many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "graphql", derive(async_graphql::SimpleObject), graphql(name = "GraphKnot"))]
pub struct KnotView {
    /// The variable.
    pub variable: String,
    /// The tasks that set it.
    pub from: Vec<String>,
    /// The tasks that wait for it.
    pub to: Vec<String>,
}

/// A page of plugins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginList {
    /// By name.
    pub items: Vec<PluginView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginView {
    /// The name that tasks use.
    pub name: String,
    /// Why it cannot be used, if that is so: then no more is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<PluginProblemView>,
    /// Variables that it emits; a `?` marks those that may be absent.
    pub outputs: Vec<String>,
    /// Variables that it needs.
    pub inputs: Vec<String>,
    /// Permissions that it needs when a task asks for authorisation.
    pub permissions: Vec<String>,
    /// Whether every task that uses it needs its permissions.
    pub requires_auth: bool,
    /// JSON Schema (2020-12) of its parameters; absent if anything goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params_schema: Option<Value>,
}

/// Why a plugin cannot be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PluginProblemView {
    /// The error's code, such as `L301`.
    pub code: String,
    /// The file, and what is wrong with it.
    pub message: String,
    /// How to mend it.
    pub help: String,
}
