//! What led to what: from a skipped task back to the first causes, and from those forward.

use super::{Few, SHOWN, SeenInput, work};
use crate::history::{History, Resolution};
use crate::{Failure, RunState, SkipReason, TaskIx, TaskPhase, expr};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

/// How many levels of a tree are shown.
const DEPTH: usize = 6;

/// The most entries of a tree.
const ENTRIES: usize = 20;

/// Why a task will not run.
#[derive(Clone, Debug, PartialEq)]
pub struct SkippedWhy<'a> {
    /// What it was skipped for.
    pub reason: &'a SkipReason,
    /// What its `when` saw, if that did not hold: each variable that the expression names.
    pub decided_by: Few<NamedValue<'a>>,
    /// The tasks behind that, and what was behind those. Each task appears once, at the least depth.
    pub causes: Vec<Cause<'a>>,
    /// How many tasks appear neither in the tree nor in `first`, besides those that causes in the tree
    /// count.
    pub more: u32,
    /// Where it all began, whatever the tree leaves out. The task itself, if it is its own cause.
    pub first: Few<CauseEnd<'a>>,
}

/// A variable that an expression names, and what it held when the expression was evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedValue<'a> {
    /// The variable's name.
    pub name: String,
    /// What it held; `None` if it was not set.
    pub seen: Option<SeenInput<'a>>,
}

/// A task that did not provide what another waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause<'a> {
    /// The task, and how it ended.
    pub end: CauseEnd<'a>,
    /// The tasks behind it that do not appear elsewhere in the tree.
    pub behind: Vec<Cause<'a>>,
    /// How many tasks behind it, down to where it all began, appear neither here nor in
    /// [`SkippedWhy::first`].
    pub more: u32,
}

/// How a task that others were skipped for ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CauseEnd<'a> {
    /// It failed.
    Failed(TaskIx, &'a Failure),
    /// It succeeded without setting what others waited for.
    DidNotEmit(TaskIx),
    /// Somebody settled it by hand without setting what others waited for.
    Resolved(TaskIx, &'a Resolution),
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
            | Self::Resolved(task, _)
            | Self::Skipped(task, _)
            | Self::Cancelled(task)
            | Self::Nobody(task, _) => task,
        }
    }
}

impl SkippedWhy<'_> {
    /// Whether the tree, or the reason alone, shows each of [`SkippedWhy::first`] on its first level.
    pub fn is_flat(&self) -> bool {
        self.causes.iter().all(|cause| cause.behind.is_empty() && cause.more == 0)
    }
}

pub(super) fn skipped(history: &History, task: TaskIx) -> SkippedWhy<'_> {
    let (_, reason) = history.task(task).skipped().expect("it was skipped");
    let search = Search::back_from(history, task);
    let first = Few::of(search.first.iter().copied());
    let mut tree = Tree { history, search: &search, entries: ENTRIES, hidden: HashMap::new() };
    tree.count(&first.first);
    let (causes, more) = tree.behind(task, DEPTH);
    let ends = first.first.iter().map(|&first| end_of(history, first));
    let first = Few { first: ends.collect(), more: first.more };
    SkippedWhy { reason, decided_by: decided_by(history, task), causes, more, first }
}

/// What the `when` of a task that was skipped for it saw.
fn decided_by(history: &History, task: TaskIx) -> Few<NamedValue<'_>> {
    let settled = history.task(task).settled.as_ref();
    let Some((settled, (_, SkipReason::Condition { when }))) =
        settled.zip(history.task(task).skipped())
    else {
        return Few::of([]);
    };
    let names = expr::variables_of(when).unwrap_or_default();
    let names: BTreeSet<String> = names.used.into_iter().chain(names.asked).collect();
    let mut seen = work::values_at(history, task, &names, settled.seq);
    Few::of(
        names
            .iter()
            .map(|name| NamedValue { name: name.clone(), seen: seen.remove(name.as_str()) }),
    )
}

/// A breadth-first search from a skipped task to what it was skipped for.
struct Search {
    /// Task → the causes that were found over it first.
    found: HashMap<TaskIx, Vec<TaskIx>>,
    /// All tasks, in the order in which they were found.
    order: Vec<TaskIx>,
    /// Tasks with nothing behind them.
    first: Vec<TaskIx>,
}

/// The part of a search that is shown.
struct Tree<'a, 's> {
    history: &'a History,
    search: &'s Search,
    /// How many more entries it may have.
    entries: usize,
    /// Task → how many tasks go unseen if it is left out, with all that is behind it.
    hidden: HashMap<TaskIx, u32>,
}

impl Search {
    fn back_from(history: &History, task: TaskIx) -> Self {
        let mut search = Self { found: HashMap::new(), order: Vec::new(), first: Vec::new() };
        let mut seen = HashSet::from([task]);
        let mut queue = VecDeque::from([task]);
        while let Some(task) = queue.pop_front() {
            let direct = direct_causes(history, task);
            if direct.is_empty() {
                search.first.push(task);
            }
            let new: Vec<TaskIx> = direct.into_iter().filter(|&cause| seen.insert(cause)).collect();
            queue.extend(&new);
            search.order.push(task);
            search.found.insert(task, new);
        }
        if search.first.is_empty() {
            // All lead back to each other: the circle itself is the cause.
            search.first.push(task);
        }
        search
    }
}

impl<'a> Tree<'a, '_> {
    /// Counts what each cut would leave out; these tasks are shown whatever is cut.
    fn count(&mut self, shown_anyway: &[TaskIx]) {
        for &task in self.search.order.iter().rev() {
            let behind = self.search.found[&task].iter().map(|cause| self.hidden[cause]);
            let own = u32::from(!shown_anyway.contains(&task));
            self.hidden.insert(task, own + behind.sum::<u32>());
        }
    }

    /// What is behind a task, so many levels of it, and how many tasks that leaves out.
    fn behind(&mut self, task: TaskIx, depth: usize) -> (Vec<Cause<'a>>, u32) {
        let causes = &self.search.found[&task];
        let shown = if depth == 0 { 0 } else { causes.len().min(SHOWN).min(self.entries) };
        self.entries -= shown;
        let (shown, cut) = causes.split_at(shown);
        let cause = |&cause: &TaskIx| {
            let (behind, more) = self.behind(cause, depth - 1);
            Cause { end: end_of(self.history, cause), behind, more }
        };
        let shown = shown.iter().map(cause).collect();
        (shown, cut.iter().map(|cause| self.hidden[cause]).sum())
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
        TaskPhase::Resolved => {
            CauseEnd::Resolved(task, record.resolved().expect("it was resolved").1)
        }
        _ => CauseEnd::DidNotEmit(task),
    }
}

/// Where what became of a run began.
pub(super) struct Beginnings {
    /// Tasks that failed, or were cancelled alone, or had failed before they were settled by hand.
    pub(super) wrong: Vec<TaskIx>,
    /// Tasks that were skipped for no other's sake, or did not set what others waited for.
    pub(super) left_out: Vec<TaskIx>,
}

pub(super) fn beginnings(history: &History, effects: &HashMap<TaskIx, Vec<TaskIx>>) -> Beginnings {
    let mut found = Beginnings { wrong: Vec::new(), left_out: Vec::new() };
    for (task, _) in history.tasks() {
        if went_wrong(history, effects, task) {
            found.wrong.push(task);
        } else if left_out(history, effects, task) {
            found.left_out.push(task);
        }
    }
    let settled = |task: &TaskIx| history.task(*task).settled.as_ref().map(|settled| settled.seq);
    found.wrong.sort_by_key(settled);
    found.left_out.sort_by_key(settled);
    found
}

/// What may fail counts only if others were skipped for it, or nothing else went wrong.
fn went_wrong(history: &History, effects: &HashMap<TaskIx, Vec<TaskIx>>, task: TaskIx) -> bool {
    let run = history.run();
    let has_effects = effects.contains_key(&task);
    let counts = has_effects || !run.plan().task(task).allow_failure;
    match run.phase(task) {
        TaskPhase::Failed => counts || run.state() == RunState::Succeeded,
        TaskPhase::Cancelled => has_effects || counts && run.is_unwanted(task),
        TaskPhase::Resolved => {
            let resolved = history.task(task).resolved();
            has_effects && resolved.is_some_and(|(_, how)| how.failure.is_some())
        }
        _ => false,
    }
}

fn left_out(history: &History, effects: &HashMap<TaskIx, Vec<TaskIx>>, task: TaskIx) -> bool {
    match history.run().phase(task) {
        TaskPhase::Skipped => direct_causes(history, task).is_empty(),
        TaskPhase::Succeeded | TaskPhase::Resolved => effects.contains_key(&task),
        _ => false,
    }
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
