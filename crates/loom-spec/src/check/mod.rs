//! Checking a workflow whole, before anything runs.

mod cycle;
mod env;
pub(crate) mod event;
mod flow;
mod params;
mod plain;
mod plugin;
mod schema;
mod spans;
mod task;

pub use env::{ResolveError, SecretNames, resolve_env};
pub use event::is_event_name;

use crate::catalog::PluginCatalog;
use crate::diagnostic::{Diagnostic, Problems, Severity};
use crate::draft::{Draft, Plugins, TaskDraft};
use crate::graph::{Graph, TRUE};
use crate::suggest::nearest;
use loom_core::Definition;
use std::collections::{BTreeSet, HashSet};

/// How many problems get a suggestion: each may look at every name in the file.
const SUGGESTED: usize = 100;

/// What a workflow meets when it is run.
pub struct CheckContext<'a> {
    /// The variables that the caller gives.
    pub variables: &'a BTreeSet<String>,
    /// Whether an environment variable is set where the run is submitted.
    pub host: &'a dyn Fn(&str) -> bool,
    /// How bad it is if the caller or the environment does not give what is needed (L205, L207): an
    /// error where the workflow is about to run, a warning where only the file is looked at.
    pub unset: Severity,
}

/// A workflow that may run.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The definition, with what the plugins add to it.
    pub definition: Definition,
    /// What is worth knowing.
    pub warnings: Problems,
}

/// Checks a workflow against its plugins, its caller and itself. `Err` has every problem that was
/// found, in the order of the file.
pub fn check(
    mut draft: Draft,
    catalog: &dyn PluginCatalog,
    context: &CheckContext<'_>,
) -> Result<Checked, Problems> {
    let plugins = Plugins::of(&draft, catalog);
    let known = Known::of(&draft, context);
    let mut checker = Checker {
        draft: &draft,
        plugins: &plugins,
        catalog,
        context,
        known,
        problems: draft.problems.clone(),
    };
    checker.env();
    checker.duplicate_tasks();
    checker.unusable_plugins();
    let mut schemas = schema::Compiled::default();
    for task in &draft.tasks {
        checker.task(task, &mut schemas);
    }
    if draft.graph_known {
        checker.flow();
    }
    let mut problems = checker.problems;
    problems.sort();
    if problems.errors() > 0 {
        return Err(problems);
    }
    draft.problems = Problems::default();
    let definition = draft.into_definition(&plugins)?;
    Ok(Checked { definition, warnings: problems })
}

/// The variables that are set whatever the tasks do, and those that tasks may set.
struct Known<'a> {
    /// Set by `workflow.env`, by the caller, or by convention.
    given: HashSet<&'a str>,
    /// Declared by a task as an output.
    emitted: HashSet<&'a str>,
    /// Whether a task may set any variable.
    any: bool,
}

impl<'a> Known<'a> {
    fn of(draft: &'a Draft, context: &CheckContext<'a>) -> Self {
        let outputs = draft.tasks.iter().flat_map(|task| &task.def.outputs.names);
        let emitted: HashSet<&str> = outputs.map(|output| output.name.as_str()).collect();
        let env = draft.head.env.iter().map(|var| var.name.as_str());
        let mut given: HashSet<&str> =
            env.chain(context.variables.iter().map(String::as_str)).collect();
        if !emitted.contains(TRUE) {
            given.insert(TRUE);
        }
        Self { given, emitted, any: draft.tasks.iter().any(|task| task.def.outputs.any) }
    }

    /// All names, for suggestions.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.given.iter().chain(&self.emitted).copied()
    }

    /// Whether something sets or may set a variable and says so by its name.
    fn is_named(&self, name: &str) -> bool {
        self.given.contains(name) || self.emitted.contains(name)
    }

    /// Whether something sets or may set a variable.
    fn can_be_set(&self, name: &str) -> bool {
        self.any || self.is_named(name)
    }
}

struct Checker<'a> {
    draft: &'a Draft,
    plugins: &'a Plugins,
    catalog: &'a dyn PluginCatalog,
    context: &'a CheckContext<'a>,
    known: Known<'a>,
    problems: Problems,
}

impl<'a> Checker<'a> {
    fn push(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// What was probably meant, unless so much is wrong that nobody will read it.
    fn nearest<'n>(&self, name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        (self.problems.len() < SUGGESTED).then(|| nearest(name, names)).flatten()
    }

    fn graph(&self) -> Graph<'a> {
        Graph::new(self.draft.tasks.iter().map(|task| &task.def))
    }

    fn task_at(&self, at: u32) -> &'a TaskDraft {
        &self.draft.tasks[at as usize]
    }

    /// A problem that is as bad as the context says if something is not given.
    fn unset(&self, problem: Diagnostic) -> Diagnostic {
        Diagnostic { severity: self.context.unset, ..problem }
    }
}
