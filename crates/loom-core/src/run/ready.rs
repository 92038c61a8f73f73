//! Tasks that are ready, highest priority first, then in the order in which they became so.

use crate::TaskIx;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// The queue. A task stands in it at most once; that is its user's care.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    /// Those of priority 0, which most tasks have.
    plain: VecDeque<TaskIx>,
    /// The others, by priority. No queue in it is empty.
    ranked: BTreeMap<Reverse<i32>, VecDeque<TaskIx>>,
}

impl ReadyQueue {
    #[inline]
    pub(crate) fn push(&mut self, priority: i32, task: TaskIx) {
        self.of(priority).push_back(task);
    }

    /// Puts tasks back in front of their priority, in this order.
    pub(crate) fn put_back(&mut self, tasks: Vec<(i32, TaskIx)>) {
        for (priority, task) in tasks.into_iter().rev() {
            self.of(priority).push_front(task);
        }
    }

    pub(crate) fn pop(&mut self) -> Option<(i32, TaskIx)> {
        let ahead = self.ranked.first_key_value().is_some_and(|(priority, _)| priority.0 > 0);
        if !ahead && let Some(task) = self.plain.pop_front() {
            return Some((0, task));
        }
        let mut entry = self.ranked.first_entry()?;
        let priority = entry.key().0;
        let task = entry.get_mut().pop_front();
        if entry.get().is_empty() {
            entry.remove();
        }
        task.map(|task| (priority, task))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.ranked.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.plain.clear();
        self.ranked.clear();
    }

    fn of(&mut self, priority: i32) -> &mut VecDeque<TaskIx> {
        if priority == 0 {
            &mut self.plain
        } else {
            self.ranked.entry(Reverse(priority)).or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_first_then_order() {
        let mut queue = ReadyQueue::default();
        for (priority, task) in [(0, 1), (5, 2), (0, 3), (-1, 5), (5, 4)] {
            queue.push(priority, TaskIx(task));
        }
        let first = queue.pop().unwrap();
        assert_eq!(first, (5, TaskIx(2)));
        queue.put_back(vec![first]);
        let order: Vec<u32> = std::iter::from_fn(|| queue.pop()).map(|(_, task)| task.0).collect();
        assert_eq!(order, [2, 4, 1, 3, 5]);
        assert!(queue.is_empty());
    }
}
