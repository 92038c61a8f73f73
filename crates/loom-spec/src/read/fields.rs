//! Taking a map apart by the table of keys.

use crate::diagnostic::{Diagnostic, Problems};
use crate::document::{Entry, Kind, Node};
use crate::keys::Section;
use crate::source::{Source, Span};
use crate::suggest::{listed, nearest};
use loom_protocol::ErrorCode;

/// Reads one file and collects what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    problems: &'a mut Problems,
    /// See [`crate::draft::Draft::graph_known`].
    pub(super) graph_known: bool,
}

/// The map of a section.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    section: Section,
    node: &'a Node,
}

/// The keys of tasks and their `execution` by which tasks hang together.
const SHAPING: [&str; 8] =
    ["name", "plugin", "inputs", "outputs", "when", "for_each", "execution", "depends_on"];

impl<'a> Reader<'a> {
    pub(super) const fn new(source: &'a Source, problems: &'a mut Problems) -> Self {
        Self { source, problems, graph_known: true }
    }

    pub(super) fn push(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    /// The map of a section; what is not a map, and keys that the section does not have, are
    /// reported.
    pub(super) fn fields<'n>(&mut self, section: Section, node: &'n Node) -> Option<Fields<'n>> {
        if !matches!(node.kind, Kind::Map(_)) {
            let keys = listed(section.keys().map(|key| key.name), 4);
            self.wrong_type(section.title(), "a map", node, &format!("its keys are {keys}"));
            self.graph_known = false;
            return None;
        }
        for entry in node.entries() {
            if section.key(&entry.key).is_none() {
                self.unknown(section, entry);
            }
        }
        Some(Fields { section, node })
    }

    fn unknown(&mut self, section: Section, entry: &Entry) {
        let key = &*entry.key;
        let near = nearest(key, section.keys().map(|known| known.name));
        let elsewhere = Section::ALL.into_iter().find(|other| other.key(key).is_some());
        let title = section.title();
        let problem =
            Diagnostic::error(ErrorCode::UnknownKey, format!("{title} has no key `{key}`"))
                .at(entry.key_span, "unknown key");
        let problem = match (near, elsewhere) {
            (None, Some(other)) if !other.path().is_empty() => {
                problem.help(format!("`{key}` belongs in `{}`", other.path()))
            }
            (None, _) => {
                let known = listed(section.keys().map(|known| known.name), 20);
                problem.help(format!("its keys are {known}"))
            }
            (Some(near), _) => problem.did_you_mean(entry.key_span, Some(near), String::new()),
        };
        self.push(problem);
        // Else what is missing for it would be reported too, as another problem.
        let shapes = |key: &str| SHAPING.contains(&key);
        self.graph_known &= !shapes(key) && !near.is_some_and(shapes);
    }

    /// The value of a key that must be there.
    pub(super) fn require<'n>(
        &mut self,
        fields: Fields<'n>,
        key: &str,
        at: Span,
    ) -> Option<&'n Node> {
        let found = fields.get(key);
        if found.is_none() {
            let known = fields.section.key(key).expect("every key that is read is in the table");
            let example = known.example.lines().next().unwrap_or_default();
            let message = format!("{} has no `{key}`", fields.section.title());
            let (span, label) = match fields.node.entry(key) {
                Some(entry) => (entry.key_span, "it has no value"),
                None => (at, "it is missing here"),
            };
            let problem = Diagnostic::error(ErrorCode::MissingKey, message).at(span, label);
            self.push(problem.help(format!("add it, for example `{example}`")));
        }
        found
    }

    /// Reports a value of the wrong type. `what` is the thing, `wanted` what it must be.
    pub(super) fn wrong_type(&mut self, what: &str, wanted: &str, node: &Node, help: &str) {
        let message = format!("{what} must be {wanted}, and this is {}", node.describe());
        let problem =
            Diagnostic::error(ErrorCode::WrongType, message).at(node.span, format!("not {wanted}"));
        self.push(if help.is_empty() { problem } else { problem.help(help) });
    }

    pub(super) fn bad_value(&mut self, message: String, node: &Node, help: impl Into<String>) {
        self.push(Diagnostic::error(ErrorCode::BadValue, message).at(node.span, "").help(help));
    }
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` if it is not there or null.
    pub(super) fn get(self, key: &str) -> Option<&'n Node> {
        debug_assert!(self.section.key(key).is_some(), "{key} is not in the table of keys");
        self.node.get(key).filter(|node| node.kind != Kind::Null)
    }
}
