//! The histories of the runs that something happens to.

use crate::feed::Row;
use loom_core::{
    Event, History, Plan, RunId, Submission, TaskIx, TaskPhase, TaskRecord, Timestamp,
};
use loom_store::{QueryStore, RunSummary, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many histories are kept at hand; others are read again from the journal.
const OPEN_MAX: usize = 4096;
/// The most events read at once.
const PAGE: usize = 10_000;

/// A run and what has happened to it so far.
pub(crate) struct OpenRun {
    pub(crate) summary: RunSummary,
    pub(crate) history: History,
    touched: u64,
}

/// Runs that have not ended. Those to which nothing has happened for longest are let go of.
#[derive(Default)]
pub(crate) struct OpenRuns {
    by_id: HashMap<RunId, OpenRun>,
    turn: u64,
}

impl OpenRuns {
    /// The run of a row, with all that happened before the row.
    pub(crate) fn before(
        &mut self,
        store: &mut dyn QueryStore,
        row: &Row,
    ) -> Result<&mut OpenRun, StoreError> {
        self.turn += 1;
        let upto = row.first_seq - 1;
        let is_here = |run: &OpenRun| run.history.last_seq() == upto;
        if !self.by_id.get(&row.run).is_some_and(is_here) {
            let run = OpenRun::read(store, row, upto)?;
            self.make_room();
            self.by_id.insert(row.run, run);
        }
        let run = self.by_id.get_mut(&row.run).expect("it is here now");
        run.touched = self.turn;
        Ok(run)
    }

    /// Lets go of a run if the row has ended it.
    pub(crate) fn after(&mut self, row: &Row) {
        if matches!(row.events.last(), Some(Event::RunFinished { .. })) {
            self.by_id.remove(&row.run);
        }
    }

    /// How many tasks could start, since when the first of them, and how many are under way.
    pub(crate) fn queue(&self) -> Queue {
        let mut queue = Queue::default();
        for run in self.by_id.values() {
            let counts = run.history.counts();
            for phase in TaskPhase::ALL {
                *queue.tasks.entry(phase.name()).or_default() += u64::from(counts.of(phase));
            }
            queue.running += u64::from(counts.running);
            if counts.failed > 0 {
                queue.exhausted += exhausted(&run.history);
            }
            if counts.ready == 0 {
                continue;
            }
            queue.ready += u64::from(counts.ready);
            let is_ready = |task| run.history.run().phase(task) == TaskPhase::Ready;
            let ready = run.history.tasks().filter(|(task, _)| is_ready(*task));
            let since = ready.filter_map(|(_, record)| record.ready_since(None)).min();
            queue.oldest = [queue.oldest, since].into_iter().flatten().min();
        }
        queue
    }

    fn make_room(&mut self) {
        if self.by_id.len() < OPEN_MAX {
            return;
        }
        let mut turns: Vec<u64> = self.by_id.values().map(|run| run.touched).collect();
        // A quarter at once, so that it is seldom.
        let (_, bound, _) = turns.select_nth_unstable(OPEN_MAX / 4);
        let bound = *bound;
        self.by_id.retain(|_, run| run.touched > bound);
    }
}

/// What waits and what runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    /// By phase, of runs that have begun and not ended.
    pub(crate) tasks: BTreeMap<&'static str, u64>,
    pub(crate) ready: u64,
    pub(crate) running: u64,
    /// Tasks that failed with all their attempts used up, of more than one.
    pub(crate) exhausted: u64,
    pub(crate) oldest: Option<Timestamp>,
}

/// How many tasks failed after as many attempts, of more than one, as they may have.
fn exhausted(history: &History) -> u64 {
    let run = history.run();
    let is_exhausted = |(task, record): &(TaskIx, &TaskRecord)| {
        let most = run.max_attempts(*task);
        let used = || record.present_attempts().iter().map(|attempt| attempt.number).max();
        run.phase(*task) == TaskPhase::Failed && most > 1 && used() >= Some(most)
    };
    history.tasks().filter(is_exhausted).count() as u64
}

impl OpenRun {
    fn read(store: &mut dyn QueryStore, row: &Row, upto: u64) -> Result<Self, StoreError> {
        let summary = store.run(row.run)?;
        let submission = Submission {
            id: row.run,
            plan: plan_at_start(store, &summary, row)?,
            variables: Arc::new(store.variables(row.run)?),
            workers: summary.workers,
        };
        let mut history = History::new(submission, summary.created_at);
        while history.last_seq() < upto {
            let page = store.journal(row.run, history.last_seq(), PAGE)?;
            if page.events.is_empty() {
                return Err(StoreError::NoRun(row.run));
            }
            for recorded in page.events.iter().filter(|recorded| recorded.seq <= upto) {
                history.record(recorded.seq, &recorded.event);
            }
        }
        Ok(Self { summary, history, touched: 0 })
    }
}

/// What the run was created with: the plan of a row has what was declared since.
fn plan_at_start(
    store: &mut dyn QueryStore,
    summary: &RunSummary,
    row: &Row,
) -> Result<Arc<Plan>, StoreError> {
    match row.plan.external() {
        None => Ok(Arc::clone(&row.plan)),
        Some(_) => Ok(Arc::new(Plan::new(store.definition(&summary.definition)?))),
    }
}
