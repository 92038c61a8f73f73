//! A run's history: a fold over its recorded events that keeps what [`Run`] forgets.
//!
//! A `Run` knows where everything stands, which is all that deciding takes. People also ask when,
//! by whom and how often. `History` answers, from the same events, live and recorded alike: live
//! progress, `show`, `why` and `logs` are its readers.

mod admit;
mod attempt;
mod counts;
mod held;
mod path;
mod solitude;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod variables;
mod view;

pub use attempt::{AttemptRecord, AttemptResult};
pub use counts::Counts;
pub use held::{Held, HeldBy};
pub use path::{CriticalPath, PathLink, PathStart};
pub use task::{Enabled, Enabler, Ending, Resolution, Settled, TaskRecord};
pub use variables::{SetBy, VariableRecord};

use crate::run::{Run, Submission, Trace};
use crate::{Event, Output, SkipReason, TaskIx, TaskPhase, TaskRef, Timestamp, Variable};
use std::collections::BTreeSet;
use std::time::Duration;
use variables::Emissions;

/// What happened to a run, so far.
#[derive(Debug)]
pub struct History {
    run: Run,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    /// When it started, or was reopened last.
    opened_at: Option<Timestamp>,
    /// How long it was open before that.
    open_before: Duration,
    last_seq: u64,
    /// When something last happened.
    last_at: Timestamp,
    tasks: Vec<TaskRecord>,
    emissions: Emissions,
    interventions: Vec<Intervention>,
    counts: Counts,
    item_counts: Counts,
    running: BTreeSet<TaskRef>,
    last_settled: Option<TaskIx>,
    /// Reused from event to event.
    trace: Trace,
}

/// Somebody interfered with the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervention {
    /// When.
    pub at: Timestamp,
    /// The sequence number of its event.
    pub seq: u64,
    /// Who.
    pub by: String,
    /// What they did.
    pub act: Act,
}

/// What people may do to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing new was to start.
    Pause,
    /// The pause was over.
    Resume,
    /// The run was to end, for this reason (perhaps empty).
    Cancel(String),
    /// These failed tasks were to be tried again.
    Retry(Vec<TaskIx>),
    /// This task was settled by hand, for this reason (perhaps empty).
    Resolve(TaskIx, String),
    /// This task alone was to end, for this reason (perhaps empty).
    CancelTask(TaskIx, String),
    /// This task was skipped, for this reason (perhaps empty).
    Skip(TaskIx, String),
    /// This task was changed.
    Amend(TaskIx, Amended),
}

/// What of a task was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    /// How many attempts there are in all from then on, if that was changed.
    pub max_attempts: Option<u32>,
    /// What attempts from then on see in place of their inputs.
    pub inputs: Vec<Variable>,
}

/// Where a task or item and the whole that it is part of stand.
type Standing = (Option<TaskPhase>, TaskPhase);

impl History {
    /// The history of a run to which nothing has happened.
    pub fn new(submission: Submission, created_at: Timestamp) -> Self {
        let run = Run::new(submission);
        let mut counts = Counts::default();
        let tasks = run.plan().tasks().map(|(task, _)| {
            counts.add(run.phase(task), 1);
            let mut record = TaskRecord::waiting(created_at);
            if run.is_enabled(task) {
                record.enable(Enabler::Start, created_at, 0);
            }
            record
        });
        Self {
            tasks: tasks.collect(),
            emissions: Emissions::at_start(&run, created_at),
            run,
            created_at,
            started_at: None,
            finished_at: None,
            opened_at: None,
            open_before: Duration::ZERO,
            last_seq: 0,
            last_at: created_at,
            interventions: Vec::new(),
            counts,
            item_counts: Counts::default(),
            running: BTreeSet::new(),
            last_settled: None,
            trace: Trace::default(),
        }
    }

    /// Takes in the run's next event and its sequence number. Events must be those of this run, all
    /// of them, in order.
    pub fn record(&mut self, seq: u64, event: &Event) {
        self.last_seq = seq;
        self.last_at = event.at();
        if let Event::RunReopened { .. } = event {
            self.record_reopening(seq, event);
            return;
        }
        if let Event::Declared { at, .. } = event {
            self.run.replay(event);
            self.tasks.push(TaskRecord::waiting(*at));
            self.counts.add(TaskPhase::Waiting, 1);
            return;
        }
        let before = event.task().map(|task| self.standing(task));
        self.follow(seq, event);
        self.note(seq, event);
        if let (Some(task), Some(before)) = (event.task(), before) {
            self.count(task, before);
        }
    }

    /// Lets the run evolve and takes down what the event does not say itself.
    fn follow(&mut self, seq: u64, event: &Event) {
        self.run.replay_traced(event, &mut self.trace);
        let by = event.task().map(|task| task.task);
        for task in self.trace.fired.drain(..) {
            let by = by.map_or(Enabler::Reopened, Enabler::Task);
            self.tasks[task.at()].enable(by, event.at(), seq);
            // One with `when` or `for_each` still waits: for its `Fired` event.
            if self.run.phase(task) == TaskPhase::Ready {
                self.counts.shift(TaskPhase::Waiting, TaskPhase::Ready);
            }
        }
        if let Some(by) = by {
            for assignment in self.trace.set.drain(..) {
                self.emissions.set(assignment, by, event.at(), seq);
            }
        }
    }

    fn note(&mut self, seq: u64, event: &Event) {
        let at = event.at();
        match event {
            Event::RunStarted { .. } => self.begun(at),
            Event::RunPaused { by, .. } => self.intervened(at, seq, by, Act::Pause),
            Event::RunResumed { by, .. } => self.intervened(at, seq, by, Act::Resume),
            Event::CancelRequested { by, reason, .. } => {
                self.intervened(at, seq, by, Act::Cancel(reason.clone()));
            }
            Event::RunReopened { .. } | Event::Declared { .. } | Event::Emitted { .. } => {}
            Event::RunFinished { .. } => self.finished_at = Some(at),
            Event::Fired { task, items, .. } => {
                self.fired(task.task, items.as_ref().map(Vec::len), at);
            }
            Event::Resolved { task, by, reason, .. } => {
                self.intervened(at, seq, by, Act::Resolve(task.task, reason.clone()));
                let failure = self.task(task.task).failure().cloned();
                let resolution = Resolution { by: by.clone(), reason: reason.clone(), failure };
                self.settled(task.task, at, Ending::Resolved(Box::new(resolution)));
            }
            Event::TaskCancelRequested { task, by, reason, .. } => {
                self.intervened(at, seq, by, Act::CancelTask(task.task, reason.clone()));
            }
            Event::SkipRequested { task, by, reason, .. } => {
                self.intervened(at, seq, by, Act::Skip(task.task, reason.clone()));
            }
            Event::Amended { task, by, max_attempts, inputs, .. } => {
                let amended = Amended { max_attempts: *max_attempts, inputs: inputs.clone() };
                self.intervened(at, seq, by, Act::Amend(task.task, amended));
            }
            Event::Skipped { task, reason, .. } => {
                if let SkipReason::ByHand { by, reason } = reason {
                    self.skipped_by_hand(seq, (task.task, at), by, reason);
                }
                self.settled(task.task, at, Ending::Skipped(Box::new(reason.clone())));
            }
            Event::Gathered { task, failed, .. } => {
                let how = if *failed > 0 { Ending::Failed } else { Ending::Succeeded };
                self.settled(task.task, at, how);
            }
            Event::Assigned { task, attempt, .. } => {
                self.tasks[task.task.at()].assigned(*task, *attempt, at, seq);
            }
            Event::Started { task, attempt, .. } => {
                self.tasks[task.task.at()].started(*task, *attempt, at, seq);
                self.running.insert(*task);
            }
            Event::Succeeded { .. }
            | Event::Failed { .. }
            | Event::Interrupted { .. }
            | Event::Cancelled { .. } => self.note_end(event),
        }
    }

    /// An attempt ended, and perhaps its task with it.
    fn note_end(&mut self, event: &Event) {
        let at = event.at();
        let (task, result, ending) = match event {
            Event::Succeeded { task, outputs, .. } => {
                let result = AttemptResult::Succeeded { at, undeclared: undeclared(outputs) };
                (*task, result, Some(Ending::Succeeded))
            }
            Event::Failed { task, attempt: 0, failure, .. } => {
                self.settled(task.task, at, Ending::FailedUnattempted(failure.clone()));
                return;
            }
            Event::Failed { task, failure, retry_at, .. } => {
                let ending = retry_at.is_none().then_some(Ending::Failed);
                let failure = failure.clone();
                (*task, AttemptResult::Failed { at, failure, retry_at: *retry_at }, ending)
            }
            Event::Interrupted { task, .. } => (*task, AttemptResult::Interrupted { at }, None),
            Event::Cancelled { task, .. } => {
                (*task, AttemptResult::Cancelled { at }, Some(Ending::Cancelled))
            }
            _ => return,
        };
        self.running.remove(&task);
        // A `for_each` task has no attempts of its own, and settles when its items have.
        let is_fan_as_whole = task.item.is_none() && self.run.items(task.task).is_some();
        if !is_fan_as_whole {
            self.tasks[task.task.at()].ended(task, result);
        }
        if let Some(ending) = ending.filter(|_| task.item.is_none()) {
            self.settled(task.task, at, ending);
        }
    }

    fn begun(&mut self, at: Timestamp) {
        self.started_at = Some(at);
        self.opened_at = Some(at);
        for task in &mut self.tasks {
            task.waiting_since = at;
            if let Some(enabled) = &mut task.enabled {
                enabled.at = at;
            }
        }
    }

    fn intervened(&mut self, at: Timestamp, seq: u64, by: &str, act: Act) {
        self.interventions.push(Intervention { at, seq, by: by.to_owned(), act });
    }

    /// Unless that was asked for before, when the task was still to be taken back.
    fn skipped_by_hand(
        &mut self,
        seq: u64,
        (task, at): (TaskIx, Timestamp),
        by: &str,
        reason: &str,
    ) {
        let act = Act::Skip(task, reason.to_owned());
        if !self.interventions.iter().any(|one| one.by == by && one.act == act) {
            self.intervened(at, seq, by, act);
        }
    }

    fn fired(&mut self, task: TaskIx, items: Option<usize>, at: Timestamp) {
        if self.tasks[task.at()].enabled.is_none() {
            // A barrier that opens because nothing else is left.
            let (by, seq) = self.last_settled.map_or((Enabler::Start, 0), |last| {
                let settled = self.tasks[last.at()].settled.as_ref();
                (Enabler::Task(last), settled.map_or(0, |settled| settled.seq))
            });
            self.tasks[task.at()].enable(by, at, seq);
        }
        let record = &mut self.tasks[task.at()];
        if let Some(items) = items {
            record.has_items(items);
            self.item_counts.add(TaskPhase::Ready, items as u32);
        }
    }

    fn settled(&mut self, task: TaskIx, at: Timestamp, how: Ending) {
        self.tasks[task.at()].settle(at, self.last_seq, how);
        self.last_settled = Some(task);
    }

    fn standing(&self, task: TaskRef) -> Standing {
        let item = task.item.and_then(|_| self.run.phase_of(task));
        (item, self.run.phase(task.task))
    }

    /// Counts what an event has moved.
    fn count(&mut self, task: TaskRef, before: Standing) {
        let after = self.standing(task);
        self.counts.shift(before.1, after.1);
        if let (Some(before), Some(after)) = (before.0, after.0) {
            self.item_counts.shift(before, after);
        }
        let is_cut_off = matches!(after.1, TaskPhase::Cancelled | TaskPhase::Skipped);
        if task.item.is_none() && is_cut_off && before.1 != after.1 {
            self.count_cut_off_items(task.task);
        }
    }

    /// What was settled may be open again, which touches any number of tasks.
    fn record_reopening(&mut self, seq: u64, event: &Event) {
        let Event::RunReopened { at, by, tasks } = event else { return };
        let before: Vec<TaskPhase> = self.phases().collect();
        self.run.replay_traced(event, &mut self.trace);
        for (place, before) in before.into_iter().enumerate() {
            match self.run.phase(TaskIx(place as u32)) {
                after if after == before => {}
                TaskPhase::Waiting => self.tasks[place].wait_again(*at),
                _ => {
                    self.tasks[place].wait_again(*at);
                    self.tasks[place].enable(Enabler::Reopened, *at, seq);
                }
            }
        }
        for task in self.trace.fired.drain(..) {
            self.tasks[task.at()].enable(Enabler::Reopened, *at, seq);
        }
        self.open_before = self.took(*at).unwrap_or_default();
        self.opened_at = Some(*at);
        self.finished_at = None;
        self.counts = Counts::default();
        for task in 0..self.tasks.len() as u32 {
            self.counts.add(self.run.phase(TaskIx(task)), 1);
        }
        self.recount_items();
        // Without tasks it only makes room for a resolution, whose event follows.
        if !tasks.is_empty() {
            let tasks = tasks.iter().map(|task| task.task).collect();
            self.intervened(*at, seq, by, Act::Retry(tasks));
        }
    }

    fn phases(&self) -> impl Iterator<Item = TaskPhase> {
        (0..self.tasks.len() as u32).map(|task| self.run.phase(TaskIx(task)))
    }

    /// To the run, items of a cancelled or skipped task that never came to run stay as they were.
    fn count_cut_off_items(&mut self, task: TaskIx) {
        let end = self.run.phase(task);
        for phase in item_phases(&self.run, task).filter(|phase| !phase.is_final()) {
            self.item_counts.shift(phase, end);
        }
    }

    fn recount_items(&mut self) {
        self.item_counts = Counts::default();
        for task in (0..self.tasks.len() as u32).map(TaskIx) {
            item_phases(&self.run, task).for_each(|phase| self.item_counts.add(phase, 1));
            if matches!(self.run.phase(task), TaskPhase::Cancelled | TaskPhase::Skipped) {
                self.count_cut_off_items(task);
            }
        }
    }
}

fn item_phases(run: &Run, task: TaskIx) -> impl Iterator<Item = TaskPhase> {
    let items = run.items(task).map_or(0, |(count, _)| count);
    (0..items).filter_map(move |item| run.phase_of(TaskRef::item(task, item)))
}

fn undeclared(outputs: &[Output]) -> Box<[Output]> {
    outputs.iter().filter(|output| !output.declared).cloned().collect()
}
