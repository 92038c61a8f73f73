//! Recorded facts as programs read them: [`RunEvent`]s with names instead of numbers.
//!
//! Nothing but secrets is lost on the way: [`read_event`] turns an event back. The run's own facts, which
//! the event with which it starts tells too, are no part of it.

mod read;

pub use read::read_event;

use loom_core::{
    Definition, Event, Failure, FailureKind, Output, Plan, RunId, RunOutcome, TaskDef, TaskIx,
    TaskRef, Timestamp, Value, Variable,
};
use loom_protocol::{
    AttemptOf, ErrorCode, FailureEvent, MASK, OutputEvent, RunEvent, RunEventKind as Kind, rfc3339,
};
use std::collections::BTreeMap;

/// The event of a run of this plan. `matter` is by what the run's starter knows it.
pub fn run_event(run: RunId, plan: &Plan, matter: &str, seq: u64, event: &Event) -> RunEvent {
    let (run, at) = (run.to_string(), rfc3339(event.at().0));
    RunEvent { run, seq, at, what: kind(plan, matter, event) }
}

fn kind(plan: &Plan, matter: &str, event: &Event) -> Kind {
    let name = |task: TaskIx| plan.task(task).name.clone();
    let of = |task: &TaskRef, attempt: u32| attempt_of(plan, *task, attempt);
    match event {
        Event::RunStarted { .. } => run_started(plan, matter),
        Event::RunPaused { by, .. } => Kind::RunPaused { by: by.clone() },
        Event::RunResumed { by, .. } => Kind::RunResumed { by: by.clone() },
        Event::CancelRequested { by, reason, .. } => {
            Kind::CancelRequested { by: by.clone(), reason: reason.clone() }
        }
        Event::RunReopened { by, tasks, .. } => Kind::RunReopened {
            by: by.clone(),
            tasks: tasks.iter().map(|task| name(task.task)).collect(),
        },
        Event::RunFinished { outcome, .. } => {
            Kind::RunFinished { outcome: outcome_name(*outcome).to_owned() }
        }
        Event::Declared { def, .. } => declared(def),
        Event::Fired { task, items, secret, .. } => Kind::TaskFired {
            task: name(task.task),
            items: items.as_ref().map(|items| items_of(items, *secret)),
        },
        Event::Assigned { task, attempt, .. } => Kind::TaskAssigned { of: of(task, *attempt) },
        Event::Started { task, attempt, .. } => Kind::TaskStarted { of: of(task, *attempt) },
        Event::Succeeded { task, attempt, outputs, .. } => {
            Kind::TaskSucceeded { of: of(task, *attempt), outputs: outputs_of(outputs) }
        }
        Event::Failed { task, attempt, failure, retry_at, .. } => {
            failed(of(task, *attempt), failure, *retry_at)
        }
        Event::Gathered { task, failed, .. } => {
            Kind::TaskGathered { task: name(task.task), failed: *failed }
        }
        Event::Interrupted { task, attempt, .. } => {
            Kind::TaskInterrupted { of: of(task, *attempt) }
        }
        Event::Skipped { task, reason, .. } => {
            Kind::TaskSkipped { task: name(task.task), reason: serde_json::json!(reason) }
        }
        Event::TaskCancelRequested { task, by, reason, .. } => Kind::TaskCancelRequested {
            task: name(task.task),
            by: by.clone(),
            reason: reason.clone(),
        },
        Event::SkipRequested { task, by, reason, .. } => Kind::TaskSkipRequested {
            task: name(task.task),
            by: by.clone(),
            reason: reason.clone(),
        },
        Event::Amended { task, by, max_attempts, inputs, .. } => Kind::TaskAmended {
            task: name(task.task),
            by: by.clone(),
            max_attempts: *max_attempts,
            inputs: masked(inputs),
        },
        Event::Emitted { task, name: event, payload, .. } => {
            Kind::Custom { name: event.clone(), task: name(task.task), payload: masked(payload) }
        }
        Event::Cancelled { task, .. } => {
            Kind::TaskCancelled { task: name(task.task), item: task.item }
        }
        Event::Resolved { task, by, reason, outputs, .. } => Kind::TaskResolved {
            task: name(task.task),
            by: by.clone(),
            reason: reason.clone(),
            outputs: outputs_of(outputs),
        },
    }
}

/// A failure with its documented code.
pub fn failure_event(failure: &Failure) -> FailureEvent {
    FailureEvent {
        kind: failure.kind.name().to_owned(),
        code: code_of(failure.kind).to_string(),
        message: failure.message.clone(),
        retryable: failure.retryable,
        retry_after: failure.retry_after.map(|wait| wait.as_secs_f64()),
        exit_status: failure.exit_status,
        error: failure.error.clone(),
        tail: failure.tail.clone(),
    }
}

/// The documented code of a kind of failure.
pub const fn code_of(kind: FailureKind) -> ErrorCode {
    match kind {
        FailureKind::Exit => ErrorCode::TaskExit,
        FailureKind::Signal => ErrorCode::TaskSignal,
        FailureKind::Timeout => ErrorCode::TaskTimeout,
        FailureKind::Spawn => ErrorCode::TaskSpawn,
        FailureKind::MissingOutput => ErrorCode::MissingOutput,
        FailureKind::BadOutput => ErrorCode::BadOutput,
        FailureKind::PermissionDenied => ErrorCode::PermissionDenied,
        FailureKind::ContractViolation => ErrorCode::ContractViolation,
        FailureKind::Plugin => ErrorCode::PluginFailed,
        FailureKind::HttpStatus => ErrorCode::HttpStatus,
        FailureKind::Connection => ErrorCode::Connection,
        FailureKind::BadParameter => ErrorCode::ParameterValue,
        FailureKind::Expression => ErrorCode::Expression,
    }
}

/// The stable name of an outcome.
pub const fn outcome_name(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Failed => "failed",
        RunOutcome::Cancelled => "cancelled",
    }
}

fn attempt_of(plan: &Plan, of: TaskRef, attempt: u32) -> AttemptOf {
    AttemptOf { task: plan.task(of.task).name.clone(), item: of.item, attempt }
}

fn run_started(plan: &Plan, matter: &str) -> Kind {
    let Definition { namespace, name, version, .. } = &**plan.definition();
    Kind::RunStarted {
        namespace: namespace.clone(),
        workflow: name.clone(),
        version: version.clone(),
        correlation_id: matter.to_owned(),
    }
}

fn declared(task: &TaskDef) -> Kind {
    let group = task.execution.parallel_group.clone();
    Kind::TaskDeclared { task: task.name.clone(), group }
}

fn failed(of: AttemptOf, failure: &Failure, retry_at: Option<Timestamp>) -> Kind {
    let retry_at = retry_at.map(|at| rfc3339(at.0));
    Kind::TaskFailed { of, failure: failure_event(failure), retry_at }
}

fn items_of(items: &[Value], secret: bool) -> Vec<Value> {
    if secret { vec![MASK.into(); items.len()] } else { items.to_vec() }
}

/// Variables by name, secret ones masked.
pub fn masked(variables: &[Variable]) -> BTreeMap<String, Value> {
    let value = |variable: &Variable| {
        if variable.secret { MASK.into() } else { variable.value.clone() }
    };
    variables.iter().map(|variable| (variable.name.clone(), value(variable))).collect()
}

fn outputs_of(outputs: &[Output]) -> Vec<OutputEvent> {
    let event = |output: &Output| OutputEvent {
        name: output.name.clone(),
        value: if output.secret { MASK.into() } else { output.value.clone() },
        declared: output.declared,
        secret: output.secret,
    };
    outputs.iter().map(event).collect()
}
