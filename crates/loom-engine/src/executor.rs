//! The seam to those who run attempts.

use loom_core::{Attempt, AttemptKey, News, RunId, Stop};
use loom_store::{NewRun, RunMeta};
use std::sync::Arc;

/// Runs attempts. Calls must not wait for an attempt; what becomes of one is reported through
/// [`crate::Handle::report`].
pub trait Executor: Send {
    /// Starts an attempt; one that is `held` waits until fewer than its lane's width of the run's
    /// attempts work, and reports that it began.
    fn start(&mut self, attempt: Attempt, carried: &Carried) -> Started;

    /// Ends an attempt, which then still reports. No effect on one that has ended.
    fn stop(&mut self, key: AttemptKey, how: Stop);

    /// Takes back an attempt that is still held, which then reports that it was stopped. No effect
    /// on one that has begun.
    fn recall(&mut self, key: AttemptKey);

    /// Lets go of what is kept for the run beside its attempts, all of which have ended. More of them
    /// may come later, if the run only waits.
    fn forget(&mut self, run: RunId);

    /// Ends whatever earlier processes left behind of these runs, and waits until it is gone. Answers
    /// with the runs of which something is left, and why.
    fn end_leftovers(&mut self, runs: &[RunId]) -> Vec<(RunId, String)>;
}

/// What a run gives its attempts beside their variables. Nothing is decided by it.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// The folder that relative paths of the workflow start from.
    pub base: String,
    /// What is said about the run.
    pub meta: Arc<RunMeta>,
}

impl Carried {
    /// What a run that was created so carries.
    pub(crate) fn of(new: &NewRun) -> Self {
        Self { base: new.base.clone(), meta: Arc::clone(&new.meta) }
    }
}

/// The answer to a start.
#[derive(Debug)]
pub enum Started {
    /// It is under way and will report.
    Running,
    /// It is over already.
    Finished(News),
}
