//! Taking reports.

use super::document::{Place, SHOWN, put, read};
use super::house::tend;
use super::shape::{Body, SYSTEM, Word, identity};
use crate::access::{Caller, Permission};
use crate::config::Config;
use crate::ids::new_id;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::shelf::Shelf;
use loom_core::{Definition, Observation, ObservedTask, Plan, Refusal, RunId, RunState};
use loom_engine::{Clock, EngineError, Handle, Input, NewSubmission, Reply};
use loom_protocol::ErrorCode;
use loom_protocol::api::Reported;
use loom_store::{RunFilter, RunMeta, StoreError, definition_hash};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, oneshot};

/// The most runs of other systems that have not ended: the engine has all of them in its memory.
const OPEN_MAX: u64 = 1000;
/// What a workflow without a name is called.
const UNNAMED: &str = "dotflow";
/// The namespace of reporters who may report into any.
const NAMESPACE: &str = "default";
/// How many locks the workflows share.
const LOCKS: usize = 64;

/// Takes reports of runs that another system executes.
pub struct Reports {
    pub(super) engine: Handle,
    pub(super) readers: Readers,
    pub(super) shelf: Shelf,
    pub(super) clock: Arc<dyn Clock>,
    /// Reports of one workflow are taken one after the other.
    locks: Vec<Mutex<()>>,
}

impl Reports {
    /// Starts on the async runtime of the caller.
    pub(crate) fn new(
        engine: Handle,
        readers: Readers,
        shelf: Shelf,
        clock: &Arc<dyn Clock>,
        config: &Config,
    ) -> Arc<Self> {
        let locks = std::iter::repeat_with(Mutex::default).take(LOCKS).collect();
        let clock = Arc::clone(clock);
        let reports = Arc::new(Self { engine, readers, shelf, clock, locks });
        tokio::spawn(tend(Arc::downgrade(&reports), config.limits.silence));
        reports
    }

    /// A workflow is there. One whose run has ended starts anew.
    pub async fn create_workflow(&self, caller: &Caller, body: &[u8]) -> Result<Reported, Problem> {
        let body = Body::read(body)?;
        let place = place(caller, body.created_workflow()?)?;
        let tasks = body.tasks()?;
        let _turn = self.turn(&place).await;
        let run = match self.shown(&place).await? {
            Some(run) if self.is_open(run).await? => run,
            _ => self.begin(caller, &place, body.name()).await?,
        };
        let mut told = Told { caller, place: &place, run };
        let tasks = tasks.into_iter().map(|task| Observation::Task(Box::new(task)));
        self.tell(&mut told, tasks.collect()).await?;
        Ok(told.answer(&place.workflow))
    }

    /// A workflow begins or ends.
    pub async fn update_workflow(
        &self,
        caller: &Caller,
        workflow: &str,
        body: &[u8],
    ) -> Result<Reported, Problem> {
        let seen = match Body::read(body)?.word()? {
            Word::Nothing => None,
            Word::Began => Some(Observation::Began),
            Word::Ended(outcome) => Some(Observation::Ended(outcome)),
        };
        let place = place(caller, identity(workflow, "workflow")?)?;
        let _turn = self.turn(&place).await;
        let mut told = self.told(caller, &place).await?;
        self.tell(&mut told, seen.into_iter().collect()).await?;
        Ok(told.answer(&place.workflow))
    }

    /// A task is there.
    pub async fn create_task(
        &self,
        caller: &Caller,
        workflow: &str,
        body: &[u8],
    ) -> Result<Reported, Problem> {
        let task = Body::read(body)?.task(None)?;
        self.take_task(caller, identity(workflow, "workflow")?, task).await
    }

    /// A task has come so far. Without a workflow in the path the body names it.
    pub async fn update_task(
        &self,
        caller: &Caller,
        workflow: Option<&str>,
        task: &str,
        body: &[u8],
    ) -> Result<Reported, Problem> {
        let body = Body::read(body)?;
        let workflow = match workflow {
            Some(workflow) => identity(workflow, "workflow")?,
            None => body.workflow_of_task()?,
        };
        self.take_task(caller, workflow, body.task(Some(task))?).await
    }

    async fn take_task(
        &self,
        caller: &Caller,
        workflow: String,
        task: ObservedTask,
    ) -> Result<Reported, Problem> {
        let place = place(caller, workflow)?;
        let name = task.def.name.clone();
        let _turn = self.turn(&place).await;
        let mut told = self.told(caller, &place).await?;
        self.tell(&mut told, vec![Observation::Task(Box::new(task))]).await?;
        Ok(told.answer(&name))
    }

    /// Waits for the workflow's turn.
    pub(super) async fn turn(&self, place: &Place) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        place.key().hash(&mut hasher);
        self.locks[(hasher.finish() as usize) % LOCKS].lock().await
    }

    /// The run that shows the workflow, which is begun if there is none.
    async fn told<'a>(&self, caller: &'a Caller, place: &'a Place) -> Result<Told<'a>, Problem> {
        let run = match self.shown(place).await? {
            Some(run) => run,
            None => self.begin(caller, place, None).await?,
        };
        Ok(Told { caller, place, run })
    }

    async fn shown(&self, place: &Place) -> Result<Option<RunId>, Problem> {
        self.shelf.document(SHOWN, place.key()).await?.map(|found| read(&found)).transpose()
    }

    /// Whether the run is there and has not ended.
    async fn is_open(&self, run: RunId) -> Result<bool, Problem> {
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| match store.run(run) {
            Ok(summary) => Ok(!summary.state.is_final()),
            Err(StoreError::NoRun(_)) => Ok(false),
            Err(error) => Err(error),
        };
        self.readers.ask(look).await
    }

    /// Tells the run. If it has ended and this belongs to another execution, or if it was deleted, a
    /// new run is begun for it.
    async fn tell(&self, told: &mut Told<'_>, seen: Vec<Observation>) -> Result<(), Problem> {
        if seen.is_empty() {
            return Ok(());
        }
        match self.observe(told.run, seen.clone()).await {
            Err(EngineError::Refused(Refusal::Run { .. })) => {}
            Err(EngineError::Store(error)) if matches!(*error, StoreError::NoRun(_)) => {}
            done => return done.map_err(Problem::from),
        }
        told.run = self.begin(told.caller, told.place, None).await?;
        self.observe(told.run, seen).await.map_err(Problem::from)
    }

    pub(super) async fn observe(
        &self,
        run: RunId,
        seen: Vec<Observation>,
    ) -> Result<(), EngineError> {
        self.ask(|reply| Input::Observe(run, seen, reply)).await
    }

    /// Begins a run that shows the workflow. The document names it first: after a crash between the
    /// two, the next report begins it again.
    async fn begin(
        &self,
        caller: &Caller,
        place: &Place,
        name: Option<String>,
    ) -> Result<RunId, Problem> {
        self.check_open().await?;
        let name = match name {
            Some(name) => name,
            None => self.name_before(place).await?,
        };
        let namespace = place.namespace.clone();
        let external = Some(SYSTEM.to_owned());
        let definition = Definition { namespace, external, ..Definition::new(name, Vec::new()) };
        let id = new_id(self.clock.now())?;
        // Nothing is expected of it, so nothing can be stale.
        let _ = self.shelf.write(vec![put(place, id)]).await?;
        let submission = NewSubmission {
            id,
            hash: definition_hash(&definition),
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::default(),
            workers: 1,
            base: String::new(),
            meta: Arc::new(RunMeta {
                initiator: caller.name().to_owned(),
                source: SYSTEM.to_owned(),
                correlation_id: place.workflow.clone(),
                external: Some(SYSTEM.to_owned()),
                ..RunMeta::default()
            }),
            hold: true,
        };
        self.ask(|reply| Input::Submit(Box::new(submission), reply)).await?;
        Ok(id)
    }

    /// What the workflow was called when it ran before.
    async fn name_before(&self, place: &Place) -> Result<String, Problem> {
        let Some(run) = self.shown(place).await? else { return Ok(UNNAMED.to_owned()) };
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| match store.run(run) {
            Ok(summary) => Ok(summary.workflow),
            Err(StoreError::NoRun(_)) => Ok(UNNAMED.to_owned()),
            Err(error) => Err(error),
        };
        self.readers.ask(look).await
    }

    async fn check_open(&self) -> Result<(), Problem> {
        let filter = open_runs();
        let counts = self.readers.ask(move |store| store.counts(&filter)).await?;
        if counts.values().sum::<u64>() < OPEN_MAX {
            return Ok(());
        }
        let what = format!("{OPEN_MAX} reported runs have not ended, which is the most");
        Err(Problem::new(ErrorCode::LimitReached, what)
            .help("those of which nothing is heard any more are ended after `limits.silence`"))
    }

    async fn ask(&self, input: impl FnOnce(Reply) -> Input) -> Result<(), EngineError> {
        let (answer, receiver) = oneshot::channel();
        self.engine.send(input(Box::new(move |result| {
            // The asker may have gone.
            let _ = answer.send(result);
        })));
        receiver.await.unwrap_or(Err(EngineError::Stopped))
    }
}

/// A run that is being told of, and who tells.
struct Told<'a> {
    caller: &'a Caller,
    place: &'a Place,
    run: RunId,
}

impl Told<'_> {
    fn answer(&self, id: &str) -> Reported {
        Reported { id: id.to_owned(), run: self.run.to_string() }
    }
}

/// Which runs of other systems have not ended.
pub(super) fn open_runs() -> RunFilter {
    RunFilter {
        states: vec![RunState::Queued, RunState::Running],
        source: Some(SYSTEM.to_owned()),
        ..RunFilter::default()
    }
}

/// Where the caller reports: into the namespace that it may report into, the default one if that is
/// among them.
fn place(caller: &Caller, workflow: String) -> Result<Place, Problem> {
    let namespace = match caller.namespaces(Permission::ReportsWrite)? {
        None => NAMESPACE.to_owned(),
        Some(names) => {
            let default = names.iter().find(|name| *name == NAMESPACE);
            let first = default.or(names.first()).cloned();
            first.ok_or_else(|| {
                Problem::new(ErrorCode::Forbidden, "the token may report into no namespace")
            })?
        }
    };
    Ok(Place { namespace, workflow })
}
