//! What is wrong with an expression, in our words: where, why, and what to write.

use super::language::{EXPRESSION_TEXT_MAX, FILTERS, FUEL, FUNCTIONS, TESTS, TOO_MUCH};
use super::words::Called;
use minijinja::{Error, ErrorKind};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

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
    if error.detail() == Some(TOO_MUCH) {
        return format!("it builds texts of more than {EXPRESSION_TEXT_MAX} bytes");
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
    match error.kind() {
        ErrorKind::UnknownFilter => Some(no_such(Kind::Filter, name)),
        ErrorKind::UnknownTest => Some(no_such(Kind::Test, name)),
        ErrorKind::UnknownFunction => Some(no_such(Kind::Function, name)),
        ErrorKind::UnknownMethod => Some(no_such(Kind::Method, name)),
        _ => None,
    }
}

/// What is called by its name.
#[derive(Clone, Copy)]
enum Kind {
    Filter,
    Test,
    Function,
    Method,
}

/// That something is not there which an expression takes from the language.
pub(super) fn not_there(called: Called<'_>, expression: &str) -> String {
    let kind = match called {
        Called::Filter(_) => Kind::Filter,
        Called::Test(_) => Kind::Test,
        Called::Function(_) => Kind::Function,
    };
    let name = called.name();
    let before = name.as_ptr() as usize - expression.as_ptr() as usize;
    let place = expression[..before].chars().count() + 1;
    format!("{} (character {place})", no_such(kind, Some(name)))
}

fn no_such(kind: Kind, name: Option<&str>) -> String {
    let (what, known, instead): (&str, &[&str], &str) = match kind {
        Kind::Filter => ("filter", &FILTERS, "write one such as `|int`, `|length` or `|lower`"),
        Kind::Test => ("test", &TESTS, "write one such as `is defined` or `is none`"),
        Kind::Function => {
            ("function", &FUNCTIONS, "what is done to a value is a filter: `COUNT|int`")
        }
        Kind::Method => ("method", &[], "what is done to a value is a filter: `NAME|lower`"),
    };
    let near = name.and_then(|name| nearest(name, known));
    let name = name.map_or_else(String::new, |name| format!(" `{name}`"));
    match near {
        Some(near) => format!("there is no {what}{name}; did you mean `{near}`?"),
        None => format!("there is no {what}{name}; {instead}"),
    }
}

/// The name that was probably meant.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let begins =
        |known: &&&str| known.len() > 1 && (name.starts_with(**known) || known.starts_with(name));
    let distance = |known: &&'a str| (strsim::damerau_levenshtein(name, known), *known);
    let close = known.iter().map(distance).min().filter(|(distance, of)| *distance <= of.len() / 3);
    close.map(|(_, known)| known).or_else(|| known.iter().find(begins).copied())
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
