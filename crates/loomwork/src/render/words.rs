//! Sentences about failures and skipped tasks.

use crate::terminal::{fit, printable};
use loom_core::{Failure, Output, Producer, SkipReason, Value};
use loom_protocol::MASK;
use loom_server::wire::code_of;
use std::fmt::Write;

/// A failure in one line.
pub(crate) fn failure_line(failure: &Failure) -> String {
    printable(&format!("[{}] {}", code_of(failure.kind), failure.message))
}

/// Why a task was skipped, in one line.
pub(crate) fn skip_reason(reason: &SkipReason) -> String {
    match reason {
        SkipReason::NoProducer { variable, producers } => {
            if producers.is_empty() {
                format!("nothing sets {variable}")
            } else {
                format!("{variable} stays unset: {}", ends_of(producers))
            }
        }
        SkipReason::Dependency { task } => format!("{task}, which it depends on, did not succeed"),
        SkipReason::Condition { when } => format!("`when: {when}` does not hold"),
        SkipReason::Circular { variables, producers, tasks } => {
            let over: Vec<String> = variables
                .iter()
                .cloned()
                .chain(tasks.iter().map(|on| format!("the end of {on}")))
                .collect();
            let mut text = format!("it waits for itself, over {}", over.join(", "));
            if !producers.is_empty() {
                let _ = write!(text, ": {}", ends_of(producers));
            }
            text
        }
        SkipReason::ByHand { by, reason } if reason.is_empty() => format!("by {by}"),
        SkipReason::ByHand { by, reason } => format!("by {by}: {reason}"),
        SkipReason::Stopped { task } => format!("{task} failed and the run stops on a failure"),
    }
}

/// How those who could have set a variable ended, or stand.
fn ends_of(producers: &[Producer]) -> String {
    let ends = producers.iter().map(|producer| match producer.ended.as_str() {
        "succeeded" => format!("{} succeeded without it", producer.task),
        "waiting" => format!("{} waits too", producer.task),
        ended => format!("{} {}", producer.task, was(ended)),
    });
    ends.collect::<Vec<_>>().join(", ")
}

fn was(ended: &str) -> String {
    match ended {
        "skipped" | "cancelled" => format!("was {ended}"),
        other => other.to_owned(),
    }
}

/// The most characters of a list of outputs.
const OUTPUTS_WIDTH: usize = 80;

/// What a task emitted, on the rest of a line; empty if nothing.
pub(crate) fn outputs_line(outputs: &[Output]) -> String {
    let shown: Vec<String> = outputs
        .iter()
        .filter(|output| output.declared)
        .take(6)
        .map(|output| {
            let value = if output.secret { MASK.to_owned() } else { value_text(&output.value) };
            format!("{}={}", output.name, fit(&value, 40))
        })
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    format!("  {}", fit(&printable(&shown.join("  ")), OUTPUTS_WIDTH))
}

/// A value on one line: texts as they are, anything else as compact JSON.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}

/// `1 task`, `2 tasks`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
