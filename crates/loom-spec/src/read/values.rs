//! Single values: text, names, numbers, durations, lists of names.

use super::duration;
use super::fields::Reader;
use super::names;
use super::{bad_name, why_not_name};
use crate::document::{Kind, Node};
use crate::suggest::{listed, nearest};
use loom_core::is_variable;
use loom_protocol::ErrorCode;
use std::borrow::Cow;
use std::time::Duration;

impl Reader<'_> {
    /// Text. `what` names the key in messages, in backquotes.
    pub(super) fn text<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n str> {
        let text = node.as_str();
        if text.is_none() {
            let help = match node.kind {
                Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {
                    format!("put it in quotes: \"{}\"", self.source.slice(node.span))
                }
                // The parser's own complaint about `{{` without quotes says it all.
                Kind::Map(_) if self.source.slice(node.span).starts_with("{{") => return None,
                _ => String::new(),
            };
            self.wrong_type(what, "a string", node, &help);
        }
        text
    }

    /// A name on one line.
    pub(super) fn name(&mut self, what: &str, node: &Node) -> Option<String> {
        let text = self.text(what, node)?;
        if let Some(why) = why_not_name(text) {
            let help = "use 1 to 200 characters on one line, such as `extract_data`";
            self.push(bad_name(what, text, why, node.span).help(help));
            return None;
        }
        Some(text.to_owned())
    }

    /// The text of an item in a list of variables, where `TRUE` is a name and not a boolean.
    fn word<'n>(&mut self, what: &str, node: &'n Node) -> Option<Cow<'n, str>> {
        if let Kind::Bool(_) = node.kind {
            let written = self.source.slice(node.span);
            if is_variable(written) {
                return Some(Cow::Owned(written.to_owned()));
            }
        }
        self.text(what, node).map(Cow::Borrowed)
    }

    /// A variable's name.
    pub(super) fn variable(&mut self, what: &str, node: &Node) -> Option<String> {
        let word = self.word(what, node)?;
        if !is_variable(&word) {
            let why = "a variable is letters, digits and `_`, and begins with no digit";
            let near = names::as_variable(&word);
            let problem = bad_name("the variable", &word, why, node.span);
            self.push(problem.did_you_mean(node.span, near.as_deref(), String::new()));
            return None;
        }
        Some(word.into_owned())
    }

    /// The items of a list.
    pub(super) fn list<'n>(&mut self, what: &str, node: &'n Node) -> Option<&'n [Node]> {
        if let Kind::List(items) = &node.kind {
            return Some(items);
        }
        let help = match node.kind {
            Kind::String(_) | Kind::Bool(_) => {
                format!("write a list: [{}]", self.source.slice(node.span))
            }
            _ => String::new(),
        };
        self.wrong_type(what, "a list", node, &help);
        None
    }

    /// A list, each item read by `read`; those that it refuses are left out.
    pub(super) fn list_of<T>(
        &mut self,
        what: &str,
        node: Option<&Node>,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Vec<T> {
        let Some(items) = node.and_then(|node| self.list(what, node)) else {
            self.graph_known &= node.is_none();
            return Vec::new();
        };
        let list: Vec<T> = items.iter().filter_map(|item| read(self, item)).collect();
        self.graph_known &= list.len() == items.len();
        list
    }

    pub(super) fn bool(&mut self, what: &str, node: Option<&Node>) -> Option<bool> {
        let node = node?;
        let Kind::Bool(value) = node.kind else {
            let help = match node.as_str() {
                Some("yes" | "Yes" | "on" | "On" | "1") => "write `true`",
                Some("no" | "No" | "off" | "Off" | "0") => "write `false`",
                _ => "",
            };
            self.wrong_type(what, "`true` or `false`", node, help);
            return None;
        };
        Some(value)
    }

    /// A whole number within bounds, both included.
    pub(super) fn integer(
        &mut self,
        what: &str,
        node: Option<&Node>,
        (least, most): (i64, i64),
    ) -> Option<i64> {
        let node = node.filter(|node| !node.kind.is_no_number())?;
        let number = match node.kind {
            Kind::Int(number) => number,
            // As in JSON, where `1.0` is a whole number.
            Kind::Float(number) if number.fract() == 0.0 => number as i64,
            _ => {
                self.wrong_type(what, "a whole number", node, "");
                return None;
            }
        };
        if !(least..=most).contains(&number) {
            let help = if most >= i64::from(i32::MAX) && least > 0 {
                format!("use a whole number from {least}")
            } else {
                format!("use a whole number from {least} to {most}")
            };
            self.bad_value(format!("{what} cannot be {number}"), node, help);
            return None;
        }
        Some(number)
    }

    /// A number within bounds, both included.
    pub(super) fn number(
        &mut self,
        what: &str,
        node: Option<&Node>,
        (least, most): (f64, f64),
    ) -> Option<f64> {
        let node = node.filter(|node| !node.kind.is_no_number())?;
        let number = match node.kind {
            Kind::Int(number) => number as f64,
            Kind::Float(number) => number,
            _ => {
                self.wrong_type(what, "a number", node, "");
                return None;
            }
        };
        if !(least..=most).contains(&number) {
            let help = format!("use a number from {least} to {most}");
            self.bad_value(format!("{what} cannot be {number}"), node, help);
            return None;
        }
        Some(number)
    }

    pub(super) fn duration(&mut self, what: &str, node: Option<&Node>) -> Option<Duration> {
        let node = node.filter(|node| !node.kind.is_no_number())?;
        let read = match &node.kind {
            Kind::Int(seconds) => duration::from_seconds(*seconds as f64),
            Kind::Float(seconds) => duration::from_seconds(*seconds),
            Kind::String(text) => duration::from_text(text),
            _ => {
                self.wrong_type(what, "a duration", node, "write seconds, or `30s`, `5m`, `1h`");
                return None;
            }
        };
        if read.is_none() {
            let written = node.as_str().unwrap_or_else(|| self.source.slice(node.span));
            let shown: String = written.chars().take(60).flat_map(char::escape_debug).collect();
            let message = format!("{what} is not a duration: `{shown}`");
            let help = "write more than 0 seconds, as a number or with `ms`, `s`, `m`, `h` or `d`: \
                        `300`, `1.5`, `500ms`, `2m`";
            self.bad_value(message, node, help);
        }
        read
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        what: &str,
        node: Option<&Node>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let node = node?;
        let text = self.text(what, node)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word);
            let near = nearest(text, known.clone());
            let help = format!("it is one of {}", listed(known, 10));
            let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
            let problem = crate::diagnostic::Diagnostic::error(
                ErrorCode::BadValue,
                format!("{what} cannot be `{shown}`"),
            );
            self.push(problem.at(node.span, "").did_you_mean(node.span, near, help));
        }
        found.map(|(_, value)| *value)
    }
}
