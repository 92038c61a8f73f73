//! Parameters against the plugin's schema, and what they fill in.

use super::Checker;
use super::plain::plainly_valid;
use super::schema::Compiled;
use super::spans::follow;
use crate::catalog::PluginFacts;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Node};
use crate::draft::TaskDraft;
use crate::source::Span;
use crate::suggest::{listed, nearest};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use loom_core::{Placeholder, Value, placeholders};
use loom_protocol::ErrorCode;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

/// The plugin whose `command` is the shell's business, and is not filled in.
const CMD: (&str, &str) = ("cmd", "command");
/// What the items of a task with `for_each` see besides variables.
pub(super) const ITEM: [&str; 2] = ["ITEM", "ITEM_INDEX"];

/// What a task sees besides what is set from the start.
struct Sees<'a> {
    task: &'a TaskDraft,
    inputs: OnceCell<HashSet<&'a str>>,
}

impl Sees<'_> {
    fn name(&self, name: &str) -> bool {
        let def = &self.task.def;
        let inputs = self.inputs.get_or_init(|| def.inputs.iter().map(String::as_str).collect());
        inputs.contains(name) || (def.for_each.is_some() && ITEM.contains(&name))
    }
}

impl Checker<'_> {
    pub(super) fn params(&mut self, task: &TaskDraft, schemas: &mut Compiled) {
        if let Some(facts) = self.plugins.find(&task.def.plugin) {
            let refused = self.against_schema(task, facts, schemas);
            self.against_plugin(task, facts, &refused);
        }
        let Some(params) = task.at(&["params"]) else { return };
        let sees = Sees { task, inputs: OnceCell::new() };
        for entry in params.entries() {
            self.filled_in(&sees, entry, &entry.value);
        }
    }

    /// Reports what the schema refuses. Answers with the pointers to it.
    fn against_schema(
        &mut self,
        task: &TaskDraft,
        facts: &PluginFacts,
        schemas: &mut Compiled,
    ) -> Vec<String> {
        let none = Vec::new();
        let (plugin, Some(schema)) = (&task.def.plugin, &facts.params_schema) else { return none };
        if plainly_valid(schema, &task.def.params) {
            return none;
        }
        let Some(validator) = schemas.of(plugin, schema) else {
            let message =
                format!("the plugin `{plugin}` describes its parameters by no JSON Schema");
            self.push(
                Diagnostic::error(ErrorCode::BadManifest, message)
                    .at(task.span_of(&["plugin"]), "")
                    .help("mend `params` in the plugin's manifest"),
            );
            return none;
        };
        let params = Value::Object(task.def.params.clone());
        if validator.is_valid(&params) {
            return none;
        }
        let mut refused = Vec::new();
        for error in validator.iter_errors(&params).filter(|error| !is_filled_in_later(error)) {
            refused.push(error.instance_path().to_string());
            problems_of(task, schema, &error).into_iter().for_each(|problem| self.push(problem));
        }
        refused
    }

    /// What only the plugin itself can tell of its parameters. It is not asked about those that the
    /// schema refused: enough was said of them.
    fn against_plugin(&mut self, task: &TaskDraft, facts: &PluginFacts, refused: &[String]) {
        let plugin = &task.def.plugin;
        let schema = facts.params_schema.as_ref().unwrap_or(&Value::Null);
        let mut params = Cow::Borrowed(&task.def.params);
        for name in refused.iter().filter_map(|pointer| pointer.split('/').nth(1)) {
            params.to_mut().remove(name);
        }
        for (name, message) in self.catalog.wrong_params(plugin, &params) {
            let at = task.at(&["params", &name]).map_or_else(|| task.name_span(), first_line);
            let problem = Diagnostic::error(ErrorCode::BadParameter, message).at(at, "");
            self.push(problem.help(what_it_takes(schema, &format!("/{name}"))));
        }
    }

    /// Looks at `{{ NAME }}` in every string of a parameter.
    fn filled_in(&mut self, sees: &Sees<'_>, param: &Entry, node: &Node) {
        node.items().iter().for_each(|item| self.filled_in(sees, param, item));
        node.entries().iter().for_each(|entry| self.filled_in(sees, param, &entry.value));
        let Some(text) = node.as_str().filter(|text| text.contains("{{")) else { return };
        let is_command = (sees.task.def.plugin.as_str(), &*param.key) == CMD;
        for found in placeholders(text) {
            if found.host {
                self.push(misplaced_host(&found, node.span, &format!("`params.{}`", param.key)));
            } else if is_command {
                self.in_command(sees, &found, node.span);
            } else if !self.sees(sees, found.name) {
                self.push(self.unseen(sees.task, &param.key, found.name, node.span));
            }
        }
    }

    fn sees(&self, sees: &Sees<'_>, name: &str) -> bool {
        self.known.given.contains(name) || sees.name(name)
    }

    fn unseen(&self, task: &TaskDraft, param: &str, name: &str, span: Span) -> Diagnostic {
        let message =
            format!("the parameter `{param}` fills in `{name}`, which the task does not see");
        let problem = Diagnostic::error(ErrorCode::UnknownVariable, message)
            .at(span, format!("`{name}` is neither an input nor set from the start"));
        if self.known.can_be_set(name) {
            return problem.help(format!("add `{name}` to the task's `inputs`"));
        }
        if ITEM.contains(&name) {
            return problem.help(format!("`{name}` is there in a task with `for_each`"));
        }
        let inputs = task.def.inputs.iter().map(String::as_str);
        let near = self.nearest(name, inputs.chain(self.known.names()));
        let help = format!("add it to the task's `inputs`, or set it with `--var {name}=VALUE`");
        problem.help(match near {
            Some(near) => format!("did you mean `{near}`? Otherwise {help}"),
            None => help,
        })
    }

    /// A command is not filled in; somebody who names a variable there expects it to be.
    fn in_command(&mut self, sees: &Sees<'_>, found: &Placeholder<'_>, span: Span) {
        let name = found.name;
        if !(self.sees(sees, name) || self.known.can_be_set(name) && !self.known.any) {
            return;
        }
        let message = format!("a command is not filled in: `{{{{ {name} }}}}` stays as it is");
        let problem = Diagnostic::warning(ErrorCode::BadParameter, message).at(span, "");
        self.push(problem.help(match sees.task.def.params.get(CMD.1) {
            Some(Value::Array(_)) => format!(
                "no shell reads a list: let the program take `{name}` from its environment, or write a \
                 command line with \"${name}\""
            ),
            _ => format!("write `$NAME` as in a shell: \"${name}\""),
        }));
    }

    /// `{{ENV:NAME}}` in a place where nothing fills it in.
    pub(super) fn host_placeholders(&mut self, node: &Node, place: &str) {
        node.items().iter().for_each(|item| self.host_placeholders(item, place));
        node.entries().iter().for_each(|entry| self.host_placeholders(&entry.value, place));
        let text = node.as_str().unwrap_or_default();
        for found in placeholders(text).filter(|found| found.host) {
            self.push(misplaced_host(&found, node.span, place));
        }
    }
}

fn misplaced_host(found: &Placeholder<'_>, span: Span, place: &str) -> Diagnostic {
    let name = found.name;
    let message = format!("`{{{{ENV:{name}}}}}` is read in `workflow.env` only, not in {place}");
    let variable = if name.is_empty() { "NAME" } else { name };
    Diagnostic::error(ErrorCode::BadValue, message).at(span, "").help(format!(
        "set `{variable}: \"{{{{ENV:{variable}}}}}\"` in `workflow.env` and use `{variable}` here"
    ))
}

/// Whether what is wrong is the type or value of a string that will be something else by the time
/// the plugin sees it.
fn is_filled_in_later(error: &ValidationError<'_>) -> bool {
    error.instance().as_str().is_some_and(|text| placeholders(text).next().is_some())
}

fn problems_of(task: &TaskDraft, schema: &Value, error: &ValidationError<'_>) -> Vec<Diagnostic> {
    let plugin = &task.def.plugin;
    let pointer = error.instance_path().to_string();
    let bad = |message: String| Diagnostic::error(ErrorCode::BadParameter, message);
    let node = task.at(&["params"]).map(|params| follow(params, &pointer));
    let at = node.map_or_else(|| task.name_span(), first_line);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                let properties = if pointer.is_empty() { schema.get("properties") } else { None };
                let known = properties.and_then(Value::as_object).into_iter().flatten();
                let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
                let near = nearest(name, known.iter().copied());
                let help = match (near, known.as_slice()) {
                    (Some(_), _) => String::new(),
                    (None, []) => "remove it".into(),
                    (None, known) => {
                        format!("its parameters are {}", listed(known.iter().copied(), 12))
                    }
                };
                let span =
                    node.and_then(|node| node.entry(name)).map_or(at, |entry| entry.key_span);
                bad(format!("the plugin `{plugin}` has no parameter `{}`", path(&pointer, name)))
                    .at(span, "unknown parameter")
                    .did_you_mean(span, near, help)
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let span = match task.at(&["params"]) {
                Some(_) if pointer.is_empty() => task.key_span(&["params"]),
                Some(_) => at,
                None => task.name_span(),
            };
            let name = path(&pointer, name);
            vec![
                bad(format!("the plugin `{plugin}` needs the parameter `{name}`"))
                    .at(span, "it is missing here")
                    .help(format!("add `{name}` under `params`")),
            ]
        }
        _ => {
            let what = if pointer.is_empty() {
                "the parameters do".into()
            } else {
                format!("the parameter `{}` does", path(&pointer, ""))
            };
            let reason = match error.kind() {
                ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
                    String::new()
                }
                _ => format!(": {}", error.masked()),
            };
            let problem = bad(format!("{what} not suit the plugin `{plugin}`{reason}")).at(at, "");
            vec![problem.help(what_it_takes(schema, &pointer))]
        }
    }
}

fn what_it_takes(schema: &Value, pointer: &str) -> String {
    match description(schema, pointer) {
        Some(description) => format!("what it takes: {description}"),
        None => "`loom plugin list` shows what each plugin takes".into(),
    }
}

/// What the plugin says of the parameter that a pointer leads into.
fn description<'s>(schema: &'s Value, pointer: &str) -> Option<&'s str> {
    let name = pointer.split('/').nth(1)?;
    schema.get("properties")?.get(name)?.get("description")?.as_str()
}

/// `/a/0` and `b` as `a.0.b`.
fn path(pointer: &str, name: &str) -> String {
    let parts = pointer.split('/').skip(1).chain([name]).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(".")
}

/// A value's own span, or that of its first key if it is a map.
pub(super) fn first_line(node: &Node) -> Span {
    node.entries().first().map_or(node.span, |entry| entry.key_span)
}
