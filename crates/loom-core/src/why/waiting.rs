//! What a waiting task waits for, down to what is under way now.

use super::{Few, SHOWN, Standing};
use crate::history::History;
use crate::run::{Missing, Run};
use crate::{RunState, TaskIx, TaskPhase, TaskRef, Timestamp};
use std::collections::{HashMap, VecDeque};

/// The most links of a chain that are shown; a longer one is cut in the middle.
const LINKS: usize = 8;

/// What a waiting task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingWhy {
    /// Each thing that it still waits for.
    pub waits_for: Vec<WaitsFor>,
    /// From here to what is open now: running, ready or backing off. Nearest first; one chain, the
    /// shortest, to each open task.
    pub chains: Vec<ActiveChain>,
    /// How many more open tasks it waits for, over others.
    pub more_active: u32,
}

/// One thing that a task waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// The run's start.
    Start,
    /// A variable, and the tasks that could still set it.
    Variable {
        /// Its name.
        name: String,
        /// Who could set it, and where each stands.
        producers: Few<Standing>,
    },
    /// The success of a task that it depends on.
    Task(Standing),
    /// `end`'s barrier: that these tasks settle.
    Barrier(Few<Standing>),
}

/// How a waiting task hangs on one that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveChain {
    /// From what the task waits for itself to the open task.
    pub links: Vec<ChainLink>,
    /// How many links are left out before the last one.
    pub left_out: u32,
}

/// One step of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// How the task before it hangs on this one.
    pub via: Via,
    /// This one.
    pub standing: Standing,
}

/// How one task hangs on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// It takes this variable, which the other could set.
    Variable(String),
    /// It depends on the other.
    Dependency,
    /// It is a barrier, and the other has not settled.
    Barrier,
    /// It waits, over others, for itself. Barriers among them open, or else it is skipped, once
    /// nothing is left to wait for; the other is.
    Circle,
}

pub(super) fn explain(history: &History, task: TaskIx, now: Timestamp) -> WaitingWhy {
    let standing = |task: TaskIx| Standing::of(history, TaskRef::whole(task), now);
    let search = Search::upstream(history.run(), task);
    let nearest = search.open.iter().take(SHOWN);
    WaitingWhy {
        waits_for: waits_for(history, task, now),
        chains: nearest.map(|&open| search.chain_to(open, &standing)).collect(),
        more_active: search.open.len().saturating_sub(SHOWN) as u32,
    }
}

/// Each thing that a waiting task waits for.
pub(super) fn waits_for(history: &History, task: TaskIx, now: Timestamp) -> Vec<WaitsFor> {
    let run = history.run();
    let standing = |task: TaskIx| Standing::of(history, TaskRef::whole(task), now);
    let begin = (run.state() == RunState::Queued).then_some(WaitsFor::Start);
    let missing = run.missing(task).into_iter().map(|missing| match missing {
        Missing::Variable(name, producers) => {
            let producers = Few::of(producers.into_iter().map(standing));
            WaitsFor::Variable { name, producers }
        }
        Missing::Task(on) => WaitsFor::Task(standing(on)),
        Missing::Barrier(_) => WaitsFor::Barrier(Few::of(run.barred_by(task).map(standing))),
    });
    begin.into_iter().chain(missing).collect()
}

/// Whether open tasks may provide everything that a task waits for.
pub(super) fn waits_for_open_only(run: &Run, task: TaskIx) -> bool {
    let is_open = |task: TaskIx| is_open(run.phase(task));
    run.phase(task) == TaskPhase::Waiting
        && run.missing(task).into_iter().all(|missing| match missing {
            Missing::Variable(_, producers) => producers.into_iter().any(is_open),
            Missing::Task(on) => is_open(on),
            Missing::Barrier(_) => run.barred_by(task).all(is_open),
        })
}

/// Whether a task is between having become ready and settling.
pub(super) const fn is_open(phase: TaskPhase) -> bool {
    matches!(phase, TaskPhase::Ready | TaskPhase::Running | TaskPhase::BackingOff)
}

/// A breadth-first search along what tasks wait for.
struct Search {
    /// Task → the one that waits for it, and how; the nearest to where the search began.
    waits: HashMap<TaskIx, (TaskIx, Via)>,
    /// The open tasks, nearest first.
    open: Vec<TaskIx>,
    from: TaskIx,
}

impl Search {
    fn upstream(run: &Run, from: TaskIx) -> Self {
        let mut search = Self { waits: HashMap::new(), open: Vec::new(), from };
        let mut queue = VecDeque::from([from]);
        while let Some(task) = queue.pop_front() {
            for missing in run.missing(task) {
                match missing {
                    Missing::Variable(name, producers) => {
                        let via = Via::Variable(name);
                        search.reach(run, task, &via, producers, &mut queue);
                    }
                    Missing::Task(on) => {
                        search.reach(run, task, &Via::Dependency, [on], &mut queue);
                    }
                    Missing::Barrier(_) => {
                        search.reach(run, task, &Via::Barrier, run.barred_by(task), &mut queue);
                    }
                }
            }
        }
        if search.open.is_empty() {
            let all = run.plan().tasks().map(|(task, _)| task);
            let open = all.filter(|&task| is_open(run.phase(task)));
            search.reach(run, from, &Via::Circle, open, &mut queue);
        }
        search
    }

    fn reach(
        &mut self,
        run: &Run,
        waiting: TaskIx,
        via: &Via,
        for_these: impl IntoIterator<Item = TaskIx>,
        queue: &mut VecDeque<TaskIx>,
    ) {
        for task in for_these {
            if task == self.from || self.waits.contains_key(&task) {
                continue;
            }
            self.waits.insert(task, (waiting, via.clone()));
            match run.phase(task) {
                TaskPhase::Waiting => queue.push_back(task),
                phase if is_open(phase) => self.open.push(task),
                _ => {}
            }
        }
    }

    fn chain_to(&self, open: TaskIx, standing: &dyn Fn(TaskIx) -> Standing) -> ActiveChain {
        let mut links = Vec::new();
        let mut task = open;
        while let Some((waiting, via)) = self.waits.get(&task) {
            links.push(ChainLink { via: via.clone(), standing: standing(task) });
            task = *waiting;
        }
        links.reverse();
        let left_out = links.len().saturating_sub(LINKS);
        if left_out > 0 {
            links.drain(LINKS - 1..LINKS - 1 + left_out);
        }
        ActiveChain { links, left_out: left_out as u32 }
    }
}
