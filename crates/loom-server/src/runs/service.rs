//! The runs of the store, for those who may see them.

use super::change::tag;
use super::later::Later;
use super::look::Look;
use super::{task_page, view};
use crate::access::{Caller, Permission};
use crate::config::Config;
use crate::limits::Limits;
use crate::parts::Logs;
use crate::plans::Plans;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::retention::Eraser;
use crate::shelf::Shelf;
use crate::workflows::{Tagged, Workflows};
use loom_core::{RunId, RunState, Variable};
use loom_engine::{Clock, Handle};
use loom_protocol::api::{
    GivenVariable, LimitWait, QueuedRuns, RunDetail, RunSubmission, RunView, TaskList,
};
use loom_protocol::{ErrorCode, MASK};
use loom_store::record::masked_definition;
use loom_store::{QueryStore, RunSummary};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The runs.
pub struct Runs {
    pub(super) engine: Handle,
    pub(super) readers: Readers,
    pub(super) plans: Plans,
    pub(super) eraser: Eraser,
    pub(super) shelf: Shelf,
    pub(super) workflows: Arc<Workflows>,
    pub(super) logs: Arc<dyn Logs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Arc<Config>,
    pub(super) later: Later,
    pub(super) limits: Arc<Limits>,
    /// What digests of keys are made with, once it was needed.
    pub(super) salt: OnceCell<String>,
}

impl Runs {
    #[expect(clippy::too_many_arguments, reason = "called once, where the services are made")]
    pub(crate) fn new(
        engine: Handle,
        readers: Readers,
        plans: Plans,
        eraser: Eraser,
        shelf: Shelf,
        workflows: Arc<Workflows>,
        logs: Arc<dyn Logs>,
        clock: Arc<dyn Clock>,
        config: Arc<Config>,
        limits: Arc<Limits>,
    ) -> Self {
        let later = Later::default();
        Self {
            engine,
            readers,
            plans,
            eraser,
            shelf,
            workflows,
            logs,
            clock,
            config,
            later,
            limits,
            salt: OnceCell::new(),
        }
    }

    /// A run in one line.
    pub async fn summary(&self, caller: &Caller, id: &str) -> Result<RunView, Problem> {
        let summary = self.permitted(caller, id, Permission::RunsGet).await?;
        Ok(self.shown(&summary))
    }

    /// A run as it is shown, with what it waits for.
    pub(super) fn shown(&self, run: &RunSummary) -> RunView {
        RunView { waits: wait(&self.limits, run), ..view::run(run) }
    }

    /// Everything that is known of a run, with the first of its tasks: so many, if that is said.
    /// Its entity tag is that of what may be changed about it.
    pub async fn get(
        &self,
        caller: &Caller,
        id: &str,
        tasks: Option<usize>,
    ) -> Result<Tagged<RunDetail>, Problem> {
        let most = task_page::first(tasks)?;
        let (now, limits) = (self.clock.now(), Arc::clone(&self.limits));
        let view = move |_: &mut dyn QueryStore, look: &Look| {
            let TaskList { items, next_cursor, .. } = task_page::begin(look, now, most);
            let mut value = view::detail(&look.summary, &look.history, now, items);
            value.run.waits = wait(&limits, &look.summary);
            value.next_cursor = next_cursor;
            Ok(Tagged { value, version: tag(&look.summary.meta) })
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }

    /// The entity tag of what may be changed about a run.
    pub(crate) async fn etag(&self, caller: &Caller, id: &str) -> Result<u64, Problem> {
        let summary = self.permitted(caller, id, Permission::RunsGet).await?;
        Ok(tag(&summary.meta))
    }

    /// The number of a run's last event.
    pub(crate) async fn last_seq(&self, caller: &Caller, id: &str) -> Result<u64, Problem> {
        let run = self.permitted(caller, id, Permission::RunsGet).await?.id;
        self.readers.ask(move |store| store.last_seq(run)).await
    }

    /// What the runs that have not begun wait for, of which there are so many.
    pub(crate) fn queued(&self, all: u64) -> QueuedRuns {
        let later = self.later.held(self.clock.now()) as u64;
        let limited = self.limits.waiting() as u64;
        QueuedRuns { later, limited, other: all.saturating_sub(later + limited) }
    }

    /// What a run began with.
    pub async fn began_with(&self, caller: &Caller, id: &str) -> Result<RunSubmission, Problem> {
        let limits = Arc::clone(&self.limits);
        let view = move |store: &mut dyn QueryStore, look: &Look| {
            let definition = masked_definition(look.history.run().plan().definition());
            let given = |Variable { name, value, secret }| GivenVariable {
                name,
                value: if secret { MASK.into() } else { value },
                secret,
            };
            let summary = &look.summary;
            Ok(RunSubmission {
                run: RunView { waits: wait(&limits, summary), ..view::run(summary) },
                last_seq: look.history.last_seq(),
                definition: serde_json::to_value(definition).expect("its keys are text"),
                variables: store.variables(summary.id)?.into_iter().map(given).collect(),
            })
        };
        self.look(caller, id, Permission::RunsGet, view).await
    }

    /// The run's summary, if the caller may do this to it.
    pub(crate) async fn permitted(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
    ) -> Result<RunSummary, Problem> {
        let (visible, run) = (caller.namespaces(permission)?, identity(id)?);
        let summary = self.readers.ask(move |store| store.run(run)).await?;
        seen(&summary, visible.as_deref())?;
        Ok(summary)
    }

    /// What is made of all that is recorded of a run, for those who may do this to it. It is made
    /// where the store is read: a run may have very many tasks.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
        view: impl FnOnce(&mut dyn QueryStore, &Look) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.look_upto(caller, id, permission, u64::MAX, view).await
    }

    /// As [`Runs::look`], of the run as it stood after its event of this number.
    pub(super) async fn look_upto<T: Send + 'static>(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
        seq: u64,
        view: impl FnOnce(&mut dyn QueryStore, &Look) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (visible, run) = (caller.namespaces(permission)?, identity(id)?);
        let plans = self.plans.clone();
        let question = move |store: &mut (dyn QueryStore + 'static)| {
            let summary = store.run(run)?;
            if let Err(problem) = seen(&summary, visible.as_deref()) {
                return Ok(Err(problem));
            }
            let look = Look::upto(store, &plans, summary, seq)?;
            Ok(view(store, &look))
        };
        self.readers.ask(question).await?
    }
}

pub(super) fn identity(id: &str) -> Result<RunId, Problem> {
    id.parse().map_err(|error| {
        Problem::new(ErrorCode::NoSuchRun, format!("there is no run `{id}`: {error}"))
    })
}

/// Of a run in a namespace that the caller has no part in, nothing is told, not even that there is
/// one.
fn seen(run: &RunSummary, visible: Option<&[String]>) -> Result<(), Problem> {
    if visible.is_some_and(|names| !names.contains(&run.namespace)) {
        return Err(Problem::new(ErrorCode::NoSuchRun, format!("there is no run {}", run.id)));
    }
    Ok(())
}

fn wait(limits: &Limits, run: &RunSummary) -> Option<LimitWait> {
    let waits = run.state == RunState::Queued;
    waits.then(|| limits.wait(run.id)).flatten().map(|(wait, _)| wait)
}
