//! Searching for runs: which runs match, and in which order they are listed.
//!
//! Stores find candidates each in its own way; whether one matches is decided here, by all of them
//! alike.

use crate::{RunMeta, RunSummary};
use loom_core::{RunId, RunState, Timestamp};
use std::cmp::Ordering;

/// Which runs to list. All conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// In any of these states; in any state at all if there are none.
    pub states: Vec<RunState>,
    /// Only in these namespaces; in none if the list is empty.
    pub namespaces: Option<Vec<String>>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only of this version of the workflow.
    pub version: Option<String>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// With all of these annotations: a key, and its value if one is given.
    pub annotations: Vec<(String, Option<String>)>,
    /// Started by this one.
    pub initiator: Option<String>,
    /// Started from here.
    pub source: Option<String>,
    /// Of this matter.
    pub correlation_id: Option<String>,
    /// Executed by this other system, which reports it.
    pub external: Option<String>,
    /// Accepted in this time.
    pub created: TimeRange,
    /// Ended in this time; if either end is given, runs that have not ended do not match.
    pub finished: TimeRange,
    /// With this text, in any case, in the workflow's name, the run's identity, its tags, the values
    /// of its annotations, its initiator, source or reason.
    pub text: Option<String>,
    /// The order of the list.
    pub sort: RunSort,
    /// Only runs behind this one, in the order of the list: the last of the page before.
    pub after: Option<RunCursor>,
    /// At most so many; 0 for the store's own limit (1,000).
    pub limit: usize,
}

/// A time from one moment to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// Its first moment; without one it has no beginning.
    pub from: Option<Timestamp>,
    /// The first moment behind it; without one it has no end.
    pub until: Option<Timestamp>,
}

/// The order in which runs are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunSort {
    /// The youngest first.
    #[default]
    CreatedDesc,
    /// The oldest first.
    CreatedAsc,
    /// Those that ended last first; behind them, the youngest first, those that have not ended.
    FinishedDesc,
    /// Those that ended first first; behind them, the oldest first, those that have not ended.
    FinishedAsc,
}

/// A run's place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunCursor {
    /// When it ended, if it has. Only lists by the end of runs look at it.
    pub at: Option<Timestamp>,
    /// The run.
    pub run: RunId,
}

/// How far the runs of one key are counted.
pub const KEY_RUNS_MAX: u64 = 10_000;

/// How many keys one call looks at: a page may hold fewer than were asked for, and yet not be the
/// last.
pub const KEYS_LOOKED_AT: usize = 1000;

/// Which keys of annotations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// Only those of runs in these namespaces; none if the list is empty.
    pub namespaces: Option<Vec<String>>,
    /// Only those behind this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// A page of keys of annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys in order, each with how many runs have it, as far as [`KEY_RUNS_MAX`].
    pub keys: Vec<(String, u64)>,
    /// The last key that was looked at, if there may be more behind it.
    pub next: Option<String>,
}

impl KeyFilter {
    /// The page, from a store that can name the first key behind another, or the first of all, and
    /// count the runs of one as far as [`KEY_RUNS_MAX`].
    pub fn page<E>(
        &self,
        mut behind: impl FnMut(Option<&str>) -> Result<Option<String>, E>,
        mut count: impl FnMut(&str) -> Result<u64, E>,
    ) -> Result<KeyPage, E> {
        let mut keys = Vec::new();
        let mut after = self.after.clone();
        for _ in 0..KEYS_LOOKED_AT {
            if keys.len() == self.limit {
                break;
            }
            let Some(key) = behind(after.as_deref())? else {
                return Ok(KeyPage { keys, next: None });
            };
            let runs = count(&key)?;
            if runs > 0 {
                keys.push((key.clone(), runs));
            }
            after = Some(key);
        }
        let next = match &after {
            Some(last) => behind(Some(last))?.and(after),
            None => None,
        };
        Ok(KeyPage { keys, next })
    }
}

/// Which ended runs to delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Only runs that ended before.
    pub before: Timestamp,
    /// Only in these namespaces; in none if the list is empty.
    pub namespaces: Option<Vec<String>>,
    /// Only of this workflow.
    pub workflow: Option<String>,
    /// Only those that ended in any of these states; in any final state at all if there are none.
    pub states: Vec<RunState>,
    /// At most so many.
    pub limit: usize,
}

impl Retention {
    /// What finds the runs, the oldest first, if there can be any.
    pub fn filter(&self) -> Option<RunFilter> {
        let asked = |state: &RunState| self.states.is_empty() || self.states.contains(state);
        let ended = RunState::ALL.into_iter().filter(|state| state.is_final());
        let states: Vec<RunState> = ended.filter(asked).collect();
        (!states.is_empty() && self.limit > 0).then(|| RunFilter {
            states,
            namespaces: self.namespaces.clone(),
            workflow: self.workflow.clone(),
            finished: TimeRange { from: None, until: Some(self.before) },
            sort: RunSort::CreatedAsc,
            limit: self.limit,
            ..RunFilter::default()
        })
    }
}

/// What a filter asks about a run.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts<'a> {
    /// Its identity.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// The workflow's namespace.
    pub namespace: &'a str,
    /// The workflow's name.
    pub workflow: &'a str,
    /// The workflow's version.
    pub version: &'a str,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What is said about it.
    pub meta: &'a RunMeta,
}

impl RunSummary {
    /// What a filter asks about the run.
    pub fn facts(&self) -> RunFacts<'_> {
        RunFacts {
            id: self.id,
            state: self.state,
            namespace: &self.namespace,
            workflow: &self.workflow,
            version: &self.version,
            created_at: self.created_at,
            finished_at: self.finished_at,
            meta: &self.meta,
        }
    }

    /// The run's place in lists.
    pub const fn cursor(&self) -> RunCursor {
        RunCursor { at: self.finished_at, run: self.id }
    }
}

impl RunFilter {
    /// The most runs that a page may hold.
    pub const fn page_size(&self) -> usize {
        if self.limit == 0 { 1000 } else { self.limit }
    }

    /// Whether it lets these workflows through.
    pub fn takes_workflow(&self, namespace: &str, workflow: &str, version: &str) -> bool {
        let is = |wanted: &Option<String>, found| wanted.as_ref().is_none_or(|it| it == found);
        self.namespaces.as_ref().is_none_or(|all| all.iter().any(|it| it == namespace))
            && is(&self.workflow, workflow)
            && is(&self.version, version)
    }

    /// Whether it asks about the workflow.
    pub const fn asks_workflow(&self) -> bool {
        self.namespaces.is_some() || self.workflow.is_some() || self.version.is_some()
    }

    /// Whether it asks about what is said about the run.
    pub const fn asks_meta(&self) -> bool {
        !self.tags.is_empty()
            || !self.annotations.is_empty()
            || self.initiator.is_some()
            || self.source.is_some()
            || self.correlation_id.is_some()
            || self.external.is_some()
            || self.text.is_some()
    }

    /// The filter made ready to be asked about many runs.
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher { filter: self, text: self.text.as_ref().map(|text| text.to_lowercase()) }
    }
}

impl TimeRange {
    /// Whether it is all of time.
    pub const fn is_all(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }

    /// Whether the moment lies in it.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }
}

impl RunSort {
    /// Whether the end of runs decides.
    pub const fn is_by_end(self) -> bool {
        matches!(self, Self::FinishedDesc | Self::FinishedAsc)
    }

    /// Whether what is younger, or ended later, comes first.
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::CreatedDesc | Self::FinishedDesc)
    }

    /// Which of two runs comes first.
    pub fn compare(self, one: RunCursor, other: RunCursor) -> Ordering {
        let turned = |order: Ordering| if self.is_descending() { order.reverse() } else { order };
        if self.is_by_end() {
            let ended = one.at.is_none().cmp(&other.at.is_none());
            ended.then(turned((one.at, one.run).cmp(&(other.at, other.run))))
        } else {
            turned(one.run.cmp(&other.run))
        }
    }
}

/// A filter that can be asked whether runs match. It says nothing of places and limits.
#[derive(Debug)]
pub struct Matcher<'a> {
    filter: &'a RunFilter,
    /// The text looked for, in lower case.
    text: Option<String>,
}

impl Matcher<'_> {
    /// Whether the run matches.
    pub fn matches(&self, run: &RunFacts<'_>) -> bool {
        let RunFilter { states, created, finished, .. } = self.filter;
        (states.is_empty() || states.contains(&run.state))
            && created.contains(run.created_at)
            && (finished.is_all() || run.finished_at.is_some_and(|at| finished.contains(at)))
            && self.filter.takes_workflow(run.namespace, run.workflow, run.version)
            && self.meta_matches(run.meta)
            && self.text.as_ref().is_none_or(|text| holds_text(run, text))
    }

    fn meta_matches(&self, meta: &RunMeta) -> bool {
        let RunFilter { tags, annotations, initiator, source, correlation_id, external, .. } =
            self.filter;
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let has = |(key, value): &(String, Option<String>)| {
            meta.annotations.get(key).is_some_and(|found| is(value, found))
        };
        is(initiator, &meta.initiator)
            && is(source, &meta.source)
            && is(correlation_id, &meta.correlation_id)
            && (external.is_none() || *external == meta.external)
            && tags.iter().all(|tag| meta.tags.contains(tag))
            && annotations.iter().all(has)
    }
}

fn holds_text(run: &RunFacts<'_>, text: &str) -> bool {
    let RunMeta { tags, annotations, initiator, source, reason, .. } = run.meta;
    let holds = |place: &str| place.to_lowercase().contains(text);
    holds(run.workflow)
        || run.id.to_string().contains(text)
        || tags.iter().chain(annotations.values()).any(|place| holds(place))
        || [initiator, source, reason].into_iter().any(|place| holds(place))
}
