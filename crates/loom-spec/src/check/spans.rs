//! Where the parts of a task were written.

use crate::document::{Kind, Node};
use crate::draft::TaskDraft;
use crate::source::Span;

impl TaskDraft {
    /// The task's name, or the task.
    pub(super) fn name_span(&self) -> Span {
        self.span_of(&["name"])
    }

    /// The value at a path of keys; the task's name where the path leads nowhere.
    pub(super) fn span_of(&self, path: &[&str]) -> Span {
        self.at(path).or_else(|| self.node.get("name")).unwrap_or(&self.node).span
    }

    /// The key at the end of a path of keys.
    pub(super) fn key_span(&self, path: &[&str]) -> Span {
        let (last, parents) = path.split_last().expect("a path names a key");
        let entry = self.at(parents).and_then(|node| node.entry(last));
        entry.map_or_else(|| self.name_span(), |entry| entry.key_span)
    }

    /// The item of a list of names that has this name.
    pub(super) fn item_span(&self, path: &[&str], name: &str) -> Span {
        let list = self.at(path);
        let item = list.and_then(|list| list.items().iter().find(|item| is_name(item, name)));
        item.map_or_else(|| self.span_of(path), |item| item.span)
    }

    /// The value at a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.node, |node, key| node.get(key))
    }
}

/// Whether an item of a list is this name, with or without `?`.
fn is_name(item: &Node, name: &str) -> bool {
    match &item.kind {
        Kind::String(text) => **text == *name || text.strip_suffix('?') == Some(name),
        Kind::Bool(value) => name.eq_ignore_ascii_case(if *value { "true" } else { "false" }),
        _ => false,
    }
}

/// The value that a JSON pointer's parts lead to, and the key it stands under.
pub(super) fn follow<'n>(node: &'n Node, pointer: &str) -> &'n Node {
    let parts = pointer.split('/').skip(1);
    let mut node = node;
    for part in parts {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &node.kind {
            Kind::Map(_) => node.get(&part),
            Kind::List(items) => part.parse().ok().and_then(|at: usize| items.get(at)),
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    node
}
