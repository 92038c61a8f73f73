//! Everything that requests share.

use crate::access::{Access, Caller, Permission};
use crate::config::Config;
use crate::feed::{
    AllEvents, Bell, Cursor, Damage, Filter, Follower, Hub, RunEvents, RunFollower, Types,
    bad_cursor, grown,
};
use crate::insight::{Insight, InsightParts};
use crate::limits::{Gatekeeper, Limits};
use crate::log::Log;
use crate::parts::{Logs, Pages, Parts, Stores};
use crate::problem::Problem;
use crate::readers::{Keeper, Readers};
use crate::reports::Reports;
use crate::retention::{self, Eraser, Retention};
use crate::runs::{self, Runs, Starter};
use crate::schedules::{Clockwork, Schedules};
use crate::serve::ServeError;
use crate::shelf::Shelf;
use crate::tls::{self, Certificates};
use crate::triggers::{Lookout, TriggerParts, Triggers};
use crate::webhooks::{Office, Receivers, Webhooks};
use crate::workflows::Workflows;
use loom_engine::{Clock, Handle};
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
    /// How many runs and tasks there may be at once.
    pub limits: Arc<Limits>,
    /// Rules by which ended runs are deleted.
    pub retention: Retention,
    /// Runs that other systems execute.
    pub reports: Arc<Reports>,
    /// Runs that start by themselves.
    pub schedules: Arc<Schedules>,
    /// What from outside starts runs: requests and files.
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
    pub(crate) eraser: Eraser,
    pub(crate) pages: Arc<dyn Pages>,
    /// How many more event streams there may be.
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    _drivers: Drivers,
}

/// What starts runs by itself, as long as it is kept.
struct Drivers {
    _clockwork: Clockwork,
    _lookout: Lookout,
    _gatekeeper: Gatekeeper,
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
        let Parts { engine, bell, stores, plugins, logs, folders, commits, pages, log, clock } =
            parts;
        let config = Arc::new(config);
        let log = Log::start(config.log, log, Arc::clone(&clock))?;
        let ground = Ground::lay(stores.as_ref(), bell, &config, &clock, &log)?;
        let Ground { certificates, readers, shelf, hub, streams, .. } = &ground;
        let insight = Insight::start(InsightParts {
            engine: engine.clone(),
            stores: &stores,
            hub,
            readers: readers.clone(),
            shelf: shelf.clone(),
            clock: Arc::clone(&clock),
            commits,
            streams: Arc::clone(streams),
            certificates: certificates.clone(),
            log: log.clone(),
            config: Arc::clone(&config),
        })?;
        let (catalog, time, settings) =
            (Arc::clone(&plugins), Arc::clone(&clock), Arc::clone(&config));
        let workflows = Arc::new(Workflows::new(shelf.clone(), catalog, time, settings));
        let (documents, at, time) = (shelf.clone(), engine.clone(), Arc::clone(&clock));
        let limits = Limits::start(stores.as_ref(), documents, readers.clone(), at, time)?;
        let limits = Arc::new(limits);
        let webhooks = ground.webhooks(&clock, &log, Receivers::new(&config)?);
        let reports = Reports::new(engine.clone(), readers.clone(), shelf.clone(), &clock, &config);
        let eraser = Eraser::new(ground.keeper.clone(), Arc::clone(&logs), insight.forgetter());
        let made = (Arc::clone(&workflows), Arc::clone(&limits), eraser.clone());
        let runs = runs(engine, &ground, made, &logs, &clock, &config);
        let beginners = TriggerParts {
            shelf: shelf.clone(),
            readers: readers.clone(),
            runs: Arc::clone(&runs),
            workflows: Arc::clone(&workflows),
            clock: Arc::clone(&clock),
            folders,
            allowed: &config.watched_folders,
        };
        let (schedules, triggers, drivers) = start(beginners, &limits, hub);
        renew(certificates.as_ref(), &log, &clock);
        let retention = Retention::new(shelf.clone());
        let Ground { certificates, readers, hub, access, streams, .. } = ground;
        let app = Arc::new(Self {
            access,
            workflows,
            runs,
            limits,
            retention,
            reports,
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
            eraser,
            pages,
            streams,
            certificates,
            _drivers: drivers,
        });
        app.tidy();
        Ok(app)
    }

    /// Starts those who take away what is over.
    fn tidy(self: &Arc<Self>) {
        tokio::spawn(retention::tend(Arc::downgrade(self)));
        tokio::spawn(runs::tend(Arc::downgrade(&self.runs)));
    }

    /// Ends everything that would go on by itself: those who follow events are sent away.
    pub(crate) fn end(&self) {
        self.hub.end();
    }

    /// Brings to an end what [`App::end`] has begun, as far as that takes no longer than may be.
    pub(crate) async fn finish(&self) {
        let limit = self.config.limits.stop;
        let finished = async { tokio::join!(self.access.finish(), self.insight.finish()) };
        if tokio::time::timeout(limit, finished).await.is_err() {
            let what = "the server stops before all that it has to keep or to send is out";
            self.log.error(what, &[("waited_s", limit.as_secs_f64().into())]);
        }
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
    pub(crate) async fn all_events(
        &self,
        caller: &Caller,
        wanted: Wanted,
    ) -> Result<AllEvents, Problem> {
        let Wanted { types, namespace, workflow, after } = wanted;
        let namespaces = caller.namespaces(Permission::EventsRead)?;
        let after = after.as_deref().map(str::parse).transpose().map_err(|_| bad_cursor())?;
        let mut filter = Filter { namespaces, workflow, types };
        if let Some(namespace) = namespace {
            filter.narrow(namespace)?;
        }
        Ok(AllEvents::new(self.follow(after).await?, filter))
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
    pub(crate) async fn follow(&self, after: Option<Cursor>) -> Result<Follower, Problem> {
        Follower::new(Arc::clone(&self.hub), self.readers.clone(), after).await
    }

    /// Follows one run's events after the one of this number, which must be there; 0 for all.
    pub(crate) async fn follow_run(
        &self,
        run: &RunSummary,
        seq: u64,
    ) -> Result<RunFollower, Problem> {
        // From before the journal is read, so that nothing falls between the two.
        let feed = self.follow(None).await?;
        let (id, hash) = (run.id, run.definition);
        let before = seq.saturating_sub(1);
        let plans = self.hub.plans().clone();
        let look = move |store: &mut (dyn QueryStore + 'static)| {
            let known = seq == 0 || !store.journal(id, before, 1)?.events.is_empty();
            let plan = plans.of(store, hash)?;
            Ok((known, grown(store, id, plan)?))
        };
        let (known, plan) = self.readers.ask(look).await?;
        if !known {
            return Err(bad_cursor());
        }
        Ok(RunFollower::new(run, plan, self.readers.clone(), feed, seq))
    }
}

/// What the services stand on.
struct Ground {
    certificates: Option<Arc<Certificates>>,
    readers: Readers,
    keeper: Keeper,
    shelf: Shelf,
    hub: Arc<Hub>,
    access: Arc<Access>,
    streams: Arc<Semaphore>,
}

impl Ground {
    fn lay(
        stores: &dyn Stores,
        bell: Bell,
        config: &Arc<Config>,
        clock: &Arc<dyn Clock>,
        log: &Log,
    ) -> Result<Self, ServeError> {
        let files = config.tls.clone();
        let certificates = files.map(|files| Certificates::load(files, clock.now()).map(Arc::new));
        let shelf = Shelf::start(stores, Arc::clone(clock))?;
        Ok(Self {
            certificates: certificates.transpose()?,
            readers: Readers::start(stores)?,
            keeper: Keeper::start(stores)?,
            hub: Hub::start(stores, bell, Damage::new(log.clone()))?,
            access: Access::start(&shelf, clock, config)?,
            streams: Arc::new(Semaphore::new(config.limits.streams)),
            shelf,
        })
    }
}

impl Ground {
    fn webhooks(&self, clock: &Arc<dyn Clock>, log: &Log, receivers: Receivers) -> Arc<Webhooks> {
        Webhooks::start(Office {
            hub: Arc::clone(&self.hub),
            readers: self.readers.clone(),
            shelf: self.shelf.clone(),
            clock: Arc::clone(clock),
            receivers,
            log: log.clone(),
        })
    }
}

fn runs(
    engine: Handle,
    ground: &Ground,
    (workflows, limits, eraser): (Arc<Workflows>, Arc<Limits>, Eraser),
    logs: &Arc<dyn Logs>,
    clock: &Arc<dyn Clock>,
    config: &Arc<Config>,
) -> Arc<Runs> {
    Arc::new(Runs::new(
        engine,
        ground.readers.clone(),
        ground.hub.plans().clone(),
        eraser,
        ground.shelf.clone(),
        workflows,
        Arc::clone(logs),
        Arc::clone(clock),
        Arc::clone(config),
        limits,
    ))
}

/// Starts what starts runs: schedules are made of parts that triggers are made of too.
fn start(
    parts: TriggerParts<'_>,
    limits: &Arc<Limits>,
    hub: &Arc<Hub>,
) -> (Arc<Schedules>, Arc<Triggers>, Drivers) {
    let TriggerParts { shelf, readers, runs, workflows, clock, .. } = &parts;
    let starter = Starter::start(Arc::clone(runs));
    let follower = || Follower::from_now(Arc::clone(hub), readers.clone());
    let (for_clockwork, for_lookout) = (follower(), follower());
    let (runs, workflows) = (Arc::clone(runs), Arc::clone(workflows));
    let time = Arc::clone(clock);
    let schedules = Schedules::new(shelf.clone(), readers.clone(), runs, workflows, time);
    let (schedules, triggers) = (Arc::new(schedules), Arc::new(Triggers::new(parts)));
    let drivers = Drivers {
        _clockwork: Clockwork::start(Arc::clone(&schedules), for_clockwork),
        _lookout: triggers.watch(for_lookout),
        _gatekeeper: Gatekeeper::start(Arc::clone(limits), Arc::clone(hub)),
        _starter: starter,
    };
    (schedules, triggers, drivers)
}

/// Keeps certificates as their files are.
fn renew(certificates: Option<&Arc<Certificates>>, log: &Log, clock: &Arc<dyn Clock>) {
    if let Some(files) = certificates {
        tokio::spawn(tls::tend(Arc::downgrade(files), log.clone(), Arc::clone(clock)));
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.end();
    }
}
