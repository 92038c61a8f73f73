//! Tasks that wait for each other and can never fire.

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::graph::Graph;
use loom_protocol::ErrorCode;

/// How many tasks of a cycle the message names, and how many waits are pointed at.
const NAMED: usize = 8;
const POINTED: usize = 4;

/// What a task that cannot fire waits for.
#[derive(Clone, Copy)]
enum Wait {
    Input { var: u32, producer: u32 },
    Dependency(u32),
}

/// What can ever happen.
struct Firing {
    /// Task → whether it can fire.
    fires: Vec<bool>,
    /// Variable → whether it can be set.
    set: Vec<bool>,
}

impl Wait {
    const fn for_task(self) -> u32 {
        match self {
            Self::Input { producer, .. } => producer,
            Self::Dependency(on) => on,
        }
    }
}

impl Checker<'_> {
    /// Inputs that nothing sets and tasks that do not exist are reported elsewhere and count as met
    /// here, so whatever still cannot fire is on or behind a cycle.
    pub(super) fn cycles(&mut self, graph: &Graph<'_>) {
        let firing = self.can_fire(graph);
        let fires = &firing.fires;
        let mut seen_in = vec![u32::MAX; graph.task_count()];
        for (start, _) in graph.tasks() {
            let mut at = start;
            while !fires[at as usize] && seen_in[at as usize] == u32::MAX {
                seen_in[at as usize] = start;
                at = wait_of(graph, &firing, at).for_task();
            }
            if !fires[at as usize] && seen_in[at as usize] == start {
                let cycle = around(graph, &firing, at);
                self.report(graph, &cycle);
            }
        }
    }

    /// The least fixpoint of "can ever fire".
    fn can_fire(&self, graph: &Graph<'_>) -> Firing {
        let any = self.known.any;
        let is_set = |var: u32| {
            self.known.given.contains(graph.var_name(var))
                || (graph.producers(var).is_empty() && !any)
        };
        let mut set: Vec<bool> = graph.vars().map(is_set).collect();
        let mut missing: Vec<usize> = graph
            .tasks()
            .map(|(at, _)| {
                let inputs = graph.inputs(at).iter().filter(|&&var| !set[var as usize]).count();
                inputs + graph.dependencies(at).len()
            })
            .collect();
        let mut fires: Vec<bool> = missing.iter().map(|&count| count == 0).collect();
        let mut open: Vec<u32> =
            graph.tasks().map(|(at, _)| at).filter(|&at| fires[at as usize]).collect();
        let mut all_set = false;
        while let Some(task) = open.pop() {
            let mut met = |waiting: u32| {
                missing[waiting as usize] -= 1;
                if missing[waiting as usize] == 0 {
                    fires[waiting as usize] = true;
                    open.push(waiting);
                }
            };
            graph.dependents(task).iter().for_each(|&waiting| met(waiting));
            let mut emit = |var: u32| {
                if !std::mem::replace(&mut set[var as usize], true) {
                    graph.consumers(var).iter().for_each(|&waiting| met(waiting));
                }
            };
            if graph.task(task).outputs.any && !std::mem::replace(&mut all_set, true) {
                graph.vars().for_each(emit);
            } else {
                graph.outputs(task).for_each(&mut emit);
            }
        }
        Firing { fires, set }
    }

    fn report(&mut self, graph: &Graph<'_>, cycle: &[(u32, Wait)]) {
        let names: Vec<&str> = cycle.iter().map(|&(at, _)| graph.task(at).name.as_str()).collect();
        let shown = if names.len() > NAMED {
            format!("{} → … {} more", names[..NAMED].join(" → "), names.len() - NAMED)
        } else {
            names.join(" → ")
        };
        let message = format!("tasks wait for each other: {shown} → {}", names[0]);
        let mut problem = Diagnostic::error(ErrorCode::Cycle, message);
        for (nth, &(at, wait)) in cycle.iter().take(POINTED).enumerate() {
            let task = &self.draft.tasks[at as usize];
            let on = &graph.task(wait.for_task()).name;
            let (span, label) = match wait {
                Wait::Input { var, .. } => {
                    let var = graph.var_name(var);
                    let label = format!("`{}` waits for `{var}`, which `{on}` sets", names[nth]);
                    (task.item_span(&["inputs"], var), label)
                }
                Wait::Dependency(_) => {
                    let label = format!("`{}` depends on `{on}`", names[nth]);
                    (task.item_span(&["execution", "depends_on"], on), label)
                }
            };
            problem = if nth == 0 { problem.at(span, label) } else { problem.also(span, label) };
        }
        self.push(problem.help(
            "none of them can ever fire: remove one of these waits, or set its variable in \
             `workflow.env` or from another task",
        ));
    }
}

/// Why a task that cannot fire cannot.
fn wait_of(graph: &Graph<'_>, firing: &Firing, task: u32) -> Wait {
    let input = graph.inputs(task).iter().find(|&&var| !firing.set[var as usize]);
    if let Some(&var) = input {
        let producer = graph.producers(var).first().or(graph.wildcards.first());
        let producer = *producer.expect("what nothing sets counts as set here");
        return Wait::Input { var, producer };
    }
    let on = graph.dependencies(task).iter().find(|&&on| !firing.fires[on as usize]);
    Wait::Dependency(*on.expect("a task that cannot fire waits for one that cannot"))
}

/// The cycle that a task is on, beginning with its first task in the file.
fn around(graph: &Graph<'_>, firing: &Firing, from: u32) -> Vec<(u32, Wait)> {
    let mut cycle = Vec::new();
    let mut at = from;
    loop {
        let wait = wait_of(graph, firing, at);
        cycle.push((at, wait));
        at = wait.for_task();
        if at == from {
            break;
        }
    }
    let first = cycle.iter().enumerate().min_by_key(|(_, (at, _))| *at).map_or(0, |(nth, _)| nth);
    cycle.rotate_left(first);
    cycle
}
