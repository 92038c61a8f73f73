//! Diagnostics as JSON, for editors and other programs.

use super::{Diagnostic, Label, Problems};
use crate::source::{Source, Span};
use serde_json::{Map, Value, json};

impl Diagnostic {
    /// An object with `severity`, `code`, `title`, `message` and `file`, and where they are known
    /// `line`, `column`, `end_line`, `end_column` (from 1, in characters, the end exclusive),
    /// `label`, `related`, `help` and `suggestion`.
    pub fn to_json(&self, source: &Source) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("severity", self.severity.name().into());
        put("code", self.code.to_string().into());
        put("title", self.code.title().into());
        put("message", self.message.as_str().into());
        put("file", source.name().into());
        if let Some(Label { span, text }) = &self.primary {
            place(source, *span).into_iter().for_each(|(key, value)| _ = put(&key, value));
            if !text.is_empty() {
                put("label", text.as_str().into());
            }
        }
        if !self.secondary.is_empty() {
            let related = self.secondary.iter().map(|label| {
                let mut object = place(source, label.span);
                object.insert("label".into(), label.text.as_str().into());
                Value::Object(object)
            });
            put("related", related.collect());
        }
        if let Some(help) = &self.help {
            put("help", help.as_str().into());
        }
        if let Some(suggestion) = &self.suggestion {
            let mut change = place(source, suggestion.span);
            change.insert("replacement".into(), suggestion.replacement.as_str().into());
            put("suggestion", Value::Object(change));
        }
        Value::Object(object)
    }
}

impl Problems {
    /// `{"problems": [...], "total": n}`; `total` counts those beyond the first thousand too.
    pub fn to_json(&self, source: &Source) -> Value {
        let problems: Vec<Value> = self.iter().map(|problem| problem.to_json(source)).collect();
        json!({ "problems": problems, "total": self.len() })
    }
}

fn place(source: &Source, span: Span) -> Map<String, Value> {
    let (start, end) = (source.position(span.start), source.position(span.end));
    let mut object = Map::new();
    object.insert("line".into(), start.line.into());
    object.insert("column".into(), start.column.into());
    object.insert("end_line".into(), end.line.into());
    object.insert("end_column".into(), end.column.into());
    object
}
