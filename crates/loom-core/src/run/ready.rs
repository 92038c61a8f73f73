//! Tasks that are ready, highest priority first, then in the order in which they became so.

use crate::TaskIx;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// The queue. A task stands in it at most once; that is its user's care.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    by_priority: BTreeMap<Reverse<i32>, VecDeque<TaskIx>>,
}

impl ReadyQueue {
    pub(crate) fn push(&mut self, priority: i32, task: TaskIx) {
        self.by_priority.entry(Reverse(priority)).or_default().push_back(task);
    }

    /// Puts tasks back in front of their priority, in this order.
    pub(crate) fn put_back(&mut self, tasks: Vec<(i32, TaskIx)>) {
        for (priority, task) in tasks.into_iter().rev() {
            self.by_priority.entry(Reverse(priority)).or_default().push_front(task);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<(i32, TaskIx)> {
        let mut entry = self.by_priority.first_entry()?;
        let priority = entry.key().0;
        let task = entry.get_mut().pop_front();
        if entry.get().is_empty() {
            entry.remove();
        }
        task.map(|task| (priority, task))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_priority.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.by_priority.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_first_then_order() {
        let mut queue = ReadyQueue::default();
        for (priority, task) in [(0, 1), (5, 2), (0, 3), (5, 4)] {
            queue.push(priority, TaskIx(task));
        }
        let first = queue.pop().unwrap();
        assert_eq!(first, (5, TaskIx(2)));
        queue.put_back(vec![first]);
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|(_, task)| task.0).collect();
        assert_eq!(order, [2, 4, 1, 3]);
        assert!(queue.is_empty());
    }
}
