//! The rules of execution, pure: no clock, no I/O, no async.
//!
//! A [`Definition`] says what a workflow is; a [`Plan`] is its compiled graph; a [`Run`] is one
//! execution of it. Everything that happens to a run is a [`Command`] applied at a time that the
//! caller passes in; the answer is [`Changes`]: the [`Event`]s to record and the [`Effect`]s to
//! perform once they are durable. Replaying the events rebuilds the run exactly.
//!
//! Invariants:
//! - Nothing here reads a clock, the environment, a file or a socket, and nothing waits.
//! - `Run::apply` either changes the run and says so in events, or refuses and changes nothing.
//! - Effects are inert descriptions; performing one twice is the shell's problem to avoid.

mod adjacency;
mod definition;
mod effect;
mod event;
pub mod expr;
mod failure;
mod history;
mod id;
mod lifecycle;
mod observation;
mod placeholder;
mod plan;
mod request;
mod retry;
mod run;
mod secret;
#[cfg(test)]
mod test_support;
mod time;
mod why;

pub use definition::{
    Contract, Definition, EnvVar, EventDecl, EventTrigger, Execution, ForEach, OnFailure,
    OutputDecl, Outputs, TaskDef, TaskKind,
};
pub use effect::{Attempt, AttemptKey, Effect, News, Report, Stop};
pub use event::{Event, Output, Producer, RunOutcome, SkipReason, Variable};
pub use failure::{BadAmendment, Failure, FailureKind, Refusal};
pub use history::{
    Act, Amended, AttemptRecord, AttemptResult, Counts, CriticalPath, Enabled, Enabler, Ending,
    Held, HeldBy, History, Intervention, PathLink, PathStart, Resolution, SetBy, Settled,
    TaskRecord, VariableRecord,
};
pub use id::{ParseIdError, RunId, TaskIx, TaskRef};
pub use lifecycle::{RunState, TaskPhase, TaskStep};
pub use observation::{Observation, ObservedPhase, ObservedTask};
pub use placeholder::{Placeholder, names_a_secret, placeholders};
pub use plan::Plan;
pub use request::Request;
pub use retry::{Backoff, RetryPolicy};
pub use run::{
    AMENDED_BYTES_MAX, Changes, Command, Gate, Missing, OBSERVED_TASKS_MAX, OpenGate, Run,
    Submission,
};
pub use secret::MASK;
pub use time::Timestamp;
pub use why::{
    ActiveChain, Asked, BackingOffWhy, CancelledBy, Cause, CauseEnd, ChainLink, Elsewhere,
    FailedWhy, Few, Hold, ItemsWhy, NamedValue, RunWhy, RunningWhy, SeenInput, SkippedWhy,
    Standing, SucceededWhy, TaskWhy, Toll, Via, WaitingWhy, WaitsFor, Why, explain_inputs,
    explain_run, explain_task,
};

/// How JSON from outside is read, and how deep it may be.
pub use loom_protocol::json;
/// What variables may be called.
pub use loom_protocol::{VARIABLE_NAME_MAX, is_variable};
/// A variable's value: any JSON that [`json::check`] takes.
pub use serde_json::Value;
