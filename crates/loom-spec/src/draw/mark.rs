//! Where a task of a run stands, in a picture.

use loom_core::{History, TaskPhase};
use std::collections::BTreeSet;

/// Where a task stands, and what is worth saying of how it came there.
pub(super) struct Mark {
    pub(super) phase: TaskPhase,
    /// How many attempts there were, if more than one, and how many items have settled.
    notes: Vec<String>,
}

/// Where each task of a run stands, in the order of the file.
pub(super) fn marks(history: &History) -> Vec<Mark> {
    let mark = |(task, record): (_, &loom_core::TaskRecord)| {
        let mut notes = Vec::new();
        let items = history.run().items(task);
        if let Some((count, settled)) = items {
            notes.push(format!("{settled}/{count} items"));
        }
        let attempts = record.attempts.len();
        if attempts > items.map_or(1, |(count, _)| count as usize) {
            notes.push(format!("{attempts} attempts"));
        }
        Mark { phase: history.run().phase(task), notes }
    };
    history.tasks().map(mark).collect()
}

/// How a phase looks. A shape goes with each colour, for those who do not tell colours apart.
struct Look {
    /// What stands around a Mermaid node's text.
    brackets: (&'static str, &'static str),
    /// Attributes of a DOT node beside its colours.
    dot: &'static str,
    fill: &'static str,
    line: &'static str,
}

const fn look(phase: TaskPhase) -> Look {
    let (brackets, dot, fill, line) = match phase {
        TaskPhase::Waiting => {
            (("[", "]"), "shape=box, style=\"filled,dashed\"", "#f8fafc", "#94a3b8")
        }
        TaskPhase::Ready => (("[", "]"), "shape=box, style=filled", "#e2e8f0", "#475569"),
        TaskPhase::Running => (("[[", "]]"), "shape=box3d, style=filled", "#dbeafe", "#2563eb"),
        TaskPhase::BackingOff => (("[/", "\\]"), "shape=note, style=filled", "#fef3c7", "#d97706"),
        TaskPhase::Succeeded => {
            (("(", ")"), "shape=box, style=\"filled,rounded\"", "#dcfce7", "#16a34a")
        }
        TaskPhase::Failed => (("{{", "}}"), "shape=octagon, style=filled", "#fee2e2", "#dc2626"),
        TaskPhase::Skipped => {
            (("[/", "/]"), "shape=parallelogram, style=filled", "#f1f5f9", "#94a3b8")
        }
        TaskPhase::Cancelled => {
            (("[\\", "/]"), "shape=invtrapezium, style=filled", "#f5e6da", "#9a5b2a")
        }
        TaskPhase::Resolved => (("([", "])"), "shape=hexagon, style=filled", "#ede9fe", "#7c3aed"),
    };
    Look { brackets, dot, fill, line }
}

impl Mark {
    pub(super) const fn brackets(&self) -> (&'static str, &'static str) {
        look(self.phase).brackets
    }

    pub(super) fn dot(&self) -> String {
        let Look { dot, fill, line, .. } = look(self.phase);
        format!("{dot}, fillcolor=\"{fill}\", color=\"{line}\"")
    }

    /// The phase in words, and the rest.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let phase = self.phase.name().replace('_', " ");
        std::iter::once(phase).chain(self.notes.iter().cloned())
    }
}

/// The definitions of the classes that these marks use, for Mermaid.
pub(super) fn classes<'a>(marks: impl Iterator<Item = &'a Mark>) -> Vec<String> {
    let phases: BTreeSet<TaskPhase> = marks.map(|mark| mark.phase).collect();
    let class = |phase: TaskPhase| {
        let Look { fill, line, .. } = look(phase);
        format!("classDef {} fill:{fill},stroke:{line},color:#0f172a", phase.name())
    };
    phases.into_iter().map(class).collect()
}
