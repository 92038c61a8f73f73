//! What is told when a run's state does not allow what was asked.

use crate::aim::HERE;
use crate::fault::Fault;
use crate::progress::quoted;
use crate::ui::tell;
use loom_core::{Refusal, RunId, RunState, TaskPhase};
use loom_engine::Observer;
use loom_protocol::ErrorCode;
use loom_store::{RunCommit, StoreError};

/// Tells of requests that nobody can answer, and of runs that nobody can go on with.
pub(crate) struct Unreadable;

impl Observer for Unreadable {
    fn committed(&mut self, _: &[RunCommit]) {}

    fn dropped(&mut self, run: RunId, why: &str) {
        let code = ErrorCode::UnreadableRequest;
        tell(&format!(
            "warning[{code}]: another process asked something of run {run} that cannot be read, \
             and it was dropped: {why}\n"
        ));
    }

    fn lost(&mut self, run: RunId, error: &StoreError) {
        tell(&format!("warning: run {run} waited, and cannot be gone on with: {error}\n"));
    }
}

/// The error of a refusal about this run.
pub(crate) fn fault(refusal: &Refusal, run: &str) -> Fault {
    match refusal {
        Refusal::Run { wanted, state } => {
            let message = format!("cannot {wanted} run {run}, which {}", state.said());
            Fault::new(ErrorCode::Refused, message).help(instead(*state, run))
        }
        Refusal::Task { phase, .. } => {
            Fault::new(ErrorCode::Refused, format!("run {run}: {refusal}"))
                .help(instead_of_task(*phase, run))
        }
        Refusal::UnknownTask(task) => {
            Fault::new(ErrorCode::NoSuchTask, format!("run {run} has no task `{task}`"))
                .help(format!("`loom show{HERE} {run}` lists its tasks"))
        }
        Refusal::OutputsMissing { outputs, .. } => {
            let outputs: Vec<String> =
                outputs.iter().map(|name| format!("--output {name}=VALUE")).collect();
            Fault::new(ErrorCode::Refused, format!("run {run}: {refusal}"))
                .help(format!("say what it would have emitted: {}", outputs.join(" ")))
                .help("or go on without, and have what waits for it skipped: --without-outputs")
        }
        Refusal::NotOutputs { task, .. } => {
            let fault = Fault::new(ErrorCode::Refused, format!("run {run}: {refusal}"));
            fault.help(format!("`loom why{HERE} {run} {}` says what it has to emit", quoted(task)))
        }
        Refusal::TaskEnding(task) => {
            Fault::new(ErrorCode::Refused, format!("run {run}: {refusal}"))
                .help(format!("it ends with its attempt: `loom why{HERE} {run} {}`", quoted(task)))
        }
        Refusal::Amendment { .. } | Refusal::Unfit { .. } | Refusal::Steering { .. } => {
            Fault::new(ErrorCode::BadArgument, format!("run {run}: {refusal}"))
        }
        Refusal::External { .. } => {
            Fault::new(ErrorCode::ExternalRun, format!("run {run}: {refusal}"))
                .help("ask the system that executes it")
        }
        Refusal::TooManyTasks { .. } => Fault::new(ErrorCode::LimitReached, refusal.to_string()),
        Refusal::StaleReport => Fault::new(ErrorCode::Refused, refusal.to_string()),
    }
}

/// What is possible with a run in this state.
pub(crate) fn instead(state: RunState, run: &str) -> String {
    match state {
        RunState::Queued | RunState::Running | RunState::Paused => format!(
            "it has not ended: `loom resume{HERE} {run}` goes on with it, `loom cancel{HERE} {run}` ends it, \
             `loom why{HERE} {run}` says what it waits for"
        ),
        RunState::Failed => format!(
            "`loom retry{HERE} {run}` tries its failed tasks again; `loom resolve{HERE} {run} TASK` settles one \
             by hand"
        ),
        RunState::Succeeded => {
            "it is over, and a recorded success never runs again; start a new run".to_owned()
        }
        RunState::Cancelled => "it is over; start a new run".to_owned(),
    }
}

/// What is possible with a task in this phase.
pub(crate) fn instead_of_task(phase: TaskPhase, run: &str) -> String {
    match phase {
        TaskPhase::Succeeded | TaskPhase::Resolved => {
            "a recorded success never runs again; start a new run instead".to_owned()
        }
        TaskPhase::Failed => {
            format!("`loom retry{HERE} {run} TASK` and `loom resolve{HERE} {run} TASK` are for it")
        }
        TaskPhase::Skipped => format!(
            "retry or resolve what it was skipped for: `loom why{HERE} {run} TASK` says what that is"
        ),
        TaskPhase::Waiting | TaskPhase::Ready => format!(
            "`loom skip{HERE} {run} TASK` leaves it out; `loom why{HERE} {run} TASK` says where it stands"
        ),
        TaskPhase::Running | TaskPhase::BackingOff => {
            format!(
                "`loom cancel{HERE} {run} TASK` ends it; `loom why{HERE} {run} TASK` says where it stands"
            )
        }
        TaskPhase::Cancelled => format!("`loom why{HERE} {run} TASK` says who cancelled it"),
    }
}
