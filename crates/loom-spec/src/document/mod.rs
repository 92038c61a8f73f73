//! A document as a tree of values that know where they were written.
//!
//! YAML 1.2 (core schema) and JSON, which is read as YAML. Aliases share what they stand for, so a
//! tree takes memory by the size of the file, whatever its aliases expand to.

mod build;
mod places;
mod scalar;

use crate::source::Span;
use serde_json::{Map, Number, Value};
use std::sync::Arc;

pub(crate) use build::parse;

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
    /// Any other number.
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

    /// The value without its places. Numbers that JSON cannot hold (`.inf`, `.nan`) become null.
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
