//! A task of a run.

use super::answer::Field;
use super::cost;
use super::desk::Desk;
use super::page::slice;
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, SimpleObject};
use loom_protocol::api::{AttemptDetail, AttemptView, TaskDetail, TaskView, VariableView};
use tokio::sync::OnceCell;

/// A task of a run
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Task {
    #[graphql(flatten)]
    view: TaskView,
    #[graphql(skip)]
    run: String,
    #[graphql(skip)]
    outputs: OnceCell<Vec<VariableView>>,
}

impl Task {
    pub(super) fn new(run: &str, view: TaskView) -> Self {
        Self { view, run: run.to_owned(), outputs: OnceCell::new() }
    }

    pub(super) fn whole(run: &str, detail: TaskDetail) -> Self {
        let TaskDetail { task, outputs } = detail;
        Self { outputs: OnceCell::new_with(Some(outputs)), ..Self::new(run, task) }
    }
}

#[ComplexObject]
impl Task {
    /// Its attempts, oldest first.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn attempts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<usize, AttemptView>> {
        let (desk, attempts) = (Desk::of(context), &self.view.attempts);
        Some(slice(desk, attempts, first, after.as_deref(), AttemptView::clone))
    }

    /// One attempt with what it saw and emitted.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn attempt(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Counts from 1.")] number: u32,
        #[graphql(desc = "The item's index, from 0, for a `for_each` task.")] item: Option<u32>,
    ) -> Field<AttemptDetail> {
        let Desk { app, caller, .. } = Desk::of(context);
        Some(app.runs.attempt(caller, &self.run, &self.view.name, number, item).await)
    }

    /// Variables that it, or somebody in its name, set, in order. Secret values read `***`.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn outputs(&self, context: &Context<'_>) -> Field<&[VariableView]> {
        let Desk { app, caller, .. } = Desk::of(context);
        let read = || async {
            app.runs.task(caller, &self.run, &self.view.name).await.map(|task| task.outputs)
        };
        Some(self.outputs.get_or_try_init(read).await.map(Vec::as_slice))
    }
}
