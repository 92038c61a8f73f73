//! Sentences about failures and skipped tasks.

use crate::bridge::code_of;
use crate::terminal::printable;
use loom_core::{Failure, SkipReason};

/// A failure in one line.
pub(crate) fn failure_line(failure: &Failure) -> String {
    printable(&format!("[{}] {}", code_of(failure.kind), failure.message))
}

/// Why a task was skipped, in one line.
pub(crate) fn skip_reason(reason: &SkipReason) -> String {
    match reason {
        SkipReason::NoProducer { variable, producers } => {
            let ends: Vec<String> = producers
                .iter()
                .map(|producer| match producer.ended.as_str() {
                    "succeeded" => format!("{} succeeded without it", producer.task),
                    ended => format!("{} {}", producer.task, was(ended)),
                })
                .collect();
            if ends.is_empty() {
                format!("nothing sets {variable}")
            } else {
                format!("{variable} stays unset: {}", ends.join(", "))
            }
        }
        SkipReason::Dependency { task } => format!("{task}, which it depends on, did not succeed"),
        SkipReason::Condition { when } => format!("`when: {when}` does not hold"),
        SkipReason::Circular { variables } => {
            format!("it waits for itself, over {}", variables.join(", "))
        }
        SkipReason::Stopped { task } => format!("{task} failed and the run stops on a failure"),
    }
}

fn was(ended: &str) -> String {
    match ended {
        "skipped" | "cancelled" => format!("was {ended}"),
        other => other.to_owned(),
    }
}
