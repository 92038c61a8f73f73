//! The little YAML that a manifest needs: one document of maps, lists and scalars.
//!
//! Anchors, aliases, tags and merge keys are refused, so that what a manifest says is what one reads.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// How deep maps and lists may lie in each other.
const DEPTH: usize = 64;

/// A document and the lines of its top-level keys.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) lines: BTreeMap<String, usize>,
}

/// What cannot be read, and where (lines count from 1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) what: String,
}

/// Reads one document.
pub(super) fn read(text: &str) -> Result<Document, Unreadable> {
    let mut reader = Reader { parser: Parser::new_from_str(text), lines: BTreeMap::new() };
    let mut value = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if value.is_some() => {
                return Err(unreadable(span, "there is more than one document"));
            }
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            event => value = Some(reader.value(event, span, 0)?),
        }
    }
    Ok(Document { value: value.unwrap_or(Value::Null), lines: reader.lines })
}

fn unreadable(span: Span, what: impl Into<String>) -> Unreadable {
    Unreadable { line: span.start.line(), what: what.into() }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    lines: BTreeMap<String, usize>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Unreadable> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                Err(Unreadable { line: error.marker().line(), what: error.info().to_owned() })
            }
            None => Err(Unreadable { line: 1, what: "the file ends early".to_owned() }),
        }
    }

    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Value, Unreadable> {
        if depth > DEPTH {
            return Err(unreadable(span, format!("it is nested deeper than {DEPTH} levels")));
        }
        match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                Err(unreadable(span, "anchors are not allowed in a manifest"))
            }
            Event::Scalar(_, _, _, Some(tag))
            | Event::SequenceStart(_, Some(tag))
            | Event::MappingStart(_, Some(tag)) => {
                Err(unreadable(span, format!("tags such as {tag} are not allowed in a manifest")))
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => Ok(plain(&text)),
            Event::Scalar(text, ..) => Ok(Value::String(text.into_owned())),
            Event::SequenceStart(..) => self.list(depth),
            Event::MappingStart(..) => self.map(depth),
            _ => Err(unreadable(span, "aliases are not allowed in a manifest")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.value(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut object = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(object)),
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(unreadable(span, "a key must be plain text")),
            };
            if depth == 0 {
                self.lines.insert(key.clone(), span.start.line());
            }
            let (event, value_span) = self.next()?;
            let value = self.value(event, value_span, depth + 1)?;
            if object.insert(key.clone(), value).is_some() {
                return Err(unreadable(span, format!("the key `{key}` is given twice")));
            }
        }
    }
}

/// A plain scalar by YAML's core schema, without its octal and hexadecimal numbers.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.trim_start_matches(['-', '+']);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Value::String(text.to_owned());
    }
    text.parse::<i64>()
        .map(Number::from)
        .ok()
        .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
        .map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_lists_and_scalars_become_json_and_keys_keep_their_lines() {
        let text = "description: Says hello.\ncommand: [./run.sh, -n]\nparams:\n  minimum: 1.5\n  \
                    default: -3\n  q: '12'\n  on: yes\n  none: ~\n  inf: .inf\n";
        let document = read(text).unwrap();
        assert_eq!(
            document.value,
            json!({"description": "Says hello.", "command": ["./run.sh", "-n"],
                "params": {"minimum": 1.5, "default": -3, "q": "12", "on": "yes", "none": null,
                    "inf": ".inf"}})
        );
        assert_eq!(document.lines["params"], 3);
        assert_eq!(read("").unwrap().value, Value::Null);
        assert_eq!(read("# nothing\n").unwrap().value, Value::Null);
    }

    #[test]
    fn what_a_manifest_may_not_hold_is_refused_with_its_line() {
        let deep = format!("a: {}{}", "[".repeat(70), "]".repeat(70));
        for (text, line, what) in [
            ("a: 1\nb: &x 2\n", 2, "anchors"),
            ("a: *x\n", 1, ""),
            ("a: !!str 2\n", 1, "tags"),
            ("a: 1\na: 2\n", 2, "twice"),
            ("a: 1\n---\nb: 1\n", 2, "more than one document"),
            ("a: [1\n", 2, ""),
            ("[a]: 1\n", 1, "plain text"),
            (&deep, 1, "deeper"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.what.contains(what), "{text}: {error:?}");
            assert_eq!(error.line, line, "{text}: {error:?}");
        }
    }
}
