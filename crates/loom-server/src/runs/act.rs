//! Asking something of a run.

use super::service::Runs;
use super::start::{TEXT_MAX, not_a_variable, within};
use crate::access::{Caller, Permission};
use crate::problem::Problem;
use loom_core::{Refusal, Request, RunId, RunState, Value, Variable};
use loom_engine::{EngineError, Input};
use loom_protocol::ErrorCode;
use loom_protocol::api::{AmendTask, ResolveTask, RunView};
use loom_store::{Answer, QueryStore, RunSummary, StoreError, answer};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

/// How often a run is asked that ends in another process each time it is.
const TRIES: u32 = 3;
/// How long another process that has the run has to answer, and how often its answer is looked for.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

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
        short(&reason)?;
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
        let request = |by, task| Request::Retry { by, task: Some(task) };
        self.ask_of(caller, (id, task), Permission::TasksRetry, request).await
    }

    /// Skips a task that has not started.
    pub async fn skip_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        reason: String,
    ) -> Result<RunView, Problem> {
        short(&reason)?;
        let request = |by, task| Request::Skip { by, reason, task };
        self.ask_of(caller, (id, task), Permission::TasksSkip, request).await
    }

    /// Cancels one task alone; the run goes on.
    pub async fn cancel_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        reason: String,
    ) -> Result<RunView, Problem> {
        short(&reason)?;
        let request = |by, task| Request::CancelTask { by, reason, task };
        self.ask_of(caller, (id, task), Permission::TasksCancel, request).await
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
        let request = |by, task| Request::Amend { by, task, max_attempts, inputs };
        self.ask_of(caller, (id, task), Permission::TasksUpdate, request).await
    }

    /// Settles a failed or waiting task by hand.
    pub async fn resolve_task(
        &self,
        caller: &Caller,
        id: &str,
        task: &str,
        how: ResolveTask,
    ) -> Result<RunView, Problem> {
        short(&how.reason)?;
        let outputs = self.marked(caller, id, Permission::TasksResolve, how.outputs).await?;
        let (reason, without_outputs) = (how.reason, how.without_outputs);
        let request = |by, task| Request::Resolve { by, task, reason, outputs, without_outputs };
        self.ask_of(caller, (id, task), Permission::TasksResolve, request).await
    }

    /// Values with the mark of those whose names are secret in this run: by its workflow, or because
    /// what it began with is.
    async fn marked(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
        values: BTreeMap<String, Value>,
    ) -> Result<Vec<Variable>, Problem> {
        if let Some(name) = values.keys().find(|name| !loom_core::is_variable(name)) {
            return Err(not_a_variable(name));
        }
        let RunSummary { id: run, definition: hash, .. } =
            self.permitted(caller, id, permission).await?;
        let known = move |store: &mut (dyn QueryStore + 'static)| {
            Ok((store.definition(&hash)?, store.variables(run)?))
        };
        let (definition, variables) = self.readers.ask(known).await?;
        let secret = |name: &str| {
            definition.secrets.iter().any(|secret| secret == name)
                || definition.env.iter().any(|var| var.secret && var.name == name)
                || variables.iter().any(|variable| variable.secret && variable.name == name)
        };
        let mark = |(name, value): (String, Value)| Variable { secret: secret(&name), name, value };
        Ok(values.into_iter().map(mark).collect())
    }

    /// Asks something of one task: what, the caller's name and the task's make.
    async fn ask_of(
        &self,
        caller: &Caller,
        (id, task): (&str, &str),
        permission: Permission,
        request: impl FnOnce(String, String) -> Request,
    ) -> Result<RunView, Problem> {
        let request = request(caller.name().to_owned(), task.to_owned());
        self.ask(caller, id, permission, request).await
    }

    /// Asks the engine; where another process has the run, that one. Once this succeeds, what was asked
    /// for is recorded.
    pub(super) async fn ask(
        &self,
        caller: &Caller,
        id: &str,
        permission: Permission,
        request: Request,
    ) -> Result<RunView, Problem> {
        let found = self.permitted(caller, id, permission).await?;
        executed_here(&found, request.verb())?;
        let run = found.id;
        if found.state == RunState::Queued {
            // Taken up as it is, if nobody has it: a run that waits is not to begin for this.
            let _ = self.adopt(run, None).await;
        }
        for _ in 0..TRIES {
            match self.adopt(run, Some(request.clone())).await {
                Ok(()) => {
                    let left = self.summary_of(run).await?;
                    if let Some(at) = found.meta.start_at.filter(|_| left.finished_at.is_some()) {
                        self.later.forget(run, at);
                    }
                    return Ok(left);
                }
                Err(EngineError::Alive(_)) => {}
                Err(error) => return Err(error.into()),
            }
            match self.hand_over(run, request.clone()).await? {
                Some(Answer::Granted) => return self.summary_of(run).await,
                Some(Answer::Refused(why)) => return Err(Problem::new(ErrorCode::Refused, why)),
                Some(Answer::Nobody) => {}
                Some(Answer::Unknown) => return Err(unanswered(run, "has left no answer")),
                None => {
                    return Err(unanswered(run, "has not answered yet")
                        .help("the request is recorded, and takes effect when it is granted"));
                }
            }
        }
        Err(Problem::busy(format!("run {run} changes hands; nothing was done to it")))
    }

    /// Leaves a request for the process that has the run, and waits for the answer.
    async fn hand_over(&self, run: RunId, request: Request) -> Result<Option<Answer>, Problem> {
        let post = move |store: &mut (dyn QueryStore + 'static)| match store.post(run, &request) {
            // The run has ended since: nobody has it any more.
            Err(StoreError::Conflict(_)) => Ok(None),
            posted => posted.map(Some),
        };
        let Some(id) = self.readers.ask(post).await? else { return Ok(Some(Answer::Nobody)) };
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.readers.ask(move |store| answer(store, run, id)).await?;
            if answer.is_some() || Instant::now() >= until {
                return Ok(answer);
            }
            sleep(LOOK).await;
        }
    }

    async fn adopt(&self, run: RunId, request: Option<Request>) -> Result<(), EngineError> {
        let (answer, receiver) = oneshot::channel();
        let reply = Box::new(move |result| {
            // The asker may have gone.
            let _ = answer.send(result);
        });
        self.engine.send(Input::Adopt(run, request, reply));
        receiver.await.unwrap_or(Err(EngineError::Stopped))
    }

    pub(super) async fn summary_of(&self, run: RunId) -> Result<RunView, Problem> {
        let summary = self.readers.ask(move |store| store.run(run)).await?;
        Ok(self.shown(&summary))
    }
}

/// Whoever has the run has not said what becomes of the request.
fn unanswered(run: RunId, what: &str) -> Problem {
    Problem::new(ErrorCode::RunIsAlive, format!("the process that has run {run} {what}"))
}

/// A reason is kept with the run, and told with its events: as short as that of a start.
fn short(reason: &str) -> Result<(), Problem> {
    within("`reason`", reason, 4 * TEXT_MAX)
}

/// Refuses what cannot be asked of a run that another system executes.
pub(super) fn executed_here(run: &RunSummary, wanted: &'static str) -> Result<(), Problem> {
    let Some(system) = run.meta.external.clone() else { return Ok(()) };
    Err(EngineError::Refused(Refusal::External { wanted, system }).into())
}
