//! Deleting runs, with all that is kept of them.

use crate::feed::Hub;
use crate::insight::Forgetter;
use crate::parts::Logs;
use crate::problem::Problem;
use crate::readers::Keeper;
use loom_core::RunId;
use std::sync::Arc;

/// Deletes ended runs: their journals and their events, their logs, and what analytics know of them.
/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Eraser {
    keeper: Keeper,
    logs: Arc<dyn Logs>,
    hub: Arc<Hub>,
    analytics: Forgetter,
}

impl Eraser {
    pub(crate) const fn new(
        keeper: Keeper,
        logs: Arc<dyn Logs>,
        hub: Arc<Hub>,
        analytics: Forgetter,
    ) -> Self {
        Self { keeper, logs, hub, analytics }
    }

    /// Deletes a run that has ended.
    pub(crate) async fn delete(&self, run: RunId) -> Result<(), Problem> {
        let this = self.clone();
        let deleted = self.keeper.ask(move |store| {
            store.delete(run)?;
            this.wipe(&[run]);
            Ok(())
        });
        deleted.await
    }

    /// Deletes runs that a rule is about, as many as it says at the most, and answers how many.
    pub(super) async fn prune(&self, rule: loom_store::Retention) -> Result<usize, Problem> {
        let this = self.clone();
        let deleted = self.keeper.ask(move |store| {
            let runs = store.prune(&rule)?;
            this.wipe(&runs);
            Ok(runs.len())
        });
        deleted.await
    }

    /// Takes all that was deleted out of analytics now, which happens at their next question at the
    /// latest.
    pub(super) async fn settle(&self) -> Result<(), Problem> {
        let analytics = self.analytics.clone();
        let settled = self.keeper.ask(move |_| {
            analytics.sweep();
            Ok(())
        });
        settled.await
    }

    fn wipe(&self, runs: &[RunId]) {
        for run in runs {
            // Logs that stay do no harm; a run without logs is as good as gone.
            let _ = self.logs.delete(*run);
        }
        self.hub.forget(runs);
        self.analytics.forget(runs);
    }
}
