//! A run, and what is read of it only if somebody asks.

use super::answer::Field;
use super::cost;
use super::desk::Desk;
use super::page::{named, places};
use super::task::Task;
use super::workflow::Workflow;
use crate::runs::{self, Look};
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, SimpleObject};
use loom_core::TaskIx;
use loom_protocol::ErrorCode;
use loom_protocol::api::{InterventionView, PathLinkView, RunView, Started, VariableView};
use std::collections::BTreeMap;

/// A run
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Run {
    #[graphql(flatten)]
    view: RunView,
}

impl From<RunView> for Run {
    fn from(view: RunView) -> Self {
        Self { view }
    }
}

#[ComplexObject]
impl Run {
    /// Names what `updateRun` may change, as it is.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn etag(&self, context: &Context<'_>) -> Field<String> {
        let Desk { app, caller, .. } = Desk::of(context);
        Some(app.runs.etag(caller, &self.view.id).await.map(|tag| tag.to_string()))
    }

    /// The number of its last event.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn last_seq(&self, context: &Context<'_>) -> Field<u64> {
        let Desk { app, caller, .. } = Desk::of(context);
        Some(app.runs.last_seq(caller, &self.view.id).await)
    }

    /// How many tasks stand where.
    #[graphql(complexity = "cost::journal(child_complexity)")]
    async fn counts(&self, context: &Context<'_>) -> Field<BTreeMap<String, u64>> {
        let count = |look: &Look| Ok(runs::counts(&look.history));
        Some(Desk::of(context).look(&self.view.id, count).await)
    }

    /// Its variables, with who set them and when. Secret values read `***`.
    #[graphql(complexity = "cost::journal(cost::page(first, child_complexity))")]
    async fn variables(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, VariableView>> {
        let desk = Desk::of(context);
        let count = match desk.app.config.limits.page("first", first) {
            Ok(count) => count,
            Err(problem) => return Some(Err(problem)),
        };
        let page = move |look: &Look| {
            let history = &look.history;
            let view = |it| runs::variable(history, it);
            Ok(named(history.variables(), count, after.as_deref(), |it| it.name, view))
        };
        Some(desk.look(&self.view.id, page).await)
    }

    /// Its tasks, in the order of the workflow.
    #[graphql(complexity = "cost::journal(cost::page(first, child_complexity))")]
    async fn tasks(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<usize, Task>> {
        let desk = Desk::of(context);
        let count = match desk.app.config.limits.page("first", first) {
            Ok(count) => count,
            Err(problem) => return Some(Err(problem)),
        };
        let (run, whole) = (self.view.id.clone(), Task::is_wanted_whole(&context.look_ahead()));
        let page = move |look: &Look| {
            let task = |at: usize| Task::of(&run, look, TaskIx(at as u32), whole);
            places(look.history.run().plan().task_count(), count, after.as_deref(), task)
        };
        Some(desk.look(&self.view.id, page).await)
    }

    /// What people did to it.
    #[graphql(complexity = "cost::journal(cost::list(child_complexity))")]
    async fn interventions(&self, context: &Context<'_>) -> Field<Vec<InterventionView>> {
        let list = |look: &Look| {
            let all = look.history.interventions().iter();
            Ok(all.map(|one| runs::intervention(&look.history, one)).collect())
        };
        Some(Desk::of(context).look(&self.view.id, list).await)
    }

    /// The chain of tasks that decided how long it took.
    #[graphql(complexity = "cost::journal(cost::list(child_complexity))")]
    async fn critical_path(&self, context: &Context<'_>) -> Field<Vec<PathLinkView>> {
        let desk = Desk::of(context);
        let now = desk.app.clock.now();
        let list = move |look: &Look| {
            let links = look.history.critical_path(now).map(|path| path.links).unwrap_or_default();
            Ok(links.iter().map(|link| runs::link(&look.history, link)).collect())
        };
        Some(desk.look(&self.view.id, list).await)
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
