//! What can be done. Each field is one change, recorded in the audit log as REST records it; a
//! request's fields are done one after the other, and one that fails leaves those before it done.

use super::answer::Field;
use super::desk::{Act, Desk};
use super::run::{Begun, Run};
use super::workflow::Workflow;
use crate::access::{Made, Outcome, Permission as P};
use crate::problem::Problem;
use crate::workflows::Tagged;
use async_graphql::{Context, ID, Object};
use loom_protocol::ErrorCode;
use loom_protocol::api::{
    AmendTask, ChangeRun, Identity, RerunRun, ResolveTask, StartRun, Started, WorkflowView,
};

pub(super) struct Mutation;

/// What came of a start.
fn started(started: &Started, what: &str) -> Outcome {
    let status = if started.repeated { 200 } else { 201 };
    Outcome { status, made: vec![Made::one(what, &started.id)] }
}

fn foreign_tag() -> Problem {
    Problem::new(ErrorCode::PreconditionFailed, "the `etag` is not one of ours")
}

#[Object]
impl Mutation {
    /// Start a run. Answers once it is durable, or with the first run if this is a repeat. Takes
    /// `runs:start`.
    async fn start_run(
        &self,
        context: &Context<'_>,
        run: StartRun,
        #[graphql(desc = "What makes this request the same as another.")] idempotency_key: Option<
            String,
        >,
        #[graphql(desc = "A run of the same workflow, version and variables is a repeat for so \
                          many seconds: 1 to 604,800.")]
        window_s: Option<u32>,
    ) -> Field<Begun> {
        let identity = window_s.map_or(Identity::Key {}, |window_s| Identity::Content { window_s });
        let (desk, run) = (Desk::of(context), StartRun { identity, ..run });
        let how = desk.start(idempotency_key);
        let act = Act::new(P::RunsStart, "startRun");
        let outcome = |run: &Started| started(run, "id");
        let done = desk
            .change_as(act, outcome, |app, caller| async move {
                app.runs.start(&caller, run, how).await
            })
            .await;
        Some(done.map(Begun::from))
    }

    /// Run a workflow again as a run did, perhaps with other variables. Takes `runs:retry`.
    async fn rerun_run(
        &self,
        context: &Context<'_>,
        id: ID,
        how: Option<RerunRun>,
        #[graphql(desc = "What makes this request the same as another.")] idempotency_key: Option<
            String,
        >,
    ) -> Field<Begun> {
        let desk = Desk::of(context);
        let start = desk.start(idempotency_key);
        let act = Act::new(P::RunsRetry, "rerunRun").on("id", &id);
        let outcome = |run: &Started| started(run, "run");
        let done = desk
            .change_as(act, outcome, |app, caller| async move {
                app.runs.rerun(&caller, &id, how.unwrap_or_default(), start).await
            })
            .await;
        Some(done.map(Begun::from))
    }

    /// Change a run's labels, reason or, before it begins, its priority. Takes `runs:update`.
    async fn update_run(
        &self,
        context: &Context<'_>,
        id: ID,
        change: ChangeRun,
        #[graphql(desc = "Only if this is still the run's `etag`.")] etag: Option<String>,
    ) -> Field<Run> {
        let act = Act::new(P::RunsUpdate, "updateRun").on("id", &id);
        let done = Desk::of(context)
            .change(act, |app, caller| async move {
                let expected = etag.map(|etag| etag.parse().map_err(|_| foreign_tag()));
                app.runs.change(&caller, &id, change, expected.transpose()?).await
            })
            .await;
        Some(done.map(|changed| changed.value.into()))
    }

    /// Cancel a run. Takes `runs:cancel`.
    async fn cancel_run(
        &self,
        context: &Context<'_>,
        id: ID,
        reason: Option<String>,
    ) -> Field<Run> {
        let act = Act::new(P::RunsCancel, "cancelRun").on("id", &id);
        let done = Desk::of(context)
            .change(act, |app, caller| async move {
                app.runs.cancel(&caller, &id, reason.unwrap_or_default()).await
            })
            .await;
        Some(done.map(Run::from))
    }

    /// Let nothing new start in a run. Takes `runs:pause`.
    async fn pause_run(&self, context: &Context<'_>, id: ID) -> Field<Run> {
        let act = Act::new(P::RunsPause, "pauseRun").on("id", &id);
        let done = Desk::of(context)
            .change(act, |app, caller| async move { app.runs.pause(&caller, &id).await })
            .await;
        Some(done.map(Run::from))
    }

    /// Go on after a pause. Takes `runs:pause`.
    async fn resume_run(&self, context: &Context<'_>, id: ID) -> Field<Run> {
        let act = Act::new(P::RunsPause, "resumeRun").on("id", &id);
        let done = Desk::of(context)
            .change(act, |app, caller| async move { app.runs.resume(&caller, &id).await })
            .await;
        Some(done.map(Run::from))
    }

    /// Try the failed tasks of a run again. Takes `runs:retry`.
    async fn retry_run(&self, context: &Context<'_>, id: ID) -> Field<Run> {
        let act = Act::new(P::RunsRetry, "retryRun").on("id", &id);
        let done = Desk::of(context)
            .change(act, |app, caller| async move { app.runs.retry(&caller, &id).await })
            .await;
        Some(done.map(Run::from))
    }

    /// Delete an ended run with its journal and logs. Answers with its identity. Takes
    /// `runs:delete`.
    async fn delete_run(&self, context: &Context<'_>, id: ID) -> Field<ID> {
        let act = Act::new(P::RunsDelete, "deleteRun").on("id", &id);
        let done = Desk::of(context)
            .change_as(
                act,
                |_| Outcome::of(204),
                |app, caller| async move { app.runs.delete(&caller, &id).await.map(|()| id) },
            )
            .await;
        Some(done)
    }

    /// Try a failed task again. Takes `tasks:retry`.
    async fn retry_task(&self, context: &Context<'_>, run: ID, task: String) -> Field<Run> {
        let act = Act::new(P::TasksRetry, "retryTask").on("id", &run).on("task", &task);
        let done = Desk::of(context)
            .change(
                act,
                |app, caller| async move { app.runs.retry_task(&caller, &run, &task).await },
            )
            .await;
        Some(done.map(Run::from))
    }

    /// Settle a failed or waiting task by hand. Takes `tasks:resolve`.
    async fn resolve_task(
        &self,
        context: &Context<'_>,
        run: ID,
        task: String,
        how: Option<ResolveTask>,
    ) -> Field<Run> {
        let act = Act::new(P::TasksResolve, "resolveTask").on("id", &run).on("task", &task);
        let done = Desk::of(context)
            .change(act, |app, caller| async move {
                app.runs.resolve_task(&caller, &run, &task, how.unwrap_or_default()).await
            })
            .await;
        Some(done.map(Run::from))
    }

    /// Skip a task that has not started. Takes `tasks:skip`.
    async fn skip_task(
        &self,
        context: &Context<'_>,
        run: ID,
        task: String,
        reason: Option<String>,
    ) -> Field<Run> {
        let act = Act::new(P::TasksSkip, "skipTask").on("id", &run).on("task", &task);
        let done = Desk::of(context)
            .change(act, |app, caller| async move {
                app.runs.skip_task(&caller, &run, &task, reason.unwrap_or_default()).await
            })
            .await;
        Some(done.map(Run::from))
    }

    /// Cancel one task alone; its run goes on. Takes `tasks:cancel`.
    async fn cancel_task(
        &self,
        context: &Context<'_>,
        run: ID,
        task: String,
        reason: Option<String>,
    ) -> Field<Run> {
        let act = Act::new(P::TasksCancel, "cancelTask").on("id", &run).on("task", &task);
        let done = Desk::of(context)
            .change(act, |app, caller| async move {
                app.runs.cancel_task(&caller, &run, &task, reason.unwrap_or_default()).await
            })
            .await;
        Some(done.map(Run::from))
    }

    /// Change a task's attempt limit, or what its later attempts see. Takes `tasks:update`.
    async fn amend_task(
        &self,
        context: &Context<'_>,
        run: ID,
        task: String,
        what: AmendTask,
    ) -> Field<Run> {
        let act = Act::new(P::TasksUpdate, "amendTask").on("id", &run).on("task", &task);
        let done = Desk::of(context)
            .change(act, |app, caller| async move {
                app.runs.amend_task(&caller, &run, &task, what).await
            })
            .await;
        Some(done.map(Run::from))
    }

    /// Register a version of a workflow. The same content again is no new version. Takes
    /// `workflows:register`.
    async fn register_workflow(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The workflow document, YAML or JSON.")] source: String,
    ) -> Field<Workflow> {
        let act = Act::new(P::WorkflowsRegister, "registerWorkflow");
        let outcome = |(found, new): &(Tagged<WorkflowView>, bool)| {
            let made = vec![Made::from(&found.value)];
            Outcome { status: if *new { 201 } else { 200 }, made }
        };
        let done = Desk::of(context)
            .change_as(act, outcome, |app, caller| async move {
                app.workflows.register(&caller, source).await
            })
            .await;
        Some(done.map(|(found, _)| found.value.into()))
    }

    /// Refuse new runs of a version. Takes `workflows:disable`.
    async fn disable_workflow(
        &self,
        context: &Context<'_>,
        namespace: String,
        name: String,
        version: String,
    ) -> Field<Workflow> {
        set_disabled(context, "disableWorkflow", [namespace, name, version], true).await
    }

    /// Allow new runs of a version again. Takes `workflows:disable`.
    async fn enable_workflow(
        &self,
        context: &Context<'_>,
        namespace: String,
        name: String,
        version: String,
    ) -> Field<Workflow> {
        set_disabled(context, "enableWorkflow", [namespace, name, version], false).await
    }
}

async fn set_disabled(
    context: &Context<'_>,
    field: &'static str,
    key: [String; 3],
    disabled: bool,
) -> Field<Workflow> {
    let act = Act::new(P::WorkflowsDisable, field);
    let act = act.on("namespace", &key[0]).on("name", &key[1]).on("version", &key[2]);
    let done = Desk::of(context)
        .change(act, |app, caller| async move {
            let [namespace, name, version] = &key;
            app.workflows.disable(&caller, (namespace, name, version), disabled, None).await
        })
        .await;
    Some(done.map(|done| done.value.into()))
}
