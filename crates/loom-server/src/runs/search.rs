//! Finding runs.

use super::cursor;
use super::service::Runs;
use super::start::{LABELS_MAX, TEXT_MAX, within};
use super::view;
use crate::access::{Caller, Permission};
use crate::asked::moment;
use crate::cursor as sealed;
use crate::problem::Problem;
use loom_core::RunState;
use loom_protocol::api::{
    AnnotationKeyList, AnnotationKeyView, NamespaceView, RunCounts, RunList, RunSelector,
    RunState as WireState, RunView,
};
use loom_store::{KeyFilter, QueryStore, RunFilter, RunPage, RunSort, RunSummary, TimeRange};
use std::collections::{BTreeMap, BTreeSet};

/// Which page of a list, and in which order.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// `-created_at`, the youngest first, if absent; `created_at`, `-finished_at`, `finished_at`.
    pub sort: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// The most items.
    pub limit: usize,
}

/// A page of runs.
pub(crate) struct Found {
    runs: Vec<RunSummary>,
    /// Whether there are more.
    pub(crate) more: bool,
    question: String,
}

impl Found {
    /// The runs, each with the cursor that leads behind it.
    pub(crate) fn places(&self) -> impl Iterator<Item = (String, RunView)> {
        self.runs.iter().map(|run| (self.cursor(run), view::run(run)))
    }

    fn cursor(&self, run: &RunSummary) -> String {
        cursor::write(run.cursor(), &self.question)
    }
}

impl Runs {
    /// The runs that match and that the caller may see.
    pub async fn list(
        &self,
        caller: &Caller,
        selector: &RunSelector,
        paging: Paging,
    ) -> Result<RunList, Problem> {
        let found = self.search(caller, selector, paging).await?;
        let last = found.runs.last().filter(|_| found.more);
        let next_cursor = last.map(|run| found.cursor(run));
        Ok(RunList { items: found.runs.iter().map(|run| self.shown(run)).collect(), next_cursor })
    }

    /// As [`Runs::list`], with the cursor of each run.
    pub(crate) async fn search(
        &self,
        caller: &Caller,
        selector: &RunSelector,
        paging: Paging,
    ) -> Result<Found, Problem> {
        let mut filter = filter(caller, Permission::RunsList, selector)?;
        filter.sort = sort(paging.sort.as_deref())?;
        filter.limit = paging.limit;
        let question = serde_json::to_string(selector).expect("its keys are text");
        let question = format!("{:?} {question}", filter.sort);
        filter.after = paging.cursor.map(|text| cursor::read(&text, &question)).transpose()?;
        let RunPage { runs, more } = self.readers.ask(move |store| store.list(&filter)).await?;
        Ok(Found { runs, more, question })
    }

    /// How many runs match, by state.
    pub async fn counts(
        &self,
        caller: &Caller,
        selector: &RunSelector,
    ) -> Result<RunCounts, Problem> {
        let filter = filter(caller, Permission::RunsList, selector)?;
        let found = self.readers.ask(move |store| store.counts(&filter)).await?;
        let count = |state: RunState| found.get(&state).copied().unwrap_or(0);
        let by_state = RunState::ALL.map(|state| (state.name().to_owned(), count(state)));
        Ok(RunCounts { total: found.values().sum(), by_state: by_state.into_iter().collect() })
    }
}

/// Namespaces with what is in them.
impl Runs {
    /// The namespaces that the caller may see, by name.
    pub async fn namespaces(&self, caller: &Caller) -> Result<Vec<NamespaceView>, Problem> {
        let visible = caller.namespaces(Permission::WorkflowsList)?;
        let workflows = self.workflows.by_namespace().await?;
        let runs: BTreeMap<String, u64> =
            self.readers.ask(QueryStore::namespaces).await?.into_iter().collect();
        let names: BTreeSet<&String> = workflows.keys().chain(runs.keys()).collect();
        let seen = names
            .into_iter()
            .filter(|&name| visible.as_ref().is_none_or(|visible| visible.contains(name)));
        let view = |name: &String| NamespaceView {
            name: name.clone(),
            workflows: workflows.get(name).copied().unwrap_or(0),
            runs: runs.get(name).copied().unwrap_or(0),
        };
        Ok(seen.map(view).collect())
    }

    /// The keys of annotations of the runs that the caller may see.
    pub async fn annotation_keys(
        &self,
        caller: &Caller,
        namespace: Option<&str>,
        after: Option<String>,
        limit: usize,
    ) -> Result<AnnotationKeyList, Problem> {
        let list = key_list(namespace);
        let namespaces = caller.within(Permission::RunsList, namespace)?;
        let after = sealed::open(&list, after)?;
        let filter = KeyFilter { namespaces, after, limit };
        let page = self.readers.ask(move |store| store.annotation_keys(&filter)).await?;
        let view = |(key, runs)| AnnotationKeyView { key, runs };
        Ok(AnnotationKeyList {
            items: page.keys.into_iter().map(view).collect(),
            next_cursor: sealed::seal(&list, page.next),
        })
    }
}

/// The name of the list of keys, by which its cursors are told apart.
pub(crate) fn key_list(namespace: Option<&str>) -> String {
    format!("annotation keys of {namespace:?}")
}

/// What the store is asked: the runs that match, within what the caller may do this to.
pub(super) fn filter(
    caller: &Caller,
    permission: Permission,
    selector: &RunSelector,
) -> Result<RunFilter, Problem> {
    let namespaces = match &selector.namespace {
        Some(namespace) => {
            caller.may(permission, namespace)?;
            Some(vec![namespace.clone()])
        }
        None => caller.namespaces(permission)?,
    };
    if selector.tag.len() > LABELS_MAX || selector.annotation.len() > LABELS_MAX {
        let what =
            format!("at most {LABELS_MAX} tags and {LABELS_MAX} annotations can be asked for");
        return Err(Problem::argument(what));
    }
    if let Some(text) = &selector.text {
        within("`text`", text, TEXT_MAX)?;
    }
    Ok(RunFilter {
        states: selector.status.iter().copied().map(state).collect(),
        namespaces,
        workflow: selector.workflow.clone(),
        version: selector.version.clone(),
        tags: selector.tag.clone(),
        annotations: selector.annotation.iter().map(|text| annotation(text)).collect(),
        initiator: selector.initiator.clone(),
        source: selector.source.clone(),
        correlation_id: selector.correlation_id.clone(),
        created: range(
            "created",
            selector.created_from.as_deref(),
            selector.created_until.as_deref(),
        )?,
        finished: range(
            "finished",
            selector.finished_from.as_deref(),
            selector.finished_until.as_deref(),
        )?,
        text: selector.text.clone(),
        ..RunFilter::default()
    })
}

pub(crate) const fn state(state: WireState) -> RunState {
    match state {
        WireState::Queued => RunState::Queued,
        WireState::Running => RunState::Running,
        WireState::Paused => RunState::Paused,
        WireState::Succeeded => RunState::Succeeded,
        WireState::Failed => RunState::Failed,
        WireState::Cancelled => RunState::Cancelled,
    }
}

fn annotation(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn range(what: &str, from: Option<&str>, until: Option<&str>) -> Result<TimeRange, Problem> {
    let end = |name: &str, text: Option<&str>| {
        text.map(|text| moment(&format!("{what}_{name}"), text)).transpose()
    };
    Ok(TimeRange { from: end("from", from)?, until: end("until", until)? })
}

fn sort(text: Option<&str>) -> Result<RunSort, Problem> {
    match text {
        None | Some("-created_at") => Ok(RunSort::CreatedDesc),
        Some("created_at") => Ok(RunSort::CreatedAsc),
        Some("-finished_at") => Ok(RunSort::FinishedDesc),
        Some("finished_at") => Ok(RunSort::FinishedAsc),
        Some(other) => Err(Problem::argument(format!("`sort` cannot be `{other}`"))
            .help("give created_at or finished_at, with a minus before it for the last first")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Permissions, Scope};

    #[test]
    fn a_question_stays_within_what_the_caller_may_see() {
        let scope = Scope::Namespaces(["a".to_owned()].into());
        let permissions: Permissions = [Permission::RunsList].into_iter().collect();
        let ann = Caller::new("ann", vec![Grant { permissions, scope }]);
        let of = |namespace: Option<&str>| RunSelector {
            namespace: namespace.map(str::to_owned),
            ..RunSelector::default()
        };
        let namespaces = |selector| filter(&ann, Permission::RunsList, &selector);
        assert_eq!(namespaces(of(None)).unwrap().namespaces, Some(vec!["a".to_owned()]));
        assert_eq!(namespaces(of(Some("a"))).unwrap().namespaces, Some(vec!["a".to_owned()]));
        assert!(namespaces(of(Some("b"))).is_err());
    }

    #[test]
    fn annotations_and_times_are_read() {
        let me = Caller::everything("me");
        let selector = RunSelector {
            annotation: vec!["team".into(), "ticket=A=1".into()],
            created_from: Some("1970-01-01T00:00:01Z".into()),
            ..RunSelector::default()
        };
        let found = filter(&me, Permission::RunsList, &selector).unwrap();
        assert_eq!(found.annotations[0], ("team".into(), None));
        assert_eq!(found.annotations[1], ("ticket".into(), Some("A=1".into())));
        assert_eq!(found.created.from.unwrap().0, 1_000_000);
        let wrong = RunSelector { finished_until: Some("soon".into()), ..RunSelector::default() };
        assert!(filter(&me, Permission::RunsList, &wrong).is_err());
    }
}
