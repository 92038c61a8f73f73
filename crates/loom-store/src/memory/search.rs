//! The searches of the reference model: look at every run.

use super::content::{Content, Run};
use crate::{KEY_RUNS_MAX, KeyFilter, KeyPage, RunFilter, RunPage, RunSummary};
use loom_core::{RunId, RunState};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

impl Content {
    pub(super) fn list(&self, filter: &RunFilter) -> RunPage {
        let mut runs = self.matching(filter);
        runs.sort_by(|one, other| filter.sort.compare(one.cursor(), other.cursor()));
        if let Some(after) = filter.after {
            runs.retain(|run| filter.sort.compare(run.cursor(), after) == Ordering::Greater);
        }
        let more = runs.len() > filter.page_size();
        runs.truncate(filter.page_size());
        RunPage { runs, more }
    }

    pub(super) fn counts(&self, filter: &RunFilter) -> BTreeMap<RunState, u64> {
        counted(self.matching(filter).into_iter().map(|run| run.state))
    }

    pub(super) fn namespaces(&self) -> Vec<(String, u64)> {
        let namespaces = self.runs.values().map(|run| run.new.definition.namespace.clone());
        counted(namespaces).into_iter().collect()
    }

    pub(super) fn annotation_keys(&self, filter: &KeyFilter) -> KeyPage {
        let meta = |run: &'_ Run| run.new.meta.annotations.clone();
        let all: BTreeSet<String> = self.runs.values().flat_map(meta).map(|(key, _)| key).collect();
        let behind = |after: Option<&str>| {
            Ok::<_, Infallible>(
                all.iter().find(|key| after.is_none_or(|it| key.as_str() > it)).cloned(),
            )
        };
        let count = |key: &str| {
            let has = RunFilter {
                annotations: vec![(key.to_owned(), None)],
                namespaces: filter.namespaces.clone(),
                ..RunFilter::default()
            };
            Ok((self.matching(&has).len() as u64).min(KEY_RUNS_MAX))
        };
        let Ok(page) = filter.page(behind, count);
        page
    }

    fn matching(&self, filter: &RunFilter) -> Vec<RunSummary> {
        let matcher = filter.matcher();
        let summary = |(id, run): (&RunId, &Run)| self.summary(*id, run);
        self.runs.iter().map(summary).filter(|run| matcher.matches(&run.facts())).collect()
    }
}

fn counted<T: Ord>(things: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for thing in things {
        *counts.entry(thing).or_default() += 1;
    }
    counts
}
