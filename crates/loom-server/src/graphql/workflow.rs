//! A registered version of a workflow.

use super::answer::Field;
use super::cost;
use super::desk::Desk;
use super::page::ordered;
use crate::problem::Problem;
use crate::workflows::{newest_first, version_list};
use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, SimpleObject};
use loom_protocol::api::{GraphView, NeedView, WorkflowView};
use tokio::sync::OnceCell;

/// A version of a registered workflow
#[derive(SimpleObject)]
#[graphql(complex)]
pub(super) struct Workflow {
    #[graphql(flatten)]
    view: WorkflowView,
    /// With the document, which lists do not have.
    #[graphql(skip)]
    whole: OnceCell<WorkflowView>,
}

impl From<WorkflowView> for Workflow {
    fn from(view: WorkflowView) -> Self {
        let whole = view.source.is_some().then(|| view.clone());
        Self { view, whole: OnceCell::new_with(whole) }
    }
}

impl Workflow {
    async fn whole(&self, context: &Context<'_>) -> Result<&WorkflowView, Problem> {
        let Desk { app, caller, .. } = Desk::of(context);
        let WorkflowView { namespace, name, version, .. } = &self.view;
        let read = || async {
            let found = app.workflows.get(caller, namespace, name, Some(version)).await;
            found.map(|found| found.value)
        };
        self.whole.get_or_try_init(read).await
    }

    async fn page(
        &self,
        desk: &Desk,
        asked: (Option<usize>, Option<String>),
    ) -> Result<Connection<String, Self>, Problem> {
        let WorkflowView { namespace, name, .. } = &self.view;
        let all = desk.app.workflows.versions(&desk.caller, namespace, name).await?;
        let list = version_list(namespace, name);
        ordered(desk, &list, all, asked, |it| it.version.as_str(), newest_first, Self::from)
    }
}

#[ComplexObject]
impl Workflow {
    /// The document, as it was registered.
    #[graphql(complexity = "cost::look(child_complexity)")]
    async fn source(&self, context: &Context<'_>) -> Field<Option<&str>> {
        Some(self.whole(context).await.map(|whole| whole.source.as_deref()))
    }

    /// What a run must be given.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn needs(&self, context: &Context<'_>) -> Field<&[NeedView]> {
        Some(self.whole(context).await.map(|whole| &whole.needs[..]))
    }

    /// Its tasks and who waits for whom.
    #[graphql(complexity = "cost::look(cost::list(child_complexity))")]
    async fn graph(&self, context: &Context<'_>) -> Field<GraphView> {
        let Desk { app, caller, .. } = Desk::of(context);
        let WorkflowView { namespace, name, version, .. } = &self.view;
        Some(app.workflows.graph(caller, namespace, name, version).await)
    }

    /// All versions of the workflow, newest first.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn versions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, Workflow>> {
        Some(self.page(Desk::of(context), (first, after)).await)
    }
}
