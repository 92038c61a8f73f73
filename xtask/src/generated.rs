//! The parts of `docs/` that are generated from code, between markers.
//!
//! `<!-- generated: NAME -->` and `<!-- end of NAME -->` enclose a part; what is outside is
//! written by hand and left alone.

use crate::Finding;
use loom_core::{RunState, TaskPhase, TaskStep};
use loom_protocol::{Area, ErrorCode};
use std::fmt::Write;
use std::io;
use std::path::Path;

/// A generated part: its page, its name, and what makes it.
type Part = (&'static str, &'static str, fn() -> String);

const PARTS: [Part; 6] = [
    ("docs/lifecycle.md", "run-diagram", run_diagram),
    ("docs/lifecycle.md", "run-table", run_table),
    ("docs/lifecycle.md", "task-diagram", task_diagram),
    ("docs/lifecycle.md", "task-table", task_table),
    ("docs/errors/README.md", "codes", codes),
    ("docs/events.md", "event-examples", event_examples),
];

/// The parts that are not as the code has them.
pub(crate) fn check(root: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (page, name, make) in PARTS {
        let text = std::fs::read_to_string(root.join(page))?;
        match replaced(&text, name, &make()) {
            Some(wanted) if wanted == text => {}
            Some(_) => {
                let what = format!("`{name}` is out of date: cargo run -p xtask -- docs --write");
                findings.push(Finding::new(page, 0, what));
            }
            None => {
                let what = format!("the markers of the generated part `{name}` are missing");
                findings.push(Finding::new(page, 0, what));
            }
        }
    }
    Ok(findings)
}

/// Brings all parts up to date.
pub(crate) fn write(root: &Path) -> io::Result<()> {
    for (page, name, make) in PARTS {
        let text = std::fs::read_to_string(root.join(page))?;
        let wanted = replaced(&text, name, &make()).ok_or_else(|| {
            io::Error::other(format!(
                "{page}: the markers of the generated part `{name}` are missing"
            ))
        })?;
        if wanted != text {
            std::fs::write(root.join(page), wanted)?;
        }
    }
    Ok(())
}

/// The page with the part's content replaced; `None` if it has no such part.
fn replaced(text: &str, name: &str, content: &str) -> Option<String> {
    let opening = format!("<!-- generated: {name} -->\n");
    let closing = format!("<!-- end of {name} -->");
    let from = text.find(&opening)? + opening.len();
    let to = from + text[from..].find(&closing)?;
    Some(format!("{}{content}{}", &text[..from], &text[to..]))
}

fn run_diagram() -> String {
    let mut out = String::from("```mermaid\nstateDiagram-v2\n    [*] --> queued\n");
    for from in RunState::ALL {
        for to in RunState::ALL.into_iter().filter(|&to| from.may_become(to)) {
            let _ = writeln!(out, "    {from} --> {to}");
        }
    }
    for state in RunState::ALL.into_iter().filter(|state| state.is_final()) {
        let _ = writeln!(out, "    {state} --> [*]");
    }
    out + "```\n"
}

fn run_table() -> String {
    let mut out = String::from("| From | May become |\n| --- | --- |\n");
    for from in RunState::ALL {
        let next: Vec<&str> = RunState::ALL
            .into_iter()
            .filter(|&to| from.may_become(to))
            .map(RunState::name)
            .collect();
        let _ = writeln!(out, "| `{from}` | {} |", code_list(&next));
    }
    out
}

fn task_diagram() -> String {
    let mut out = String::from("```mermaid\nstateDiagram-v2\n    [*] --> waiting\n");
    for from in TaskPhase::ALL {
        for step in TaskStep::ALL {
            if let Some(to) = from.next(step) {
                let _ = writeln!(out, "    {from} --> {to}: {step}");
            }
        }
    }
    for phase in TaskPhase::ALL.into_iter().filter(|phase| phase.is_final()) {
        let _ = writeln!(out, "    {phase} --> [*]");
    }
    out + "```\n"
}

fn task_table() -> String {
    let mut out = String::from("| Step |");
    for phase in TaskPhase::ALL {
        let _ = write!(out, " {phase} |");
    }
    out.push_str("\n| --- |");
    out.push_str(&" --- |".repeat(TaskPhase::ALL.len()));
    out.push('\n');
    for step in TaskStep::ALL {
        let _ = write!(out, "| {step} |");
        for phase in TaskPhase::ALL {
            let _ = write!(out, " {} |", phase.next(step).map_or("", TaskPhase::name));
        }
        out.push('\n');
    }
    out
}

fn codes() -> String {
    let mut out = String::new();
    for (area, what) in [
        (Area::Document, "Reading a workflow file"),
        (Area::Check, "Checking a workflow"),
        (Area::Plugin, "Finding and loading plugins"),
        (Area::Task, "Running a task"),
        (Area::Store, "Keeping what happened"),
        (Area::Call, "The call itself"),
        (Area::Server, "Serving requests"),
        (Area::Client, "Working with a server"),
    ] {
        let _ = writeln!(out, "\n## {what}\n\nExit status {}.\n", area.exit() as u8);
        out.push_str("| Code | What |\n| --- | --- |\n");
        for code in ErrorCode::ALL.iter().filter(|code| code.area() == area) {
            let _ = writeln!(out, "| [{code}]({code}.md) | {} |", code.title());
        }
    }
    out + "\n"
}

fn event_examples() -> String {
    let mut out = String::from("```json\n");
    for kind in loom_protocol::event_catalog().types {
        let example = serde_json::to_string(&kind.example).expect("its keys are text");
        let _ = writeln!(out, "{example}");
    }
    out + "```\n"
}

fn code_list(names: &[&str]) -> String {
    if names.is_empty() {
        return "nothing: it is final".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_part_is_replaced() {
        let page = "a\n<!-- generated: x -->\nold\n<!-- end of x -->\nb\n";
        let wanted = "a\n<!-- generated: x -->\nnew\n<!-- end of x -->\nb\n";
        assert_eq!(replaced(page, "x", "new\n").as_deref(), Some(wanted));
        assert_eq!(replaced(page, "y", "new\n"), None);
    }

    #[test]
    fn the_tables_are_the_codes_tables() {
        assert!(run_table().contains("| `queued` | `running`, `cancelled` |"));
        assert!(run_table().contains("| `cancelled` | nothing: it is final |"));
        assert!(task_table().contains("| fire | ready |"));
        assert!(task_diagram().contains("    running --> backing_off: back off\n"));
        assert!(codes().contains("| [L101](L101.md) | the file is not YAML |"));
    }
}
