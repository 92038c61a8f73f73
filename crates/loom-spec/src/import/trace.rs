//! A `WfFormat` trace as it is: tasks, their parents, files and running times.

use crate::diagnostic::Diagnostic;
use crate::document::{Kind, Node};
use loom_protocol::ErrorCode;
use std::collections::HashMap;

/// The versions whose shape is known.
const VERSIONS: [&str; 3] = ["1.4", "1.5", "1.6"];

/// What is wrong with a trace.
pub(super) type Wrong = Box<Diagnostic>;

/// One task of a trace.
pub(super) struct TraceTask<'n> {
    pub(super) id: &'n str,
    pub(super) name: &'n str,
    /// The places of the tasks that it waits for, each once.
    pub(super) parents: Vec<usize>,
    /// The files that it reads, each once.
    pub(super) reads: Vec<&'n str>,
    /// The files that it writes, each once.
    pub(super) writes: Vec<&'n str>,
    /// How long it ran.
    pub(super) seconds: f64,
}

/// Reads a trace's tasks.
pub(super) fn tasks(root: &Node) -> Result<Vec<TraceTask<'_>>, Wrong> {
    let version = text(root, "", "schemaVersion")?;
    let known = |known: &&str| {
        version.strip_prefix(*known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if !VERSIONS.iter().any(known) {
        let node = root.get("schemaVersion").expect("it was just read");
        let message = format!("WfFormat {} is not known", version.escape_debug());
        return Err(wrong(node, "/schemaVersion", message)
            .help(format!("the versions that can be imported are {}", VERSIONS.join(", ")))
            .into());
    }
    let workflow = member(root, "", "workflow")?;
    let (base, list, runtimes) = match workflow.get("specification") {
        Some(specification) => {
            let at = "/workflow/specification";
            let list = list(specification, at, "tasks")?;
            (format!("{at}/tasks"), list, runtimes(workflow)?)
        }
        None => ("/workflow/tasks".into(), list(workflow, "/workflow", "tasks")?, HashMap::new()),
    };
    let places = places(list, &base)?;
    list.iter()
        .enumerate()
        .map(|(at, node)| task(node, &format!("{base}/{at}"), &places, &runtimes))
        .collect()
}

/// The name of the workflow.
pub(super) fn name(root: &Node) -> Result<&str, Wrong> {
    text(root, "", "name")
}

/// Task id or, where tasks have none of their own, name → place.
fn places<'n>(list: &'n [Node], base: &str) -> Result<HashMap<&'n str, usize>, Wrong> {
    let mut places = HashMap::with_capacity(list.len());
    for (at, node) in list.iter().enumerate() {
        let pointer = format!("{base}/{at}");
        let key = if node.get("id").is_some() { "id" } else { "name" };
        let id = text(node, &pointer, key)?;
        if let Some(first) = places.insert(id, at) {
            let message = format!("two tasks have the id `{}`", id.escape_debug());
            return Err(wrong(node.get(key).unwrap_or(node), &format!("{pointer}/{key}"), message)
                .also(list[first].get(key).unwrap_or(node).span, "first used here")
                .into());
        }
    }
    Ok(places)
}

fn runtimes(workflow: &Node) -> Result<HashMap<&str, f64>, Wrong> {
    let execution = member(workflow, "/workflow", "execution")?;
    let list = list(execution, "/workflow/execution", "tasks")?;
    list.iter()
        .enumerate()
        .map(|(at, node)| {
            let pointer = format!("/workflow/execution/tasks/{at}");
            Ok((text(node, &pointer, "id")?, seconds(node, &pointer)?))
        })
        .collect()
}

fn task<'n>(
    node: &'n Node,
    pointer: &str,
    places: &HashMap<&str, usize>,
    runtimes: &HashMap<&str, f64>,
) -> Result<TraceTask<'n>, Wrong> {
    let name = text(node, pointer, "name")?;
    let id = node.get("id").and_then(Node::as_str).unwrap_or(name);
    let seconds = match runtimes.get(id) {
        Some(&seconds) => seconds,
        None if node.get("runtimeInSeconds").is_some() => seconds(node, pointer)?,
        None => {
            let message = format!("nothing says how long the task `{}` ran", id.escape_debug());
            return Err(wrong(node.get("id").unwrap_or(node), pointer, message)
                .help("list it in /workflow/execution/tasks with `runtimeInSeconds`")
                .into());
        }
    };
    let mut parents = Vec::new();
    for (at, parent) in optional_list(node, pointer, "parents")?.iter().enumerate() {
        let pointer = format!("{pointer}/parents/{at}");
        let id = parent.as_str().ok_or_else(|| Box::new(not(parent, &pointer, "a string")))?;
        let place = *places.get(id).ok_or_else(|| {
            wrong(parent, &pointer, format!("there is no task `{}`", id.escape_debug()))
        })?;
        parents.push(place);
    }
    parents.sort_unstable();
    parents.dedup();
    let (reads, writes) = files(node, pointer)?;
    Ok(TraceTask { id, name, parents, reads, writes, seconds })
}

/// The files that a task reads and writes. Up to version 1.4 both are in one list.
fn files<'n>(node: &'n Node, pointer: &str) -> Result<(Vec<&'n str>, Vec<&'n str>), Wrong> {
    let mut reads = names(node, pointer, "inputFiles")?;
    let mut writes = names(node, pointer, "outputFiles")?;
    for (at, file) in optional_list(node, pointer, "files")?.iter().enumerate() {
        let pointer = format!("{pointer}/files/{at}");
        let name = text(file, &pointer, "name")?;
        match text(file, &pointer, "link")? {
            "input" => reads.push(name),
            "output" => writes.push(name),
            _ => {
                let link = file.get("link").expect("it was just read");
                return Err(not(link, &format!("{pointer}/link"), "`input` or `output`").into());
            }
        }
    }
    for list in [&mut reads, &mut writes] {
        list.sort_unstable();
        list.dedup();
    }
    Ok((reads, writes))
}

fn names<'n>(node: &'n Node, pointer: &str, key: &str) -> Result<Vec<&'n str>, Wrong> {
    let items = optional_list(node, pointer, key)?.iter().enumerate();
    items
        .map(|(at, item)| {
            let not = || Box::new(not(item, &format!("{pointer}/{key}/{at}"), "a string"));
            item.as_str().ok_or_else(not)
        })
        .collect()
}

fn seconds(node: &Node, pointer: &str) -> Result<f64, Wrong> {
    let found = member(node, pointer, "runtimeInSeconds")?;
    let number = match found.kind {
        Kind::Int(number) => number as f64,
        Kind::Float(number) => number,
        _ => f64::NAN,
    };
    if !(0.0..1e9).contains(&number) {
        return Err(
            not(found, &format!("{pointer}/runtimeInSeconds"), "a number of seconds").into()
        );
    }
    Ok(number)
}

fn member<'n>(node: &'n Node, pointer: &str, key: &str) -> Result<&'n Node, Wrong> {
    node.get(key).ok_or_else(|| {
        let span = node.entries().first().map_or(node.span, |entry| entry.key_span);
        let message = format!("the trace has no `{pointer}/{key}`");
        Diagnostic::error(ErrorCode::BadTrace, message).at(span, "it is missing here").into()
    })
}

fn text<'n>(node: &'n Node, pointer: &str, key: &str) -> Result<&'n str, Wrong> {
    let found = member(node, pointer, key)?;
    found.as_str().ok_or_else(|| not(found, &format!("{pointer}/{key}"), "a string").into())
}

fn list<'n>(node: &'n Node, pointer: &str, key: &str) -> Result<&'n [Node], Wrong> {
    member(node, pointer, key)?;
    optional_list(node, pointer, key)
}

fn optional_list<'n>(node: &'n Node, pointer: &str, key: &str) -> Result<&'n [Node], Wrong> {
    match node.get(key) {
        None => Ok(&[]),
        Some(Node { kind: Kind::List(items), .. }) => Ok(items),
        Some(other) => Err(not(other, &format!("{pointer}/{key}"), "a list").into()),
    }
}

fn not(node: &Node, pointer: &str, wanted: &str) -> Diagnostic {
    wrong(node, pointer, format!("this must be {wanted}, and is {}", node.describe()))
}

fn wrong(node: &Node, pointer: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(ErrorCode::BadTrace, format!("{} (at {pointer})", message.into()))
        .at(node.span, "")
}
