//! The newest attempts and runs in short rows, for questions that go over all of them.

use super::fact::{AttemptFact, Fact};
use super::open::OpenRun;
use super::pattern::pattern;
use loom_core::{Enabler, FailureKind, RunId, RunOutcome, TaskIx};
use loom_store::DefinitionHash;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How many different tasks of workflows, and of versions of them, have names here; the rest are one,
/// `other`.
const NAMES_MAX: usize = 65_536;
/// How many different patterns of errors are kept; the rest are one, `other`.
const PATTERNS_MAX: usize = 8192;
/// How many definitions are known by their hash at once.
const DEFINITIONS_MAX: usize = 4096;
/// Stands for no task and no pattern.
pub(super) const NONE: u32 = u32::MAX;
/// Stands for the time of a run that never started.
pub(super) const NEVER: u64 = u64::MAX;
/// With so many runs reopened, their rows are taken out at once.
const REOPENED_MAX: usize = 4096;

/// A task of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) workflow: String,
    pub(super) task: String,
}

/// A task of one version of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The number of the task's name, which it has in every version.
    pub(super) name: u32,
    pub(super) version: String,
}

/// A kind of failure and its message's pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pub(super) kind: FailureKind,
    pub(super) text: String,
}

/// An attempt that ended: 64 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) run: RunId,
    pub(super) ended_at: u64,
    pub(super) ran: u64,
    pub(super) waited: u64,
    /// How long the task waited for other tasks; of its first attempt alone.
    pub(super) blocked: u64,
    /// The number of its [`Place`].
    pub(super) task: u32,
    /// That of the task that it waited for last, or [`NONE`].
    pub(super) blocker: u32,
    pub(super) pattern: u32,
    pub(super) number: u16,
    pub(super) result: super::fact::Result,
}

/// A run that ended: 48 bytes. One that was reopened has the row of its last end alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran {
    pub(super) run: RunId,
    pub(super) ended_at: u64,
    /// How long it was open, or [`NEVER`] if it never started.
    pub(super) took: u64,
    /// The number of the event that ended it.
    pub(super) seq: u64,
    /// A [`Place`] whose task does not matter.
    pub(super) workflow: u32,
    pub(super) outcome: RunOutcome,
}

impl Ran {
    /// How long it was open; `None` if it never started.
    pub(super) fn took(&self) -> Option<u64> {
        (self.took != NEVER).then_some(self.took)
    }
}

/// At most so many rows; the oldest make room.
pub(super) struct Ring<T> {
    rows: Vec<T>,
    next: usize,
    most: usize,
}

impl<T> Ring<T> {
    fn new(most: usize) -> Self {
        Self { rows: Vec::new(), next: 0, most: most.max(1) }
    }

    pub(super) fn push(&mut self, row: T) {
        if self.rows.len() < self.most {
            self.rows.push(row);
        } else {
            self.rows[self.next] = row;
            self.next = (self.next + 1) % self.most;
        }
    }

    /// Lets go of the rows that are not to be kept, and of room that is not likely to be needed soon.
    fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        // The oldest stand first again.
        self.rows.rotate_left(self.next);
        self.next = 0;
        self.rows.retain(keep);
        if self.rows.len() < self.rows.capacity() / 4 {
            self.rows.shrink_to(self.rows.len() * 2);
        }
    }

    /// The rows, in no order.
    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The row that came first.
    pub(super) fn oldest(&self) -> Option<&T> {
        self.rows.get(if self.rows.len() < self.most { 0 } else { self.next })
    }
}

/// Different values, numbered.
pub(super) struct Interned<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn new(other: T) -> Self {
        let numbers = HashMap::from([(other.clone(), 0)]);
        Self { values: vec![other], numbers }
    }

    /// The number of a value; 0, that of `other`, if there are too many.
    fn number(&mut self, value: T, most: usize) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        if self.values.len() >= most {
            return 0;
        }
        let number = self.values.len() as u32;
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }
}

/// The rows.
pub(crate) struct Table {
    pub(super) attempts: Ring<Attempt>,
    pub(super) runs: Ring<Ran>,
    /// Runs that were reopened, and by which of their events: rows of an end before that are stale.
    reopened: HashMap<RunId, u64>,
    pub(super) names: Interned<Name>,
    pub(super) places: Interned<Place>,
    pub(super) patterns: Interned<Pattern>,
    by_definition: HashMap<DefinitionHash, Arc<[u32]>>,
}

impl Table {
    /// A table of at most so many attempts, and a quarter as many runs.
    pub(crate) fn new(attempts_max: usize) -> Self {
        let other = || "other".to_owned();
        let name = Name { namespace: String::new(), workflow: other(), task: other() };
        let pattern = Pattern { kind: FailureKind::Plugin, text: other() };
        Self {
            attempts: Ring::new(attempts_max),
            runs: Ring::new(attempts_max / 4),
            reopened: HashMap::new(),
            names: Interned::new(name),
            places: Interned::new(Place { name: 0, version: other() }),
            patterns: Interned::new(pattern),
            by_definition: HashMap::new(),
        }
    }

    /// The number of a task of this version of a workflow in the namespace `default`.
    pub(super) fn place(&mut self, workflow: &str, version: &str, task: &str) -> u32 {
        let [namespace, workflow, task] = ["default", workflow, task].map(str::to_owned);
        self.number(Name { namespace, workflow, task }, version)
    }

    fn number(&mut self, name: Name, version: &str) -> u32 {
        let name = self.names.number(name, NAMES_MAX);
        self.places.number(Place { name, version: version.to_owned() }, NAMES_MAX)
    }

    /// The number of the name of the task at a place.
    pub(super) fn name_of(&self, place: u32) -> u32 {
        self.places.values()[place as usize].name
    }

    /// The number of a pattern.
    pub(super) fn pattern(&mut self, kind: FailureKind, text: &str) -> u32 {
        self.patterns.number(Pattern { kind, text: text.to_owned() }, PATTERNS_MAX)
    }

    /// Takes out all rows of these runs.
    pub(super) fn remove(&mut self, runs: &HashSet<RunId>) {
        self.attempts.retain(|attempt| !runs.contains(&attempt.run));
        self.runs.retain(|ran| !runs.contains(&ran.run));
    }

    /// Takes out the rows of runs that have been reopened since.
    pub(super) fn settle(&mut self) {
        let reopened = std::mem::take(&mut self.reopened);
        if !reopened.is_empty() {
            self.runs.retain(|ran| reopened.get(&ran.run).is_none_or(|by| ran.seq > *by));
        }
    }

    /// Whether a row is stale.
    pub(super) fn is_settled(&self) -> bool {
        self.reopened.is_empty()
    }

    /// A run was reopened by its event of this number.
    pub(super) fn reopen(&mut self, run: RunId, seq: u64) {
        self.reopened.insert(run, seq);
        if self.reopened.len() >= REOPENED_MAX {
            self.settle();
        }
    }

    pub(crate) fn take(&mut self, run: &OpenRun, fact: &Fact<'_>) {
        if fact.reopened {
            self.reopen(run.summary.id, run.history.last_seq());
        }
        if let Some(attempt) = &fact.attempt {
            let row = self.attempt(run, attempt);
            self.attempts.push(row);
        }
        let Some(outcome) = fact.run else { return };
        let history = &run.history;
        let Some(ended) = history.finished_at() else { return };
        let workflow = self.numbers(run).first().copied().unwrap_or(0);
        self.runs.push(Ran {
            run: run.summary.id,
            ended_at: ended.0,
            took: history.took(ended).map_or(NEVER, micros),
            seq: history.last_seq(),
            workflow,
            outcome,
        });
    }

    fn attempt(&mut self, run: &OpenRun, attempt: &AttemptFact<'_>) -> Attempt {
        let numbers = self.numbers(run);
        let number = |task: TaskIx| numbers.get(task.0 as usize).copied().unwrap_or(0);
        let record = attempt.record;
        let task = run.history.task(attempt.task.task);
        let is_first = record.number == 1 && attempt.task.item.is_none_or(|item| item == 0);
        let enabled = task.enabled.filter(|_| is_first);
        let (blocker, blocked) = match enabled {
            Some(enabled) => match enabled.by {
                Enabler::Task(by) => (number(by), micros(enabled.at.since(task.waiting_since))),
                _ => (NONE, 0),
            },
            None => (NONE, 0),
        };
        Attempt {
            run: run.summary.id,
            ended_at: attempt.ended_at.0,
            ran: micros(attempt.ended_at.since(attempt.started_at)),
            waited: micros(attempt.started_at.since(record.ready_at)),
            blocked,
            task: number(attempt.task.task),
            blocker,
            pattern: record.failure().map_or(NONE, |failure| {
                let text = pattern(&failure.message);
                self.patterns.number(Pattern { kind: failure.kind, text }, PATTERNS_MAX)
            }),
            number: u16::try_from(record.number).unwrap_or(u16::MAX),
            result: attempt.result(),
        }
    }

    /// The numbers of the places of a run's tasks.
    fn numbers(&mut self, run: &OpenRun) -> Arc<[u32]> {
        let hash = run.summary.definition;
        if let Some(numbers) = self.by_definition.get(&hash) {
            return Arc::clone(numbers);
        }
        let plan = run.history.run().plan();
        let definition = plan.definition();
        let names = plan.tasks().map(|(_, task)| Name {
            namespace: definition.namespace.clone(),
            workflow: definition.name.clone(),
            task: task.name.clone(),
        });
        let numbers = names.map(|name| self.number(name, &definition.version));
        let numbers: Arc<[u32]> = numbers.collect();
        if self.by_definition.len() >= DEFINITIONS_MAX {
            self.by_definition.clear();
        }
        self.by_definition.insert(hash, Arc::clone(&numbers));
        numbers
    }
}

fn micros(time: std::time::Duration) -> u64 {
    time.as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest() {
        let mut ring = Ring::new(3);
        (0..5).for_each(|row| ring.push(row));
        let mut rows = ring.rows().to_vec();
        rows.sort_unstable();
        assert_eq!((rows, ring.oldest()), (vec![2, 3, 4], Some(&2)));
    }

    #[test]
    fn a_ring_from_which_rows_were_taken_still_lets_the_oldest_make_room() {
        let mut ring = Ring::new(4);
        (0..6).for_each(|row| ring.push(row));
        ring.retain(|row| row % 2 == 1);
        assert_eq!((ring.rows(), ring.oldest()), (&[3, 5][..], Some(&3)));
        (6..9).for_each(|row| ring.push(row));
        let mut rows = ring.rows().to_vec();
        rows.sort_unstable();
        assert_eq!((rows, ring.oldest()), (vec![5, 6, 7, 8], Some(&5)));
    }

    #[test]
    fn values_beyond_the_limit_are_one() {
        let mut names = Interned::new("other");
        assert_eq!((names.number("a", 2), names.number("b", 2), names.number("a", 2)), (1, 0, 1));
        assert_eq!(names.values(), ["other", "a"]);
    }

    #[test]
    fn rows_are_as_large_as_documented() {
        assert_eq!((size_of::<Attempt>(), size_of::<Ran>()), (64, 48));
    }

    #[test]
    fn a_run_that_was_reopened_is_one_row_of_its_last_end() {
        let mut table = Table::new(64);
        let ended = |run: u64, seq, outcome| Ran {
            run: RunId::new(run, 0),
            ended_at: seq,
            took: seq,
            seq,
            workflow: 0,
            outcome,
        };
        let seqs = |table: &Table| table.runs.rows().iter().map(|it| it.seq).collect::<Vec<_>>();
        table.runs.push(ended(1, 5, RunOutcome::Failed));
        table.runs.push(ended(2, 6, RunOutcome::Failed));
        assert!(table.is_settled());
        table.reopen(RunId::new(1, 0), 7);
        table.runs.push(ended(1, 9, RunOutcome::Failed));
        table.reopen(RunId::new(1, 0), 10);
        table.runs.push(ended(1, 12, RunOutcome::Succeeded));
        assert!(!table.is_settled());
        table.settle();
        assert_eq!((seqs(&table), table.is_settled()), (vec![6, 12], true));
        table.reopen(RunId::new(1, 0), 13);
        table.settle();
        assert_eq!(seqs(&table), [6], "it is open");
        let many = 10..10 + REOPENED_MAX as u64;
        many.for_each(|run| table.reopen(RunId::new(run, 0), 1));
        assert!(table.is_settled(), "no more are remembered");
    }
}
