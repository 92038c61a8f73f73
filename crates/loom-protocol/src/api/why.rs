//! Why a run or a task stands where it does. Lists hold the first few; `more` counts the rest.

use super::{
    HoldView, InputView, InterventionView, PathLinkView, RunState, RunWaits, SkipView, VariableView,
};
use crate::event::FailureEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a run stands where it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunWhyView {
    /// The run.
    pub run: String,
    /// Its workflow.
    pub workflow: String,
    /// Where it stands.
    pub state: RunState,
    /// When something last happened to it, if it has not ended and nobody is at work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<String>,
    /// How many tasks it has.
    pub tasks: u32,
    /// How many of them have settled.
    pub tasks_settled: u32,
    /// What a run that is queued waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<RunWaits>,
    /// Who or what ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedByView>,
    /// Where things first went wrong, in order. Of a run that succeeded: what failed and was allowed to,
    /// or was settled by hand.
    pub first_causes: FewFirstCauses,
    /// Where skipping began without anything going wrong: a `when` that did not hold, a task that was
    /// skipped by hand, that did not emit what others took, or whose input nothing sets.
    pub left_out: FewFirstCauses,
    /// What runs.
    pub running: FewStandings,
    /// What waits for its next attempt, soonest first.
    pub backing_off: FewBackingOff,
    /// What could start, and what holds it back.
    pub ready: FewReady,
    /// Tasks that wait for nothing but what is open now.
    pub next: FewNext,
    /// How its time was spent, so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_path: Option<CriticalPathView>,
}

/// The chain of tasks that decided when a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CriticalPathView {
    /// What set it off: `start`, the run's; `reopened`, that the run was; `resolved`, that somebody
    /// settled the first task.
    pub start: String,
    /// From its beginning to its end, in seconds.
    pub total_s: f64,
    /// How many tasks before those in `last` are left out.
    pub before: u32,
    /// The last tasks, in the order in which they ran.
    pub last: Vec<PathLinkView>,
}

/// Why a task stands where it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskWhyView {
    /// The run.
    pub run: String,
    /// When something last happened to the run, if it has not ended and nobody is at work on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<String>,
    /// Where it stands, and since when.
    #[serde(flatten)]
    pub standing: StandingView,
    /// Its items, for a `for_each` task that has fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemsWhyView>,
    /// The reason.
    pub why: WhyView,
}

/// The reasons, one for each phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WhyView {
    /// It waits for something.
    Waiting {
        /// What is missing.
        waits_for: Vec<WaitsForView>,
        /// The ways to what is open now, each from the task to what it waits for in the end.
        chains: Vec<ChainView>,
        /// How many more open tasks it waits for.
        more_open: u32,
    },
    /// It could start, but for this.
    Ready {
        /// What holds it back.
        hold: HoldView,
    },
    /// It works.
    Running {
        /// Which try it is.
        try_number: u32,
        /// How many there may be.
        of: u32,
        /// When it is ended for taking too long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times_out_at: Option<String>,
        /// What it sees.
        inputs: Vec<InputView>,
    },
    /// It will be tried again.
    BackingOff {
        /// Why it failed.
        failure: FailureEvent,
        /// How often it has.
        failures: u32,
        /// How many tries there may be.
        of: u32,
        /// When the next one may start.
        retry_at: String,
        /// What the policy alone comes to, in seconds.
        backoff_s: f64,
        /// What the far side asked for, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked_s: Option<f64>,
    },
    /// It is done.
    Succeeded {
        /// How many attempts it took.
        attempts: u32,
        /// From the first start to the end, in seconds.
        took_s: f64,
        /// What it set.
        set: FewVariables,
    },
    /// It went wrong.
    Failed {
        /// How.
        failure: FailureEvent,
        /// How many tries it had.
        tries: u32,
        /// How many there might be.
        of: u32,
        /// Whether the run may succeed nevertheless.
        allowed: bool,
        /// What was skipped for it.
        toll: TollView,
    },
    /// It will not run.
    Skipped {
        /// What it was skipped for.
        reason: Value,
        /// What its `when` saw, if that did not hold: the variables that it names.
        decided_by: FewNamedValues,
        /// The tasks behind that, and what was behind those.
        causes: Vec<CauseView>,
        /// How many tasks appear neither there nor in `first`, besides those that causes count.
        more: u32,
        /// Where it all began.
        first: FewEnds,
    },
    /// It was ended.
    Cancelled {
        /// By whom or what.
        by: EndedByView,
    },
    /// Somebody settled it.
    Resolved {
        /// Who, and why.
        resolution: SkipView,
        /// What it had failed with, if it had failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<FailureEvent>,
        /// What they set in its name.
        set: FewVariables,
    },
}

macro_rules! few {
    ($($name:ident $item:ident $what:literal;)*) => {$(
        #[doc = $what]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub struct $name {
            /// The first few.
            pub first: Vec<$item>,
            /// How many are left out.
            pub more: u32,
        }
    )*};
}

few! {
    FewStandings StandingView "Tasks and where they stand.";
    FewFirstCauses FirstCauseView "Where things went wrong.";
    FewBackingOff BackingOffView "What waits for its next attempt.";
    FewReady ReadyView "What could start.";
    FewNext NextView "What comes next.";
    FewVariables VariableView "Variables.";
    FewEnds EndView "How tasks ended.";
    FewNamedValues NamedValueView "What an expression saw.";
    FewItemFailures ItemFailureView "Items that failed.";
}

/// A variable that an expression names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedValueView {
    /// Its name.
    pub name: String,
    /// What it held when the expression was evaluated; absent if it was not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<InputView>,
}

/// A task or item, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StandingView {
    /// The task.
    pub task: String,
    /// The item's index, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The phase.
    pub phase: String,
    /// Since when.
    pub since: String,
}

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WaitsForView {
    /// The run's start.
    Start,
    /// A variable that one of these may still set.
    Variable {
        /// The name.
        name: String,
        /// Who may set it.
        producers: FewStandings,
    },
    /// The success of a task.
    Task {
        /// The task.
        on: StandingView,
    },
    /// That these have settled.
    Barrier {
        /// Those that have not.
        on: FewStandings,
    },
}

/// A way from a waiting task to an open one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainView {
    /// The tasks on the way; the last is the open one.
    pub links: Vec<ChainLinkView>,
    /// How many are left out before the last.
    pub left_out: u32,
}

/// A step of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainLinkView {
    /// `variable`, `dependency`, `barrier` or `circle`.
    pub via: String,
    /// The variable, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The task that is waited for.
    #[serde(flatten)]
    pub standing: StandingView,
}

/// Who or what ended a run or a task before its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndedByView {
    /// Somebody asked for it.
    Request {
        /// Who, when and why.
        request: InterventionView,
    },
    /// A task failed, and the workflow says `on_failure: stop`.
    Failure {
        /// The task.
        task: String,
    },
}

/// How a task that others were skipped for ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndView {
    /// It failed.
    Failed {
        /// The task.
        task: String,
        /// Why.
        failure: FailureEvent,
        /// Whether it may (`allow_failure`).
        allowed: bool,
    },
    /// Somebody settled it by hand without setting what others waited for.
    Resolved {
        /// The task.
        task: String,
        /// Who, and why.
        resolution: SkipView,
        /// What it had failed with, if it had failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<FailureEvent>,
    },
    /// It succeeded without setting what others waited for.
    DidNotEmit {
        /// The task.
        task: String,
    },
    /// It was skipped.
    Skipped {
        /// The task.
        task: String,
        /// Why.
        reason: Value,
    },
    /// It was cancelled.
    Cancelled {
        /// The task.
        task: String,
    },
    /// No task could have set this variable.
    Nobody {
        /// The task that needs it.
        task: String,
        /// The variable.
        variable: String,
    },
}

/// A cause, and what was behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CauseView {
    /// The task, and how it ended.
    pub end: EndView,
    /// The tasks behind it.
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub behind: Vec<CauseView>,
    /// How many tasks behind it appear neither there nor in `first`.
    pub more: u32,
}

/// What was skipped because of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TollView {
    /// How many tasks.
    pub count: u32,
    /// The nearest.
    pub first: Vec<String>,
}

/// Where something went wrong, and what it took down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FirstCauseView {
    /// How the task ended.
    pub end: EndView,
    /// What was skipped for it.
    pub toll: TollView,
}

/// A task that waits for its next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackingOffView {
    /// The task.
    pub task: String,
    /// The item's index, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// When that may start.
    pub retry_at: String,
}

/// A task that could start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadyView {
    /// The task.
    pub task: String,
    /// What holds it back.
    pub hold: HoldView,
}

/// A task that waits for open ones alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NextView {
    /// The task.
    pub task: String,
    /// What it waits for.
    pub waits_for: Vec<WaitsForView>,
}

/// The items of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemsWhyView {
    /// How many there are.
    pub count: u32,
    /// How many have settled.
    pub settled: u32,
    /// Those that work or will be tried again.
    pub open: FewStandings,
    /// Those that failed.
    pub failed: FewItemFailures,
}

/// An item that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemFailureView {
    /// The item's index, from 0.
    pub item: u32,
    /// Why.
    pub failure: FailureEvent,
}
