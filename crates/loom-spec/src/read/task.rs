//! The keys of a task.

use super::fields::{Fields, Reader};
use super::{EVENTS_MOST, bad_name};
use crate::diagnostic::Diagnostic;
use crate::document::{Kind, Node};
use crate::draft::TaskDraft;
use crate::keys::Section;
use loom_core::{
    Backoff, Contract, EventDecl, EventTrigger, Execution, ForEach, OutputDecl, Outputs,
    RetryPolicy, TaskDef, is_variable, placeholders,
};
use loom_protocol::ErrorCode;
use std::collections::BTreeMap;

/// The annotation that keeps a task's `description`.
const DESCRIPTION: &str = "description";

/// Reads a task. Parts that are wrong are reported and have their defaults.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> TaskDraft {
    let mut draft =
        TaskDraft { def: TaskDef::new("", ""), node: node.clone(), requires_auth: false };
    let Some(fields) = reader.fields(Section::Task, node) else { return draft };
    let at = node.entries().first().map_or(node.span, |entry| entry.key_span);
    let def = &mut draft.def;
    let name = reader.require(fields, "name", at);
    def.name = name.and_then(|node| reader.name("a task's `name`", node)).unwrap_or_default();
    reader.graph_known &= !def.name.is_empty();
    let at = name.map_or(at, |name| name.span);
    let plugin = reader.require(fields, "plugin", at);
    def.plugin = plugin.and_then(|node| reader.name("`plugin`", node)).unwrap_or_default();
    def.inputs =
        reader.list_of("`inputs`", fields.get("inputs"), |r, item| r.variable("an input", item));
    def.outputs = outputs(reader, fields);
    if let Some(params) = fields.get("params") {
        if matches!(params.kind, Kind::Map(_)) {
            def.params = params.to_map();
        } else {
            reader.wrong_type("`params`", "a map", params, "write `name: value` lines");
        }
    }
    def.when = fields.get("when").and_then(|node| when(reader, node));
    def.for_each = fields.get("for_each").and_then(|node| for_each(reader, node));
    def.retry = retry(reader, fields);
    def.allow_failure =
        reader.bool("`allow_failure`", fields.get("allow_failure")).unwrap_or_default();
    def.permissions = permissions(reader, fields);
    def.execution = execution(reader, fields);
    def.events = events(reader, fields);
    def.contract = contract(reader, fields);
    def.annotations = annotations(reader, fields);
    draft.requires_auth =
        reader.bool("`requires_auth`", fields.get("requires_auth")).unwrap_or_default();
    draft
}

fn outputs(reader: &mut Reader<'_>, fields: Fields<'_>) -> Outputs {
    let mut any = false;
    let names = reader.list_of("`outputs`", fields.get("outputs"), |reader, item| {
        let text = item.as_str().unwrap_or_default();
        if text == "*" {
            any = true;
            return Some(None);
        }
        match text.strip_suffix('?') {
            Some(name) if is_variable(name) => {
                Some(Some(OutputDecl { name: name.to_owned(), optional: true }))
            }
            _ => {
                let name = reader.variable("an output", item)?;
                Some(Some(OutputDecl { name, optional: false }))
            }
        }
    });
    Outputs { names: names.into_iter().flatten().collect(), any }
}

fn when(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    if let Kind::Bool(value) = node.kind {
        return Some(value.to_string());
    }
    Some(reader.text("`when`", node)?.to_owned())
}

fn for_each(reader: &mut Reader<'_>, node: &Node) -> Option<ForEach> {
    match &node.kind {
        Kind::List(items) => Some(ForEach::Items(items.iter().map(Node::to_value).collect())),
        Kind::String(text) => {
            let text = text.trim();
            let whole = placeholders(text).next().filter(|found| found.range == (0..text.len()));
            let name = match whole {
                Some(found) if !found.host => found.name,
                _ => text,
            };
            if is_variable(name) {
                return Some(ForEach::Variable(name.to_owned()));
            }
            let message = "`for_each` is neither a list nor a variable's name".to_owned();
            let help =
                "write `for_each: [a, b]`, or `for_each: NAME` for a variable that holds a list";
            reader.bad_value(message, node, help);
            None
        }
        _ => {
            reader.wrong_type("`for_each`", "a list or a variable's name", node, "");
            None
        }
    }
}

fn retry(reader: &mut Reader<'_>, fields: Fields<'_>) -> RetryPolicy {
    let mut policy = RetryPolicy::default();
    let Some(node) = fields.get("retry") else { return policy };
    let Some(fields) = reader.fields(Section::Retry, node) else { return policy };
    let most = i64::from(RetryPolicy::ATTEMPTS_MAX);
    let attempts = reader.integer("`max_attempts`", fields.get("max_attempts"), (1, most));
    if let Some(attempts) = attempts {
        policy.max_attempts = attempts as u32;
    }
    let kinds = [
        ("none", Backoff::None),
        ("fixed", Backoff::Fixed),
        ("linear", Backoff::Linear),
        ("exponential", Backoff::Exponential),
    ];
    if let Some(backoff) = reader.one_of("`backoff`", fields.get("backoff"), &kinds) {
        policy.backoff = backoff;
    }
    let initial = reader.duration("`initial`", fields.get("initial"));
    let max = reader.duration("`max`", fields.get("max"));
    policy.initial = initial.unwrap_or(policy.initial);
    policy.max = max.unwrap_or_else(|| policy.max.max(policy.initial));
    if let (Some(initial), Some(max)) = (initial, max)
        && initial > max
        && let Some(node) = fields.get("initial")
    {
        let message = "`initial` is longer than `max`".to_owned();
        reader.bad_value(message, node, "make `max` at least as long as the first wait");
    }
    if let Some(jitter) = reader.number("`jitter`", fields.get("jitter"), (0.0, 1.0)) {
        policy.jitter = jitter;
    }
    policy
}

fn permissions(reader: &mut Reader<'_>, fields: Fields<'_>) -> Vec<String> {
    let Some(node) = fields.get("permissions") else { return Vec::new() };
    let Some(fields) = reader.fields(Section::Permissions, node) else { return Vec::new() };
    let required = fields.get("required");
    reader.list_of("`required`", required, |r, item| r.name("a permission", item))
}

fn execution(reader: &mut Reader<'_>, fields: Fields<'_>) -> Execution {
    let mut execution = Execution::default();
    let Some(node) = fields.get("execution") else { return execution };
    let Some(fields) = reader.fields(Section::Execution, node) else { return execution };
    execution.exclusive = reader.bool("`async`", fields.get("async")) == Some(false);
    execution.timeout = reader.duration("`timeout`", fields.get("timeout"));
    let u32_bounds = (1, i64::from(u32::MAX));
    let workers = reader.integer("`workers`", fields.get("workers"), u32_bounds);
    execution.workers = workers.map(|workers| workers as u32);
    execution.depends_on = reader
        .list_of("`depends_on`", fields.get("depends_on"), |r, item| r.name("a task's name", item));
    let group = fields.get("parallel_group");
    execution.parallel_group = group.and_then(|node| reader.name("`parallel_group`", node));
    execution.sync_before =
        reader.bool("`sync_before`", fields.get("sync_before")).unwrap_or_default();
    execution.sync_after =
        reader.bool("`sync_after`", fields.get("sync_after")).unwrap_or_default();
    execution.queue = fields.get("queue").and_then(|node| reader.name("`queue`", node));
    let i32_bounds = (i64::from(i32::MIN), i64::from(i32::MAX));
    let priority = reader.integer("`priority`", fields.get("priority"), i32_bounds);
    execution.priority = priority.unwrap_or_default() as i32;
    execution
}

fn events(reader: &mut Reader<'_>, fields: Fields<'_>) -> Vec<EventDecl> {
    let Some(node) = fields.get("events") else { return Vec::new() };
    if node.items().len() > EVENTS_MOST {
        let message = format!("a task announces at most {EVENTS_MOST} events");
        let problem = Diagnostic::error(ErrorCode::TooLarge, message).at(node.span, "");
        reader.push(problem.help("announce fewer, with more in each payload"));
        return Vec::new();
    }
    // What is wrong with an event leaves the graph as it is.
    let graph_known = reader.graph_known;
    let events = reader.list_of("`events`", Some(node), event);
    reader.graph_known = graph_known;
    events
}

fn event(reader: &mut Reader<'_>, node: &Node) -> Option<EventDecl> {
    if let Some(name) = node.as_str() {
        return Some(EventDecl { name: name.to_owned(), on: EventTrigger::Success, payload: None });
    }
    if !matches!(node.kind, Kind::Map(_)) {
        reader.wrong_type("an event", "a name or a map", node, "write `order.placed`");
        return None;
    }
    let fields = reader.fields(Section::Event, node)?;
    let at = node.entries().first().map_or(node.span, |entry| entry.key_span);
    let name = reader.require(fields, "name", at);
    let name = name.and_then(|node| reader.text("an event's `name`", node));
    let triggers = [
        ("success", EventTrigger::Success),
        ("failure", EventTrigger::Failure),
        ("always", EventTrigger::Always),
    ];
    let on = reader.one_of("`on`", fields.get("on"), &triggers).unwrap_or_default();
    let payload = fields.get("payload").map(|node| {
        reader.list_of("`payload`", Some(node), |r, item| r.variable("a variable", item))
    });
    Some(EventDecl { name: name?.to_owned(), on, payload })
}

fn contract(reader: &mut Reader<'_>, fields: Fields<'_>) -> Option<Box<Contract>> {
    let node = fields.get("contract")?;
    let fields = reader.fields(Section::Contract, node)?;
    let success = fields.get("success").map(Node::to_value);
    let error = fields.get("error").map(Node::to_value);
    let some = success.is_some() || error.is_some();
    some.then(|| Box::new(Contract { success, error }))
}

fn annotations(reader: &mut Reader<'_>, fields: Fields<'_>) -> BTreeMap<String, String> {
    let mut notes = BTreeMap::new();
    if let Some(node) = fields.get("annotations") {
        if !matches!(node.kind, Kind::Map(_)) {
            reader.wrong_type("`annotations`", "a map", node, "write `name: text` lines");
        }
        for entry in node.entries() {
            let key = &*entry.key;
            if let Some(why) = super::why_not_name(key) {
                reader.push(bad_name("the annotation", key, why, entry.key_span));
            } else if let Some(text) = reader.text(&format!("the annotation `{key}`"), &entry.value)
            {
                notes.insert(key.to_owned(), text.to_owned());
            }
        }
    }
    if let Some(node) = fields.get(DESCRIPTION)
        && let Some(text) = reader.text("`description`", node)
        && notes.insert(DESCRIPTION.to_owned(), text.to_owned()).is_some()
    {
        let message = "the task's description is given twice".to_owned();
        let problem = Diagnostic::error(ErrorCode::DuplicateKey, message).at(node.span, "");
        reader
            .push(problem.help(
                "`description` is kept as the annotation `description`; keep one of the two",
            ));
    }
    notes
}
