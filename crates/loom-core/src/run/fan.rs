//! The items of a `for_each` task that has fired.

use super::slot::Progress;
use crate::{Output, TaskPhase, TaskStep, Value};
use std::collections::VecDeque;
use std::sync::Arc;

/// A `for_each` task's items and how far each has come.
#[derive(Debug)]
pub(crate) struct Fan {
    pub(crate) items: Arc<Vec<Value>>,
    pub(crate) progress: Vec<Progress>,
    /// What each item that succeeded emitted, declared outputs only.
    pub(crate) outputs: Vec<Vec<Output>>,
    /// Items that are ready (perhaps no longer: it is cleaned when it is read).
    pub(crate) queue: VecDeque<u32>,
    /// Items that have not settled.
    pub(crate) left: u32,
    /// Items whose attempt is with the executor.
    pub(crate) out: u32,
    pub(crate) failed: u32,
}

impl Fan {
    pub(crate) fn new(items: Vec<Value>) -> Self {
        let count = items.len();
        Self {
            items: Arc::new(items),
            progress: vec![Progress::in_phase(TaskPhase::Ready); count],
            outputs: vec![Vec::new(); count],
            queue: (0..count as u32).collect(),
            left: count as u32,
            out: 0,
            failed: 0,
        }
    }

    /// The next item that may start, without taking it off.
    pub(crate) fn front(&mut self) -> Option<u32> {
        while let Some(&item) = self.queue.front() {
            let progress = &self.progress[item as usize];
            if progress.phase == TaskPhase::Ready && !progress.held {
                return Some(item);
            }
            self.queue.pop_front();
        }
        None
    }

    /// Items that did not succeed are ready again, with all of their attempts.
    pub(crate) fn reopen(&mut self) {
        self.failed = 0;
        self.left = 0;
        self.queue.clear();
        for (item, progress) in self.progress.iter_mut().enumerate() {
            if progress.phase == TaskPhase::Succeeded {
                continue;
            }
            match progress.phase {
                TaskPhase::Failed => progress.step(TaskStep::Retry),
                TaskPhase::Cancelled => {
                    progress.step(TaskStep::Reopen);
                    progress.step(TaskStep::Fire);
                }
                // Its task was stopped while it waited for its next attempt.
                TaskPhase::BackingOff => progress.step(TaskStep::Due),
                _ => {}
            }
            progress.failures = 0;
            self.left += 1;
            self.queue.push_back(item as u32);
        }
    }

    /// The declared outputs of all items as lists, one element an item, null where an item emitted
    /// nothing under the name. Secret if any element is. `names` are those that the task declares;
    /// others (of a task with `["*"]`) follow in the order in which they first appear.
    pub(crate) fn gathered(&self, names: impl Iterator<Item = String>) -> Vec<Output> {
        let mut names: Vec<String> = names.collect();
        for output in self.outputs.iter().flatten() {
            if !names.contains(&output.name) {
                names.push(output.name.clone());
            }
        }
        names
            .into_iter()
            .map(|name| {
                let mut secret = false;
                let values = self.outputs.iter().map(|outputs| {
                    let output = outputs.iter().find(|output| output.name == name);
                    secret |= output.is_some_and(|output| output.secret);
                    output.map_or(Value::Null, |output| output.value.clone())
                });
                let value = Value::Array(values.collect());
                Output { name, value, declared: true, secret }
            })
            .collect()
    }
}
