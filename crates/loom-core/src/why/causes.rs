//! What led to what: from a skipped task back to the first causes, and from those forward.

use super::{Few, SHOWN};
use crate::history::History;
use crate::{Failure, SkipReason, TaskIx, TaskPhase};
use std::collections::{HashMap, HashSet, VecDeque};

/// How many levels of a tree are shown.
const DEPTH: usize = 6;

/// The most entries of a tree.
const ENTRIES: usize = 20;

/// Why a task will not run.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedWhy<'a> {
    /// What it was skipped for.
    pub reason: &'a SkipReason,
    /// The tasks behind that, and what was behind those. Each task appears once, at the least depth.
    pub causes: Vec<Cause<'a>>,
    /// Causes directly behind it that the tree leaves out.
    pub more: u32,
    /// Where it all began, whatever the tree leaves out. The task itself, if it is its own cause.
    pub first: Few<CauseEnd<'a>>,
}

/// A task that did not provide what another waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause<'a> {
    /// The task, and how it ended.
    pub end: CauseEnd<'a>,
    /// The tasks behind it that do not appear elsewhere in the tree.
    pub behind: Vec<Cause<'a>>,
    /// How many of them the tree leaves out.
    pub more: u32,
}

/// How a task that others were skipped for ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CauseEnd<'a> {
    /// It failed.
    Failed(TaskIx, &'a Failure),
    /// It succeeded, or was resolved, without setting what others waited for.
    DidNotEmit(TaskIx),
    /// It was skipped: for a condition, by hand or for a circle if it is a first cause.
    Skipped(TaskIx, &'a SkipReason),
    /// It was cancelled.
    Cancelled(TaskIx),
    /// No task could have set this variable.
    Nobody(TaskIx, &'a str),
}

/// The tasks that were skipped because of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toll {
    /// How many.
    pub count: u32,
    /// The nearest.
    pub first: Vec<TaskIx>,
}

impl CauseEnd<'_> {
    /// The task.
    pub const fn task(&self) -> TaskIx {
        match *self {
            Self::Failed(task, _)
            | Self::DidNotEmit(task)
            | Self::Skipped(task, _)
            | Self::Cancelled(task)
            | Self::Nobody(task, _) => task,
        }
    }
}

pub(super) fn skipped(history: &History, task: TaskIx) -> SkippedWhy<'_> {
    let (_, reason) = history.task(task).skipped().expect("it was skipped");
    let search = Search::back_from(history, task);
    let mut entries = ENTRIES;
    let (causes, more) = search.tree(history, task, DEPTH, &mut entries);
    let first = search.first.iter().map(|&first| end_of(history, first));
    SkippedWhy { reason, causes, more, first: Few::of(first) }
}

/// A breadth-first search from a skipped task to what it was skipped for.
struct Search {
    /// Task → the causes that were found over it first.
    found: HashMap<TaskIx, Vec<TaskIx>>,
    /// Tasks with nothing behind them.
    first: Vec<TaskIx>,
}

impl Search {
    fn back_from(history: &History, task: TaskIx) -> Self {
        let mut search = Self { found: HashMap::new(), first: Vec::new() };
        let mut seen = HashSet::from([task]);
        let mut queue = VecDeque::from([task]);
        while let Some(task) = queue.pop_front() {
            let direct = direct_causes(history, task);
            if direct.is_empty() {
                search.first.push(task);
            }
            let new: Vec<TaskIx> = direct.into_iter().filter(|&cause| seen.insert(cause)).collect();
            queue.extend(&new);
            search.found.insert(task, new);
        }
        if search.first.is_empty() {
            // All lead back to each other: the circle itself is the cause.
            search.first.push(task);
        }
        search
    }

    fn tree<'a>(
        &self,
        history: &'a History,
        task: TaskIx,
        depth: usize,
        entries: &mut usize,
    ) -> (Vec<Cause<'a>>, u32) {
        let causes = &self.found[&task];
        let shown = if depth == 0 { 0 } else { causes.len().min(SHOWN).min(*entries) };
        *entries -= shown;
        let shown_causes = causes[..shown].iter().map(|&cause| {
            let (behind, more) = self.tree(history, cause, depth - 1, entries);
            Cause { end: end_of(history, cause), behind, more }
        });
        (shown_causes.collect(), (causes.len() - shown) as u32)
    }
}

/// The tasks that a skipped task names as the reason; none for any other.
fn direct_causes(history: &History, task: TaskIx) -> Vec<TaskIx> {
    let plan = history.run().plan();
    let Some((_, reason)) = history.task(task).skipped() else { return Vec::new() };
    let find = |name: &String| plan.find_task(name);
    match reason {
        SkipReason::NoProducer { producers, .. } => {
            producers.iter().filter_map(|producer| find(&producer.task)).collect()
        }
        SkipReason::Dependency { task } | SkipReason::Stopped { task } => {
            find(task).into_iter().collect()
        }
        SkipReason::Condition { .. } | SkipReason::ByHand { .. } => Vec::new(),
        SkipReason::Circular { variables, tasks, .. } => {
            let producers = variables.iter().flat_map(|variable| plan.producers_of(variable));
            producers.chain(tasks.iter().filter_map(find)).collect()
        }
    }
}

pub(super) fn end_of(history: &History, task: TaskIx) -> CauseEnd<'_> {
    let record = history.task(task);
    match history.run().phase(task) {
        TaskPhase::Failed => {
            CauseEnd::Failed(task, record.failure().expect("a failed task has a failure"))
        }
        TaskPhase::Cancelled => CauseEnd::Cancelled(task),
        TaskPhase::Skipped => match record.skipped().expect("it was skipped").1 {
            SkipReason::NoProducer { variable, producers } if producers.is_empty() => {
                CauseEnd::Nobody(task, variable)
            }
            reason => CauseEnd::Skipped(task, reason),
        },
        _ => CauseEnd::DidNotEmit(task),
    }
}

/// Whether a task is the beginning of something: others were skipped for it, it failed the run, or
/// nothing else says why it was skipped.
pub(super) fn is_first(
    history: &History,
    effects: &HashMap<TaskIx, Vec<TaskIx>>,
    task: TaskIx,
) -> bool {
    let failed = || {
        let ended_badly = match history.run().phase(task) {
            TaskPhase::Failed => true,
            TaskPhase::Cancelled => history.run().is_unwanted(task),
            _ => false,
        };
        ended_badly && !history.run().plan().task(task).allow_failure
    };
    let meant = |reason: &SkipReason| {
        matches!(reason, SkipReason::Condition { .. } | SkipReason::ByHand { .. })
    };
    let unexplained = || history.task(task).skipped().is_some_and(|(_, why)| !meant(why));
    direct_causes(history, task).is_empty()
        && (effects.contains_key(&task) || failed() || unexplained())
}

/// What each task was skipped for, turned round: cause → the tasks that name it.
pub(super) fn effects(history: &History) -> HashMap<TaskIx, Vec<TaskIx>> {
    let mut effects: HashMap<TaskIx, Vec<TaskIx>> = HashMap::new();
    for (task, _) in history.tasks() {
        for cause in direct_causes(history, task) {
            effects.entry(cause).or_default().push(task);
        }
    }
    effects
}

/// Everything that was skipped because of a task.
pub(super) fn toll(history: &History, task: TaskIx) -> Toll {
    toll_of(&effects(history), task)
}

pub(super) fn toll_of(effects: &HashMap<TaskIx, Vec<TaskIx>>, task: TaskIx) -> Toll {
    let mut seen = HashSet::from([task]);
    let mut queue = VecDeque::from([task]);
    let mut toll = Toll { count: 0, first: Vec::new() };
    while let Some(cause) = queue.pop_front() {
        for &effect in effects.get(&cause).into_iter().flatten() {
            if seen.insert(effect) {
                toll.count += 1;
                if toll.first.len() < SHOWN {
                    toll.first.push(effect);
                }
                queue.push_back(effect);
            }
        }
    }
    toll
}
