//! `WfFormat`, the trace format of `WfCommons`: tasks that sleep as long as the real ones ran.

use super::names::Names;
use super::trace::{self, TraceTask};
use crate::diagnostic::{Diagnostic, Problems};
use crate::document;
use crate::limits::Limits;
use crate::source::Source;
use loom_protocol::ErrorCode;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Write;

/// A `WfFormat` trace (1.4 to 1.6, JSON) as the text of a workflow file. Each task becomes a `sleep`
/// of its running time × `scale` seconds. A file that exactly one task writes and a child of it
/// reads becomes a variable; parents without such a file become `depends_on`. So the order is
/// exactly that of the trace's `parents`.
pub fn wfformat(source: &Source, limits: &Limits, scale: f64) -> Result<String, Problems> {
    if !(scale.is_finite() && scale >= 0.0) {
        let message = format!("the scale {scale} cannot be used");
        let problem = Diagnostic::error(ErrorCode::BadArgument, message);
        return Err(problem.help("give a number from 0 up; 0 lets every task end at once").into());
    }
    let mut problems = Problems::default();
    let root = document::parse(source, &limits.clamped(), &mut problems).map_err(|error| *error)?;
    if problems.errors() > 0 {
        return Err(problems);
    }
    let tasks = trace::tasks(&root).map_err(|wrong| *wrong)?;
    let name = trace::name(&root).map_err(|wrong| *wrong)?;
    Ok(file(name, &tasks, scale))
}

fn file(name: &str, tasks: &[TraceTask<'_>], scale: f64) -> String {
    let mut task_names = Names::default();
    let names: Vec<String> = tasks.iter().map(|task| task_names.task(task.id)).collect();
    let links = Links::of(tasks);
    let mut out = format!(
        "workflow:\n  name: {}\n  description: {}\n  tasks:\n",
        quote(&Names::default().task(name)),
        quote(&format!(
            "Imported from a WfFormat trace; each task sleeps {scale} × as long as it ran."
        )),
    );
    for (at, task) in tasks.iter().enumerate() {
        let mut line = |text: std::fmt::Arguments<'_>| {
            writeln!(out, "{text}").expect("a string takes all");
        };
        line(format_args!("    - name: {}", quote(&names[at])));
        line(format_args!("      plugin: sleep"));
        if !links.inputs[at].is_empty() {
            line(format_args!("      inputs: [{}]", links.inputs[at].join(", ")));
        }
        let written: Vec<&str> = links.outputs[at].iter().map(|(var, _)| var.as_str()).collect();
        if !written.is_empty() {
            line(format_args!("      outputs: [{}]", written.join(", ")));
        }
        line(format_args!("      params: {}", params(task, &links.outputs[at], scale)));
        if !links.depends_on[at].is_empty() {
            let on: Vec<String> =
                links.depends_on[at].iter().map(|&on| quote(&names[on])).collect();
            line(format_args!("      execution: {{ depends_on: [{}] }}", on.join(", ")));
        }
        if task.name != names[at] {
            line(format_args!("      annotations: {{ trace_name: {} }}", quote(task.name)));
        }
    }
    out
}

/// How long to sleep, and the value of each variable: the file that it stands for.
fn params(task: &TraceTask<'_>, outputs: &[(String, &str)], scale: f64) -> String {
    let mut params = Map::new();
    let seconds = (task.seconds * scale * 1000.0).round() / 1000.0;
    params.insert("duration".into(), seconds.into());
    if !outputs.is_empty() {
        let values = outputs.iter().map(|(var, file)| {
            // Braces would be filled in.
            let value = if file.contains("{{") { var.as_str() } else { file };
            (var.clone(), Value::from(value))
        });
        params.insert("outputs".into(), Value::Object(values.collect()));
    }
    Value::Object(params).to_string()
}

/// What links the tasks.
struct Links<'t> {
    /// Task → variables that it takes.
    inputs: Vec<Vec<String>>,
    /// Task → variables that it sets, and the files that they stand for.
    outputs: Vec<Vec<(String, &'t str)>>,
    /// Task → parents that no variable links it to.
    depends_on: Vec<Vec<usize>>,
}

impl<'t> Links<'t> {
    fn of(tasks: &[TraceTask<'t>]) -> Self {
        let mut writer: HashMap<&str, Option<usize>> = HashMap::new();
        for (at, task) in tasks.iter().enumerate() {
            for &file in &task.writes {
                // A file with several writers says nothing about order.
                writer.entry(file).and_modify(|writer| *writer = None).or_insert(Some(at));
            }
        }
        let mut names = Names::default();
        let mut vars: HashMap<&str, String> = HashMap::new();
        let count = tasks.len();
        let mut links = Self {
            inputs: vec![Vec::new(); count],
            outputs: vec![Vec::new(); count],
            depends_on: vec![Vec::new(); count],
        };
        for (at, task) in tasks.iter().enumerate() {
            let mut linked = Vec::new();
            for &file in &task.reads {
                let Some(&Some(from)) = writer.get(file) else { continue };
                if task.parents.binary_search(&from).is_err() {
                    continue;
                }
                let var = vars.entry(file).or_insert_with(|| {
                    let var = names.variable(file);
                    links.outputs[from].push((var.clone(), file));
                    var
                });
                links.inputs[at].push(var.clone());
                linked.push(from);
            }
            linked.sort_unstable();
            let unlinked =
                task.parents.iter().filter(|parent| linked.binary_search(parent).is_err());
            links.depends_on[at] = unlinked.copied().collect();
        }
        links
    }
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}
