//! The names of the types of events.

use crate::RunEventKind;

macro_rules! types {
    ($($variant:ident $name:literal;)*) => {
        impl RunEventKind {
            /// The names of all types.
            pub const TYPES: &[&'static str] = &[$($name),*];

            /// The name of the event's type, as `type` has it.
            pub const fn type_name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }
        }
    };
}

types! {
    RunStarted "run.started";
    RunPaused "run.paused";
    RunResumed "run.resumed";
    CancelRequested "run.cancel_requested";
    RunReopened "run.reopened";
    RunFinished "run.finished";
    TaskDeclared "task.declared";
    TaskFired "task.fired";
    TaskAssigned "task.assigned";
    TaskStarted "task.started";
    TaskSucceeded "task.succeeded";
    TaskFailed "task.failed";
    TaskGathered "task.gathered";
    TaskInterrupted "task.interrupted";
    TaskSkipped "task.skipped";
    TaskCancelRequested "task.cancel_requested";
    TaskSkipRequested "task.skip_requested";
    TaskAmended "task.amended";
    TaskCancelled "task.cancelled";
    TaskResolved "task.resolved";
    Custom "custom";
}
