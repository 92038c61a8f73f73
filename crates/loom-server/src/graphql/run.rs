//! A run, and what is read of it only if somebody asks.

use super::answer::Field;
use super::cost;
use super::desk::Desk;
use super::page::{named, slice};
use super::task::Task;
use super::workflow::Workflow;
use crate::problem::Problem;
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, SimpleObject};
use loom_protocol::ErrorCode;
use loom_protocol::api::{
    InterventionView, PathLinkView, RunDetail, RunView, Started, TaskView, VariableView,
};
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

/// A run
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Run {
    #[graphql(flatten)]
    view: RunView,
    /// Read once, however many fields need it.
    #[graphql(skip)]
    detail: OnceCell<RunDetail>,
}

impl From<RunView> for Run {
    fn from(view: RunView) -> Self {
        Self { view, detail: OnceCell::new() }
    }
}

impl Run {
    async fn detail(&self, context: &Context<'_>) -> Result<&RunDetail, Problem> {
        let Desk { app, caller, .. } = Desk::of(context);
        let read = || async { Ok::<_, Problem>(app.runs.get(caller, &self.view.id).await?.value) };
        self.detail.get_or_try_init(read).await
    }
}

#[ComplexObject]
impl Run {
    /// The number of its last event.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn last_seq(&self, context: &Context<'_>) -> Field<u64> {
        Some(self.detail(context).await.map(|detail| detail.last_seq))
    }

    /// How many tasks stand where.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn counts(&self, context: &Context<'_>) -> Field<&BTreeMap<String, u64>> {
        Some(self.detail(context).await.map(|detail| &detail.counts))
    }

    /// Its variables, with who set them and when. Secret values read `***`.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn variables(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, VariableView>> {
        let page = |detail: &RunDetail| {
            named(Desk::of(context), &detail.variables, first, after.as_deref(), |it| &it.name)
        };
        Some(self.detail(context).await.and_then(page))
    }

    /// Its tasks, in the order of the workflow.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<usize, Task>> {
        let task = |view: &TaskView| Task::new(&self.view.id, view.clone());
        let page = |detail: &RunDetail| {
            slice(Desk::of(context), &detail.tasks, first, after.as_deref(), task)
        };
        Some(self.detail(context).await.and_then(page))
    }

    /// What people did to it.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn interventions(&self, context: &Context<'_>) -> Field<&[InterventionView]> {
        Some(self.detail(context).await.map(|detail| &detail.interventions[..]))
    }

    /// The chain of tasks that decided how long it took.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn critical_path(&self, context: &Context<'_>) -> Field<&[PathLinkView]> {
        Some(self.detail(context).await.map(|detail| &detail.critical_path[..]))
    }

    /// The registered version that it runs; null if it is not registered.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn definition(&self, context: &Context<'_>) -> Field<Workflow> {
        let Desk { app, caller, .. } = Desk::of(context);
        let RunView { namespace, workflow, version, .. } = &self.view;
        match app.workflows.get(caller, namespace, workflow, Some(version)).await {
            Err(problem) if problem.code == ErrorCode::NotFound => None,
            found => Some(found.map(|found| found.value.into())),
        }
    }
}

/// A run was accepted
#[derive(SimpleObject)]
#[graphql(complex, name = "StartedRun")]
pub(super) struct Begun {
    #[graphql(flatten)]
    started: Started,
}

impl From<Started> for Begun {
    fn from(started: Started) -> Self {
        Self { started }
    }
}

#[ComplexObject]
impl Begun {
    /// The run.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn run(&self, context: &Context<'_>) -> Field<Run> {
        let Desk { app, caller, .. } = Desk::of(context);
        Some(app.runs.summary(caller, &self.started.id).await.map(Run::from))
    }
}
