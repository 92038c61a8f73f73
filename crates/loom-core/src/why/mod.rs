//! Why a task, or a run, stands where it does: exact answers from recorded facts.
//!
//! Every answer is data; putting it into words is for whoever shows it. Lists are cut to what fits
//! on a screen, and say how much they leave out.

mod causes;
mod hold;
mod run;
#[cfg(test)]
pub(crate) mod tests;
mod waiting;
mod work;

pub use causes::{Cause, CauseEnd, NamedValue, SkippedWhy, Toll};
pub use hold::{Elsewhere, Hold};
pub use run::{RunWhy, explain_run};
pub use waiting::{ActiveChain, ChainLink, Via, WaitingWhy, WaitsFor};
pub use work::{Asked, BackingOffWhy, FailedWhy, ItemsWhy, RunningWhy, SeenInput, SucceededWhy};

use crate::history::{Act, AttemptRecord, History, Intervention, Resolution, VariableRecord};
use crate::{TaskIx, TaskPhase, TaskRef, Timestamp};

/// The most entries of a list.
const SHOWN: usize = 5;

/// The first entries of a list, and how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T> {
    /// The first few.
    pub first: Vec<T>,
    /// How many are left out.
    pub more: u32,
}

/// A task and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The task or item.
    pub task: TaskRef,
    /// Where it stands. A backoff that is over counts as ready.
    pub phase: TaskPhase,
    /// Since when.
    pub since: Timestamp,
}

/// Why a task stands where it does.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskWhy<'a> {
    /// Where it stands, and since when.
    pub standing: Standing,
    /// Its items, for a `for_each` task that has fired.
    pub items: Option<ItemsWhy<'a>>,
    /// Why.
    pub why: Why<'a>,
}

/// The reasons, one for each phase.
#[derive(Clone, Debug, PartialEq)]
pub enum Why<'a> {
    /// It waits for something.
    Waiting(WaitingWhy),
    /// It could start, but for this.
    Ready(Hold<'a>),
    /// It works.
    Running(RunningWhy<'a>),
    /// It will be tried again.
    BackingOff(BackingOffWhy<'a>),
    /// It is done.
    Succeeded(SucceededWhy<'a>),
    /// It went wrong.
    Failed(FailedWhy<'a>),
    /// It will not run.
    Skipped(SkippedWhy<'a>),
    /// It was ended, alone or with its run.
    Cancelled(CancelledBy<'a>),
    /// Somebody settled it.
    Resolved {
        /// Who, and why.
        resolution: &'a Resolution,
        /// The variables that they set in its name.
        set: Few<VariableRecord<'a>>,
    },
}

/// Why a run, or a task, was ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelledBy<'a> {
    /// Somebody asked for the run's end.
    Request(&'a Intervention),
    /// Somebody cancelled the task alone.
    Alone(&'a Intervention),
    /// This task failed, and the workflow says `on_failure: stop`.
    Failure(TaskIx),
}

/// Explains where a task, or an item that exists, stands.
pub fn explain_task(history: &History, of: TaskRef, now: Timestamp) -> TaskWhy<'_> {
    let task = of.task;
    let standing = Standing::of(history, of, now);
    let why = match standing.phase {
        TaskPhase::Waiting => Why::Waiting(waiting::explain(history, task, now)),
        TaskPhase::Ready => Why::Ready(hold::explain(history, of, now)),
        TaskPhase::Running => Why::Running(work::running(history, of)),
        TaskPhase::BackingOff => {
            Why::BackingOff(work::backing_off(history, of).expect("a failure precedes a backoff"))
        }
        TaskPhase::Succeeded => Why::Succeeded(work::succeeded(history, of)),
        TaskPhase::Failed => Why::Failed(work::failed(history, of)),
        TaskPhase::Skipped => Why::Skipped(causes::skipped(history, task)),
        TaskPhase::Cancelled => Why::Cancelled(
            cancelled_alone(history, task)
                .map_or_else(|| cancelled_by(history, task), CancelledBy::Alone),
        ),
        TaskPhase::Resolved => {
            let (_, resolution) = history.task(task).resolved().expect("it was resolved");
            Why::Resolved { resolution, set: work::set_by(history, task) }
        }
    };
    let items = of.item.is_none().then(|| work::items(history, task, now)).flatten();
    TaskWhy { standing, items, why }
}

/// What an attempt saw of its task's inputs: their values when it was handed over.
pub fn explain_inputs<'a>(
    history: &'a History,
    task: TaskIx,
    attempt: &AttemptRecord,
) -> Vec<SeenInput<'a>> {
    work::inputs_of(history, task, attempt.seq)
}

/// Who cancelled this task and nothing else.
fn cancelled_alone(history: &History, task: TaskIx) -> Option<&Intervention> {
    if !history.run().is_unwanted(task) {
        return None;
    }
    let mut last_first = history.interventions().iter().rev();
    last_first.find(|one| matches!(one.act, Act::CancelTask(cancelled, _) if cancelled == task))
}

/// Why a task, or an item of it, was cancelled.
fn cancelled_by(history: &History, task: TaskIx) -> CancelledBy<'_> {
    // Only items may be cut off in a run that is not being ended (any more): their own task failed.
    ended_by(history).unwrap_or(CancelledBy::Failure(task))
}

/// Why the run is being ended, or was, before its time.
fn ended_by(history: &History) -> Option<CancelledBy<'_>> {
    let failure = || history.run().stopped_by().map(CancelledBy::Failure);
    history.cancellation().map(CancelledBy::Request).or_else(failure)
}

impl Standing {
    pub(crate) fn of(history: &History, task: TaskRef, now: Timestamp) -> Self {
        let record = history.task(task.task);
        let phase = history.run().phase_of(task).unwrap_or(TaskPhase::Waiting);
        let whole = history.run().phase(task.task);
        // An item that was not to be attempted any more stays where it was when its task settled.
        let phase =
            if whole.is_final() && !phase.is_final() { TaskPhase::Cancelled } else { phase };
        let last = record.last_attempt(task.item);
        let ready_since = record.ready_since(task.item);
        let (phase, since) = match phase {
            TaskPhase::BackingOff => match last.and_then(AttemptRecord::retry_at) {
                Some(due) if due <= now => (TaskPhase::Ready, Some(due)),
                _ => (phase, last.and_then(AttemptRecord::ended_at)),
            },
            TaskPhase::Waiting => (phase, Some(record.waiting_since)),
            TaskPhase::Ready => (phase, ready_since),
            TaskPhase::Running if task.item.is_none() => (phase, record.started_at()),
            TaskPhase::Running => (phase, last.and_then(|attempt| attempt.started_at)),
            _ if task.item.is_some() => {
                (phase, last.and_then(AttemptRecord::ended_at).or(record.settled_at()))
            }
            _ => (phase, record.settled_at()),
        };
        Self { task, phase, since: since.unwrap_or(record.waiting_since) }
    }
}

impl<T> Few<T> {
    fn of(all: impl IntoIterator<Item = T>) -> Self {
        let mut all = all.into_iter();
        let first: Vec<T> = all.by_ref().take(SHOWN).collect();
        Self { first, more: all.count() as u32 }
    }

    /// How many there are in all.
    pub fn count(&self) -> u32 {
        self.first.len() as u32 + self.more
    }
}
