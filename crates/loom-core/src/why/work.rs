//! What became of attempts, and what comes next.

use super::causes::Toll;
use super::{Few, Standing, causes};
use crate::history::{Act, AttemptRecord, History, SetBy, VariableRecord};
use crate::{Failure, RetryPolicy, TaskIx, TaskPhase, TaskRef, Timestamp, Variable};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// An attempt that works. For a `for_each` task as a whole, the one that was handed over last.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningWhy<'a> {
    /// The attempt; `None` for a `for_each` task between two of its items.
    pub attempt: Option<&'a AttemptRecord>,
    /// The which of `of` tries it is. Attempts that were cut off do not count.
    pub try_number: u32,
    /// How many tries there are.
    pub of: u32,
    /// When it runs into its timeout.
    pub times_out_at: Option<Timestamp>,
    /// What it was given.
    pub inputs: Vec<SeenInput<'a>>,
}

/// An input as an attempt saw it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeenInput<'a> {
    /// What the variable was set to, by whom and when.
    pub variable: VariableRecord<'a>,
    /// Whether it was set again since.
    pub outdated: bool,
}

/// A failed attempt and the wait for the next.
#[derive(Clone, Debug, PartialEq)]
pub struct BackingOffWhy<'a> {
    /// Why the attempt failed.
    pub failure: &'a Failure,
    /// When it failed.
    pub failed_at: Timestamp,
    /// The which failure of the task or item it was.
    pub failures: u32,
    /// How many tries there are.
    pub of: u32,
    /// When the next attempt may start.
    pub retry_at: Timestamp,
    /// The time between the two.
    pub wait: Duration,
    /// The backoff that the workflow gives.
    pub policy: &'a RetryPolicy,
    /// The wait that the backoff comes to, before jitter shortens it.
    pub backoff: Duration,
    /// What the far side asked for, and whether that decided.
    pub asked: Option<Asked>,
}

/// A wait that the far side asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// How long.
    pub wait: Duration,
    /// Whether it was longer than the backoff, and so decided (up to the cap).
    pub decided: bool,
}

/// What a task that succeeded did.
#[derive(Clone, Debug, PartialEq)]
pub struct SucceededWhy<'a> {
    /// How many attempts started, those of all items together.
    pub attempts: u32,
    /// From the first attempt's start to the end.
    pub took: Duration,
    /// The variables that it set; none for an item.
    pub set: Few<VariableRecord<'a>>,
}

/// What a failed task ran into, and what it took down.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedWhy<'a> {
    /// Why it failed, at last.
    pub failure: &'a Failure,
    /// How many tries were used; 0 if it failed before the first. The most that one item used.
    pub tries: u32,
    /// How many there were.
    pub of: u32,
    /// Whether the run may succeed all the same (`allow_failure`).
    pub allowed: bool,
    /// The tasks that were skipped for it, directly or over others; none for an item.
    pub toll: Toll,
}

/// How the items of a `for_each` task stand.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemsWhy<'a> {
    /// How many there are.
    pub count: u32,
    /// How many have settled.
    pub settled: u32,
    /// The items that are under way or wait out a backoff.
    pub open: Few<Standing>,
    /// The items that failed, and why.
    pub failed: Few<(u32, &'a Failure)>,
}

pub(super) fn running(history: &History, task: TaskRef) -> RunningWhy<'_> {
    let def = history.run().plan().task(task.task);
    let record = history.task(task.task);
    let under_way = record.present_attempts().iter().rev();
    let mut under_way = under_way.filter(|attempt| attempt.is_running());
    let attempt = under_way.find(|attempt| task.item.is_none() || attempt.item == task.item);
    let item = attempt.and_then(|attempt| attempt.item);
    let started_at = attempt.and_then(|attempt| attempt.started_at);
    RunningWhy {
        attempt,
        try_number: failures(history, TaskRef { item, ..task }) + 1,
        of: history.run().max_attempts(task.task),
        times_out_at: started_at.zip(def.execution.timeout).map(|(at, timeout)| at + timeout),
        inputs: attempt.map_or_else(Vec::new, |attempt| inputs_of(history, task.task, attempt.seq)),
    }
}

/// The inputs as they were when the event `seq` handed an attempt over.
pub(super) fn inputs_of(history: &History, task: TaskIx, seq: u64) -> Vec<SeenInput<'_>> {
    let names = &history.run().plan().task(task).inputs;
    let seen = values_at(history, task, &names.iter().cloned().collect(), seq);
    names.iter().filter_map(|name| seen.get(name.as_str()).copied()).collect()
}

/// What a task saw of these variables, as far as they were set, in the event `seq`.
pub(super) fn values_at<'a>(
    history: &'a History,
    task: TaskIx,
    names: &BTreeSet<String>,
    seq: u64,
) -> HashMap<&'a str, SeenInput<'a>> {
    let mut seen: HashMap<&str, SeenInput> = HashMap::with_capacity(names.len());
    let emitted = history.emissions().filter(|set| names.contains(set.name));
    for variable in emitted.chain(amendments(history, task)) {
        if variable.seq < seq {
            seen.insert(variable.name, SeenInput { variable, outdated: false });
        } else if let Some(before) = seen.get_mut(variable.name) {
            before.outdated = true;
        }
    }
    seen
}

/// What people gave a task in place of its inputs, in order.
fn amendments(history: &History, task: TaskIx) -> impl Iterator<Item = VariableRecord<'_>> {
    history.interventions().iter().flat_map(move |one| {
        let inputs = match &one.act {
            Act::Amend(amended, amendment) if *amended == task => &amendment.inputs[..],
            _ => &[],
        };
        inputs.iter().map(|input| {
            let Variable { name, value, secret } = input;
            let (secret, set_by) = (*secret, SetBy::Amendment);
            VariableRecord { name, value, secret, set_by, at: one.at, seq: one.seq }
        })
    })
}

pub(super) fn backing_off(history: &History, task: TaskRef) -> Option<BackingOffWhy<'_>> {
    let policy = &history.run().plan().task(task.task).retry;
    let attempt = history.task(task.task).last_attempt(task.item)?;
    let (failure, failed_at) = (attempt.failure()?, attempt.ended_at()?);
    let retry_at = attempt.retry_at()?;
    let failures = failures(history, task);
    let unshortened = RetryPolicy { jitter: 0.0, ..policy.clone() };
    let backoff = unshortened.wait(failures, None, 0);
    let ends_with = |wait: Duration| failed_at + wait == retry_at;
    let asked = failure.retry_after.map(|wait| Asked {
        wait,
        decided: ends_with(wait.min(policy.max)) && !ends_with(backoff),
    });
    Some(BackingOffWhy {
        failure,
        failed_at,
        failures,
        of: history.run().max_attempts(task.task),
        retry_at,
        wait: retry_at.since(failed_at),
        policy,
        backoff,
        asked,
    })
}

pub(super) fn succeeded(history: &History, of: TaskRef) -> SucceededWhy<'_> {
    let record = history.task(of.task);
    let attempts = attempts_of(history, of).filter_map(|attempt| attempt.started_at);
    let ended = Standing::of(history, of, Timestamp::default()).since;
    let started = match of.item {
        None => record.started_at(),
        Some(_) => attempts.clone().min(),
    };
    let set = match of.item {
        None => set_by(history, of.task),
        // What items emit is set when all of them have settled.
        Some(_) => Few::of([]),
    };
    let took = ended.since(started.unwrap_or(ended));
    SucceededWhy { attempts: attempts.count() as u32, took, set }
}

pub(super) fn failed(history: &History, of: TaskRef) -> FailedWhy<'_> {
    let def = history.run().plan().task(of.task);
    let record = history.task(of.task);
    let mut tries: HashMap<Option<u32>, u32> = HashMap::new();
    for attempt in attempts_of(history, of).filter(|attempt| attempt.failure().is_some()) {
        *tries.entry(attempt.item).or_default() += 1;
    }
    let (failure, toll) = match of.item {
        None => (record.failure(), causes::toll(history, of.task)),
        Some(_) => (
            record.last_attempt(of.item).and_then(AttemptRecord::failure),
            Toll { count: 0, first: Vec::new() },
        ),
    };
    FailedWhy {
        failure: failure.expect("what failed has a failure"),
        tries: tries.into_values().max().unwrap_or(0),
        of: history.run().max_attempts(of.task),
        allowed: def.allow_failure,
        toll,
    }
}

/// The attempts of an item, or of a task with all its items, since it was last enabled.
fn attempts_of(history: &History, of: TaskRef) -> impl Iterator<Item = &AttemptRecord> + Clone {
    let attempts = history.task(of.task).present_attempts().iter();
    attempts.filter(move |attempt| of.item.is_none() || attempt.item == of.item)
}

/// What a task set.
pub(super) fn set_by(history: &History, task: TaskIx) -> Few<VariableRecord<'_>> {
    Few::of(history.emissions().filter(|variable| variable.set_by == SetBy::Task(task)))
}

pub(super) fn items(history: &History, task: TaskIx, now: Timestamp) -> Option<ItemsWhy<'_>> {
    let run = history.run();
    let (count, settled) = run.items(task)?;
    let phase = |item: u32| run.phase_of(TaskRef::item(task, item));
    let is_under_way = !run.phase(task).is_final();
    let is_open = |item: &u32| {
        is_under_way && matches!(phase(*item), Some(TaskPhase::Running | TaskPhase::BackingOff))
    };
    let standing = |item| Standing::of(history, TaskRef::item(task, item), now);
    let failure = |item| {
        let attempt = history.task(task).last_attempt(Some(item))?;
        Some((item, attempt.failure()?))
    };
    let failed = (0..count).filter(|item| phase(*item) == Some(TaskPhase::Failed));
    Some(ItemsWhy {
        count,
        settled,
        open: Few::of((0..count).filter(is_open).map(standing)),
        failed: Few::of(failed.filter_map(failure)),
    })
}

/// How many attempts of a task or item have failed since it was last enabled.
fn failures(history: &History, task: TaskRef) -> u32 {
    let own = attempts_of(history, task).filter(|attempt| attempt.item == task.item);
    own.filter(|attempt| attempt.failure().is_some()).count() as u32
}
