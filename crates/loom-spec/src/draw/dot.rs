//! Graphviz's DOT.

use super::edges::Picture;
use super::{groups, notes};
use std::fmt::Write;

/// A directed graph in DOT: arrows carry variables, dashed ones are `depends_on`, a
/// `parallel_group` is a cluster. In the picture of a run, colours and shapes tell where tasks stand.
pub(super) fn draw(picture: &Picture<'_>) -> String {
    let mut out = format!("digraph {} {{\n", quote(picture.title));
    out += "    rankdir=TB;\n    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
    out += "    edge [fontname=\"sans-serif\", fontsize=10];\n";
    let (groups, alone) = groups(picture);
    alone.iter().for_each(|&at| node(&mut out, picture, at, "    "));
    for (place, (name, tasks)) in groups.iter().enumerate() {
        line(&mut out, format_args!("    subgraph cluster_{place} {{"));
        line(&mut out, format_args!("        label={};", quote(name)));
        tasks.iter().for_each(|&at| node(&mut out, picture, at, "        "));
        line(&mut out, format_args!("    }}"));
    }
    for edge in &picture.edges {
        let mut attributes = Vec::new();
        if !edge.vars.is_empty() {
            attributes.push(format!("label={}", quote(&edge.vars.join(", "))));
        }
        if edge.order {
            attributes.push("style=dashed".into());
        }
        let attributes = match attributes.as_slice() {
            [] => String::new(),
            some => format!(" [{}]", some.join(", ")),
        };
        line(&mut out, format_args!("    t{} -> t{}{attributes};", edge.from, edge.to));
    }
    for (place, knot) in picture.knots.iter().enumerate() {
        line(&mut out, format_args!("    v{place} [label={}, shape=ellipse];", quote(knot.var)));
        for from in &knot.producers {
            line(&mut out, format_args!("    t{from} -> v{place};"));
        }
        for to in &knot.consumers {
            line(&mut out, format_args!("    v{place} -> t{to};"));
        }
    }
    out + "}\n"
}

fn node(out: &mut String, picture: &Picture<'_>, at: u32, indent: &str) {
    let task = picture.task(at);
    let mut label = quote(&task.name);
    let notes = notes(picture, at);
    if !notes.is_empty() {
        label.pop();
        label += "\\n";
        label += &quote(&notes.join(" · "))[1..];
    }
    let mut styles = String::new();
    match picture.mark(at) {
        Some(mark) => styles.extend([", ", &mark.dot()]),
        None if picture.is_barrier(at) => styles += ", shape=oval",
        None => {}
    }
    if task.execution.exclusive {
        styles += ", penwidth=2";
    }
    if task.for_each.is_some() {
        styles += ", peripheries=2";
    }
    line(out, format_args!("{indent}t{at} [label={label}{styles}];"));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes all");
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
