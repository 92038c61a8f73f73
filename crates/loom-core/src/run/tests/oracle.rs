//! The rules again, as plainly as possible: everything is recomputed from scratch each time.

use crate::{Definition, ForEach, OnFailure, TaskDef, TaskKind, TaskPhase, TaskRef, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the oracle knows: which variables are set, and what has settled or fired.
pub(super) struct Oracle {
    definition: Definition,
    set: BTreeMap<String, Value>,
    /// Waiting, Ready (standing for ready, running and backing off), or a final phase.
    pub(super) phases: Vec<TaskPhase>,
    /// The items of each `for_each` task that has fired.
    pub(super) items: BTreeMap<usize, Vec<TaskPhase>>,
    /// How often each task or item has failed since it was last opened.
    failures: HashMap<TaskRef, u32>,
    /// Tasks that were cancelled alone, and have not ended otherwise since.
    pub(super) unwanted: BTreeSet<usize>,
    /// Tasks that are to be skipped once no attempt of them is out, and those that were.
    pub(super) to_skip: BTreeSet<usize>,
    skipped: BTreeSet<usize>,
    /// Attempts that were changed.
    tries: HashMap<usize, u32>,
    /// A failure ended the run.
    pub(super) stopping: bool,
}

impl Oracle {
    pub(super) fn new(definition: &Definition) -> Self {
        let mut oracle = Self {
            definition: definition.clone(),
            set: BTreeMap::new(),
            phases: vec![TaskPhase::Waiting; definition.tasks.len()],
            items: BTreeMap::new(),
            failures: HashMap::new(),
            unwanted: BTreeSet::new(),
            to_skip: BTreeSet::new(),
            skipped: BTreeSet::new(),
            tries: HashMap::new(),
            stopping: false,
        };
        let emitted = |name: &str| {
            definition.tasks.iter().any(|t| t.outputs.names.iter().any(|out| out.name == name))
        };
        if !emitted("TRUE") {
            oracle.set.insert("TRUE".into(), Value::from("1"));
        }
        oracle.settle(&[]);
        oracle
    }

    /// An attempt succeeded, having emitted these; `out` are the others with the executor.
    pub(super) fn succeed(&mut self, of: TaskRef, emitted: Vec<(String, Value)>, out: &[TaskRef]) {
        if of.item.is_none() {
            self.set.extend(emitted);
        }
        self.end(of, TaskPhase::Succeeded, out);
    }

    pub(super) fn fail(&mut self, of: TaskRef, retryable: bool, out: &[TaskRef]) {
        let failures = self.failures.entry(of).or_default();
        *failures += 1;
        let given = self.definition.tasks[of.task.at()].retry.max_attempts;
        let tries = *self.tries.get(&of.task.at()).unwrap_or(&given);
        let is_last = *failures >= tries || self.is_stopping(of.task.at());
        if !retryable || is_last {
            self.failed(of.task.at());
            self.end(of, TaskPhase::Failed, out);
        }
    }

    /// The executor gave an attempt up because it was asked to, or died.
    pub(super) fn give_up(&mut self, of: TaskRef, out: &[TaskRef]) {
        let task = of.task.at();
        let to_skip = self.to_skip.contains(&task) && !self.unwanted.contains(&task);
        if self.is_stopping(task) && !to_skip {
            self.end(of, TaskPhase::Cancelled, out);
        } else {
            self.settle(out);
        }
    }

    /// Somebody skips a task.
    pub(super) fn skip(&mut self, task: usize, out: &[TaskRef]) {
        self.to_skip.insert(task);
        self.settle(out);
    }

    /// An attempt that was held began.
    pub(super) fn began(&mut self, of: TaskRef) {
        self.to_skip.remove(&of.task.at());
    }

    /// Somebody cancels a task alone.
    pub(super) fn cancel(&mut self, task: usize, out: &[TaskRef]) {
        self.unwanted.insert(task);
        self.settle(out);
    }

    /// Somebody changes a task's attempts.
    pub(super) fn amend(&mut self, task: usize, tries: u32) {
        self.tries.insert(task, tries);
    }

    fn is_stopping(&self, task: usize) -> bool {
        self.stopping || self.unwanted.contains(&task)
    }

    /// No attempt is with the executor any more.
    pub(super) fn crash(&mut self) {
        self.settle(&[]);
    }

    /// Failed tasks run again, skipped and stopped ones wait again; `out` are with the executor.
    pub(super) fn reopen(&mut self, out: &[TaskRef]) {
        self.stopping = false;
        for task in 0..self.phases.len() {
            let phase = self.phases[task];
            if self.skipped.contains(&task) {
                continue;
            }
            self.phases[task] = match phase {
                TaskPhase::Failed if self.is_undecided(task) => TaskPhase::Waiting,
                TaskPhase::Failed => TaskPhase::Ready,
                TaskPhase::Skipped | TaskPhase::Cancelled => TaskPhase::Waiting,
                _ => continue,
            };
            self.unwanted.remove(&task);
            self.failures.retain(|of, _| of.task.at() != task);
            let items = self.items.get_mut(&task).into_iter().flatten();
            items
                .filter(|item| **item != TaskPhase::Succeeded)
                .for_each(|item| *item = TaskPhase::Ready);
        }
        self.settle(out);
    }

    pub(super) fn has_failed(&self) -> bool {
        let mut tasks = self.definition.tasks.iter().enumerate();
        tasks.any(|(place, task)| self.can_be_retried(place) && !task.allow_failure)
    }

    /// Whether a task has failed, or was cancelled alone.
    pub(super) fn can_be_retried(&self, task: usize) -> bool {
        match self.phases[task] {
            TaskPhase::Failed => true,
            TaskPhase::Cancelled => self.unwanted.contains(&task),
            _ => false,
        }
    }

    fn end(&mut self, of: TaskRef, phase: TaskPhase, out: &[TaskRef]) {
        match of.item {
            Some(item) => {
                self.items.get_mut(&of.task.at()).expect("it fired")[item as usize] = phase;
            }
            None => self.phases[of.task.at()] = phase,
        }
        self.settle(out);
    }

    fn failed(&mut self, task: usize) {
        self.stopping |= self.definition.on_failure == OnFailure::Stop
            && !self.definition.tasks[task].allow_failure;
    }

    fn settle(&mut self, out: &[TaskRef]) {
        loop {
            let before = (self.phases.clone(), self.items.clone());
            self.skip_leaving(out);
            self.gather(out);
            self.cancel_leaving(out);
            if self.stopping {
                self.wind_down(out);
            } else {
                self.fire_and_skip();
            }
            if before == (self.phases.clone(), self.items.clone()) {
                if self.stopping || self.phases.contains(&TaskPhase::Ready) {
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

    /// Ends `for_each` tasks whose items have settled, or whose items are not to go on.
    fn gather(&mut self, out: &[TaskRef]) {
        for (&task, items) in &self.items {
            let is_out = out.iter().any(|of| of.task.at() == task);
            let goes_on = items.contains(&TaskPhase::Ready) && !self.is_stopping(task);
            if self.phases[task] != TaskPhase::Ready || goes_on || is_out {
                continue;
            }
            let def = &self.definition.tasks[task];
            let has_failed = items.contains(&TaskPhase::Failed);
            let has_ended =
                |item: &TaskPhase| matches!(item, TaskPhase::Succeeded | TaskPhase::Failed);
            let is_whole = items.iter().all(has_ended);
            self.phases[task] = match () {
                () if has_failed && (is_whole || self.fails_cut_off(task)) => TaskPhase::Failed,
                () if is_whole => TaskPhase::Succeeded,
                () => TaskPhase::Cancelled,
            };
            let has_any = items.is_empty() || items.contains(&TaskPhase::Succeeded);
            if is_whole && (!has_failed || def.allow_failure && has_any) {
                let lists = def.outputs.names.iter().map(|out| (out.name.clone(), Value::Null));
                self.set.extend(lists);
            }
        }
    }

    /// Whether a `for_each` task fails for an item that failed although others were cut off.
    fn fails_cut_off(&self, task: usize) -> bool {
        !self.definition.tasks[task].allow_failure && !self.unwanted.contains(&task)
    }

    /// Skips tasks that are to be, and have no attempt under way.
    fn skip_leaving(&mut self, out: &[TaskRef]) {
        let phases = &mut self.phases;
        self.to_skip.retain(|&task| {
            let is_out = out.iter().any(|of| of.task.at() == task);
            if !is_out && !phases[task].is_final() && !self.unwanted.contains(&task) {
                phases[task] = TaskPhase::Skipped;
                self.skipped.insert(task);
            }
            is_out
        });
    }

    /// Ends tasks that were cancelled alone, and have no attempt under way.
    fn cancel_leaving(&mut self, out: &[TaskRef]) {
        for &task in &self.unwanted {
            let is_out = out.iter().any(|of| of.task.at() == task);
            if !self.phases[task].is_final() && !is_out {
                self.phases[task] = TaskPhase::Cancelled;
            }
        }
        let phases = &self.phases;
        let ended_otherwise =
            |task: &usize| phases[*task].is_final() && phases[*task] != TaskPhase::Cancelled;
        self.unwanted.retain(|task| !ended_otherwise(task));
    }

    fn wind_down(&mut self, out: &[TaskRef]) {
        for (task, phase) in self.phases.iter_mut().enumerate() {
            let is_out = out.iter().any(|of| of.task.at() == task);
            match phase {
                TaskPhase::Waiting => *phase = TaskPhase::Skipped,
                TaskPhase::Ready if !is_out => *phase = TaskPhase::Cancelled,
                _ => {}
            }
        }
    }

    fn fire_and_skip(&mut self) {
        let possible = self.possible();
        for (task, possible) in possible.iter().enumerate() {
            if self.phases[task] == TaskPhase::Waiting {
                if self.may_fire(task) {
                    self.fire(task);
                } else if !possible {
                    self.phases[task] = TaskPhase::Skipped;
                }
            }
        }
    }

    fn fire(&mut self, task: usize) {
        self.phases[task] = TaskPhase::Ready;
        if !self.is_undecided(task) {
            return;
        }
        let list = match self.definition.tasks[task].for_each.as_ref() {
            Some(ForEach::Variable(name)) => self.set[name].as_array(),
            Some(ForEach::Items(items)) => Some(items),
            None => None,
        };
        if let Some(list) = list {
            self.items.insert(task, vec![TaskPhase::Ready; list.len()]);
        } else {
            self.phases[task] = TaskPhase::Failed;
            self.failed(task);
        }
    }

    /// Whether it has yet to be found out what a task runs over.
    fn is_undecided(&self, task: usize) -> bool {
        self.definition.tasks[task].for_each.is_some() && !self.items.contains_key(&task)
    }

    fn may_fire(&self, task: usize) -> bool {
        let is_barrier = self.definition.tasks[task].kind == TaskKind::Barrier;
        self.has_all_but_barrier(task) && (!is_barrier || self.barrier_open(task))
    }

    fn has_all_but_barrier(&self, task: usize) -> bool {
        let def = &self.definition.tasks[task];
        def.inputs.iter().all(|name| self.set.contains_key(name))
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
                possible[task] |= self.could_have_all(def, &before);
            }
            if possible == before {
                return possible;
            }
        }
    }

    fn could_have_all(&self, def: &TaskDef, possible: &[bool]) -> bool {
        let could_run = |place: usize| possible[place] && !self.phases[place].is_final();
        let inputs = def.inputs.iter().all(|name| {
            self.set.contains_key(name)
                || self.definition.tasks.iter().enumerate().any(|(place, other)| {
                    could_run(place) && other.outputs.names.iter().any(|out| out.name == *name)
                })
        });
        let dependencies = def.execution.depends_on.iter().all(|on| {
            let place = self.place(on);
            self.phases[place].is_success() || could_run(place)
        });
        inputs && dependencies
    }

    fn place(&self, name: &str) -> usize {
        let found = self.definition.tasks.iter().position(|task| task.name == name);
        found.expect("generated workflows name tasks that exist")
    }
}
