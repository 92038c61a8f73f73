//! Everything that requests share.

use crate::config::Config;
use crate::feed::{Cursor, Follower, Hub, RunFollower};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::runs::Runs;
use crate::shelf::Shelf;
use crate::workflows::Workflows;
use loom_core::Plan;
use loom_engine::Clock;
use loom_store::{RunSummary, StoreError};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The services behind the doors. Shared by all requests.
pub struct App {
    /// Registered workflows.
    pub workflows: Arc<Workflows>,
    /// Runs.
    pub runs: Arc<Runs>,
    /// Settings.
    pub config: Arc<Config>,
    /// The plugins that workflows may use.
    pub plugins: Arc<dyn loom_spec::PluginCatalog + Send + Sync>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) readers: Readers,
    /// How many more event streams there may be.
    pub(crate) streams: Arc<Semaphore>,
}

impl App {
    /// Starts the services. They end with the engine's handle that they hold.
    pub fn start(parts: Parts, config: Config) -> Result<Arc<Self>, StoreError> {
        let Parts { engine, bell, stores, plugins, logs, clock } = parts;
        let config = Arc::new(config);
        let readers = Readers::start(stores.as_ref())?;
        let shelf = Shelf::start(stores.as_ref(), Arc::clone(&clock))?;
        let hub = Hub::start(stores.as_ref(), bell)?;
        let workflows = Arc::new(Workflows::new(
            shelf.clone(),
            Arc::clone(&plugins),
            Arc::clone(&clock),
            Arc::clone(&config),
        ));
        let runs = Arc::new(Runs::new(
            engine,
            readers.clone(),
            shelf,
            Arc::clone(&workflows),
            logs,
            Arc::clone(&clock),
            Arc::clone(&config),
        ));
        let streams = Arc::new(Semaphore::new(config.limits.streams));
        Ok(Arc::new(Self { workflows, runs, config, plugins, clock, hub, readers, streams }))
    }

    /// Follows all events after a place, or after now.
    pub(crate) fn follow(&self, after: Option<Cursor>) -> Follower {
        Follower::new(Arc::clone(&self.hub), self.readers.clone(), after)
    }

    /// Follows one run's events after the one of this number.
    pub(crate) async fn follow_run(
        &self,
        run: &RunSummary,
        seq: u64,
    ) -> Result<RunFollower, Problem> {
        // From before the journal is read, so that nothing falls between the two.
        let feed = self.follow(None);
        let hash = run.definition;
        let definition = self.readers.ask(move |store| store.definition(&hash)).await?;
        let plan = Arc::new(Plan::new(definition));
        Ok(RunFollower::new(run.id, plan, self.readers.clone(), feed, seq))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.hub.end();
    }
}
