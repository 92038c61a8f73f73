//! Building the tree, whatever the syntax: keys, anchors, merges, limits.

use super::{Entry, Kind, Node, scalar};
use crate::diagnostic::{Diagnostic, Problems};
use crate::limits::{Limit, Limits};
use crate::source::Span;
use loom_protocol::ErrorCode;
use loom_protocol::json::is_reserved;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Keys of one map that are compared one by one; larger maps get a set.
const FEW_KEYS: usize = 16;
/// How many strings are kept once, and the most bytes of each.
const SHARED: usize = 1024;
const SHARED_BYTES: usize = 24;

/// How much a value is once its aliases are expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

/// A list or map whose end has not come yet.
struct Open {
    span: Span,
    anchor: usize,
    /// What had been used before it began.
    before: Size,
    /// How deep lists and maps are nested in it so far.
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// The key that waits for its value; `Skip` if the key is wrong.
        key: Option<Key>,
        /// Values of `<<`.
        merges: Vec<Node>,
    },
}

enum Key {
    Named(Arc<str>, Span),
    Merge,
    Skip,
}

impl Open {
    /// Whether it is a map whose next value stands under this key.
    fn awaits(&self, name: &str) -> bool {
        let Content::Map { key: Some(Key::Named(key, _)), .. } = &self.content else {
            return false;
        };
        **key == *name
    }
}

/// A tree under construction.
pub(super) struct Builder<'a> {
    limits: &'a Limits,
    problems: &'a mut Problems,
    text: &'a str,
    open: Vec<Open>,
    /// What anchors name, how much it is, and how deep lists and maps are nested in it.
    anchors: HashMap<usize, (Node, Size, usize)>,
    shared: HashSet<Arc<str>>,
    used: Size,
    root: Option<Node>,
}

/// A scalar as it was written.
pub(super) struct Scalar<'t> {
    pub(super) text: &'t str,
    /// Whether it was written without quotes, so that the text decides what it is.
    pub(super) plain: bool,
    /// The number of its anchor; 0 if it has none.
    pub(super) anchor: usize,
    pub(super) span: Span,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, limits: &'a Limits, problems: &'a mut Problems) -> Self {
        Self {
            limits,
            problems,
            text,
            open: Vec::new(),
            anchors: HashMap::new(),
            shared: HashSet::new(),
            used: Size::default(),
            root: None,
        }
    }

    /// Whether a document was read.
    pub(super) const fn has_root(&self) -> bool {
        self.root.is_some()
    }

    /// The document.
    pub(super) fn finish(self) -> Option<Node> {
        self.root
    }

    /// Reports a problem that does not end the reading.
    pub(super) fn push(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    pub(super) fn scalar(&mut self, scalar: &Scalar<'_>) -> Result<(), Box<Diagnostic>> {
        let &Scalar { text, plain, anchor, span } = scalar;
        let kind = if plain { scalar::plain(text) } else { None };
        let kind = kind.unwrap_or_else(|| Kind::String(self.share(text)));
        if kind.is_no_number() && !self.wants_key() {
            self.problems.push(no_number(text, span));
        }
        let before = self.used;
        self.spend(Size { nodes: 1, bytes: text.len() }, span)?;
        let node = Node { span, kind };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.since(before), 0));
        }
        if self.wants_key() {
            self.key(text, plain, node);
        } else {
            self.place(node);
        }
        Ok(())
    }

    /// The text, kept once however often a short one comes: keys, plugins, words.
    fn share(&mut self, text: &str) -> Arc<str> {
        if text.len() > SHARED_BYTES {
            return text.into();
        }
        if let Some(known) = self.shared.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        if self.shared.len() < SHARED {
            self.shared.insert(Arc::clone(&new));
        }
        new
    }

    pub(super) fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        let Some((node, size, height)) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::error(ErrorCode::NotYaml, "an alias stands within its anchor")
                .at(span, "what it stands for is not complete here")
                .help("write the value out")
                .into());
        };
        let (mut node, size, height) = (node.clone(), *size, *height);
        node.span = span;
        self.spend(size, span)?;
        if self.open.len() + height > self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.raise(height);
        if self.wants_key() {
            match node.kind.clone() {
                Kind::String(text) => self.key(&text, false, node),
                _ => self.key("", false, node),
            }
        } else {
            self.place(node);
        }
        Ok(())
    }

    pub(super) fn begin_list(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        self.begin(anchor, Content::List(Vec::new()), span)
    }

    pub(super) fn begin_map(&mut self, anchor: usize, span: Span) -> Result<(), Box<Diagnostic>> {
        let content = Content::Map { entries: Vec::new(), key: None, merges: Vec::new() };
        self.begin(anchor, content, span)
    }

    fn begin(
        &mut self,
        anchor: usize,
        content: Content,
        span: Span,
    ) -> Result<(), Box<Diagnostic>> {
        if self.open.len() >= self.limits.depth {
            return Err(self.too_deep(span));
        }
        let before = self.used;
        self.spend(Size { nodes: 1, bytes: 0 }, span)?;
        self.open.push(Open { span, anchor, before, height: 0, content });
        Ok(())
    }

    fn too_deep(&self, span: Span) -> Box<Diagnostic> {
        Limit::Depth.exceeded(self.limits).at(span, "one level too deep").into()
    }

    /// The innermost list or map holds something in which lists and maps are nested so deep.
    fn raise(&mut self, height: usize) {
        if let Some(open) = self.open.last_mut() {
            open.height = open.height.max(height);
        }
    }

    /// Ends the innermost list or map, before the byte at `end`.
    pub(super) fn end(&mut self, end: u32) {
        let open = self.open.pop().expect("what ends has begun");
        let span = Span::new(open.span.start, end.max(open.span.end));
        let height = open.height + 1;
        self.raise(height);
        let kind = match open.content {
            Content::List(items) => Kind::List(items.into()),
            Content::Map { entries, merges, .. } => Kind::Map(self.map(entries, &merges).into()),
        };
        let node = Node { span, kind };
        if open.anchor != 0 {
            let size = self.since(open.before);
            self.anchors.insert(open.anchor, (node.clone(), size, height));
        }
        if self.wants_key() {
            self.key("", false, node);
        } else {
            self.place(node);
        }
    }

    /// Whether the next value is the key of the innermost map.
    fn wants_key(&self) -> bool {
        let content = self.open.last().map(|open| &open.content);
        matches!(content, Some(Content::Map { key: None, .. }))
    }

    fn key(&mut self, text: &str, plain: bool, node: Node) {
        let span = node.span;
        let is_map = matches!(node.kind, Kind::Map(_));
        let before = &self.text.as_bytes()[..span.start as usize];
        let braces = is_map && before.ends_with(b"{");
        let named = match node.kind {
            Kind::String(_) if plain && text == "<<" => Key::Merge,
            Kind::String(text) if is_reserved(&text) => {
                let message = "this key is reserved: it would be read back as something else";
                let problem = Diagnostic::error(ErrorCode::WrongType, message);
                self.problems.push(problem.at(span, "reserved").help("write another name"));
                Key::Skip
            }
            Kind::String(text) => Key::Named(text, span),
            // `TRUE` is a variable's name before it is a boolean.
            Kind::Bool(_) if plain => Key::Named(text.into(), span),
            _ if braces => {
                let span = Span::new(span.start - 1, span.end);
                let problem = Diagnostic::error(
                    ErrorCode::WrongType,
                    "a value in double braces is not in quotes, so YAML reads a map",
                );
                let help = "put the value in quotes: \"{{ NAME }}\"";
                self.problems.push(problem.at(span, "").help(help));
                Key::Skip
            }
            // What stands in double braces was reported just now.
            _ if is_map && self.text[span.start as usize..].starts_with("{{") => Key::Skip,
            _ => {
                let help = match node.kind {
                    Kind::List(_) | Kind::Map(_) => "write a name",
                    _ => "put the key in quotes",
                };
                let what = node.describe();
                let message = format!("a key must be a string, and this one is {what}");
                let problem = Diagnostic::error(ErrorCode::WrongType, message);
                self.problems.push(problem.at(span, "not a string").help(help));
                Key::Skip
            }
        };
        if let Some(Open { content: Content::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(named);
        }
    }

    /// Puts a value where it belongs.
    fn place(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key, merges }) => match key.take() {
                Some(Key::Named(key, key_span)) => {
                    entries.push(Entry { key, key_span, value: node });
                }
                Some(Key::Merge) => merges.push(node),
                Some(Key::Skip) | None => {}
            },
        }
    }

    /// A map's entries: each key once, and what `<<` brings in behind them.
    fn map(&mut self, mut entries: Vec<Entry>, merges: &[Node]) -> Vec<Entry> {
        self.drop_repeated(&mut entries);
        if merges.is_empty() {
            return entries;
        }
        let mut known: HashSet<Arc<str>> =
            entries.iter().map(|entry| Arc::clone(&entry.key)).collect();
        for merge in merges {
            let several = merge.items();
            let maps = if several.is_empty() { std::slice::from_ref(merge) } else { several };
            for map in maps {
                if !matches!(map.kind, Kind::Map(_)) {
                    let what = map.describe();
                    let message = format!("`<<` merges a map, and this is {what}");
                    self.problems.push(
                        Diagnostic::error(ErrorCode::WrongType, message)
                            .at(map.span, "not a map")
                            .help("give an alias of a map, `<<: *name`, or a list of such aliases"),
                    );
                }
                let new = map.entries().iter().filter(|entry| known.insert(entry.key.clone()));
                entries.extend(new.cloned());
            }
        }
        entries
    }

    fn drop_repeated(&mut self, entries: &mut Vec<Entry>) {
        let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
        let few = entries.len() <= FEW_KEYS;
        let mut repeated = Vec::new();
        for at in 0..entries.len() {
            let Entry { key, key_span, .. } = &entries[at];
            let first = if few {
                let first = entries[..at].iter().find(|before| before.key == *key);
                first.map(|before| before.key_span)
            } else {
                let first = seen.get(key).copied();
                seen.entry(Arc::clone(key)).or_insert(*key_span);
                first
            };
            if let Some(first) = first {
                let message = format!("the key `{key}` is given twice");
                self.problems.push(
                    Diagnostic::error(ErrorCode::DuplicateKey, message)
                        .at(*key_span, "given again here")
                        .also(first, "first given here")
                        .help("keep one of the two"),
                );
                repeated.push(at);
            }
        }
        let mut at = 0;
        let mut repeated = repeated.into_iter().peekable();
        entries.retain(|_| {
            at += 1;
            repeated.next_if_eq(&(at - 1)).is_none()
        });
    }

    fn spend(&mut self, size: Size, span: Span) -> Result<(), Box<Diagnostic>> {
        self.used.nodes = self.used.nodes.saturating_add(size.nodes);
        self.used.bytes = self.used.bytes.saturating_add(size.bytes);
        let (limit, label) = if self.is_one_task_too_many() {
            (Limit::Tasks, "one task too many")
        } else if self.used.nodes > self.limits.nodes {
            (Limit::Nodes, "the limit is exceeded here")
        } else if self.used.bytes > self.limits.bytes {
            (Limit::Bytes, "the limit is exceeded here")
        } else {
            return Ok(());
        };
        Err(limit.exceeded(self.limits).at(span, label).into())
    }

    /// Whether what comes next is an item of `workflow.tasks` beyond the limit. A file that is much
    /// too large need not be read to its end.
    fn is_one_task_too_many(&self) -> bool {
        let [document, workflow, tasks] = &self.open[..] else { return false };
        let Content::List(items) = &tasks.content else { return false };
        items.len() >= self.limits.tasks && document.awaits("workflow") && workflow.awaits("tasks")
    }

    const fn since(&self, before: Size) -> Size {
        Size { nodes: self.used.nodes - before.nodes, bytes: self.used.bytes - before.bytes }
    }
}

/// Infinities, what is no number, and what is too large for one: values are JSON, which has none of
/// them.
fn no_number(text: &str, span: Span) -> Diagnostic {
    let message = format!("`{text}` is not a number that JSON has");
    Diagnostic::error(ErrorCode::BadValue, message)
        .at(span, "values are JSON")
        .help("write a finite number, or put it in quotes if it is a text")
}
