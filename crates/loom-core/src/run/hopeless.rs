//! Who can never fire (rule 6): by what it waits for itself, or because it waits, over others, for
//! itself.

use super::Run;
use crate::{Event, Producer, SkipReason, TaskIx, TaskPhase, TaskRef, Timestamp};
use std::collections::BTreeSet;

impl Run {
    /// Why a waiting task will never fire, if that follows from what it waits for directly.
    pub(super) fn lost_cause(&self, task: TaskIx) -> Option<SkipReason> {
        if self.slots[task.at()].progress.phase != TaskPhase::Waiting {
            return None;
        }
        let refused = self.plan.dependencies.of(task.0).iter().find(|&&on| {
            let phase = self.slots[on as usize].progress.phase;
            phase.is_final() && !phase.is_success()
        });
        if let Some(&on) = refused {
            let task = self.plan.task(TaskIx(on)).name.clone();
            return Some(SkipReason::Dependency { task });
        }
        let own = u32::from(self.plan.traits(task).wildcard);
        let orphan = self.plan.inputs.of(task.0).iter().find(|&&var| {
            let var = &self.vars[var as usize];
            var.value.is_none() && var.producers_left == 0 && self.wildcards_left <= own
        });
        orphan.map(|&var| self.no_producer(self.plan.var_name(var)))
    }

    fn no_producer(&self, variable: &str) -> SkipReason {
        let producers = self.plan.producers_of(variable).into_iter().map(|task| self.stand(task));
        SkipReason::NoProducer { variable: variable.to_owned(), producers: producers.collect() }
    }

    fn stand(&self, task: TaskIx) -> Producer {
        Producer {
            task: self.plan.task(task).name.clone(),
            ended: self.slots[task.at()].progress.phase.name().to_owned(),
        }
    }

    /// Skips waiting tasks that no sequence of events could fire. Counting cannot see them, since
    /// each still has a producer left: one of their own circle. Costs the size of the graph, so it
    /// is only asked of plans with a cycle.
    pub(super) fn skip_circular(&mut self, now: Timestamp) {
        let possible = self.possible_tasks();
        let hopeless = (0..).zip(possible).filter(|(at, possible)| {
            !possible && self.slots[*at as usize].progress.phase == TaskPhase::Waiting
        });
        let hopeless: Vec<_> =
            hopeless.map(|(at, _)| (TaskIx(at), self.circle_of(TaskIx(at)))).collect();
        for (task, reason) in hopeless {
            if self.slots[task.at()].progress.phase == TaskPhase::Waiting {
                self.emit(Event::Skipped { at: now, task: TaskRef::whole(task), reason });
            }
        }
    }

    /// What the circle leaves unset and undone is told as it stood when the circle was found.
    fn circle_of(&self, task: TaskIx) -> SkipReason {
        let unset = self.plan.inputs.of(task.0).iter().copied();
        let unset = unset.filter(|&var| self.vars[var as usize].value.is_none());
        let variables: Vec<String> = unset.map(|var| self.plan.var_name(var).to_owned()).collect();
        let producers: BTreeSet<TaskIx> =
            variables.iter().flat_map(|variable| self.plan.producers_of(variable)).collect();
        let undone = self.plan.dependencies.of(task.0).iter().copied().map(TaskIx);
        let undone = undone.filter(|on| !self.slots[on.at()].progress.phase.is_final());
        SkipReason::Circular {
            variables,
            producers: producers.into_iter().map(|task| self.stand(task)).collect(),
            tasks: undone.map(|on| self.plan.task(on).name.clone()).collect(),
        }
    }

    /// Task → whether it is done, under way, or could still fire: the least fixpoint.
    fn possible_tasks(&self) -> Vec<bool> {
        let plan = &self.plan;
        let waits = |at: usize| self.slots[at].progress.phase == TaskPhase::Waiting;
        let mut possible: Vec<bool> = (0..self.slots.len()).map(|at| !waits(at)).collect();
        let lives = |at: usize| !self.slots[at].progress.phase.is_final();
        loop {
            let wild = plan.wildcards.iter().any(|task| possible[task.at()] && lives(task.at()));
            let settable = |var: u32| {
                let may_set = |&task: &u32| possible[task as usize] && lives(task as usize);
                self.vars[var as usize].value.is_some()
                    || wild
                    || plan.producers.of(var).iter().any(may_set)
            };
            let reachable = |&on: &u32| {
                let phase = self.slots[on as usize].progress.phase;
                phase.is_success() || !phase.is_final() && possible[on as usize]
            };
            let more: Vec<usize> = (0..possible.len())
                .filter(|&at| !possible[at])
                .filter(|&at| plan.inputs.of(at as u32).iter().all(|&var| settable(var)))
                .filter(|&at| plan.dependencies.of(at as u32).iter().all(reachable))
                .collect();
            if more.is_empty() {
                return possible;
            }
            more.into_iter().for_each(|at| possible[at] = true);
        }
    }
}
