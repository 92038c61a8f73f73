//! Taking reports.

use super::document::{Late, Place, SHOWN, Shown, put, read};
use super::house::tend;
use super::number::without_nan;
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

/// The most runs of other systems in one namespace that have not ended: the engine has all of them
/// in its memory.
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

    /// A workflow is there. One whose run has ended starts anew, unless its end came first.
    pub async fn create_workflow(&self, caller: &Caller, body: &[u8]) -> Result<Taken, Problem> {
        let body = without_nan(body);
        let body = Body::read(&body)?;
        let place = place(caller, body.created_workflow()?)?;
        let tasks = body.tasks()?;
        let _turn = self.turn(&place.key()).await;
        let told = self.told(caller, &place).await?;
        let mut told = match told {
            Some(mut told) => match self.state(told.shown.run).await? {
                Some(state) if !state.is_final() || told.shown.takes_late_creation() => told,
                _ => self.begin(caller, &place, body.name()).await?,
            },
            None => self.begin(caller, &place, body.name()).await?,
        };
        let tasks = tasks.into_iter().map(|task| Observation::Task(Box::new(task)));
        self.tell(&mut told, tasks.collect()).await?;
        self.close(told, &place.workflow).await
    }

    /// A workflow begins or ends.
    pub async fn update_workflow(
        &self,
        caller: &Caller,
        workflow: &str,
        body: &[u8],
    ) -> Result<Taken, Problem> {
        let seen = match Body::read(&without_nan(body))?.word()? {
            Word::Nothing => None,
            Word::Began => Some(Observation::Began),
            Word::Ended(outcome) => Some(Observation::Ended(outcome)),
        };
        let place = place(caller, identity(workflow, "workflow")?)?;
        let _turn = self.turn(&place.key()).await;
        let mut told = self.told_for_sure(caller, &place).await?;
        if let Some(seen) = seen {
            let is_end = matches!(seen, Observation::Ended(_));
            self.tell(&mut told, vec![seen]).await?;
            if is_end {
                told.shown.again = false;
                told.shown.late = told.shown.late.or(told.is_new.then(Late::default));
            }
        }
        self.close(told, &place.workflow).await
    }

    /// A task is there.
    pub async fn create_task(
        &self,
        caller: &Caller,
        workflow: &str,
        body: &[u8],
    ) -> Result<Taken, Problem> {
        let task = Body::read(&without_nan(body))?.task(None)?;
        self.take_task(caller, identity(workflow, "workflow")?, task).await
    }

    /// A task has come so far. Without a workflow in the path the body names it.
    pub async fn update_task(
        &self,
        caller: &Caller,
        workflow: Option<&str>,
        task: &str,
        body: &[u8],
    ) -> Result<Taken, Problem> {
        let body = without_nan(body);
        let body = Body::read(&body)?;
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
    ) -> Result<Taken, Problem> {
        let place = place(caller, workflow)?;
        let name = task.def.name.clone();
        let _turn = self.turn(&place.key()).await;
        let mut told = self.told_for_sure(caller, &place).await?;
        self.tell(&mut told, vec![Observation::Task(Box::new(task))]).await?;
        self.close(told, &name).await
    }

    /// Waits for the turn of the workflow that is kept under this key.
    pub(super) async fn turn(&self, key: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.locks[(hasher.finish() as usize) % LOCKS].lock().await
    }

    /// What is told of the workflow, if anything was before.
    async fn told<'a>(
        &self,
        caller: &'a Caller,
        place: &'a Place,
    ) -> Result<Option<Told<'a>>, Problem> {
        let told = |shown: Shown| Told { caller, place, kept: shown.clone(), shown, is_new: false };
        Ok(self.shown(place).await?.map(told))
    }

    /// What is told of the workflow; its run is begun if there is none.
    async fn told_for_sure<'a>(
        &self,
        caller: &'a Caller,
        place: &'a Place,
    ) -> Result<Told<'a>, Problem> {
        match self.told(caller, place).await? {
            Some(told) => Ok(told),
            None => self.begin(caller, place, None).await,
        }
    }

    async fn shown(&self, place: &Place) -> Result<Option<Shown>, Problem> {
        self.shelf.document(SHOWN, place.key()).await?.map(|found| read(&found)).transpose()
    }

    /// Where a run stands that is there.
    async fn state(&self, run: RunId) -> Result<Option<RunState>, Problem> {
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| match store.run(run) {
            Ok(summary) => Ok(Some(summary.state)),
            Err(StoreError::NoRun(_)) => Ok(None),
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
        if seen.iter().any(|seen| told.shown.starts_anew(seen)) {
            *told = self.begin(told.caller, told.place, None).await?;
            self.observe(told.shown.run, vec![Observation::Began]).await?;
        }
        match self.observe(told.shown.run, seen.clone()).await {
            Err(EngineError::Refused(Refusal::Run { .. }))
                if seen.iter().all(|seen| told.shown.keeps(seen)) =>
            {
                return Ok(());
            }
            Err(EngineError::Refused(Refusal::Run { .. })) => {}
            Err(EngineError::Store(error)) if matches!(*error, StoreError::NoRun(_)) => {}
            done => return done.map_err(Problem::from),
        }
        *told = self.begin(told.caller, told.place, None).await?;
        self.observe(told.shown.run, seen).await.map_err(Problem::from)
    }

    /// Keeps what has to be remembered of a report that was taken, and answers it.
    async fn close(&self, mut told: Told<'_>, id: &str) -> Result<Taken, Problem> {
        let by = reporter(told.caller);
        let taken_over = told.shown.by != by;
        told.shown.by = by;
        if told.shown != told.kept {
            // Nothing is expected of it, so nothing can be stale.
            let _ = self.shelf.write(vec![put(told.place, &told.shown)]).await?;
        }
        let (id, run) = (id.to_owned(), told.shown.run.to_string());
        Ok(Taken { reported: Reported { id, run }, taken_over })
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
    async fn begin<'a>(
        &self,
        caller: &'a Caller,
        place: &'a Place,
        name: Option<String>,
    ) -> Result<Told<'a>, Problem> {
        self.check_open(&place.namespace).await?;
        let name = match name {
            Some(name) => name,
            None => self.name_before(place).await?,
        };
        let namespace = place.namespace.clone();
        let external = Some(SYSTEM.to_owned());
        let definition = Definition { namespace, external, ..Definition::new(name, Vec::new()) };
        let id = new_id(self.clock.now())?;
        let shown = Shown::new(id, reporter(caller));
        // Nothing is expected of it, so nothing can be stale.
        let _ = self.shelf.write(vec![put(place, &shown)]).await?;
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
        Ok(Told { caller, place, kept: shown.clone(), shown, is_new: true })
    }

    /// What the workflow was called when it ran before.
    async fn name_before(&self, place: &Place) -> Result<String, Problem> {
        let Some(shown) = self.shown(place).await? else { return Ok(UNNAMED.to_owned()) };
        let run = shown.run;
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| match store.run(run) {
            Ok(summary) => Ok(summary.workflow),
            Err(StoreError::NoRun(_)) => Ok(UNNAMED.to_owned()),
            Err(error) => Err(error),
        };
        self.readers.ask(look).await
    }

    async fn check_open(&self, namespace: &str) -> Result<(), Problem> {
        let filter = open_runs(Some(namespace));
        let counts = self.readers.ask(move |store| store.counts(&filter)).await?;
        if counts.values().sum::<u64>() < OPEN_MAX {
            return Ok(());
        }
        let what = format!(
            "{OPEN_MAX} reported runs of namespace `{namespace}` have not ended, which is the most"
        );
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

/// A report that was taken.
pub struct Taken {
    /// What its reporter is answered.
    pub reported: Reported,
    /// Whether somebody else has reported of the run before, last.
    pub taken_over: bool,
}

/// A run that is being told of, and who tells.
struct Told<'a> {
    caller: &'a Caller,
    place: &'a Place,
    shown: Shown,
    /// As the store has it.
    kept: Shown,
    /// Whether this report begins the run.
    is_new: bool,
}

/// How it is remembered who reports.
fn reporter(caller: &Caller) -> String {
    caller.token().unwrap_or(caller.name()).to_owned()
}

/// Which runs of other systems have not ended, in one namespace or in all.
pub(super) fn open_runs(namespace: Option<&str>) -> RunFilter {
    RunFilter {
        states: vec![RunState::Queued, RunState::Running],
        namespaces: namespace.map(|name| vec![name.to_owned()]),
        external: Some(SYSTEM.to_owned()),
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
