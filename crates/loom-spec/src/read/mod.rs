//! From the tree of a document to a workflow, with every problem on the way.

mod duration;
mod fields;
mod names;
mod task;
mod values;
mod workflow;

pub(crate) use duration::SECONDS_MOST;
pub(crate) use names::{EVENT_NAME_MOST, EVENTS_MOST, why_not_name};

use crate::diagnostic::{Diagnostic, Problems};
use crate::document::{self, Kind};
use crate::draft::Draft;
use crate::limits::Limits;
use crate::source::{Source, Span};
use fields::Reader;
use loom_core::Definition;
use loom_protocol::ErrorCode;

/// Reads a workflow file. It never fails: what is wrong is in [`Draft::problems`].
pub fn load(source: &Source, limits: &Limits) -> Draft {
    let limits = limits.clamped();
    let mut problems = Problems::default();
    let root = document::parse(source, &limits, &mut problems).unwrap_or_else(|problem| {
        problems.push(*problem);
        document::Node { span: Span::default(), kind: Kind::Null }
    });
    let unreadable = problems.errors() > 0 && root.kind == Kind::Null;
    let mut draft = Draft {
        head: Definition::new("", Vec::new()),
        node: root.clone(),
        tasks: Vec::new(),
        graph_known: problems.is_empty(),
        problems,
    };
    if unreadable {
        return draft;
    }
    let mut reader = Reader::new(source, &mut draft.problems);
    if let Some(node) = workflow::find(&mut reader, &root) {
        (draft.head, draft.tasks) = workflow::read(&mut reader, node, &limits);
        draft.graph_known &= reader.graph_known;
        draft.node = node.clone();
    }
    draft
}

/// The problem of a name that is none.
pub(crate) fn bad_name(what: &str, text: &str, why: &str, span: Span) -> Diagnostic {
    let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    let message = if text.is_empty() {
        format!("{what} is not allowed: {why}")
    } else {
        format!("{what} `{shown}` is not allowed: {why}")
    };
    Diagnostic::error(ErrorCode::BadName, message).at(span, "")
}
