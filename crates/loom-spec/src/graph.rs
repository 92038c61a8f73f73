//! Who sets what, who takes what, who waits for whom: the edges that a workflow's names imply.

use loom_core::{TaskDef, TaskKind};
use std::collections::HashMap;

/// A variable that is set to `1` at the start of a run in which no task emits it.
pub(crate) const TRUE: &str = "TRUE";

/// Tasks and variables by number, and the lists between them. Edges between tasks are implied by
/// variables rather than listed: a variable with many producers and many consumers stays small.
pub(crate) struct Graph<'a> {
    tasks: Vec<&'a TaskDef>,
    task_by_name: HashMap<&'a str, u32>,
    var_by_name: HashMap<&'a str, u32>,
    var_names: Vec<&'a str>,
    /// Task → variables it takes, each once.
    inputs: Vec<Vec<u32>>,
    /// Variable → tasks that take it.
    consumers: Vec<Vec<u32>>,
    /// Variable → tasks that declare it as an output.
    producers: Vec<Vec<u32>>,
    /// Task → tasks it depends on by name, each once.
    dependencies: Vec<Vec<u32>>,
    /// Task → tasks that depend on it by name.
    dependents: Vec<Vec<u32>>,
    /// Tasks with `outputs: ["*"]`.
    pub(crate) wildcards: Vec<u32>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(tasks: impl IntoIterator<Item = &'a TaskDef>) -> Self {
        let tasks: Vec<&TaskDef> = tasks.into_iter().collect();
        let count = tasks.len();
        let mut graph = Self {
            task_by_name: HashMap::with_capacity(count),
            var_by_name: HashMap::new(),
            var_names: Vec::new(),
            inputs: vec![Vec::new(); count],
            consumers: Vec::new(),
            producers: Vec::new(),
            dependencies: vec![Vec::new(); count],
            dependents: vec![Vec::new(); count],
            wildcards: Vec::new(),
            tasks,
        };
        for at in 0..count {
            graph.task_by_name.entry(&graph.tasks[at].name).or_insert(at as u32);
        }
        for at in 0..count {
            graph.add(at);
        }
        graph
    }

    fn add(&mut self, at: usize) {
        let (task, place) = (self.tasks[at], at as u32);
        for name in &task.inputs {
            let var = self.var(name);
            if self.consumers[var as usize].last() != Some(&place) {
                self.inputs[at].push(var);
                self.consumers[var as usize].push(place);
            }
        }
        for output in &task.outputs.names {
            let var = self.var(&output.name) as usize;
            if self.producers[var].last() != Some(&place) {
                self.producers[var].push(place);
            }
        }
        if task.outputs.any {
            self.wildcards.push(place);
        }
        for name in &task.execution.depends_on {
            if let Some(&on) = self.task_by_name.get(name.as_str())
                && self.dependents[on as usize].last() != Some(&place)
            {
                self.dependencies[at].push(on);
                self.dependents[on as usize].push(place);
            }
        }
    }

    fn var(&mut self, name: &'a str) -> u32 {
        *self.var_by_name.entry(name).or_insert_with(|| {
            self.var_names.push(name);
            self.consumers.push(Vec::new());
            self.producers.push(Vec::new());
            self.var_names.len() as u32 - 1
        })
    }

    pub(crate) fn task(&self, at: u32) -> &'a TaskDef {
        self.tasks[at as usize]
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = (u32, &'a TaskDef)> {
        (0..).zip(self.tasks.iter().copied())
    }

    pub(crate) const fn task_count(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn find_task(&self, name: &str) -> Option<u32> {
        self.task_by_name.get(name).copied()
    }

    pub(crate) fn var_name(&self, var: u32) -> &'a str {
        self.var_names[var as usize]
    }

    pub(crate) fn vars(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.var_names.len() as u32
    }

    pub(crate) fn inputs(&self, task: u32) -> &[u32] {
        &self.inputs[task as usize]
    }

    pub(crate) fn consumers(&self, var: u32) -> &[u32] {
        &self.consumers[var as usize]
    }

    pub(crate) fn producers(&self, var: u32) -> &[u32] {
        &self.producers[var as usize]
    }

    pub(crate) fn dependencies(&self, task: u32) -> &[u32] {
        &self.dependencies[task as usize]
    }

    pub(crate) fn dependents(&self, task: u32) -> &[u32] {
        &self.dependents[task as usize]
    }

    /// The variables that a task declares as outputs.
    pub(crate) fn outputs(&self, task: u32) -> impl Iterator<Item = u32> {
        let names = self.task(task).outputs.names.iter();
        names.map(|output| self.var_by_name[output.name.as_str()])
    }

    pub(crate) fn is_barrier(&self, task: u32) -> bool {
        self.task(task).kind == TaskKind::Barrier
    }

    /// Whether at least two other tasks lead to this one. What a barrier waits for without naming
    /// it does not count.
    pub(crate) fn is_join(&self, task: u32) -> bool {
        let by_var = self.inputs(task).iter().flat_map(|&var| self.producers(var));
        let mut upstream = by_var.chain(self.dependencies(task)).filter(|&&other| other != task);
        upstream.next().is_some_and(|first| upstream.any(|other| other != first))
    }

    /// Which tasks are somewhere downstream of these, themselves left out unless on a cycle.
    pub(crate) fn downstream_of(&self, from: impl IntoIterator<Item = u32>) -> Vec<bool> {
        self.reach(from, |graph, task, visit| {
            for var in graph.outputs(task) {
                visit.var(var, graph.consumers(var));
            }
            visit.tasks(graph.dependents(task));
        })
    }

    /// Which tasks are somewhere upstream of these, themselves left out unless on a cycle.
    pub(crate) fn upstream_of(&self, from: impl IntoIterator<Item = u32>) -> Vec<bool> {
        self.reach(from, |graph, task, visit| {
            for &var in graph.inputs(task) {
                visit.var(var, graph.producers(var));
            }
            visit.tasks(graph.dependencies(task));
        })
    }

    fn reach(
        &self,
        from: impl IntoIterator<Item = u32>,
        step: impl Fn(&Self, u32, &mut Visit),
    ) -> Vec<bool> {
        let mut visit = Visit {
            tasks: vec![false; self.task_count()],
            vars: vec![false; self.var_names.len()],
            open: from.into_iter().collect(),
        };
        while let Some(task) = visit.open.pop() {
            step(self, task, &mut visit);
        }
        visit.tasks
    }
}

/// A walk that looks at each task and each variable once.
struct Visit {
    tasks: Vec<bool>,
    vars: Vec<bool>,
    open: Vec<u32>,
}

impl Visit {
    fn var(&mut self, var: u32, next: &[u32]) {
        if !std::mem::replace(&mut self.vars[var as usize], true) {
            self.tasks(next);
        }
    }

    fn tasks(&mut self, next: &[u32]) {
        for &task in next {
            if !std::mem::replace(&mut self.tasks[task as usize], true) {
                self.open.push(task);
            }
        }
    }
}
