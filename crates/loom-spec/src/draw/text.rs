//! A picture for a terminal: levels from top to bottom, each task with its arrows.

use super::edges::Picture;
use super::notes;
use crate::limits::grouped;
use std::fmt::Write;

/// How many arrows of a task, and names of a knot, are written out.
const SHOWN: usize = 8;

/// The tasks by level, what each leads to, and its marks: `⑂ split`, `⑃ join`, `alone`
/// (`async: false`), `for each`, `if`, `may fail`, `needs` permissions. Tasks on or behind a cycle
/// come last, marked `↻`.
pub(super) fn draw(picture: &Picture<'_>) -> String {
    let levels = picture.levels();
    let mut order: Vec<u32> = picture.tasks().collect();
    let level = |at: u32| levels[at as usize].map_or(u32::MAX, |level| level);
    order.sort_by_key(|&at| level(at));
    let height = levels.iter().flatten().max().map_or(0, |&deepest| deepest as usize + 1);
    let count = |count: usize, what: &str| {
        format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
    };
    let (tasks, depth) = (count(order.len(), "task"), count(height, "level"));
    let mut out = format!("{} · {tasks} in {depth}\n\n", picture.title);
    let arrows = arrows(picture);
    let width = height.to_string().len();
    let mut shown = None;
    for at in order {
        let head = match levels[at as usize] {
            level if shown == Some(level) => String::new(),
            Some(level) => (level + 1).to_string(),
            None => "↻".into(),
        };
        shown = Some(levels[at as usize]);
        let notes = notes(picture, at).join(" · ");
        let gap = if notes.is_empty() { "" } else { "  " };
        let name = &picture.task(at).name;
        writeln!(out, " {head:>width$}  {name}{gap}{notes}").expect("a string takes all");
        branch(&mut out, &arrows[at as usize], width);
    }
    out
}

/// What each task leads to, as text.
fn arrows(picture: &Picture<'_>) -> Vec<Vec<String>> {
    let mut arrows = vec![Vec::new(); picture.tasks().count()];
    let name = |at: u32| picture.task(at).name.as_str();
    for edge in &picture.edges {
        let why = match edge.vars.as_slice() {
            [] if edge.order => "depends_on ".into(),
            [] => String::new(),
            vars => vars.join(", ") + " ",
        };
        arrows[edge.from as usize].push(format!("{why}─▶ {}", name(edge.to)));
    }
    for knot in &picture.knots {
        let some: Vec<&str> = knot.consumers.iter().take(SHOWN).map(|&to| name(to)).collect();
        let more = match knot.consumers.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {} more", grouped(more)),
        };
        let line = format!("{} ─▶ {}{more}", knot.var, some.join(", "));
        for &from in &knot.producers {
            arrows[from as usize].push(line.clone());
        }
    }
    arrows
}

fn branch(out: &mut String, arrows: &[String], width: usize) {
    let hidden = arrows.len().saturating_sub(SHOWN);
    let more = (hidden > 0).then(|| format!("… {} more", grouped(hidden)));
    let lines: Vec<&String> = arrows.iter().take(SHOWN).chain(&more).collect();
    for (nth, line) in lines.iter().enumerate() {
        let corner = if nth + 1 == lines.len() { "└─" } else { "├─" };
        writeln!(out, " {:width$}  {corner} {line}", "").expect("a string takes all");
    }
}
