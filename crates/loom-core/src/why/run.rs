//! Why a run stands where it does.

use super::waiting::{is_open, waits_for, waits_for_open_only};
use super::{CancelledBy, CauseEnd, Few, Hold, Standing, Toll, WaitsFor, causes, hold};
use crate::history::{CriticalPath, History};
use crate::{RunState, TaskIx, TaskKind, TaskPhase, TaskRef, Timestamp};
use std::collections::BTreeSet;

/// Why a run stands where it does.
#[derive(Clone, Debug, PartialEq)]
pub struct RunWhy<'a> {
    /// Where it stands.
    pub state: RunState,
    /// Who or what is ending it, or ended it, before its time.
    pub ended_by: Option<CancelledBy<'a>>,
    /// Where things first went wrong, in the order in which they did: tasks that failed or were
    /// cancelled alone, and what each took down. A task may have been taken down by several. Of a run
    /// that succeeded: what failed and was allowed to, or was settled by hand.
    pub first_causes: Few<(CauseEnd<'a>, Toll)>,
    /// Where skipping began without anything going wrong: conditions that did not hold, tasks that
    /// were skipped by hand, that did not emit what others took, or whose input nothing sets.
    pub left_out: Few<(CauseEnd<'a>, Toll)>,
    /// What runs.
    pub running: Few<Standing>,
    /// What waits for its next attempt, soonest first, and when that may start.
    pub backing_off: Few<(TaskRef, Timestamp)>,
    /// What could start, and what holds the first of it back.
    pub ready: Few<(TaskIx, Hold<'a>)>,
    /// Tasks that wait for nothing but what is open now, and for what.
    pub next: Few<(TaskIx, Vec<WaitsFor>)>,
    /// How the run's time was spent, so far.
    pub path: Option<CriticalPath>,
}

/// Explains where a run stands.
pub fn explain_run(history: &History, now: Timestamp) -> RunWhy<'_> {
    let run = history.run();
    let ended = super::ended_by(history).filter(|_| run.is_ending());
    let running = history.running().map(|task| Standing::of(history, task, now));
    let is_ready =
        |task: &TaskIx| Standing::of(history, TaskRef::whole(*task), now).phase == TaskPhase::Ready;
    let ready = history.tasks().map(|(task, _)| task).filter(is_ready);
    let effects = causes::effects(history);
    let began = causes::beginnings(history, &effects);
    let told = |tasks: Vec<TaskIx>| {
        few(tasks.into_iter(), |task| {
            (causes::end_of(history, task), causes::toll_of(&effects, task))
        })
    };
    RunWhy {
        state: run.state(),
        ended_by: ended,
        first_causes: told(began.wrong),
        left_out: told(began.left_out),
        running: Few::of(running),
        backing_off: backing_off(history, now),
        ready: few(ready, |task| (task, hold::explain(history, TaskRef::whole(task), now))),
        next: few(next_up(history).into_iter(), |task| (task, waits_for(history, task, now))),
        path: history.critical_path(now),
    }
}

/// Explains the first few, and counts the rest.
fn few<T>(all: impl Iterator<Item = TaskIx>, explain: impl FnMut(TaskIx) -> T) -> Few<T> {
    let Few { first, more } = Few::of(all);
    Few { first: first.into_iter().map(explain).collect(), more }
}

fn backing_off(history: &History, now: Timestamp) -> Few<(TaskRef, Timestamp)> {
    let until = history.run().backing_off().filter(|(_, at)| *at > now);
    let mut until: Vec<(TaskRef, Timestamp)> = until.collect();
    until.sort_unstable_by_key(|&(task, at)| (at, task));
    Few::of(until)
}

/// Waiting tasks for which everything that is missing may come from open tasks.
fn next_up(history: &History) -> BTreeSet<TaskIx> {
    let run = history.run();
    let plan = run.plan();
    let open = history.tasks().map(|(task, _)| task).filter(|&task| is_open(run.phase(task)));
    let barriers = plan.tasks().filter(|(_, def)| def.kind == TaskKind::Barrier);
    let mut next: BTreeSet<TaskIx> = open.flat_map(|task| plan.downstream_of(task)).collect();
    next.extend(barriers.map(|(task, _)| task));
    next.retain(|&task| waits_for_open_only(run, task));
    next
}
