//! The JSON of the HTTP API, as servers write it and clients read it.
//!
//! Times are RFC 3339 in UTC with microseconds; durations are seconds. Identities of runs are 26
//! characters, and sort by age.

mod access;
mod analytics;
mod batch;
mod health;
mod hold;
mod limit;
mod operation;
mod problem;
mod report;
mod retention;
mod run;
mod schedule;
mod search;
mod task;
mod trigger;
mod webhook;
mod why;
mod workflow;

pub use access::{
    AuditEntry, AuditList, AuditOutcome, CreateToken, DefineRole, MayIn, Me, RoleList, RoleView,
    TokenCreated, TokenList, TokenView,
};
pub use analytics::{
    Basis, Blocker, Bottlenecks, ErrorPattern, Parallelism, Percentiles, Performance, RetryFigures,
    RunAnalysis, SlowRun, TaskAnalysis, TaskFigures, Window,
};
pub use batch::{BatchAct, BatchDone, BatchDoneItem, BatchStart, BatchStarted, BatchStartedItem};
pub use health::{Alive, Check, QueuedRuns, Readiness, Retries, Status, TlsStatus};
pub use hold::{FewTakers, HoldView, TakerView};
pub use limit::{
    ChangeRun, FewHolders, HolderView, Lack, LimitKey, LimitList, LimitSpec, LimitView, LimitWait,
    Rate, RunWaits, WhenFull,
};
pub use operation::{Operation, RerunRun, ResolveTask, TaskOperation};
pub use problem::{DiagnosticInfo, ProblemDocument};
pub use report::Reported;
pub use retention::{RetentionList, RetentionRule, RetentionView};
pub use run::{
    AttemptView, GivenVariable, HeldView, Identity, InterventionView, PathLinkView, RunCounts,
    RunDetail, RunList, RunState, RunSubmission, RunView, SkipView, StartRun, Started, TaskList,
    TaskView, VariableView,
};
pub use schedule::{
    CatchUp, FiringView, NextTick, NextTicks, Overlap, ScheduleList, ScheduleSpec, ScheduleView,
    TickCounts, Timing,
};
pub use search::{AnnotationKeyList, AnnotationKeyView, RunSelector};
pub use task::{AmendTask, AttemptDetail, InputView, TaskDetail, UndeclaredView};
pub use trigger::{
    FileCatchUp, FileCounts, FileFact, FileTrigger, FileTriggerState, FiredFile, Proof,
    RequestTrigger, Taken, TriggerList, TriggerSpec, TriggerView,
};
pub use webhook::{
    ChangeWebhook, CreateWebhook, CreatedWebhook, DeadDelivery, DeadDeliveryList, DeliveryResult,
    ReplayResult, RotateSecret, WebhookFailing, WebhookList, WebhookPause, WebhookRetry,
    WebhookView,
};
pub use why::{
    BackingOffView, CauseView, ChainLinkView, ChainView, CriticalPathView, EndView, EndedByView,
    FewBackingOff, FewEnds, FewFirstCauses, FewItemFailures, FewNamedValues, FewNext, FewReady,
    FewStandings, FewVariables, FirstCauseView, ItemFailureView, ItemsWhyView, NamedValueView,
    NextView, ReadyView, RunWhyView, StandingView, TaskWhyView, TollView, WaitsForView, WhyView,
};
pub use workflow::{
    EdgeView, GraphView, KnotView, NamespaceList, NamespaceView, NeedView, NodeView, PluginList,
    PluginProblemView, PluginView, RegisterWorkflow, RunGraphView, RunNodeView, ValidateWorkflow,
    Validation, VersionList, WorkflowList, WorkflowView,
};
