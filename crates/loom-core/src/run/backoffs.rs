//! Who waits out a backoff, and until when.

use crate::{TaskRef, Timestamp};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// A heap of times, whose entries count only as long as the map agrees.
#[derive(Debug, Default)]
pub(crate) struct Backoffs {
    until: HashMap<TaskRef, Timestamp>,
    order: BinaryHeap<Reverse<(Timestamp, TaskRef)>>,
}

impl Backoffs {
    pub(crate) fn add(&mut self, task: TaskRef, until: Timestamp) {
        self.until.insert(task, until);
        self.order.push(Reverse((until, task)));
    }

    pub(crate) fn remove(&mut self, task: TaskRef) {
        self.until.remove(&task);
    }

    /// Removes a task together with its items, or one item.
    pub(crate) fn remove_with_items(&mut self, task: TaskRef) {
        if task.item.is_some() {
            self.remove(task);
        } else if !self.until.is_empty() {
            self.until.retain(|other, _| other.task != task.task);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.until.clear();
        self.order.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.until.is_empty()
    }

    pub(crate) fn until(&self, task: TaskRef) -> Option<Timestamp> {
        self.until.get(&task).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TaskRef, Timestamp)> {
        self.until.iter().map(|(&task, &until)| (task, until))
    }

    /// The earliest end of a backoff.
    pub(crate) fn next(&mut self) -> Option<Timestamp> {
        while let Some(&Reverse((until, task))) = self.order.peek() {
            if self.until.get(&task) == Some(&until) {
                return Some(until);
            }
            self.order.pop();
        }
        None
    }

    /// Takes off one task whose backoff is over.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<TaskRef> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, task)) = self.order.pop()?;
        self.until.remove(&task);
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskIx;

    #[test]
    fn removed_and_repeated_backoffs_do_not_wake() {
        let [a, b] = [0, 1].map(|at| TaskRef::whole(TaskIx(at)));
        let mut backoffs = Backoffs::default();
        backoffs.add(a, Timestamp(5));
        backoffs.add(b, Timestamp(6));
        backoffs.remove(a);
        backoffs.add(a, Timestamp(9));
        assert_eq!(backoffs.next(), Some(Timestamp(6)));
        assert_eq!(backoffs.pop_due(Timestamp(7)), Some(b));
        assert_eq!(backoffs.pop_due(Timestamp(7)), None);
        assert_eq!(backoffs.until(a), Some(Timestamp(9)));
        assert_eq!(backoffs.pop_due(Timestamp(9)), Some(a));
        assert!(backoffs.is_empty());
    }
}
