//! Everything that requests share.

use crate::access::{Access, Caller, Permission};
use crate::config::Config;
use crate::feed::{
    AllEvents, Cursor, Filter, Follower, Hub, RunEvents, RunFollower, Types, bad_cursor,
};
use crate::insight::{Insight, InsightParts};
use crate::log::Log;
use crate::parts::{Logs, Parts};
use crate::problem::Problem;
use crate::readers::{Keeper, Readers};
use crate::retention::{self, Retention};
use crate::runs::{Runs, Starter};
use crate::schedules::{Clockwork, Schedules};
use crate::serve::ServeError;
use crate::shelf::Shelf;
use crate::triggers::Triggers;
use crate::webhooks::Webhooks;
use crate::workflows::Workflows;
use loom_core::Plan;
use loom_engine::Clock;
use loom_store::{QueryStore, RunSummary};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The services behind the doors. Shared by all requests.
pub struct App {
    /// Who may come in, and what they did.
    pub access: Arc<Access>,
    /// Registered workflows.
    pub workflows: Arc<Workflows>,
    /// Runs.
    pub runs: Arc<Runs>,
    /// Rules by which ended runs are deleted.
    pub retention: Retention,
    /// Runs that start by themselves.
    pub schedules: Arc<Schedules>,
    /// Requests from elsewhere that start runs.
    pub triggers: Arc<Triggers>,
    /// Health, metrics and analytics.
    pub insight: Insight,
    /// Where to say what happens.
    pub log: Log,
    /// Subscriptions that send events to other systems.
    pub webhooks: Arc<Webhooks>,
    /// Settings.
    pub config: Arc<Config>,
    /// The plugins that workflows may use.
    pub plugins: Arc<dyn loom_spec::PluginCatalog + Send + Sync>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) readers: Readers,
    pub(crate) keeper: Keeper,
    pub(crate) logs: Arc<dyn Logs>,
    /// How many more event streams there may be.
    pub(crate) streams: Arc<Semaphore>,
    _clockwork: Clockwork,
    _starter: Starter,
}

/// Which events of all runs somebody wants to hear of.
pub(crate) struct Wanted {
    /// Of these types.
    pub(crate) types: Types,
    /// Only of this namespace.
    pub(crate) namespace: Option<String>,
    /// Only of this workflow.
    pub(crate) workflow: Option<String>,
    /// Behind this place rather than from now on.
    pub(crate) after: Option<String>,
}

impl App {
    /// Starts the services, on a runtime. They end with the engine's handle that they hold.
    pub fn start(parts: Parts, config: Config) -> Result<Arc<Self>, ServeError> {
        let Parts { engine, bell, stores, plugins, logs, commits, log, clock } = parts;
        let config = Arc::new(config);
        let readers = Readers::start(stores.as_ref())?;
        let keeper = Keeper::start(stores.as_ref())?;
        let shelf = Shelf::start(stores.as_ref(), Arc::clone(&clock))?;
        let hub = Hub::start(stores.as_ref(), bell)?;
        let access = Access::start(&shelf, &clock, &config)?;
        let log = Log::start(config.log, log, Arc::clone(&clock))?;
        let streams = Arc::new(Semaphore::new(config.limits.streams));
        let insight = Insight::start(InsightParts {
            engine: engine.clone(),
            stores: &stores,
            hub: &hub,
            readers: readers.clone(),
            shelf: shelf.clone(),
            clock: Arc::clone(&clock),
            commits,
            streams: Arc::clone(&streams),
            log: log.clone(),
            config: Arc::clone(&config),
        })?;
        let workflows = Arc::new(Workflows::new(
            shelf.clone(),
            Arc::clone(&plugins),
            Arc::clone(&clock),
            Arc::clone(&config),
        ));
        let webhooks = webhooks(&hub, &readers, &shelf, &clock, &config);
        let runs = Arc::new(Runs::new(
            engine,
            readers.clone(),
            keeper.clone(),
            shelf.clone(),
            Arc::clone(&workflows),
            Arc::clone(&logs),
            Arc::clone(&clock),
            Arc::clone(&config),
        ));
        let (schedules, triggers) = beginners(&shelf, &readers, &runs, &workflows, &clock);
        let starter = Starter::start(Arc::clone(&runs));
        let follower = Follower::from_now(Arc::clone(&hub), readers.clone());
        let clockwork = Clockwork::start(Arc::clone(&schedules), follower);
        let retention = Retention::new(shelf);
        let app = Arc::new(Self {
            access,
            workflows,
            runs,
            retention,
            schedules,
            triggers,
            insight,
            log,
            webhooks,
            config,
            plugins,
            clock,
            hub,
            readers,
            keeper,
            logs,
            streams,
            _clockwork: clockwork,
            _starter: starter,
        });
        tokio::spawn(retention::tend(Arc::downgrade(&app)));
        Ok(app)
    }

    /// Ends everything that would go on by itself: those who follow events are sent away.
    pub(crate) fn end(&self) {
        self.hub.end();
    }

    /// Done when the server stops.
    pub(crate) async fn ended(&self) {
        // An error means that the hub is gone, and the server with it.
        let _ = self.hub.watch().wait_for(|news| news.over).await;
    }

    /// Room for one more stream of events.
    pub(crate) fn stream_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.streams)
            .try_acquire_owned()
            .map_err(|_| Problem::busy("as many event streams as the server allows are open"))
    }

    /// The events of all runs that the caller wants, and may hear of.
    pub(crate) fn all_events(&self, caller: &Caller, wanted: Wanted) -> Result<AllEvents, Problem> {
        let Wanted { types, namespace, workflow, after } = wanted;
        let namespaces = caller.namespaces(Permission::EventsRead)?;
        let after = after.as_deref().map(str::parse).transpose().map_err(|_| bad_cursor())?;
        let mut filter = Filter { namespaces, workflow, types };
        if let Some(namespace) = namespace {
            filter.narrow(namespace)?;
        }
        Ok(AllEvents::new(self.follow(after)?, filter))
    }

    /// The events of one run behind the one of this number; 0 for all.
    pub(crate) async fn run_events(
        &self,
        caller: &Caller,
        id: &str,
        types: Types,
        after: u64,
    ) -> Result<RunEvents, Problem> {
        let summary = self.runs.permitted(caller, id, Permission::EventsRead).await?;
        Ok(RunEvents::new(self.follow_run(&summary, after).await?, types))
    }

    /// Follows all events after a place, or after now.
    pub(crate) fn follow(&self, after: Option<Cursor>) -> Result<Follower, Problem> {
        Follower::new(Arc::clone(&self.hub), self.readers.clone(), after)
    }

    /// Follows one run's events after the one of this number, which must be there; 0 for all.
    pub(crate) async fn follow_run(
        &self,
        run: &RunSummary,
        seq: u64,
    ) -> Result<RunFollower, Problem> {
        // From before the journal is read, so that nothing falls between the two.
        let feed = self.follow(None)?;
        let (id, hash) = (run.id, run.definition);
        let before = seq.saturating_sub(1);
        let look = move |store: &mut (dyn QueryStore + 'static)| {
            let known = seq == 0 || !store.journal(id, before, 1)?.events.is_empty();
            Ok((known, store.definition(&hash)?))
        };
        let (known, definition) = self.readers.ask(look).await?;
        if !known {
            return Err(bad_cursor());
        }
        let plan = Arc::new(Plan::new(definition));
        Ok(RunFollower::new(run.id, plan, self.readers.clone(), feed, seq))
    }
}

/// Those who start runs that nobody asks for at that moment.
fn beginners(
    shelf: &Shelf,
    readers: &Readers,
    runs: &Arc<Runs>,
    workflows: &Arc<Workflows>,
    clock: &Arc<dyn Clock>,
) -> (Arc<Schedules>, Arc<Triggers>) {
    let (of_runs, of_workflows) = (Arc::clone(runs), Arc::clone(workflows));
    let time = Arc::clone(clock);
    let schedules = Schedules::new(shelf.clone(), readers.clone(), of_runs, of_workflows, time);
    let (of_runs, of_workflows) = (Arc::clone(runs), Arc::clone(workflows));
    let triggers = Triggers::new(shelf.clone(), of_runs, of_workflows, Arc::clone(clock));
    (Arc::new(schedules), Arc::new(triggers))
}

fn webhooks(
    hub: &Arc<Hub>,
    readers: &Readers,
    shelf: &Shelf,
    clock: &Arc<dyn Clock>,
    config: &Config,
) -> Arc<Webhooks> {
    let (hub, clock) = (Arc::clone(hub), Arc::clone(clock));
    Webhooks::start(hub, readers.clone(), shelf.clone(), clock, config.private_receivers)
}

impl Drop for App {
    fn drop(&mut self) {
        self.end();
    }
}
