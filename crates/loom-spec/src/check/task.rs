//! What can be said of a task by itself: names, expressions, contracts.

use super::schema::{Compiled, why_not_schema};
use super::{Checker, params};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::draft::TaskDraft;
use crate::source::Span;
use loom_core::{ForEach, expr};
use loom_protocol::ErrorCode;
use std::collections::HashMap;

impl<'a> Checker<'a> {
    pub(super) fn task(&mut self, task: &'a TaskDraft, schemas: &mut Compiled) {
        for path in [
            &["inputs"][..],
            &["outputs"],
            &["execution", "depends_on"],
            &["permissions", "required"],
        ] {
            if let Some(list) = task.at(path) {
                self.repeated(list);
            }
        }
        self.plugin(task);
        self.params(task, schemas);
        self.when(task);
        self.for_each(task);
        self.contract(task);
        self.events(task);
    }

    pub(super) fn duplicate_tasks(&mut self) {
        let mut first: HashMap<&str, &TaskDraft> = HashMap::new();
        for task in self.draft.tasks.iter().filter(|task| !task.def.name.is_empty()) {
            let Some(earlier) = first.get(task.def.name.as_str()) else {
                first.insert(&task.def.name, task);
                continue;
            };
            let message = format!("two tasks are named `{}`", task.def.name);
            self.push(
                Diagnostic::error(ErrorCode::DuplicateTask, message)
                    .at(task.name_span(), "named again here")
                    .also(earlier.name_span(), "first named here")
                    .help("rename one: a task's name is unique in its workflow"),
            );
        }
    }

    /// Names that a list has twice.
    pub(super) fn repeated(&mut self, list: &Node) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for item in list.items() {
            let Some(text) = item.as_str() else { continue };
            let name = text.strip_suffix('?').unwrap_or(text);
            let Some(first) = seen.get(name).copied() else {
                seen.insert(name, item.span);
                continue;
            };
            self.push(
                Diagnostic::error(ErrorCode::DuplicateName, format!("`{name}` is listed twice"))
                    .at(item.span, "again here")
                    .also(first, "first here")
                    .help("remove one, or write the name that was meant"),
            );
        }
    }

    fn when(&mut self, task: &TaskDraft) {
        let Some(expression) = &task.def.when else { return };
        let span = task.span_of(&["when"]);
        let names = match expr::variables_of(expression) {
            Ok(names) => names,
            Err(reason) => {
                let message = format!("`when` is not an expression: {reason}");
                let help = if expression.contains("{{") {
                    "write the expression without `{{ }}`: `when: COUNT|int > 3`"
                } else {
                    "write an expression such as `COUNT|int > 3 and MODE == 'full'`"
                };
                self.push(
                    Diagnostic::error(ErrorCode::BadExpression, message).at(span, "").help(help),
                );
                return;
            }
        };
        // Whether a variable is set may be asked of any: a caller gives it, or does not.
        for name in names.used {
            if params::ITEM.contains(&&*name) && !self.known.is_named(&name) {
                self.push(item_in_when(&name, span));
                continue;
            }
            if expr::FUNCTIONS.contains(&name.as_str()) || self.known.can_be_set(&name) {
                continue;
            }
            let near = self.nearest(&name, self.known.names());
            let message = format!("`when` names the variable `{name}`, which nothing sets");
            let help = format!("give it with `--var {name}=VALUE`, or let a task output it");
            self.push(
                Diagnostic::error(ErrorCode::UnknownVariable, message)
                    .at(span, format!("`{name}` is unknown"))
                    .help(match near {
                        Some(near) => format!("did you mean `{near}`? Otherwise {help}"),
                        None => help,
                    }),
            );
        }
    }

    fn for_each(&mut self, task: &TaskDraft) {
        let Some(ForEach::Variable(name)) = &task.def.for_each else {
            if let Some(list) = task.at(&["for_each"]) {
                self.host_placeholders(list, "`for_each`");
            }
            return;
        };
        if self.known.given.contains(name.as_str()) || task.def.inputs.contains(name) {
            return;
        }
        let span = task.span_of(&["for_each"]);
        let message = format!("`for_each` runs over `{name}`, which the task does not take");
        let problem =
            Diagnostic::error(ErrorCode::UnknownVariable, message).at(span, "not an input");
        let wait = format!("add `{name}` to the task's `inputs`, so that it waits for the list");
        self.push(if self.known.can_be_set(name) {
            problem.help(wait)
        } else {
            let near = self.nearest(name, self.known.names());
            let otherwise = if near.is_some() { "otherwise " } else { "" };
            let help = format!("{otherwise}set it in `workflow.env`, with `--var`, or {wait}");
            problem.did_you_mean(span, near, help)
        });
    }

    fn contract(&mut self, task: &TaskDraft) {
        let Some(contract) = &task.def.contract else { return };
        for (key, schema) in [("success", &contract.success), ("error", &contract.error)] {
            let Some(schema) = schema else { continue };
            let Some((pointer, reason)) = why_not_schema(schema) else { continue };
            let span = task.at(&["contract", key]).map_or_else(
                || task.name_span(),
                |node| params::first_line(super::spans::follow(node, &pointer)),
            );
            let at = if pointer.is_empty() { String::new() } else { format!(" at `{pointer}`") };
            let message = format!("`contract.{key}` is not a JSON Schema{at}: {reason}");
            self.push(
                Diagnostic::error(ErrorCode::BadContract, message)
                    .at(span, "")
                    .help("write a JSON Schema of draft 2020-12"),
            );
        }
    }
}

/// An item's own value in the condition of the task as a whole.
fn item_in_when(name: &str, span: Span) -> Diagnostic {
    let message = format!("`when` names `{name}`, which it cannot see");
    Diagnostic::error(ErrorCode::UnknownVariable, message)
        .at(span, "asked once, for the task as a whole")
        .help(
            "leave items out where the list is made, or let the command itself look at `$ITEM` and end \
             without doing anything",
        )
}
