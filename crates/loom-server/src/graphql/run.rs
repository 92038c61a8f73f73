//! A run, and what is read of it only if somebody asks.

use super::cost;
use super::desk::Desk;
use super::page::slice;
use super::task::Task;
use super::workflow::Workflow;
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_protocol::api::{
    InterventionView, PathLinkView, RunDetail, RunView, Started, VariableView,
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

impl From<RunDetail> for Run {
    fn from(detail: RunDetail) -> Self {
        Self { view: detail.run.clone(), detail: OnceCell::new_with(Some(detail)) }
    }
}

impl Run {
    async fn detail(&self, desk: &Desk) -> Result<&RunDetail, Problem> {
        self.detail.get_or_try_init(|| desk.app.runs.get(&desk.caller, &self.view.id)).await
    }
}

#[ComplexObject]
impl Run {
    /// The number of its last event.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn last_seq(&self, context: &Context<'_>) -> Result<u64> {
        Ok(self.detail(Desk::of(context)).await?.last_seq)
    }

    /// How many tasks stand where.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn counts(&self, context: &Context<'_>) -> Result<&BTreeMap<String, u64>> {
        Ok(&self.detail(Desk::of(context)).await?.counts)
    }

    /// Its variables, with who set them and when. Secret values read `***`.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn variables(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Result<Connection<usize, VariableView>> {
        let desk = Desk::of(context);
        let variables = &self.detail(desk).await?.variables;
        Ok(slice(desk, variables, first, after.as_deref(), VariableView::clone)?)
    }

    /// Its tasks, in the order of the workflow.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Result<Connection<usize, Task>> {
        let desk = Desk::of(context);
        let tasks = &self.detail(desk).await?.tasks;
        let task = |view: &_| Task::new(&self.view.id, Clone::clone(view));
        Ok(slice(desk, tasks, first, after.as_deref(), task)?)
    }

    /// What people did to it.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn interventions(&self, context: &Context<'_>) -> Result<&[InterventionView]> {
        Ok(&self.detail(Desk::of(context)).await?.interventions)
    }

    /// The chain of tasks that decided how long it took.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn critical_path(&self, context: &Context<'_>) -> Result<&[PathLinkView]> {
        Ok(&self.detail(Desk::of(context)).await?.critical_path)
    }

    /// The registered version that it runs; null if it is not registered.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn definition(&self, context: &Context<'_>) -> Result<Option<Workflow>> {
        let Desk { app, caller, .. } = Desk::of(context);
        let RunView { namespace, workflow, version, .. } = &self.view;
        match app.workflows.get(caller, namespace, workflow, Some(version)).await {
            Ok(found) => Ok(Some(found.value.into())),
            Err(problem) if problem.code == ErrorCode::NotFound => Ok(None),
            Err(problem) => Err(problem.into()),
        }
    }
}

/// A run was accepted
#[derive(SimpleObject)]
#[graphql(complex, name = "Started")]
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
    async fn run(&self, context: &Context<'_>) -> Result<Run> {
        let Desk { app, caller, .. } = Desk::of(context);
        Ok(app.runs.summary(caller, &self.started.id).await?.into())
    }
}
