//! What can be asked.

use super::answer::Field;
use super::cost;
use super::desk::Desk;
use super::page::{connection, ordered};
use super::run::Run;
use super::task::Task;
use super::workflow::Workflow;
use crate::app::Wanted;
use crate::cursor;
use crate::feed::Types;
use crate::problem::Problem;
use crate::runs::{Look, Paging, key_list};
use crate::workflows::workflow_list;
use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, ID, Object};
use loom_protocol::api::{AnnotationKeyView, NamespaceView, RunCounts, RunSelector};

pub(super) struct Query;

/// The order of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
enum RunSort {
    /// The youngest first.
    CreatedDesc,
    /// The oldest first.
    CreatedAsc,
    /// Those that ended last first.
    FinishedDesc,
    /// Those that ended first first.
    FinishedAsc,
}

impl RunSort {
    const fn name(self) -> &'static str {
        match self {
            Self::CreatedDesc => "-created_at",
            Self::CreatedAsc => "created_at",
            Self::FinishedDesc => "-finished_at",
            Self::FinishedAsc => "finished_at",
        }
    }
}

#[Object]
impl Query {
    /// Runs that match. Takes `runs:list`.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn runs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "All conditions must hold.")] filter: Option<RunSelector>,
        #[graphql(desc = "`CREATED_DESC` if absent.")] sort: Option<RunSort>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, Run>> {
        let sort = sort.map(|sort| sort.name().to_owned());
        Some(runs(Desk::of(context), &filter.unwrap_or_default(), sort, first, after).await)
    }

    /// How many runs match, by state. Takes `runs:list`.
    async fn run_counts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "All conditions must hold.")] filter: Option<RunSelector>,
    ) -> Field<RunCounts> {
        let Desk { app, caller, .. } = Desk::of(context);
        Some(app.runs.counts(caller, &filter.unwrap_or_default()).await)
    }

    /// One run. Takes `runs:get`.
    async fn run(&self, context: &Context<'_>, id: ID) -> Field<Run> {
        let Desk { app, caller, .. } = Desk::of(context);
        Some(app.runs.summary(caller, &id).await.map(Run::from))
    }

    /// One task of a run. Takes `runs:get`.
    #[graphql(complexity = "cost::journal(child_complexity)")]
    async fn task(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The run's identity.")] run: ID,
        #[graphql(desc = "The task's name.")] name: String,
    ) -> Field<Task> {
        let whole = move |look: &Look| Ok(look.whole(look.find(&name)?));
        let found = Desk::of(context).look(&run, whole).await;
        Some(found.map(|found| Task::whole(&run, found)))
    }

    /// The latest version of each workflow, by namespace and name. Takes `workflows:list`.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn workflows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only of this namespace.")] namespace: Option<String>,
        #[graphql(desc = "With this text in the name, the description or a tag.")] text: Option<
            String,
        >,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, Workflow>> {
        let of = (namespace.as_deref(), text.as_deref());
        Some(workflows(Desk::of(context), of, first, after.as_deref()).await)
    }

    /// The keys of annotations that runs have. Takes `runs:list`.
    #[graphql(complexity = "cost::look(cost::page(first, child_complexity))")]
    async fn annotation_keys(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only of this namespace.")] namespace: Option<String>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, AnnotationKeyView>> {
        Some(annotation_keys(Desk::of(context), namespace.as_deref(), first, after).await)
    }

    /// One version of a workflow. Takes `workflows:get`.
    async fn workflow(
        &self,
        context: &Context<'_>,
        #[graphql(default = "default")] namespace: String,
        name: String,
        #[graphql(desc = "The latest if absent.")] version: Option<String>,
    ) -> Field<Workflow> {
        let Desk { app, caller, .. } = Desk::of(context);
        let found = app.workflows.get(caller, &namespace, &name, version.as_deref()).await;
        Some(found.map(|found| found.value.into()))
    }

    /// Namespaces with how much is in them. Takes `workflows:list`.
    #[graphql(complexity = "cost::page(first, child_complexity)")]
    async fn namespaces(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The most items: 1 to 200, 50 if absent.")] first: Option<usize>,
        #[graphql(desc = "Where the page before ended.")] after: Option<String>,
    ) -> Field<Connection<String, NamespaceView>> {
        Some(namespaces(Desk::of(context), (first, after)).await)
    }

    /// The place behind everything that has happened so far: `events(after:)` goes on from it.
    /// Takes `events:read`.
    async fn event_cursor(&self, context: &Context<'_>) -> Field<Option<String>> {
        let Desk { app, caller, .. } = Desk::of(context);
        let all = Wanted { types: Types::All, namespace: None, workflow: None, after: None };
        Some(app.all_events(caller, all).await.map(|events| events.place()))
    }
}

async fn runs(
    desk: &Desk,
    filter: &RunSelector,
    sort: Option<String>,
    first: Option<usize>,
    after: Option<String>,
) -> Result<Connection<String, Run>, Problem> {
    let limit = desk.app.config.limits.page("first", first)?;
    let paging = Paging { sort, cursor: after.clone(), limit };
    let found = desk.app.runs.search(&desk.caller, filter, paging).await?;
    let runs = found.places().map(|(cursor, run)| (cursor, Run::from(run)));
    Ok(connection(after.as_deref(), found.more, runs))
}

async fn annotation_keys(
    desk: &Desk,
    namespace: Option<&str>,
    first: Option<usize>,
    after: Option<String>,
) -> Result<Connection<String, AnnotationKeyView>, Problem> {
    let limit = desk.app.config.limits.page("first", first)?;
    let list = key_list(namespace);
    let mut cursor = after.clone();
    loop {
        let page = desk.app.runs.annotation_keys(&desk.caller, namespace, cursor, limit).await?;
        cursor = page.next_cursor;
        // A page without an item would have no cursor to go on from.
        if page.items.is_empty() && cursor.is_some() {
            continue;
        }
        let keys = page.items.into_iter().map(|it| (cursor::sealed(&list, &it.key), it));
        return Ok(connection(after.as_deref(), cursor.is_some(), keys));
    }
}

async fn namespaces(
    desk: &Desk,
    asked: (Option<usize>, Option<String>),
) -> Result<Connection<String, NamespaceView>, Problem> {
    let all = desk.app.runs.namespaces(&desk.caller).await?;
    ordered(desk, "namespaces", all, asked, |it| it.name.as_str(), str::to_owned, |it| it)
}

async fn workflows(
    desk: &Desk,
    (namespace, text): (Option<&str>, Option<&str>),
    first: Option<usize>,
    after: Option<&str>,
) -> Result<Connection<String, Workflow>, Problem> {
    let limit = desk.app.config.limits.page("first", first)?;
    let list = workflow_list(namespace, text);
    let place = cursor::open(&list, after.map(str::to_owned))?;
    let all = &desk.app.workflows;
    let found = all.list(&desk.caller, namespace, text, place.as_deref(), limit).await?;
    let more = found.next_cursor.is_some();
    let workflows = found.items.into_iter().map(|view| {
        let place = format!("{}/{}", view.namespace, view.name);
        (cursor::sealed(&list, &place), Workflow::from(view))
    });
    Ok(connection(after, more, workflows))
}
