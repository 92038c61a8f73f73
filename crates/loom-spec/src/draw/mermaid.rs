//! Mermaid flowcharts.

use super::edges::Picture;
use super::mark::classes;
use super::{groups, notes};
use std::fmt::Write;

/// Words that mean something to Mermaid at the start of a line or of a node.
const RESERVED: [&str; 14] = [
    "call",
    "class",
    "classdef",
    "click",
    "default",
    "direction",
    "end",
    "flowchart",
    "graph",
    "href",
    "interpolate",
    "linkstyle",
    "style",
    "subgraph",
];

/// A flowchart in Mermaid's language: arrows carry variables, dotted ones are `depends_on`, a
/// `parallel_group` is a subgraph. In the picture of a run, classes and shapes tell where tasks
/// stand.
pub(super) fn draw(picture: &Picture<'_>) -> String {
    let mut out = String::from("graph TD\n");
    let (groups, alone) = groups(picture);
    alone.iter().for_each(|&at| node(&mut out, picture, at, "    "));
    for (place, (name, tasks)) in groups.iter().enumerate() {
        line(&mut out, format_args!("    subgraph g{place}[\"{}\"]", escape(name)));
        tasks.iter().for_each(|&at| node(&mut out, picture, at, "        "));
        line(&mut out, format_args!("    end"));
    }
    for edge in &picture.edges {
        let (from, to) = (id(picture, edge.from), id(picture, edge.to));
        let arrow = if edge.order { "-.->" } else { "-->" };
        let label = match edge.vars.as_slice() {
            [] => String::new(),
            vars => format!("|{}|", vars.join(", ")),
        };
        line(&mut out, format_args!("    {from} {arrow}{label} {to}"));
    }
    for (place, knot) in picture.knots.iter().enumerate() {
        line(&mut out, format_args!("    v{place}((\"{}\"))", escape(knot.var)));
        for &from in &knot.producers {
            line(&mut out, format_args!("    {} --> v{place}", id(picture, from)));
        }
        for &to in &knot.consumers {
            line(&mut out, format_args!("    v{place} --> {}", id(picture, to)));
        }
    }
    let marks = picture.tasks().filter_map(|at| picture.mark(at));
    classes(marks).iter().for_each(|class| line(&mut out, format_args!("    {class}")));
    out
}

fn node(out: &mut String, picture: &Picture<'_>, at: u32, indent: &str) {
    let mut label = escape(&picture.task(at).name);
    let notes = notes(picture, at);
    if !notes.is_empty() {
        label += "<br/>";
        label += &escape(&notes.join(" · "));
    }
    let mark = picture.mark(at);
    let (open, close) = match mark {
        Some(mark) => mark.brackets(),
        None if picture.is_barrier(at) => ("([", "])"),
        None => ("[", "]"),
    };
    let class = mark.map_or_else(String::new, |mark| format!(":::{}", mark.phase.name()));
    line(out, format_args!("{indent}{}{open}\"{label}\"{close}{class}", id(picture, at)));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes all");
}

/// The name itself where Mermaid takes it, else the task's place in the file.
fn id(picture: &Picture<'_>, at: u32) -> String {
    let name = &picture.task(at).name;
    let plain = loom_core::is_variable(name);
    let lower = name.to_ascii_lowercase();
    let ours = name.strip_prefix(['t', 'g', 'v']).is_some_and(|rest| rest.parse::<u32>().is_ok());
    if plain && !ours && !RESERVED.contains(&lower.as_str()) {
        name.clone()
    } else {
        format!("t{at}")
    }
}

/// Text for a quoted label.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' => out += "#35;",
            '"' => out += "#quot;",
            '<' => out += "#lt;",
            '>' => out += "#gt;",
            '&' => out += "#amp;",
            '`' => out += "#96;",
            c => out.push(c),
        }
    }
    out
}
