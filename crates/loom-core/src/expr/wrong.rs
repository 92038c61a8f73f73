//! What is wrong with an expression, in our words: where, why, and what to write.

use super::FUEL;
use minijinja::{Error, ErrorKind};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// The filters that people look for most, by the name that they have here.
const FILTERS: [&str; 14] = [
    "int", "float", "length", "lower", "upper", "trim", "first", "last", "default", "abs", "round",
    "string", "list", "join",
];

/// As [`FILTERS`].
const TESTS: [&str; 10] = [
    "defined",
    "undefined",
    "none",
    "true",
    "false",
    "number",
    "string",
    "startingwith",
    "endingwith",
    "in",
];

/// Why a text is no expression.
pub(super) fn unreadable(error: &Error, expression: &str) -> String {
    let found = error.range().and_then(|range| Some((range.start, expression.get(range)?)));
    match (error.kind(), found) {
        (ErrorKind::SyntaxError, Some((_, last))) if ends_early(error) => {
            format!("it ends after `{last}`, where something is missing")
        }
        (ErrorKind::SyntaxError, Some((at, word))) => {
            let place = expression[..at].chars().count() + 1;
            let help = if word == "=" { "; `==` compares" } else { "" };
            format!("`{word}` is not expected as its character {place}{help}")
        }
        _ => unknown(error)
            .unwrap_or_else(|| "its brackets, quotes or signs do not fit together".to_owned()),
    }
}

/// Why an expression has no value, given what each variable holds.
pub(super) fn without_value(
    error: &Error,
    named: &HashSet<String>,
    context: &BTreeMap<String, Value>,
) -> String {
    if let Some(unknown) = unknown(error) {
        return unknown;
    }
    match error.kind() {
        ErrorKind::OutOfFuel => format!("it takes more than {FUEL} steps; write a shorter one"),
        ErrorKind::UndefinedError => {
            let mut unset: Vec<&String> =
                named.iter().filter(|name| !context.contains_key(*name)).collect();
            unset.sort_unstable();
            match unset.first() {
                Some(name) => format!("`{name}` is not set; write `{name} is defined and …`"),
                None => {
                    "it uses a part that a value does not have; ask `… is defined` first".into()
                }
            }
        }
        ErrorKind::MissingArgument | ErrorKind::TooManyArguments => {
            "a filter, a test or a function has too few or too many arguments".to_owned()
        }
        _ => {
            let kinds: Vec<String> = context
                .iter()
                .map(|(name, value)| format!("`{name}` is {}", kind(value)))
                .collect();
            let kinds =
                if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
            format!(
                "a value cannot be used in this way{kinds}; `|int`, `|float` and `|string` turn \
                 one kind of value into another, as far as that is possible"
            )
        }
    }
}

/// A name that the language does not know, with one that it does.
fn unknown(error: &Error) -> Option<String> {
    let name = error.detail().and_then(named);
    let (what, known, instead): (&str, &[&str], &str) = match error.kind() {
        ErrorKind::UnknownFilter => ("filter", &FILTERS, "such as `|int`, `|length` or `|lower`"),
        ErrorKind::UnknownTest => ("test", &TESTS, "such as `is defined` or `is none`"),
        ErrorKind::UnknownFunction => {
            ("function", &["range"], "; what is done to a value is a filter: `COUNT|int`")
        }
        ErrorKind::UnknownMethod => {
            ("method", &[], "; what is done to a value is a filter: `NAME|lower`")
        }
        _ => return None,
    };
    let name = name.map_or_else(String::new, |name| format!(" `{name}`"));
    let near = error.detail().and_then(named).and_then(|name| {
        known.iter().find(|known| name.starts_with(**known) || known.starts_with(name))
    });
    Some(match near {
        Some(near) => format!("there is no {what}{name}; did you mean `{near}`?"),
        None if instead.starts_with(';') => format!("there is no {what}{name}{instead}"),
        None => format!("there is no {what}{name}; write one {instead}"),
    })
}

/// The name in what the language says of an unknown one: `filter NAME is unknown`, and the like.
fn named(detail: &str) -> Option<&str> {
    let words: Vec<&str> = detail.split_whitespace().collect();
    let before = words.iter().position(|word| *word == "is")?;
    words.get(before.checked_sub(1)?).copied()
}

fn ends_early(error: &Error) -> bool {
    error.detail().is_some_and(|detail| detail.starts_with("unexpected end"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
