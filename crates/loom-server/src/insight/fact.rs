//! What an event meant, once it has been folded into its run's history.

use loom_core::{
    AttemptRecord, AttemptResult, Ending, Event, History, RunOutcome, TaskIx, TaskRef, Timestamp,
};

/// What one event brought to an end.
#[derive(Default)]
pub(crate) struct Fact<'a> {
    /// An attempt that had started.
    pub(crate) attempt: Option<AttemptFact<'a>>,
    /// A task, and how it settled.
    pub(crate) task: Option<(TaskIx, &'static str)>,
    /// The run.
    pub(crate) run: Option<RunOutcome>,
    /// Whether the run began with it.
    pub(crate) began: bool,
    /// Whether it was reopened by it.
    pub(crate) reopened: bool,
}

/// An attempt that ended.
#[derive(Clone, Copy)]
pub(crate) struct AttemptFact<'a> {
    pub(crate) task: TaskRef,
    pub(crate) record: &'a AttemptRecord,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
}

/// The ways in which attempts end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Result {
    Succeeded,
    Failed,
    Interrupted,
    Cancelled,
}

impl Result {
    pub(crate) const ALL: [Self; 4] =
        [Self::Succeeded, Self::Failed, Self::Interrupted, Self::Cancelled];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The ways in which tasks settle, as labels.
pub(crate) const SETTLED: [&str; 5] = ["succeeded", "failed", "skipped", "cancelled", "resolved"];

impl<'a> Fact<'a> {
    /// What this event, the last that `history` recorded, meant.
    pub(crate) fn of(history: &'a History, seq: u64, event: &Event) -> Self {
        let mut fact = Self::default();
        match event {
            Event::RunStarted { .. } => fact.began = true,
            Event::RunReopened { .. } => fact.reopened = true,
            Event::RunFinished { outcome, .. } => fact.run = Some(*outcome),
            Event::Succeeded { task, .. }
            | Event::Failed { task, .. }
            | Event::Interrupted { task, .. }
            | Event::Cancelled { task, .. } => fact.attempt = ended(history, *task, event),
            _ => {}
        }
        if let Some(task) = event.task().map(|task| task.task) {
            let settled = history.task(task).settled.as_ref();
            let settled = settled.filter(|settled| settled.seq == seq);
            fact.task = settled.map(|settled| (task, ending(&settled.how)));
        }
        fact
    }
}

impl AttemptFact<'_> {
    pub(crate) fn result(&self) -> Result {
        match self.record.result {
            AttemptResult::Succeeded { .. } => Result::Succeeded,
            AttemptResult::Failed { .. } => Result::Failed,
            AttemptResult::Interrupted { .. } => Result::Interrupted,
            AttemptResult::Cancelled { .. } | AttemptResult::UnderWay => Result::Cancelled,
        }
    }
}

fn ended<'a>(history: &'a History, task: TaskRef, event: &Event) -> Option<AttemptFact<'a>> {
    let record = history.task(task.task).last_attempt(task.item)?;
    let is_this = match (&record.result, event) {
        (AttemptResult::Succeeded { .. }, Event::Succeeded { attempt, .. })
        | (AttemptResult::Failed { .. }, Event::Failed { attempt, .. })
        | (AttemptResult::Interrupted { .. }, Event::Interrupted { attempt, .. }) => {
            record.number == *attempt
        }
        (AttemptResult::Cancelled { at }, Event::Cancelled { at: now, .. }) => at == now,
        _ => false,
    };
    let (started_at, ended_at) = (record.started_at?, record.ended_at()?);
    is_this.then_some(AttemptFact { task, record, started_at, ended_at })
}

const fn ending(how: &Ending) -> &'static str {
    match how {
        Ending::Succeeded => SETTLED[0],
        Ending::Failed | Ending::FailedUnattempted(_) => SETTLED[1],
        Ending::Skipped(_) => SETTLED[2],
        Ending::Cancelled => SETTLED[3],
        Ending::Resolved(_) => SETTLED[4],
    }
}
