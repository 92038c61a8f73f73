//! The JSON of the HTTP API, as servers write it and clients read it.
//!
//! Times are RFC 3339 in UTC with microseconds; durations are seconds. Identities of runs are 26
//! characters, and sort by age.

mod problem;
mod run;
mod workflow;

pub use problem::{DiagnosticInfo, ProblemDocument};
pub use run::{
    AmendTask, AttemptView, Identity, InterventionView, Operation, PathLinkView, ResolveTask,
    RunCounts, RunDetail, RunList, RunState, RunView, SkipView, StartRun, Started, TaskList,
    TaskOperation, TaskView, VariableView,
};
pub use workflow::{
    EdgeView, GraphView, NamespaceList, NamespaceView, NeedView, NodeView, PluginList, PluginView,
    RegisterWorkflow, ValidateWorkflow, Validation, VersionList, WorkflowList, WorkflowView,
};
