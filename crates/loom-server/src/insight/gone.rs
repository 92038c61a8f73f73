//! Runs that were deleted: analytics tell of the runs that are there, as they do after a restart.

use super::service::Shared;
use crate::feed::News;
use loom_core::RunId;
use loom_store::FeedPosition;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// With so many to take out of the table, it is gone through.
const MANY: usize = 4096;

/// Deleted runs of which the table may still have rows.
#[derive(Default)]
pub(super) struct Gone {
    /// With the end of the feed when they were deleted: nothing behind it is about them.
    runs: VecDeque<(FeedPosition, RunId)>,
    /// How far the projector has come.
    read: FeedPosition,
}

impl Gone {
    /// Takes in runs that were deleted when the feed ended there.
    fn add(&mut self, end: FeedPosition, runs: &[RunId]) {
        self.runs.extend(runs.iter().map(|run| (end, *run)));
    }

    /// The projector has come so far.
    pub(super) const fn passed(&mut self, at: FeedPosition) {
        self.read = at;
    }

    /// Whether many runs can be taken out at once.
    fn are_many(&self) -> bool {
        self.runs.get(MANY - 1).is_some_and(|(end, _)| *end <= self.read)
    }

    /// Takes out the runs of which the table will get no more rows.
    pub(super) fn take(&mut self) -> HashSet<RunId> {
        let due = self.runs.partition_point(|(end, _)| *end <= self.read);
        self.runs.drain(..due).map(|(_, run)| run).collect()
    }
}

/// Tells analytics of runs that were deleted.
#[derive(Clone)]
pub(crate) struct Forgetter {
    pub(super) shared: Arc<Shared>,
    pub(super) news: watch::Receiver<News>,
}

impl Forgetter {
    /// These runs were deleted.
    pub(crate) fn forget(&self, runs: &[RunId]) {
        let end = self.news.borrow().end;
        let mut gone = self.shared.gone();
        gone.add(end, runs);
        let are_many = gone.are_many();
        drop(gone);
        if are_many {
            self.shared.sweep();
        }
    }

    /// Takes the deleted runs out of the table, however few.
    pub(crate) fn sweep(&self) {
        self.shared.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_taken_out_once_nothing_more_of_it_can_come() {
        let [first, second] = [1, 2].map(|number| RunId::new(number, 0));
        let mut gone = Gone::default();
        gone.add(FeedPosition(5), &[first]);
        gone.add(FeedPosition(9), &[second]);
        gone.passed(FeedPosition(4));
        assert!(gone.take().is_empty());
        gone.passed(FeedPosition(8));
        assert_eq!(gone.take(), HashSet::from([first]));
        gone.passed(FeedPosition(9));
        assert_eq!(gone.take(), HashSet::from([second]));
    }

    #[test]
    fn the_table_is_gone_through_for_many_at_once() {
        let mut gone = Gone::default();
        let runs: Vec<RunId> = (0..MANY as u64).map(|number| RunId::new(number, 0)).collect();
        gone.add(FeedPosition(5), &runs[1..]);
        gone.passed(FeedPosition(5));
        assert!(!gone.are_many());
        gone.add(FeedPosition(6), &runs[..1]);
        assert!(!gone.are_many(), "the last may still get rows");
        gone.passed(FeedPosition(6));
        assert!(gone.are_many());
    }
}
