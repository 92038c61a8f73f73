//! The tasks against each other: dependencies, inputs that nothing sets, joins.

use super::Checker;
use crate::catalog::PluginFacts;
use crate::diagnostic::Diagnostic;
use crate::graph::Graph;
use crate::suggest::listed;
use loom_core::TaskKind;
use loom_protocol::ErrorCode;

/// How many takers of an unset variable are pointed at besides the first.
const ALSO: usize = 3;
/// The most barriers that tasks depend on; each costs the run a look at every task.
const INNER_BARRIERS: usize = 16;

impl Checker<'_> {
    pub(super) fn flow(&mut self) {
        let graph = self.graph();
        self.unknown_dependencies(&graph);
        self.unset_inputs(&graph);
        self.cycles(&graph);
        self.barriers(&graph);
        self.joins(&graph);
    }

    fn unknown_dependencies(&mut self, graph: &Graph<'_>) {
        let path = ["execution", "depends_on"];
        for (at, task) in graph.tasks() {
            for name in &task.execution.depends_on {
                if graph.find_task(name).is_some() {
                    continue;
                }
                let span = self.task_at(at).item_span(&path, name);
                let names = || graph.tasks().map(|(_, task)| task.name.as_str());
                let near = self.nearest(name, names());
                let help = if near.is_some() {
                    String::new()
                } else {
                    format!("the tasks are {}", listed(names(), 8))
                };
                let message =
                    format!("`{}` depends on `{name}`, and there is no such task", task.name);
                self.push(
                    Diagnostic::error(ErrorCode::UnknownTask, message)
                        .at(span, "unknown task")
                        .did_you_mean(span, near, help),
                );
            }
        }
    }

    fn unset_inputs(&mut self, graph: &Graph<'_>) {
        for var in graph.vars() {
            let (name, takers) = (graph.var_name(var), graph.consumers(var));
            let Some((&first, others)) = takers.split_first() else { continue };
            if self.known.can_be_set(name) {
                continue;
            }
            let span = self.task_at(first).item_span(&["inputs"], name);
            let taker = &graph.task(first).name;
            let takers = match others.len() {
                0 => format!("the task `{taker}` takes"),
                1 => format!("the task `{taker}` and one other take"),
                more => format!("the task `{taker}` and {more} others take"),
            };
            let message = format!("nothing sets `{name}`, which {takers}");
            let mut problem = Diagnostic::error(ErrorCode::UnsetInput, message)
                .at(span, "no task, `env` or caller sets this");
            for &other in others.iter().take(ALSO) {
                let span = self.task_at(other).item_span(&["inputs"], name);
                problem = problem.also(span, "taken here too");
            }
            let near = self.nearest(name, self.known.names());
            let otherwise = if near.is_some() { "otherwise " } else { "" };
            let help = format!("{otherwise}{}", self.who_could_set(graph, name));
            let problem = problem.did_you_mean(span, near, help);
            let problem = self.unset(problem);
            self.push(problem);
        }
    }

    fn who_could_set(&self, graph: &Graph<'_>, name: &str) -> String {
        let emits = |(_, facts): &(&str, &PluginFacts)| {
            facts.outputs.iter().any(|output| output.name == name)
        };
        let plugin = self.plugins.iter().find(emits).map(|(plugin, _)| plugin);
        let give = format!("pass `--var {name}=VALUE`, or set it in `workflow.env`");
        match plugin.and_then(|name| graph.tasks().find(|(_, task)| task.plugin == name)) {
            Some((_, task)) => {
                format!("add `{name}` to the `outputs` of `{}`, {give}", task.name)
            }
            None => give,
        }
    }

    /// Two barriers that each have tasks behind them would wait for each other.
    fn barriers(&mut self, graph: &Graph<'_>) {
        let kind = |at| self.plugins.find(&graph.task(at).plugin).map(|facts| facts.kind);
        let inner: Vec<u32> = graph
            .tasks()
            .map(|(at, _)| at)
            .filter(|&at| kind(at) == Some(TaskKind::Barrier) && !graph.dependents(at).is_empty())
            .collect();
        if inner.len() > INNER_BARRIERS {
            let message = format!(
                "more than {INNER_BARRIERS} tasks wait for all others and have tasks behind them"
            );
            let span = self.task_at(inner[INNER_BARRIERS]).name_span();
            let problem = Diagnostic::error(ErrorCode::Cycle, message).at(span, "one too many");
            self.push(problem.help("let tasks depend on the tasks they need"));
            return;
        }
        let mut behind: Vec<(u32, Vec<bool>)> =
            inner.into_iter().map(|at| (at, graph.downstream_of([at]))).collect();
        behind.sort_by_key(|(_, behind)| behind.iter().filter(|&&is| !is).count());
        for pair in behind.windows(2) {
            let [(first, behind), (other, _)] = pair else { continue };
            if behind[*other as usize] {
                continue;
            }
            let (first, other) = (*first, *other);
            let (a, b) = (&graph.task(first).name, &graph.task(other).name);
            let message = format!("tasks wait for each other: {a} → {b} → {a}");
            self.push(
                Diagnostic::error(ErrorCode::Cycle, message)
                    .at(
                        self.task_at(other).name_span(),
                        "waits for everything that is not behind it",
                    )
                    .also(self.task_at(first).name_span(), "and so does this")
                    .help("let one of the two depend on the other, or let no task depend on them"),
            );
            return;
        }
    }

    fn joins(&mut self, graph: &Graph<'_>) {
        let asserts =
            |(at, task): (u32, &loom_core::TaskDef)| task.execution.sync_after.then_some(at);
        let mut before_join = None;
        for (at, task) in graph.tasks() {
            if task.execution.sync_before && !graph.is_join(at) && !self.is_last_join(graph, at) {
                let message = format!(
                    "`{}` asserts that it is a join, and it waits for fewer than two tasks",
                    task.name
                );
                let span = self.task_at(at).key_span(&["execution", "sync_before"]);
                self.push(
                    Diagnostic::error(ErrorCode::SyncAssertion, message).at(span, "no join").help(
                        "take an input of another task, add `depends_on`, or remove `sync_before`",
                    ),
                );
            }
            if asserts((at, task)).is_none() {
                continue;
            }
            let before_join = before_join.get_or_insert_with(|| self.before_joins(graph));
            if !before_join[at as usize] {
                let message =
                    format!("`{}` asserts that a join follows it, and none does", task.name);
                let span = self.task_at(at).key_span(&["execution", "sync_after"]);
                self.push(
                    Diagnostic::error(ErrorCode::SyncAssertion, message)
                        .at(span, "no join follows")
                        .help("let a task wait for this one and another, or remove `sync_after`"),
                );
            }
        }
    }

    /// Whether a task is a barrier behind several tasks that lead nowhere else.
    fn is_last_join(&self, graph: &Graph<'_>, at: u32) -> bool {
        let facts = self.plugins.find(&graph.task(at).plugin);
        facts.is_some_and(|facts| facts.kind == TaskKind::Barrier) && graph.task_count() > 2
    }

    fn before_joins(&self, graph: &Graph<'_>) -> Vec<bool> {
        let all = || graph.tasks().map(|(at, _)| at);
        if all().any(|at| self.is_last_join(graph, at)) {
            return vec![true; graph.task_count()];
        }
        graph.upstream_of(all().filter(|&at| graph.is_join(at)))
    }
}
