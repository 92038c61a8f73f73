//! The compiled graph of a workflow: names resolved to indices, edges both ways.

use crate::adjacency::Adjacency;
use crate::{Definition, Event, ForEach, TaskDef, TaskIx, TaskKind, expr};
use std::collections::HashMap;
use std::sync::Arc;

/// A variable's place among those that the workflow names.
pub(crate) type VarIx = u32;

/// A variable that is set to `1` at the start of a run in which no task emits it.
pub(crate) const TRUE: &str = "TRUE";

/// A definition with its names resolved. Compiled once, shared by all runs of the definition; of a run
/// that another system executes it grows with what is declared.
#[derive(Clone, Debug)]
pub struct Plan {
    definition: Arc<Definition>,
    task_by_name: HashMap<String, TaskIx>,
    var_by_name: HashMap<String, VarIx>,
    vars: Vec<String>,
    traits: Vec<Traits>,
    /// Task → variables it takes.
    pub(crate) inputs: Adjacency,
    /// Variable → tasks that take it.
    pub(crate) consumers: Adjacency,
    /// Task → variables it declares as outputs.
    pub(crate) outputs: Adjacency,
    /// Variable → tasks that declare it as an output.
    pub(crate) producers: Adjacency,
    /// Task → tasks it depends on.
    pub(crate) dependencies: Adjacency,
    /// Task → tasks that depend on it.
    pub(crate) dependents: Adjacency,
    /// Tasks that may set any variable (`outputs: ["*"]`). They have no edges for it.
    pub(crate) wildcards: Vec<TaskIx>,
    /// Barriers that nothing is downstream of; they all open at once.
    pub(crate) last_barriers: Vec<TaskIx>,
    /// Barriers that something is downstream of.
    pub(crate) inner_barriers: Vec<InnerBarrier>,
    /// Whether some task is upstream of itself, so that counting alone may not see that it can
    /// never fire.
    pub(crate) cyclic: bool,
}

/// What scheduling asks of a task at every step, apart from the bulk of its definition: those of a
/// large workflow do not fit into a cache, these do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) priority: i32,
    pub(crate) kind: TaskKind,
    /// `async: false`.
    pub(crate) exclusive: bool,
    /// Something has to be evaluated when it fires: `when` or `for_each`.
    pub(crate) gated: bool,
    /// May set any variable.
    pub(crate) wildcard: bool,
    pub(crate) allow_failure: bool,
    /// Announces events when it settles.
    pub(crate) announces: bool,
}

impl Traits {
    fn of(task: &TaskDef) -> Self {
        Self {
            priority: task.execution.priority,
            kind: task.kind,
            exclusive: task.execution.exclusive,
            gated: task.when.is_some() || task.for_each.is_some(),
            wildcard: task.outputs.any,
            allow_failure: task.allow_failure,
            announces: !task.events.is_empty(),
        }
    }

    /// Whether it takes one of the run's workers, or must be alone.
    pub(crate) fn takes_a_place(self) -> bool {
        self.kind == TaskKind::Work || self.exclusive
    }
}

/// A barrier with tasks downstream of it, which it does not wait for.
#[derive(Clone, Debug)]
pub(crate) struct InnerBarrier {
    pub(crate) task: TaskIx,
    /// Task → whether it is downstream.
    pub(crate) downstream: Vec<bool>,
}

impl Plan {
    /// Compiles a definition. Names that it does not resolve (`depends_on` of a task that does not
    /// exist) make a dependency that is never met; checking a definition for such mistakes is the
    /// business of whoever reads it.
    pub fn new(definition: impl Into<Arc<Definition>>) -> Self {
        let definition = definition.into();
        let tasks = &definition.tasks;
        let count = tasks.len();
        let task_by_name: HashMap<String, TaskIx> = tasks
            .iter()
            .enumerate()
            .rev()
            .map(|(place, task)| (task.name.clone(), TaskIx(place as u32)))
            .collect();
        let names = VarNames::of(&definition);
        let inputs = Adjacency::new(count, |edge| names.each_input(tasks, edge));
        let consumers = inputs.reversed(names.list.len());
        let outputs = Adjacency::new(count, |edge| names.each_output(tasks, edge));
        let producers = outputs.reversed(names.list.len());
        let dependencies = Adjacency::new(count, |edge| {
            for (place, task) in tasks.iter().enumerate() {
                for on in &task.execution.depends_on {
                    if let Some(on) = task_by_name.get(on) {
                        edge(place as u32, on.0);
                    }
                }
            }
        });
        let dependents = dependencies.reversed(count);
        let mut plan = Self {
            task_by_name,
            var_by_name: names.by_name,
            vars: names.list,
            traits: tasks.iter().map(Traits::of).collect(),
            inputs,
            consumers,
            outputs,
            producers,
            dependencies,
            dependents,
            wildcards: (0..count as u32)
                .map(TaskIx)
                .filter(|task| tasks[task.at()].outputs.any)
                .collect(),
            last_barriers: Vec::new(),
            inner_barriers: Vec::new(),
            cyclic: false,
            definition,
        };
        plan.cyclic = plan.find_cyclic();
        plan.place_barriers();
        plan
    }

    /// The definition that it was compiled from.
    pub const fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    /// The system that executes its runs, if that is another one.
    pub fn external(&self) -> Option<&str> {
        self.definition.external.as_deref()
    }

    /// Takes in an event of a run of this plan: [`Event::Declared`] adds its task, unless it is here.
    pub fn take(self: &mut Arc<Self>, event: &Event) {
        if let Event::Declared { task, def, .. } = event
            && task.task.at() == self.task_count()
        {
            Arc::make_mut(self).declare((**def).clone());
        }
    }

    /// Whether the plan has the tasks that these events are about.
    pub fn covers<'a>(&self, events: impl IntoIterator<Item = &'a Event>) -> bool {
        let mut tasks = events.into_iter().filter_map(Event::task);
        tasks.all(|task| task.task.at() < self.task_count())
    }

    /// Adds a task that waits for nothing and that nothing waits for.
    fn declare(&mut self, task: TaskDef) {
        let at = TaskIx(self.task_count() as u32);
        self.task_by_name.entry(task.name.clone()).or_insert(at);
        self.traits.push(Traits::of(&task));
        for edges in
            [&mut self.inputs, &mut self.outputs, &mut self.dependencies, &mut self.dependents]
        {
            edges.add_node();
        }
        Arc::make_mut(&mut self.definition).tasks.push(task);
    }

    /// One task's definition.
    pub fn task(&self, task: TaskIx) -> &TaskDef {
        &self.definition.tasks[task.at()]
    }

    /// What scheduling asks of a task at every step.
    pub(crate) fn traits(&self, task: TaskIx) -> Traits {
        self.traits[task.at()]
    }

    /// The traits of all tasks, in the order of the file.
    pub(crate) fn all_traits(&self) -> impl Iterator<Item = (TaskIx, Traits)> {
        self.traits.iter().enumerate().map(|(at, traits)| (TaskIx(at as u32), *traits))
    }

    /// How many tasks there are.
    pub fn task_count(&self) -> usize {
        self.definition.tasks.len()
    }

    /// All tasks, in the order of the file.
    pub fn tasks(&self) -> impl Iterator<Item = (TaskIx, &TaskDef)> {
        self.definition.tasks.iter().enumerate().map(|(at, task)| (TaskIx(at as u32), task))
    }

    /// The task of this name.
    pub fn find_task(&self, name: &str) -> Option<TaskIx> {
        self.task_by_name.get(name).copied()
    }

    /// The tasks that may set a variable: those that declare it, then those that may set any.
    pub fn producers_of(&self, variable: &str) -> Vec<TaskIx> {
        let declared = self.find_var(variable).map_or(&[][..], |var| self.producers.of(var));
        let wild = self.wildcards.iter().copied().filter(|task| !declared.contains(&task.0));
        declared.iter().map(|&task| TaskIx(task)).chain(wild).collect()
    }

    /// The tasks that an edge leads to from this one: those that take what it may set, and those
    /// that depend on it.
    pub fn downstream_of(&self, task: TaskIx) -> impl Iterator<Item = TaskIx> {
        let by_variable = self.outputs.of(task.0).iter().flat_map(|&var| self.consumers.of(var));
        by_variable.chain(self.dependents.of(task.0)).map(|&next| TaskIx(next))
    }

    /// The tasks that an edge leads from to this one: those that may set what it takes, and those
    /// that it depends on. A task may come several times.
    pub fn upstream_of(&self, task: TaskIx) -> impl Iterator<Item = TaskIx> {
        let by_variable = self.inputs.of(task.0).iter().flat_map(|&var| self.producers.of(var));
        by_variable.chain(self.dependencies.of(task.0)).map(|&before| TaskIx(before))
    }

    /// The variable of this name, if the workflow names it. Quickest for the task's own outputs.
    pub(crate) fn find_output(&self, task: TaskIx, name: &str) -> Option<VarIx> {
        let own = self.outputs.of(task.0).iter().copied();
        // Hashing a name costs as much as comparing a few.
        own.take(4).find(|&var| self.var_name(var) == name).or_else(|| self.find_var(name))
    }

    pub(crate) fn find_var(&self, name: &str) -> Option<VarIx> {
        self.var_by_name.get(name).copied()
    }

    pub(crate) fn var_name(&self, var: VarIx) -> &str {
        &self.vars[var as usize]
    }

    pub(crate) fn var_count(&self) -> usize {
        self.vars.len()
    }

    /// Whether the value of a variable of this name is secret wherever it comes from.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.definition.secrets.iter().any(|secret| secret == name)
    }

    /// The tasks that a barrier waits for: all that are neither barriers nor downstream of it.
    pub(crate) fn barred_by(&self, barrier: TaskIx) -> impl Iterator<Item = TaskIx> {
        let inner = self.inner_barriers.iter().find(move |inner| inner.task == barrier);
        let waits_for = move |task: &TaskIx| inner.is_none_or(|inner| !inner.downstream[task.at()]);
        let works = self.tasks().filter(|(_, task)| task.kind != TaskKind::Barrier);
        works.map(|(task, _)| task).filter(waits_for)
    }

    /// Kahn's algorithm: what cannot be taken off in topological order is on or behind a cycle.
    fn find_cyclic(&self) -> bool {
        let count = self.task_count();
        let mut upstream = vec![0u32; count];
        for (task, _) in self.tasks() {
            self.downstream_of(task).for_each(|next| upstream[next.at()] += 1);
        }
        let mut free: Vec<TaskIx> =
            self.tasks().map(|(task, _)| task).filter(|task| upstream[task.at()] == 0).collect();
        let mut taken = 0;
        while let Some(task) = free.pop() {
            taken += 1;
            for next in self.downstream_of(task) {
                upstream[next.at()] -= 1;
                if upstream[next.at()] == 0 {
                    free.push(next);
                }
            }
        }
        taken < count
    }

    fn place_barriers(&mut self) {
        let barriers: Vec<TaskIx> = self
            .tasks()
            .filter(|(_, task)| task.kind == TaskKind::Barrier)
            .map(|(task, _)| task)
            .collect();
        for task in barriers {
            if self.downstream_of(task).next().is_none() {
                self.last_barriers.push(task);
            } else {
                let downstream = self.all_downstream_of(task);
                self.inner_barriers.push(InnerBarrier { task, downstream });
            }
        }
    }

    fn all_downstream_of(&self, task: TaskIx) -> Vec<bool> {
        let mut reached = vec![false; self.task_count()];
        let mut open = vec![task];
        while let Some(task) = open.pop() {
            for next in self.downstream_of(task) {
                if !std::mem::replace(&mut reached[next.at()], true) {
                    open.push(next);
                }
            }
        }
        reached
    }
}

/// The variables that a workflow's tasks name.
struct VarNames {
    by_name: HashMap<String, VarIx>,
    list: Vec<String>,
}

impl VarNames {
    fn of(definition: &Definition) -> Self {
        let mut names = Self { by_name: HashMap::new(), list: Vec::new() };
        for task in &definition.tasks {
            task.inputs.iter().for_each(|name| names.add(name));
            task.outputs.names.iter().for_each(|output| names.add(&output.name));
            if let Some(when) = &task.when {
                // One that cannot be read fails its task when it is evaluated.
                let of_when = expr::variables_of(when).unwrap_or_default();
                of_when.used.iter().chain(&of_when.asked).for_each(|name| names.add(name));
            }
            if let Some(ForEach::Variable(name)) = &task.for_each {
                names.add(name);
            }
        }
        definition.env.iter().for_each(|var| names.add(&var.name));
        names.add(TRUE);
        names
    }

    fn add(&mut self, name: &str) {
        if !self.by_name.contains_key(name) {
            self.by_name.insert(name.to_owned(), self.list.len() as VarIx);
            self.list.push(name.to_owned());
        }
    }

    fn each_input(&self, tasks: &[TaskDef], edge: &mut dyn FnMut(u32, u32)) {
        for (place, task) in tasks.iter().enumerate() {
            for (nth, name) in task.inputs.iter().enumerate() {
                if !task.inputs[..nth].contains(name) {
                    edge(place as u32, self.by_name[name]);
                }
            }
        }
    }

    fn each_output(&self, tasks: &[TaskDef], edge: &mut dyn FnMut(u32, u32)) {
        for (place, task) in tasks.iter().enumerate() {
            for (nth, output) in task.outputs.names.iter().enumerate() {
                if !task.outputs.names[..nth].iter().any(|before| before.name == output.name) {
                    edge(place as u32, self.by_name[&output.name]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{barrier, task};

    fn plan(tasks: Vec<TaskDef>) -> Plan {
        Plan::new(Definition::new("test", tasks))
    }

    #[test]
    fn edges_come_from_variables_and_from_depends_on() {
        let plan = plan(vec![
            task("a").out("X"),
            task("b").needs("X").out("Y"),
            task("c").needs("X").after("b"),
        ]);
        let next = |at| plan.downstream_of(TaskIx(at)).collect::<Vec<_>>();
        assert_eq!(next(0), [TaskIx(1), TaskIx(2)]);
        assert_eq!(next(1), [TaskIx(2)]);
        assert!(!plan.cyclic);
        assert_eq!(plan.producers_of("X"), [TaskIx(0)]);
    }

    #[test]
    fn a_cycle_is_seen_even_through_a_second_producer() {
        assert!(plan(vec![task("a").needs("X").out("X"), task("b").out("X")]).cyclic);
    }

    #[test]
    fn a_wildcard_may_set_anything() {
        let plan = plan(vec![task("any").out("*"), task("a").out("X"), task("b").needs("X")]);
        assert_eq!(plan.producers_of("X"), [TaskIx(1), TaskIx(0)]);
        assert_eq!(plan.producers_of("Y"), [TaskIx(0)]);
    }

    #[test]
    fn a_barrier_knows_what_is_downstream_of_it() {
        let plan = plan(vec![task("a"), barrier("end").out("DONE"), task("b").needs("DONE")]);
        assert_eq!(plan.last_barriers, []);
        assert_eq!(plan.inner_barriers[0].downstream, [false, false, true]);
    }
}
