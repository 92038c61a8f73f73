//! Who had to wait for whom because nothing runs beside an `async: false` task.

use super::History;
use super::path::{last_item, settled_seq};
use crate::{TaskIx, Timestamp};

/// Which tasks made others wait because one of the two is `async: false`.
pub(super) struct Solitude {
    /// Tasks that ran and settled, by when they did: by the sequence number of that event.
    ran: Vec<(u64, TaskIx)>,
    /// Those of them that are `async: false`.
    alone: Vec<(u64, TaskIx)>,
}

impl Solitude {
    /// Costs nothing unless the plan has such tasks.
    pub(super) fn of(history: &History) -> Self {
        let plan = history.run().plan();
        let exclusive = |task: TaskIx| plan.task(task).execution.exclusive;
        let mut ran = Vec::new();
        if plan.tasks().any(|(task, _)| exclusive(task)) {
            let settled = history.tasks().filter(|(_, record)| record.started_at().is_some());
            ran.extend(settled.filter_map(|(task, record)| Some((settled_seq(record)?, task))));
            ran.sort_unstable();
        }
        let alone = ran.iter().copied().filter(|(_, task)| exclusive(*task)).collect();
        Self { ran, alone }
    }

    /// The last task that had to end before this one could start, though it was ready, and when that
    /// was.
    pub(super) fn freed_by(&self, history: &History, task: TaskIx) -> Option<(TaskIx, Timestamp)> {
        let record = history.task(task);
        let enabled = record.enabled?;
        let item = last_item(record);
        let first = record.present_attempts().iter().find(|attempt| attempt.item == item)?;
        let exclusive = history.run().plan().task(task).execution.exclusive;
        let others = if exclusive { &self.ran } else { &self.alone };
        let before = others.partition_point(|(seq, _)| *seq < first.seq);
        let &(seq, by) = others[..before].last()?;
        let ended_at = history.task(by).settled_at()?;
        let waited = seq > enabled.seq && ended_at > enabled.at && ended_at <= first.started_at?;
        waited.then_some((by, ended_at))
    }
}
