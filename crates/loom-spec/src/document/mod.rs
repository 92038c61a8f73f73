//! A document as a tree of values that know where they were written.
//!
//! YAML 1.2 (core schema) and JSON. Aliases share what they stand for, so a
//! tree takes memory by the size of the file, whatever its aliases expand to.

mod build;
mod json;
mod places;
mod scalar;
mod yaml;

use crate::diagnostic::{Diagnostic, Problems};
use crate::limits::{Limit, Limits};
use crate::source::{Source, Span};
use build::Builder;
use loom_protocol::ErrorCode;
use serde_json::{Map, Number, Value};
use std::sync::Arc;

/// Reads the only document of a source. Keys that are wrong are reported and left out; `Err` is
/// the problem that ended the reading.
pub(crate) fn parse(
    source: &Source,
    limits: &Limits,
    problems: &mut Problems,
) -> Result<Node, Box<Diagnostic>> {
    if source.text().len() > limits.bytes {
        return Err(Limit::Bytes.exceeded(limits).into());
    }
    if let Some(at) = source.not_utf8_at() {
        return Err(Diagnostic::error(ErrorCode::NotYaml, "the file is not UTF-8 text")
            .at(Span::empty(at as u32), "the bytes here are not UTF-8")
            .help("save the file in the encoding UTF-8")
            .into());
    }
    let mut builder = Builder::new(source.text(), limits, problems);
    if json::is_json(source) {
        json::read(source, &mut builder)?;
    } else {
        yaml::read(source, &mut builder)?;
    }
    builder.finish().ok_or_else(|| {
        Diagnostic::error(ErrorCode::NotAWorkflow, "the file is empty")
            .help("`loom init` writes a first workflow")
            .into()
    })
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where.
    pub(crate) span: Span,
    /// What.
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; one that is not finite was reported.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A list.
    List(Arc<[Node]>),
    /// A map, in the order of the file; no key is there twice.
    Map(Arc<[Entry]>),
}

/// A key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Arc<str>,
    /// Where the key was written.
    pub(crate) key_span: Span,
    /// The value.
    pub(crate) value: Node,
}

impl Kind {
    /// Whether it is an infinity or no number, which JSON has not.
    pub(crate) const fn is_no_number(&self) -> bool {
        matches!(self, Self::Float(number) if !number.is_finite())
    }
}

impl Node {
    /// The entries of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The entry of a map that has this key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The value of a map's key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value without its places. What is no number, which was reported as such, becomes null.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Int(value) => (*value).into(),
            Kind::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            Kind::String(text) => Value::String(text.to_string()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(_) => Value::Object(self.to_map()),
        }
    }

    /// The entries of a map without their places.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        let entries = self.entries().iter();
        entries.map(|entry| (entry.key.to_string(), entry.value.to_value())).collect()
    }

    /// What the value is, for an error message: "a list", "the number 3".
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".into(),
            Kind::Bool(value) => format!("the boolean {value}"),
            Kind::Int(value) => format!("the number {value}"),
            Kind::Float(value) => format!("the number {value}"),
            Kind::String(_) => "a string".into(),
            Kind::List(_) => "a list".into(),
            Kind::Map(_) => "a map".into(),
        }
    }
}
