//! A workflow as it was read: what it says, where it says it, and what is wrong with it so far.

use crate::catalog::{PluginCatalog, PluginFacts, UnusablePlugin};
use crate::diagnostic::Problems;
use crate::document::Node;
use loom_core::{Definition, TaskDef};
use std::collections::HashMap;

/// A workflow file that was read but not checked against plugins and variables.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The workflow without its tasks.
    pub(crate) head: Definition,
    /// `workflow` as it was written.
    pub(crate) node: Node,
    /// The tasks, in the order of the file.
    pub(crate) tasks: Vec<TaskDraft>,
    /// What reading found.
    pub(crate) problems: Problems,
    /// Whether names, inputs, outputs and dependencies are known well enough to be held against
    /// each other.
    pub(crate) graph_known: bool,
}

/// A task as it was read. Where a part is wrong it has that part's default.
#[derive(Clone, Debug)]
pub(crate) struct TaskDraft {
    pub(crate) def: TaskDef,
    pub(crate) node: Node,
    pub(crate) requires_auth: bool,
}

impl Draft {
    /// What reading the file found.
    pub const fn problems(&self) -> &Problems {
        &self.problems
    }

    /// How many tasks were read.
    pub const fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// The definition with what its plugins add, unchecked: what a picture needs. Plugins that the
    /// catalog does not know, or that cannot be used, are taken to do work. Fails if reading the file
    /// found an error.
    pub fn resolve(self, catalog: &dyn PluginCatalog) -> Result<Definition, Problems> {
        let plugins = Plugins::of(&self, catalog);
        self.into_definition(&plugins)
    }

    /// The definition, if no error was found.
    pub(crate) fn into_definition(self, plugins: &Plugins) -> Result<Definition, Problems> {
        if self.problems.errors() > 0 {
            return Err(self.problems);
        }
        let mut definition = self.head;
        definition.tasks = self
            .tasks
            .into_iter()
            .map(|mut task| {
                if let Some(facts) = plugins.find(&task.def.plugin) {
                    apply(&mut task, facts);
                }
                task.def
            })
            .collect();
        Ok(definition)
    }
}

/// Adds to a task what its plugin says of itself.
fn apply(task: &mut TaskDraft, facts: &PluginFacts) {
    let def = &mut task.def;
    def.kind = facts.kind;
    for output in &mut def.outputs.names {
        output.optional |=
            facts.outputs.iter().any(|said| said.optional && said.name == output.name);
    }
    if task.requires_auth || facts.requires_auth {
        for permission in &facts.permissions {
            if !def.permissions.contains(permission) {
                def.permissions.push(permission.clone());
            }
        }
    }
}

/// The plugins that a workflow names, each looked up once.
pub(crate) struct Plugins(HashMap<String, Option<Result<PluginFacts, UnusablePlugin>>>);

impl Plugins {
    pub(crate) fn of(draft: &Draft, catalog: &dyn PluginCatalog) -> Self {
        let mut facts = HashMap::new();
        for task in &draft.tasks {
            let name = &task.def.plugin;
            if !facts.contains_key(name) {
                facts.insert(name.clone(), catalog.find(name));
            }
        }
        Self(facts)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&PluginFacts> {
        self.0.get(name)?.as_ref()?.as_ref().ok()
    }

    /// Why the plugin of this name cannot be used, if it is there and that is so.
    pub(crate) fn unusable(&self, name: &str) -> Option<&UnusablePlugin> {
        self.0.get(name)?.as_ref()?.as_ref().err()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &PluginFacts)> {
        self.0
            .iter()
            .filter_map(|(name, facts)| Some((name.as_str(), facts.as_ref()?.as_ref().ok()?)))
    }
}
