//! The keys of `workflow`.

use super::bad_name;
use super::fields::{Fields, Reader};
use super::task;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Kind, Node};
use crate::draft::TaskDraft;
use crate::keys::Section;
use crate::limits::{Limit, Limits};
use crate::suggest::nearest;
use loom_core::{Definition, EnvVar, OnFailure, Value, is_variable, names_a_secret, placeholders};
use loom_protocol::ErrorCode;
use std::collections::HashSet;

/// The most tasks of a run at once, by the sources' convention.
const MAX_WORKERS: &str = "MAX_WORKERS";

/// The value of the top level's only key.
pub(super) fn find<'n>(reader: &mut Reader<'_>, root: &'n Node) -> Option<&'n Node> {
    let not_a_workflow = |message: String| {
        Diagnostic::error(ErrorCode::NotAWorkflow, message)
            .help("a workflow file begins with `workflow:`; `loom init` writes one")
    };
    if !matches!(root.kind, Kind::Map(_)) {
        let message = format!("the file is not a workflow: it holds {}", root.describe());
        reader.push(not_a_workflow(message).at(root.span, ""));
        return None;
    }
    let Some(found) = root.entry("workflow") else {
        let message = "the file is not a workflow: it has no key `workflow`".to_owned();
        let near = root.entries().iter().find(|entry| nearest("workflow", [&*entry.key]).is_some());
        let problem = match near.or(root.entries().first()) {
            Some(entry) => not_a_workflow(message).at(entry.key_span, "not `workflow`"),
            None => not_a_workflow(message).at(root.span, ""),
        };
        reader.push(match near {
            Some(entry) => problem.did_you_mean(entry.key_span, Some("workflow"), String::new()),
            None => problem,
        });
        return None;
    };
    reader.fields(Section::Document, root)?;
    if !matches!(found.value.kind, Kind::Map(_)) {
        let what = found.value.describe();
        let message = format!("`workflow` must be a map, and this is {what}");
        reader.push(not_a_workflow(message).at(found.value.span, "not a map"));
        return None;
    }
    Some(&found.value)
}

/// Reads `workflow`: the definition without its tasks, and the tasks.
pub(super) fn read(
    reader: &mut Reader<'_>,
    node: &Node,
    limits: &Limits,
) -> (Definition, Vec<TaskDraft>) {
    let mut head = Definition::new("", Vec::new());
    let Some(fields) = reader.fields(Section::Workflow, node) else { return (head, Vec::new()) };
    let at = node.entries().first().map_or(node.span, |entry| entry.key_span);
    let name = reader.require(fields, "name", at);
    head.name = name.and_then(|node| reader.name("`name`", node)).unwrap_or_default();
    if let Some(node) = fields.get("namespace")
        && let Some(namespace) = reader.name("`namespace`", node)
    {
        head.namespace = namespace;
    }
    if let Some(version) = fields.get("version").and_then(|node| version(reader, node)) {
        head.version = version;
    }
    if let Some(text) =
        fields.get("description").and_then(|node| reader.text("`description`", node))
    {
        text.clone_into(&mut head.description);
    }
    head.tags = reader.list_of("`tags`", fields.get("tags"), |r, item| r.name("a tag", item));
    head.secrets = reader
        .list_of("`secrets`", fields.get("secrets"), |r, item| r.variable("a variable", item));
    head.on_failure = reader
        .one_of(
            "`on_failure`",
            fields.get("on_failure"),
            &[("continue", OnFailure::Continue), ("stop", OnFailure::Stop)],
        )
        .unwrap_or_default();
    head.env = env(reader, fields, &head.secrets);
    let tasks = tasks(reader, fields, at, limits);
    (head, tasks)
}

fn tasks(
    reader: &mut Reader<'_>,
    fields: Fields<'_>,
    at: crate::source::Span,
    limits: &Limits,
) -> Vec<TaskDraft> {
    let Some(node) = reader.require(fields, "tasks", at) else { return Vec::new() };
    let Some(items) = reader.list("`tasks`", node) else { return Vec::new() };
    if items.is_empty() {
        reader.bad_value("`tasks` is empty".into(), node, "add a task: `- name: hello` …");
    }
    if let Some(beyond) = items.get(limits.tasks) {
        let problem = Limit::Tasks.exceeded(limits).at(first_word(beyond), "one task too many");
        reader.push(problem);
        reader.graph_known = false;
        return Vec::new();
    }
    items.iter().map(|item| task::read(reader, item)).collect()
}

fn first_word(node: &Node) -> crate::source::Span {
    node.entries().first().map_or(node.span, |entry| entry.key_span)
}

fn version(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let text = node.as_str().filter(|text| semver::Version::parse(text).is_ok());
    if text.is_none() {
        let message = "`version` is not a semantic version".to_owned();
        reader.bad_value(message, node, "write three numbers, such as `1.0.0`");
    }
    text.map(str::to_owned)
}

fn env(reader: &mut Reader<'_>, fields: Fields<'_>, secrets: &[String]) -> Vec<EnvVar> {
    let Some(node) = fields.get("env") else { return Vec::new() };
    if !matches!(node.kind, Kind::Map(_)) {
        reader.wrong_type("`env`", "a map", node, "write `NAME: value` lines");
        reader.graph_known = false;
        return Vec::new();
    }
    let secrets: HashSet<&str> = secrets.iter().map(String::as_str).collect();
    let vars = node.entries().iter().filter_map(|entry| env_var(reader, entry, &secrets));
    let vars: Vec<EnvVar> = vars.collect();
    reader.graph_known &= vars.len() == node.entries().len();
    vars
}

fn env_var(reader: &mut Reader<'_>, entry: &Entry, secrets: &HashSet<&str>) -> Option<EnvVar> {
    let name = &*entry.key;
    if !is_variable(name) {
        let why = "a variable is letters, digits and `_`, and begins with no digit";
        let near = super::names::as_variable(name);
        let problem = bad_name("the variable", name, why, entry.key_span);
        reader.push(problem.did_you_mean(entry.key_span, near.as_deref(), String::new()));
        return None;
    }
    if entry.value.kind == Kind::Null {
        let message = format!("the variable `{name}` has no value");
        let problem = Diagnostic::error(ErrorCode::MissingKey, message).at(entry.key_span, "");
        reader.push(problem.help("give it one; an empty string is written \"\""));
        return None;
    }
    let value = entry.value.to_value();
    if name == MAX_WORKERS && !is_worker_count(&value) {
        let message = format!("`{MAX_WORKERS}` is not a number of workers");
        reader.bad_value(message, &entry.value, "use a whole number from 1");
    }
    let secret = secrets.contains(name) || is_host_secret(name, &entry.value);
    Some(EnvVar { name: name.to_owned(), value, secret })
}

fn is_worker_count(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.contains("{{") || text.parse::<u32>().is_ok_and(|count| count > 0)
        }
        value => value.as_u64().is_some_and(|count| (1..=u64::from(u32::MAX)).contains(&count)),
    }
}

/// Whether a value comes from the environment under a name that secrets have.
fn is_host_secret(name: &str, node: &Node) -> bool {
    let mut hosts = Vec::new();
    host_names(node, &mut hosts);
    !hosts.is_empty() && hosts.into_iter().chain([name]).any(names_a_secret)
}

fn host_names<'n>(node: &'n Node, names: &mut Vec<&'n str>) {
    if let Some(text) = node.as_str() {
        names.extend(placeholders(text).filter(|found| found.host).map(|found| found.name));
    }
    node.items().iter().for_each(|item| host_names(item, names));
    node.entries().iter().for_each(|entry| host_names(&entry.value, names));
}
