//! What an event does beyond what it says, told to whoever keeps the run's history.

use super::Run;
use crate::plan::VarIx;
use crate::{Event, Output, TaskIx, Variable};

/// The consequences of one event.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Tasks that now have everything that they waited for, in order.
    pub(crate) fired: Vec<TaskIx>,
    /// Variables that were set, in order.
    pub(crate) set: Vec<Assignment>,
}

/// A variable was set.
#[derive(Debug)]
pub(crate) enum Assignment {
    /// One that the workflow names, and what it held before.
    Named { var: VarIx, before: Option<Variable>, secret: bool },
    /// One that nothing in the workflow names. The run does not keep it.
    Other(Output),
}

impl Run {
    /// Like [`Run::replay`], and fills `trace` with what followed.
    pub(crate) fn replay_traced(&mut self, event: &Event, trace: &mut Trace) {
        trace.fired.clear();
        trace.set.clear();
        self.trace = Some(std::mem::take(trace));
        self.replay(event);
        *trace = self.trace.take().expect("replaying leaves the trace in place");
    }

    /// Whether a task has everything that it waits for, or had once.
    pub(crate) fn is_enabled(&self, task: TaskIx) -> bool {
        self.slots[task.at()].missing == 0
    }
}
