//! Tasks against their plugins.

use super::Checker;
use crate::catalog::PluginFacts;
use crate::diagnostic::Diagnostic;
use crate::draft::TaskDraft;
use crate::suggest::listed;
use loom_core::TaskKind;
use loom_protocol::ErrorCode;
use std::collections::BTreeMap;

/// How many takers of an unusable plugin are pointed at besides the first.
const ALSO: usize = 3;
/// The variable that carries the credential for permissions.
const AUTH_TOKEN: &str = "AUTH_TOKEN";

impl Checker<'_> {
    pub(super) fn plugin(&mut self, task: &TaskDraft) {
        let name = &task.def.plugin;
        if name.is_empty() {
            return;
        }
        match self.plugins.find(name) {
            None if self.plugins.unusable(name).is_some() => {}
            None => self.unknown_plugin(task),
            Some(facts) => {
                self.needs(task, facts);
                self.emits(task, facts);
                if facts.kind == TaskKind::Barrier {
                    self.barrier(task);
                }
            }
        }
        self.authorised(task);
    }

    /// Plugins that are there and cannot be used, each once.
    pub(super) fn unusable_plugins(&mut self) {
        let mut takers: BTreeMap<&str, Vec<&TaskDraft>> = BTreeMap::new();
        for task in &self.draft.tasks {
            if self.plugins.unusable(&task.def.plugin).is_some() {
                takers.entry(&task.def.plugin).or_default().push(task);
            }
        }
        for (name, tasks) in takers {
            let (Some(why), Some((first, others))) =
                (self.plugins.unusable(name), tasks.split_first())
            else {
                continue;
            };
            let message = format!("the plugin `{name}` cannot be used: {}", why.what);
            let problem = Diagnostic::error(why.code, message).at(first.span_of(&["plugin"]), "");
            let also = |problem: Diagnostic, other: &&TaskDraft| {
                problem.also(other.span_of(&["plugin"]), "used here too")
            };
            self.push(others.iter().take(ALSO).fold(problem, also).help(why.mend.clone()));
        }
    }

    fn unknown_plugin(&mut self, task: &TaskDraft) {
        let name = &task.def.plugin;
        let mut known = self.catalog.names();
        known.sort_unstable();
        let known = known.iter().map(String::as_str);
        let near = self.nearest(name, known.clone());
        let help = format!(
            "the plugins are {}; one of your own goes into the folder `plugins`",
            listed(known, 20)
        );
        let span = task.span_of(&["plugin"]);
        self.push(
            Diagnostic::error(ErrorCode::UnknownPlugin, format!("there is no plugin `{name}`"))
                .at(span, "unknown plugin")
                .did_you_mean(span, near, help),
        );
    }

    fn needs(&mut self, task: &TaskDraft, facts: &PluginFacts) {
        for input in &facts.inputs {
            if task.def.inputs.contains(input) || self.known.given.contains(input.as_str()) {
                continue;
            }
            let plugin = &task.def.plugin;
            let message = format!("the plugin `{plugin}` needs the variable `{input}`");
            self.push(
                Diagnostic::error(ErrorCode::PluginNeeds, message)
                    .at(task.span_of(&["plugin"]), "the task does not take it")
                    .help(format!(
                        "add `{input}` to the task's `inputs`, or set it in `workflow.env`"
                    )),
            );
        }
    }

    /// A plugin that says what it emits does not emit anything else.
    fn emits(&mut self, task: &TaskDraft, facts: &PluginFacts) {
        if facts.outputs.is_empty() {
            return;
        }
        for output in &task.def.outputs.names {
            let name = &output.name;
            if output.optional || facts.outputs.iter().any(|said| said.name == *name) {
                continue;
            }
            let said = facts.outputs.iter().map(|said| said.name.as_str());
            let span = task.item_span(&["outputs"], name);
            let near = self.nearest(name, said.clone());
            let plugin = &task.def.plugin;
            let message = format!("the plugin `{plugin}` does not say that it emits `{name}`");
            self.push(
                Diagnostic::warning(ErrorCode::PluginNeeds, message)
                    .at(span, "the task fails if this is missing")
                    .did_you_mean(span, near, format!("it emits {}", listed(said, 12))),
            );
        }
    }

    /// `end` waits and does nothing else.
    fn barrier(&mut self, task: &TaskDraft) {
        let plugin = &task.def.plugin;
        let wrong = [
            (
                !task.def.outputs.names.is_empty() || task.def.outputs.any,
                "outputs",
                "emits nothing",
            ),
            (task.def.for_each.is_some(), "for_each", "runs once"),
        ];
        for (is_wrong, key, what) in wrong {
            if is_wrong {
                let message = format!("the task `{}` cannot have `{key}`", task.def.name);
                self.push(
                    Diagnostic::error(ErrorCode::BadValue, message)
                        .at(task.key_span(&[key]), format!("`{plugin}` {what}"))
                        .help("remove it, or put it on a task before this one"),
                );
            }
        }
    }

    /// A task that needs permissions fails without a token, so say so before anything runs.
    fn authorised(&mut self, task: &TaskDraft) {
        let facts = self.plugins.find(&task.def.plugin);
        let by_plugin = facts.is_some_and(|facts| {
            !facts.permissions.is_empty() && (task.requires_auth || facts.requires_auth)
        });
        let needs = by_plugin || !task.def.permissions.is_empty();
        let sees = self.known.given.contains(AUTH_TOKEN)
            || task.def.inputs.iter().any(|input| input == AUTH_TOKEN);
        if !needs || sees {
            return;
        }
        let span = if task.def.permissions.is_empty() {
            task.span_of(&["requires_auth"])
        } else {
            task.key_span(&["permissions", "required"])
        };
        let (why, help) = if self.known.can_be_set(AUTH_TOKEN) {
            let why = format!("does not take the `{AUTH_TOKEN}` that a task may set");
            (why, format!("add `{AUTH_TOKEN}` to the task's `inputs`"))
        } else {
            let set = format!("set `{AUTH_TOKEN}: \"{{{{ENV:{AUTH_TOKEN}}}}}\"` in `workflow.env`");
            (format!("nothing sets `{AUTH_TOKEN}`"), set)
        };
        let message = format!("the task `{}` needs permissions, and {why}", task.def.name);
        self.push(
            Diagnostic::warning(ErrorCode::PermissionDenied, message)
                .at(span, "it will be denied")
                .help(help),
        );
    }
}
