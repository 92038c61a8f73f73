//! Starting a run.

use super::identity::{Claim, Reserved};
use super::service::Runs;
use crate::access::{Caller, Permission};
use crate::asked::moment;
use crate::ids::{is_correlation_id, new_id};
use crate::problem::Problem;
use crate::workflows::Prepared;
use loom_core::{RunId, Value, Variable};
use loom_engine::{EngineError, Input, NewSubmission};
use loom_protocol::ErrorCode;
use loom_protocol::api::{StartRun, Started};
use loom_store::RunMeta;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The most tags or annotations of a run.
pub(crate) const LABELS_MAX: usize = 64;
/// The longest tag, annotation, initiator, source or key; a reason may be four times as long.
pub(super) const TEXT_MAX: usize = 256;

/// The greatest priority; the smallest is as far below 0.
const PRIORITY_MAX: u32 = 100;

/// The variable that says how many tasks may run at once.
const MAX_WORKERS: &str = "MAX_WORKERS";

/// What a request carries beside its body.
#[derive(Clone, Debug, Default)]
pub struct StartContext {
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `X-Correlation-ID` header, or one that was made for the request.
    pub correlation_id: String,
    /// The `traceparent` header.
    pub traceparent: Option<String>,
    /// The run that this one repeats.
    pub rerun_of: Option<RunId>,
}

/// What creating a run came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Created {
    Now,
    /// It was there already.
    Before,
}

impl Runs {
    /// Starts a run, or answers with the one that an earlier, equal request started. Returns once
    /// the run is durable.
    pub async fn start(
        &self,
        caller: &Caller,
        request: StartRun,
        context: StartContext,
    ) -> Result<Started, Problem> {
        let namespace = request.namespace.as_deref().unwrap_or("default");
        caller.may(Permission::RunsStart, namespace)?;
        self.begin(caller, request, context).await
    }

    /// As [`Runs::start`], once it is known that the caller may.
    pub(super) async fn begin(
        &self,
        caller: &Caller,
        request: StartRun,
        context: StartContext,
    ) -> Result<Started, Problem> {
        let repeat = |run: RunId| Ok(Started { id: run.to_string(), repeated: true });
        let key = self.key(caller, &request, context.idempotency_key.as_deref()).await?;
        // Before anything that may have changed since the first request is looked at.
        let mut reserved = match &key {
            Some(key) => self.reserved(key).await?,
            None => None,
        };
        if let Some(Reserved::Repeat(run)) = reserved {
            return repeat(run);
        }
        let namespace = request.namespace.as_deref().unwrap_or("default");
        let version = request.version.as_deref();
        let prepared = self.workflows.prepared(namespace, &request.workflow, version).await?;
        let id = new_id(self.clock.now())?;
        let mut submission = self.submission(caller, &prepared, request, context, id)?;
        if let (Some(key), None) = (&key, &reserved) {
            reserved = Some(self.reserve(key, id).await?);
        }
        let claim = match reserved {
            Some(Reserved::Repeat(run)) => return repeat(run),
            Some(Reserved::Start(claim)) => Some(claim),
            None => None,
        };
        submission.id = claim.as_ref().map_or(id, Claim::run);
        let id = submission.id;
        // `Before`: an equal request that came at the same time was quicker.
        let repeated = self.create(submission).await? == Created::Before;
        claim.into_iter().for_each(|claim| self.begun(claim));
        Ok(Started { id: id.to_string(), repeated })
    }

    /// Starts a run under an identity that was reserved for it; no effect if it is there already.
    pub(crate) async fn start_reserved(
        &self,
        caller: &Caller,
        request: StartRun,
        context: StartContext,
        id: RunId,
    ) -> Result<(), Problem> {
        let namespace = request.namespace.as_deref().unwrap_or("default");
        caller.may(Permission::RunsStart, namespace)?;
        let version = request.version.as_deref();
        let prepared = self.workflows.prepared(namespace, &request.workflow, version).await?;
        let submission = self.submission(caller, &prepared, request, context, id)?;
        self.create(submission).await.map(drop)
    }

    fn submission(
        &self,
        caller: &Caller,
        prepared: &Prepared,
        request: StartRun,
        context: StartContext,
        id: RunId,
    ) -> Result<NewSubmission, Problem> {
        let variables = self.variables(prepared, &request.variables)?;
        let workers = self.workers(&variables, request.workers)?;
        let secret = |it: &&Variable| it.secret && request.variables.contains_key(&it.name);
        let given_secrets = variables.iter().filter(secret).map(|it| it.name.clone()).collect();
        let meta = RunMeta { given_secrets, ..meta(caller.name().to_owned(), request, context)? };
        let hold = meta.start_at.is_some_and(|at| at > self.clock.now());
        Ok(NewSubmission {
            id,
            plan: Arc::clone(&prepared.plan),
            hash: prepared.hash,
            variables: Arc::new(variables),
            workers,
            base: self.config.base.display().to_string(),
            meta: Arc::new(meta),
            hold,
        })
    }

    /// Creates a run. It begins at once, when its time comes, or when its limits have room.
    async fn create(&self, mut submission: NewSubmission) -> Result<Created, Problem> {
        let later = submission.meta.start_at.filter(|_| submission.hold);
        let ticket = if later.is_none() { self.limits.ticket(&submission) } else { None };
        if let Some(ticket) = &ticket {
            self.limits.knock(ticket).await?;
            submission.hold = true;
        }
        let id = submission.id;
        match (self.submit(submission).await, ticket) {
            (Ok(()), ticket) => {
                later.into_iter().for_each(|at| self.later.add(id, at));
                ticket.into_iter().for_each(|ticket| self.limits.enter(ticket));
                Ok(Created::Now)
            }
            (Err(EngineError::Exists(_)), _) => Ok(Created::Before),
            (Err(error), ticket) => {
                ticket.iter().for_each(|ticket| self.limits.abandon(ticket));
                Err(error.into())
            }
        }
    }

    async fn submit(&self, submission: NewSubmission) -> Result<(), EngineError> {
        let (answer, receiver) = oneshot::channel();
        let reply = Box::new(move |result| {
            // The asker may have gone.
            let _ = answer.send(result);
        });
        self.engine.send(Input::Submit(Box::new(submission), reply));
        receiver.await.unwrap_or(Err(EngineError::Stopped))
    }

    /// The variables that the run begins with.
    fn variables(
        &self,
        prepared: &Prepared,
        given: &BTreeMap<String, Value>,
    ) -> Result<Vec<Variable>, Problem> {
        let definition = prepared.plan.definition();
        if prepared.disabled {
            let message =
                format!("workflow `{}` {} is disabled", definition.name, definition.version);
            return Err(Problem::new(ErrorCode::WorkflowDisabled, message)
                .help("enable it, or name another version; `latest` stays on a disabled one"));
        }
        check_names(given.keys())?;
        check_needs(prepared, |name| given.contains_key(name))?;
        let host = |name: &str| self.config.host_env.get(name).cloned();
        loom_spec::resolve_env(definition, given, &host).map_err(|error| {
            Problem::new(ErrorCode::HostVariableUnset, error.to_string())
                .help("the server's configuration lists what workflows may read of its environment")
        })
    }

    /// The most tasks at once: `MAX_WORKERS`, else what the request says, else the server's number.
    fn workers(&self, variables: &[Variable], asked: Option<u32>) -> Result<u32, Problem> {
        let variable = variables.iter().find(|variable| variable.name == MAX_WORKERS);
        let asked = workers(variable.map(|variable| &variable.value), asked)?;
        Ok(asked.unwrap_or(self.config.workers))
    }
}

/// Refuses what no run could start with, whatever its workflow is.
pub(crate) fn check(request: &StartRun) -> Result<(), Problem> {
    check_names(request.variables.keys())?;
    workers(request.variables.get(MAX_WORKERS), request.workers)?;
    meta(String::new(), request.clone(), StartContext::default()).map(drop)
}

/// Refuses a run that is not given all that its workflow needs.
pub(crate) fn check_needs(
    prepared: &Prepared,
    is_given: impl Fn(&str) -> bool,
) -> Result<(), Problem> {
    let missing = prepared.needs.iter().filter(|need| !is_given(&need.name));
    let missing: Vec<&str> = missing.map(|need| need.name.as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the run is not given {}", missing.join(", "));
    Err(Problem::new(ErrorCode::MissingVariable, message)
        .help("give every variable that no task sets, in `variables`"))
}

/// Refuses what is no name of a variable.
pub(crate) fn check_names<'a>(mut names: impl Iterator<Item = &'a String>) -> Result<(), Problem> {
    names
        .find(|name| !loom_core::is_variable(name))
        .map_or(Ok(()), |name| Err(not_a_variable(name)))
}

/// The most tasks at once that a run asks for: by a variable, else by the request.
fn workers(variable: Option<&Value>, asked: Option<u32>) -> Result<Option<u32>, Problem> {
    let wrong = |what: &str| Problem::argument(format!("{what} is not a whole number from 1 up"));
    let number = match variable {
        None if asked == Some(0) => return Err(wrong("`workers`")),
        None => return Ok(asked),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_u64(),
    };
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.filter(|number| *number > 0).map(Some).ok_or_else(|| wrong(MAX_WORKERS))
}

pub(super) fn not_a_variable(name: &str) -> Problem {
    Problem::argument(format!("`{name}` is no name of a variable"))
        .help("a name has letters, digits and underscores, and no digit first")
}

/// What is said about a run, which this caller starts unless the request names somebody else.
fn meta(caller: String, request: StartRun, context: StartContext) -> Result<RunMeta, Problem> {
    let initiator = request.initiator.unwrap_or(caller);
    let source = request.source.unwrap_or_default();
    let reason = request.reason.unwrap_or_default();
    if request.correlation_id.as_deref().is_some_and(|id| !is_correlation_id(id.as_bytes())) {
        return Err(Problem::argument("`correlation_id` is not one")
            .help("a letter or digit, then at most 99 letters, digits, `_` and `-`"));
    }
    let correlation_id = request.correlation_id.unwrap_or(context.correlation_id);
    let short = |what: &str, text: &str| within(what, text, TEXT_MAX);
    short("`initiator`", &initiator)?;
    short("`source`", &source)?;
    request.concurrency_key.iter().try_for_each(|key| short("`concurrency_key`", key))?;
    let meta = RunMeta {
        tags: request.tags,
        annotations: request.annotations,
        initiator,
        source,
        reason,
        correlation_id,
        start_at: request.start_at.as_deref().map(|at| moment("start_at", at)).transpose()?,
        traceparent: context.traceparent,
        rerun_of: context.rerun_of,
        priority: request.priority,
        concurrency_key: request.concurrency_key,
        ..RunMeta::default()
    };
    check_labels(&meta)?;
    Ok(meta)
}

/// Refuses labels that a run may not have, and which may be changed after its start.
pub(super) fn check_labels(meta: &RunMeta) -> Result<(), Problem> {
    if meta.tags.len() > LABELS_MAX || meta.annotations.len() > LABELS_MAX {
        let what = format!("a run has at most {LABELS_MAX} tags and {LABELS_MAX} annotations");
        return Err(Problem::argument(what));
    }
    if meta.tags.contains("") || meta.annotations.contains_key("") {
        return Err(Problem::argument("a tag, or an annotation's key, is empty"));
    }
    let short = |what: &str, text: &str| within(what, text, TEXT_MAX);
    meta.tags.iter().try_for_each(|tag| short("a tag", tag))?;
    for (key, value) in &meta.annotations {
        short("an annotation's key", key)?;
        short("an annotation", value)?;
    }
    within("`reason`", &meta.reason, 4 * TEXT_MAX)?;
    if meta.priority.unsigned_abs() > PRIORITY_MAX {
        let what = format!("`priority` is -{PRIORITY_MAX} to {PRIORITY_MAX}");
        return Err(Problem::argument(what));
    }
    Ok(())
}

pub(super) fn within(what: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().count() <= most && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(Problem::argument(format!("{what} has at most {most} characters, none of them a control")))
}
