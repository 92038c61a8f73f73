//! Why a task that is ready has not been started.

use super::{Few, Standing};
use crate::history::{AttemptResult, History, Intervention};
use crate::{RunState, TaskIx, TaskKind, TaskPhase, TaskRef, Timestamp};

/// What holds a ready task back: the first of these that applies.
#[derive(Clone, Debug, PartialEq)]
pub enum Hold<'a> {
    /// The run has not begun.
    NotBegun,
    /// The run is paused: by this request, unless it is from before a retry.
    Paused(Option<&'a Intervention>),
    /// The run is being ended.
    Ending(super::CancelledBy<'a>),
    /// It was handed over, to begin when one of the run's workers, who do this, is free.
    HandedOver {
        /// When it was.
        at: Timestamp,
        /// What keeps the workers busy.
        busy: Few<Standing>,
    },
    /// This task runs and is `async: false`: nothing runs beside it.
    Beside(Standing),
    /// It is `async: false` and waits for these to end.
    UntilAlone(Few<Standing>),
    /// This task is `async: false`, goes first, and waits to be alone.
    Behind(Standing),
    /// All of the run's workers are busy.
    Workers {
        /// How many the run has.
        workers: u32,
        /// What keeps them busy.
        busy: Few<Standing>,
    },
    /// As many instances of the task are under way as `execution.workers` allows.
    Instances {
        /// How many that are.
        most: u32,
        /// Which they are.
        taken: Few<Standing>,
    },
    /// Its queue is full. How many it takes is said to each process on the store, and not recorded; but
    /// nothing else holds the task back while others of its queue are under way.
    Queue {
        /// The queue.
        name: &'a str,
        /// What is under way in it.
        taken: Few<Standing>,
    },
    /// Nothing in the run holds it back: it is about to start, unless other runs have taken a limit
    /// that it counts against. [`Hold::given`] says whether they have; then no limit is named here.
    AboutToStart {
        /// Its queue.
        queue: Option<&'a str>,
        /// The most instances of it at once, over all runs.
        instances: Option<u32>,
    },
}

/// What other runs have under way that counts against the limits of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Instances of the task.
    pub instances: u32,
    /// Attempts in its queue, those instances among them.
    pub queue: u32,
    /// How many its queue takes, where that is known.
    pub queue_most: Option<u32>,
}

impl<'a> Hold<'a> {
    /// The same with what is known of other runs: the limit that is reached, or none.
    #[must_use]
    pub fn given(
        self,
        history: &'a History,
        task: TaskIx,
        elsewhere: Elsewhere,
        now: Timestamp,
    ) -> Self {
        if !matches!(self, Self::Queue { .. } | Self::AboutToStart { .. }) {
            return self;
        }
        let execution = &history.run().plan().task(task).execution;
        if let Some(most) = execution.workers {
            let taken = instances(history, task, now);
            if taken.count() + elsewhere.instances >= most {
                return Self::Instances { most, taken };
            }
        }
        if let Some(name) = execution.queue.as_deref() {
            let taken = in_queue(history, name, now);
            let count = taken.count() + elsewhere.queue;
            // While others of a queue of unknown size are under way, nothing else holds it back.
            if count >= elsewhere.queue_most.unwrap_or(1) {
                return Self::Queue { name, taken };
            }
        }
        Self::AboutToStart { queue: None, instances: None }
    }
}

pub(super) fn explain(history: &History, of: TaskRef, now: Timestamp) -> Hold<'_> {
    let run = history.run();
    let task = of.task;
    let def = run.plan().task(task);
    if run.state() == RunState::Queued {
        return Hold::NotBegun;
    }
    if run.state() == RunState::Paused {
        return Hold::Paused(history.paused());
    }
    if let Some(by) = super::ended_by(history).filter(|_| run.is_ending()) {
        return Hold::Ending(by);
    }
    let last = history.task(task).last_attempt(of.item);
    let handed = last.filter(|attempt| attempt.result == AttemptResult::UnderWay);
    if let Some(at) = handed.and_then(|attempt| attempt.assigned_at) {
        return Hold::HandedOver { at, busy: busy(history, now) };
    }
    if let Some(alone) = run.alone() {
        return Hold::Beside(Standing::of(history, TaskRef::whole(alone), now));
    }
    if def.execution.exclusive && !run.is_idle() {
        return Hold::UntilAlone(Few::of(under_way(history, now)));
    }
    let works = def.kind == TaskKind::Work;
    if let Some(first) = exclusive_ahead(history, task, now).filter(|_| works) {
        return Hold::Behind(first);
    }
    let busy = busy(history, now);
    if works && run.busy() >= run.workers() {
        return Hold::Workers { workers: run.workers(), busy };
    }
    limited(history, task, now).unwrap_or(Hold::AboutToStart {
        queue: def.execution.queue.as_deref(),
        instances: def.execution.workers,
    })
}

/// The limit of its own that holds a task back.
fn limited(history: &History, task: TaskIx, now: Timestamp) -> Option<Hold<'_>> {
    let execution = &history.run().plan().task(task).execution;
    if let Some(most) = execution.workers {
        let taken = instances(history, task, now);
        if taken.count() >= most {
            return Some(Hold::Instances { most, taken });
        }
    }
    let name = execution.queue.as_deref()?;
    let taken = in_queue(history, name, now);
    (taken.count() > 0).then_some(Hold::Queue { name, taken })
}

/// The instances of a task that are with an executor.
fn instances(history: &History, task: TaskIx, now: Timestamp) -> Few<Standing> {
    taken(history, now, |other| other == task)
}

/// What of a queue is with an executor.
fn in_queue(history: &History, name: &str, now: Timestamp) -> Few<Standing> {
    let plan = history.run().plan();
    taken(history, now, |other| plan.task(other).execution.queue.as_deref() == Some(name))
}

fn taken(history: &History, now: Timestamp, counts: impl Fn(TaskIx) -> bool) -> Few<Standing> {
    let out = history.run().attempts_under_way().into_iter().map(|attempt| attempt.task);
    Few::of(out.filter(|of| counts(of.task)).map(|of| Standing::of(history, of, now)))
}

/// What is running.
fn under_way(history: &History, now: Timestamp) -> impl Iterator<Item = Standing> {
    history.running().map(move |task| Standing::of(history, task, now))
}

/// What keeps the run's workers busy.
fn busy(history: &History, now: Timestamp) -> Few<Standing> {
    let works = |task: TaskRef| history.run().plan().task(task.task).kind == TaskKind::Work;
    Few::of(under_way(history, now).filter(|standing| works(standing.task)))
}

/// An `async: false` task that is ready and goes before this one.
fn exclusive_ahead(history: &History, task: TaskIx, now: Timestamp) -> Option<Standing> {
    let plan = history.run().plan();
    let rank = |task: TaskIx| {
        let since = Standing::of(history, TaskRef::whole(task), now).since;
        (std::cmp::Reverse(plan.task(task).execution.priority), since, task)
    };
    let own = rank(task);
    let exclusive = plan.tasks().filter(|(_, def)| def.execution.exclusive);
    let ready = exclusive.filter(|(other, _)| {
        Standing::of(history, TaskRef::whole(*other), now).phase == TaskPhase::Ready
    });
    let first = ready.map(|(other, _)| rank(other)).filter(|rank| *rank < own).min();
    first.map(|(_, _, first)| Standing::of(history, TaskRef::whole(first), now))
}
