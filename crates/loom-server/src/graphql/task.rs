//! A task of a run.

use super::answer::Field;
use super::cost;
use super::desk::Desk;
use super::page::slice;
use crate::problem::Problem;
use crate::runs::Look;
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, Lookahead, SimpleObject};
use loom_core::TaskIx;
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
    /// Read once, however many fields need it.
    #[graphql(skip)]
    detail: OnceCell<TaskDetail>,
}

/// The fields that say more of a task than a list of tasks does.
const WHOLE: [&str; 7] =
    ["outputs", "parents", "children", "parentCount", "childCount", "isRoot", "isLeaf"];

impl Task {
    /// A task of a run; whole if somebody asked for what [`WHOLE`] names, so that its run is not read
    /// again for that.
    pub(super) fn of(run: &str, look: &Look, task: TaskIx, whole: bool) -> Self {
        if whole {
            return Self::whole(run, look.whole(task));
        }
        Self { view: look.line(task), run: run.to_owned(), detail: OnceCell::new() }
    }

    pub(super) fn whole(run: &str, detail: TaskDetail) -> Self {
        let (view, run) = (detail.task.clone(), run.to_owned());
        Self { view, run, detail: OnceCell::new_with(Some(detail)) }
    }

    /// Whether more of the tasks of a connection is asked for than a list of them says.
    pub(super) fn is_wanted_whole(connection: &Lookahead<'_>) -> bool {
        let nodes = [connection.field("nodes"), connection.field("edges").field("node")];
        nodes.iter().any(|node| WHOLE.iter().any(|field| node.field(field).exists()))
    }

    async fn detail(&self, context: &Context<'_>) -> Result<&TaskDetail, Problem> {
        let name = self.view.name.clone();
        let whole = move |look: &Look| Ok(look.whole(look.find(&name)?));
        let read = || Desk::of(context).look(&self.run, whole);
        self.detail.get_or_try_init(read).await
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
    #[graphql(complexity = "cost::journal(child_complexity)")]
    async fn attempt(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Counts from 1.")] number: u32,
        #[graphql(desc = "The item's index, from 0, for a `for_each` task.")] item: Option<u32>,
    ) -> Field<AttemptDetail> {
        let name = self.view.name.clone();
        let attempt = move |look: &Look| look.whole_attempt(look.find(&name)?, number, item);
        Some(Desk::of(context).look(&self.run, attempt).await)
    }

    /// Variables that it, or somebody in its name, set, in order. Secret values read `***`.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn outputs(&self, context: &Context<'_>) -> Field<&[VariableView]> {
        Some(self.detail(context).await.map(|detail| &detail.outputs[..]))
    }

    /// The names of the tasks before it: those that may set what it takes, and those that it
    /// depends on.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn parents(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<usize, String>> {
        let page = |detail: &TaskDetail| {
            slice(Desk::of(context), &detail.parents, first, after.as_deref(), String::clone)
        };
        Some(self.detail(context).await.and_then(page))
    }

    /// The names of the tasks behind it: those that take what it may set, and those that depend on
    /// it.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn children(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<usize, String>> {
        let page = |detail: &TaskDetail| {
            slice(Desk::of(context), &detail.children, first, after.as_deref(), String::clone)
        };
        Some(self.detail(context).await.and_then(page))
    }

    /// How many parents it has.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn parent_count(&self, context: &Context<'_>) -> Field<usize> {
        Some(self.detail(context).await.map(|detail| detail.parents.len()))
    }

    /// How many children it has.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn child_count(&self, context: &Context<'_>) -> Field<usize> {
        Some(self.detail(context).await.map(|detail| detail.children.len()))
    }

    /// Whether it has no parents.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn is_root(&self, context: &Context<'_>) -> Field<bool> {
        Some(self.detail(context).await.map(|detail| detail.parents.is_empty()))
    }

    /// Whether it has no children.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn is_leaf(&self, context: &Context<'_>) -> Field<bool> {
        Some(self.detail(context).await.map(|detail| detail.children.is_empty()))
    }
}
