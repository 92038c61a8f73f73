//! The rules again, as plainly as possible: everything is recomputed from scratch each time.

use crate::{Definition, TaskKind, TaskPhase};
use std::collections::BTreeSet;

/// What the oracle knows: which variables are set, and what has settled or fired.
pub(super) struct Oracle {
    definition: Definition,
    pub(super) set: BTreeSet<String>,
    /// Waiting, Ready (standing for ready, running and backing off), or a final phase.
    pub(super) phases: Vec<TaskPhase>,
}

impl Oracle {
    pub(super) fn new(definition: &Definition) -> Self {
        let mut oracle = Self {
            definition: definition.clone(),
            set: BTreeSet::new(),
            phases: vec![TaskPhase::Waiting; definition.tasks.len()],
        };
        let emitted = |name: &str| {
            definition.tasks.iter().any(|t| t.outputs.names.iter().any(|out| out.name == name))
        };
        if !emitted("TRUE") {
            oracle.set.insert("TRUE".into());
        }
        oracle.settle();
        oracle
    }

    /// A task has ended, having emitted these variables.
    pub(super) fn end(&mut self, task: usize, phase: TaskPhase, emitted: &[String]) {
        self.phases[task] = phase;
        self.set.extend(emitted.iter().cloned());
        self.settle();
    }

    /// Failed tasks run again, skipped ones wait again.
    pub(super) fn reopen(&mut self) {
        for phase in &mut self.phases {
            *phase = match *phase {
                TaskPhase::Failed => TaskPhase::Ready,
                TaskPhase::Skipped => TaskPhase::Waiting,
                other => other,
            };
        }
        self.settle();
    }

    pub(super) fn settle(&mut self) {
        loop {
            let before = self.phases.clone();
            let possible = self.possible();
            for (task, possible) in possible.iter().enumerate() {
                if self.phases[task] == TaskPhase::Waiting {
                    if self.may_fire(task) {
                        self.phases[task] = TaskPhase::Ready;
                    } else if !possible {
                        self.phases[task] = TaskPhase::Skipped;
                    }
                }
            }
            if self.phases == before {
                if self.phases.contains(&TaskPhase::Ready) {
                    return;
                }
                // Only barriers wait for each other now. Those that nothing is downstream of go
                // last: what waits for the others settles before them.
                let stuck: Vec<usize> = (0..self.phases.len())
                    .filter(|&task| self.phases[task] == TaskPhase::Waiting)
                    .filter(|&task| self.has_all_but_barrier(task))
                    .filter(|&task| !self.downstream(task).is_empty())
                    .collect();
                if stuck.is_empty() {
                    return;
                }
                stuck.into_iter().for_each(|task| self.phases[task] = TaskPhase::Ready);
            }
        }
    }

    fn may_fire(&self, task: usize) -> bool {
        let is_barrier = self.definition.tasks[task].kind == TaskKind::Barrier;
        self.has_all_but_barrier(task) && (!is_barrier || self.barrier_open(task))
    }

    fn has_all_but_barrier(&self, task: usize) -> bool {
        let def = &self.definition.tasks[task];
        def.inputs.iter().all(|name| self.set.contains(name))
            && def.execution.depends_on.iter().all(|on| self.phases[self.place(on)].is_success())
    }

    fn barrier_open(&self, barrier: usize) -> bool {
        let downstream = self.downstream(barrier);
        (0..self.phases.len()).all(|task| {
            self.definition.tasks[task].kind == TaskKind::Barrier
                || downstream.contains(&task)
                || self.phases[task].is_final()
        })
    }

    fn downstream(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(task) = open.pop() {
            let def = &self.definition.tasks[task];
            for (next, other) in self.definition.tasks.iter().enumerate() {
                let takes = def.outputs.names.iter().any(|out| other.inputs.contains(&out.name));
                if (takes || other.execution.depends_on.contains(&def.name)) && reached.insert(next)
                {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// Which tasks have fired, or could.
    fn possible(&self) -> Vec<bool> {
        let mut possible: Vec<bool> =
            self.phases.iter().map(|phase| *phase != TaskPhase::Waiting).collect();
        loop {
            let before = possible.clone();
            for (task, def) in self.definition.tasks.iter().enumerate() {
                let could_run = |place: usize| before[place] && !self.phases[place].is_final();
                let inputs = def.inputs.iter().all(|name| {
                    self.set.contains(name)
                        || self.definition.tasks.iter().enumerate().any(|(place, other)| {
                            could_run(place)
                                && other.outputs.names.iter().any(|out| out.name == *name)
                        })
                });
                let dependencies = def.execution.depends_on.iter().all(|on| {
                    let place = self.place(on);
                    self.phases[place].is_success() || could_run(place)
                });
                possible[task] |= inputs && dependencies;
            }
            if possible == before {
                return possible;
            }
        }
    }

    fn place(&self, name: &str) -> usize {
        let found = self.definition.tasks.iter().position(|task| task.name == name);
        found.expect("generated workflows name tasks that exist")
    }
}
