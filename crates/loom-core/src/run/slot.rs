//! What a run remembers of each task, item and variable. Small, because there are many.

use crate::{TaskPhase, TaskStep, Variable};

/// How far a task or an item has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) phase: TaskPhase,
    /// The next attempt was handed over, to begin when a worker is free.
    pub(crate) held: bool,
    /// The last attempt's number; 0 before the first.
    pub(crate) attempt: u32,
    /// Attempts that failed since the task was last (re)opened.
    pub(crate) failures: u32,
}

impl Progress {
    pub(crate) const fn in_phase(phase: TaskPhase) -> Self {
        Self { phase, held: false, attempt: 0, failures: 0 }
    }

    /// Takes a step that the life cycle allows.
    pub(crate) fn step(&mut self, step: TaskStep) {
        let next = self.phase.next(step);
        debug_assert!(next.is_some(), "no step {step} from {}", self.phase);
        if let Some(next) = next {
            self.phase = next;
        }
    }

    /// Whether an attempt is with the executor.
    pub(crate) fn is_out(&self) -> bool {
        self.held || self.phase == TaskPhase::Running
    }
}

/// A task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) progress: Progress,
    /// Inputs unset, dependencies not done, and the barrier if there is one.
    pub(crate) missing: u32,
    /// Waits again when the run is reopened.
    pub(crate) reopens: bool,
    /// Somebody has cancelled it alone: its attempts are being stopped, or it has ended for that.
    pub(crate) unwanted: bool,
    /// Stands in the ready queue (perhaps no longer ready: the queue is cleaned when it is read).
    pub(crate) queued: bool,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            progress: Progress::in_phase(TaskPhase::Waiting),
            missing: 0,
            reopens: false,
            unwanted: false,
            queued: false,
        }
    }
}

/// A variable that the workflow names.
#[derive(Clone, Debug, Default)]
pub(crate) struct VarSlot {
    pub(crate) value: Option<Variable>,
    /// Unsettled tasks that declare it.
    pub(crate) producers_left: u32,
}
