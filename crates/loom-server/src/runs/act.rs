//! Asking something of a run.

use super::service::Runs;
use crate::access::{Caller, Permission};
use crate::problem::Problem;
use loom_core::{Refusal, Request, RunId, Value, Variable};
use loom_engine::{EngineError, Input};
use loom_protocol::api::{AmendTask, ResolveTask, RunView};
use loom_store::RunSummary;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

impl Runs {
    /// Lets nothing new start.
    pub async fn pause(&self, caller: &Caller, id: &str) -> Result<RunView, Problem> {
        let request = Request::Pause { by: caller.name().to_owned() };
        self.ask(caller, id, Permission::RunsPause, request).await
    }

    /// Goes on after a pause.
    pub async fn resume(&self, caller: &Caller, id: &str) -> Result<RunView, Problem> {
        let request = Request::Resume { by: caller.name().to_owned() };
        self.ask(caller, id, Permission::RunsPause, request).await
    }

    /// Ends the run.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: &str,
        reason: String,
    ) -> Result<RunView, Problem> {
        let request = Request::Cancel { by: caller.name().to_owned(), reason };
        self.ask(caller, id, Permission::RunsCancel, request).await
    }

    /// Tries all failed tasks again.
    pub async fn retry(&self, caller: &Caller, id: &str) -> Result<RunView, Problem> {
        let request = Request::Retry { by: caller.name().to_owned(), task: None };
        self.ask(caller, id, Permission::RunsRetry, request).await
    }

    /// Tries one failed task again.
    pub async fn retry_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
    ) -> Result<RunView, Problem> {
        let task = Some(task.to_owned());
        let request = Request::Retry { by: caller.name().to_owned(), task };
        self.ask(caller, id, Permission::TasksRetry, request).await
    }

    /// Skips a task that has not started.
    pub async fn skip_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        reason: String,
    ) -> Result<RunView, Problem> {
        let (by, task) = (caller.name().to_owned(), task.to_owned());
        let request = Request::Skip { by, reason, task };
        self.ask(caller, id, Permission::TasksSkip, request).await
    }

    /// Cancels one task alone; the run goes on.
    pub async fn cancel_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        reason: String,
    ) -> Result<RunView, Problem> {
        let (by, task) = (caller.name().to_owned(), task.to_owned());
        let request = Request::CancelTask { by, reason, task };
        self.ask(caller, id, Permission::TasksCancel, request).await
    }

    /// Changes how often a task may be attempted, and what its later attempts see.
    pub async fn amend_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        what: AmendTask,
    ) -> Result<RunView, Problem> {
        let AmendTask { max_attempts, inputs } = what;
        let inputs = self.marked(caller, id, Permission::TasksUpdate, inputs).await?;
        let (by, task) = (caller.name().to_owned(), task.to_owned());
        let request = Request::Amend { by, task, max_attempts, inputs };
        self.ask(caller, id, Permission::TasksUpdate, request).await
    }

    /// Settles a failed or waiting task by hand.
    pub async fn resolve_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        how: ResolveTask,
    ) -> Result<RunView, Problem> {
        let outputs = self.marked(caller, id, Permission::TasksResolve, how.outputs).await?;
        let (by, task) = (caller.name().to_owned(), task.to_owned());
        let (reason, without_outputs) = (how.reason, how.without_outputs);
        let request = Request::Resolve { by, task, reason, outputs, without_outputs };
        self.ask(caller, id, Permission::TasksResolve, request).await
    }

    /// Values with the mark of those that the run's workflow holds secret.
    async fn marked(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
        values: BTreeMap<String, Value>,
    ) -> Result<Vec<Variable>, Problem> {
        let hash = self.permitted(caller, id, permission).await?.definition;
        let definition = self.readers.ask(move |store| store.definition(&hash)).await?;
        let secret = |name: &str| definition.secrets.iter().any(|secret| secret == name);
        let mark = |(name, value): (String, Value)| Variable { secret: secret(&name), name, value };
        Ok(values.into_iter().map(mark).collect())
    }

    /// Asks the engine; where another process has the run, leaves the request for it.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
        request: Request,
    ) -> Result<RunView, Problem> {
        let run = self.permitted(caller, id, permission).await?;
        executed_here(&run, request.verb())?;
        let run = run.id;
        match self.adopt(run, request.clone()).await {
            Ok(()) => {}
            Err(EngineError::Alive(_)) => {
                self.readers.ask(move |store| store.post(run, &request)).await?;
            }
            Err(error) => return Err(error.into()),
        }
        self.summary_of(run).await
    }

    async fn adopt(&self, run: RunId, request: Request) -> Result<(), EngineError> {
        let (answer, receiver) = oneshot::channel();
        let reply = Box::new(move |result| {
            // The asker may have gone.
            let _ = answer.send(result);
        });
        self.engine.send(Input::Adopt(run, Some(request), reply));
        receiver.await.unwrap_or(Err(EngineError::Stopped))
    }

    async fn summary_of(&self, run: RunId) -> Result<RunView, Problem> {
        let summary = self.readers.ask(move |store| store.run(run)).await?;
        Ok(super::view::run(&summary))
    }
}

/// Refuses what cannot be asked of a run that another system executes.
pub(super) fn executed_here(run: &RunSummary, wanted: &'static str) -> Result<(), Problem> {
    let Some(system) = run.meta.external.clone() else { return Ok(()) };
    Err(EngineError::Refused(Refusal::External { wanted, system }).into())
}
