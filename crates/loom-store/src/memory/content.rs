//! What a store in memory holds, and the rules by which that changes.

use super::documents::Documents;
use crate::params::{FeedPosition, RunSummary};
use crate::record::{finished_at, started_at};
use crate::{
    DefinitionHash, NewRun, OwnerId, Posted, RequestId, RunCommit, Share, SlotAsk, StoreError,
    Verdict,
};
use loom_core::{Definition, Event, RunId, RunState, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) runs: BTreeMap<RunId, Run>,
    pub(super) definitions: BTreeMap<DefinitionHash, Arc<Definition>>,
    /// Which events of which run were recorded together: the number of the first, and how many.
    pub(super) feed: BTreeMap<FeedPosition, (RunId, u64, usize)>,
    pub(super) feed_end: FeedPosition,
    /// Those that wait, oldest first.
    pub(super) requests: Vec<Posted>,
    pub(super) requests_so_far: u64,
    pub(super) answers: BTreeMap<(RunId, RequestId), Verdict>,
    pub(super) owners: BTreeMap<OwnerId, Weak<()>>,
    pub(super) documents: Documents,
    /// What owners use of what has slots, and since when they wait for more.
    pub(super) slots: BTreeMap<String, BTreeMap<OwnerId, Share>>,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) new: NewRun,
    pub(super) owner: Option<OwnerId>,
    pub(super) state: RunState,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) events: Vec<Event>,
}

impl Content {
    pub(super) fn run(&self, run: RunId) -> Result<&Run, StoreError> {
        self.runs.get(&run).ok_or(StoreError::NoRun(run))
    }

    pub(super) fn is_alive(&self, owner: &str) -> bool {
        self.owners.get(owner).is_some_and(|life| life.strong_count() > 0)
    }

    pub(super) fn is_taken(&self, run: &Run) -> bool {
        run.owner.as_deref().is_some_and(|owner| self.is_alive(owner))
    }

    /// Refuses the commits if one of them does not fit what is recorded and the ones before it.
    pub(super) fn check(&self, owner: &str, commits: &[RunCommit]) -> Result<(), StoreError> {
        // The next number of each run of this call, or none if the run has ended in it.
        let mut ahead: BTreeMap<RunId, Option<u64>> = BTreeMap::new();
        for commit in commits {
            let conflict = StoreError::Conflict(commit.run);
            let next = match (ahead.get(&commit.run), self.runs.get(&commit.run)) {
                (Some(None), _) => return Err(conflict),
                (Some(next), _) => *next,
                (None, Some(run)) if run.owner.as_deref() == Some(owner) => {
                    Some(run.events.len() as u64 + 1)
                }
                (None, Some(_)) => return Err(conflict),
                (None, None) => None,
            };
            let expected = match (&commit.new, next) {
                (Some(_), None) => 1,
                (None, Some(next)) => next,
                (Some(_), Some(_)) => return Err(conflict),
                (None, None) => return Err(StoreError::NoRun(commit.run)),
            };
            if commit.first_seq != expected {
                return Err(conflict);
            }
            let next = expected + commit.events.len() as u64;
            ahead.insert(commit.run, (!commit.state.is_final()).then_some(next));
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, owner: &str, commit: &RunCommit) {
        if let Some(new) = &commit.new {
            self.definitions.entry(new.hash).or_insert_with(|| Arc::clone(&new.definition));
            let run = Run {
                new: new.clone(),
                owner: Some(owner.to_owned()),
                state: commit.state,
                started_at: None,
                finished_at: None,
                events: Vec::new(),
            };
            self.runs.insert(commit.run, run);
        }
        let run = self.runs.get_mut(&commit.run).expect("the commit was checked");
        if commit.new.is_some() || commit.state_changed {
            run.state = commit.state;
            run.started_at = run.started_at.or_else(|| started_at(&commit.events));
            run.finished_at = finished_at(&commit.events);
        }
        run.events.extend_from_slice(&commit.events);
        if !commit.events.is_empty() {
            self.feed_end.0 += 1;
            let row = (commit.run, commit.first_seq, commit.events.len());
            self.feed.insert(self.feed_end, row);
        }
        let has_ended = commit.state.is_final();
        if has_ended {
            run.owner = None;
        }
        for (id, verdict) in &commit.settles {
            self.answer(commit.run, |posted| posted == *id, verdict);
        }
        if has_ended {
            self.answer(commit.run, |_| true, &Verdict::Refused(Verdict::RUN_ENDED.to_owned()));
        }
    }

    /// Settles those of a run's waiting requests that `is_meant` names.
    fn answer(&mut self, run: RunId, is_meant: impl Fn(RequestId) -> bool, verdict: &Verdict) {
        let is_meant = |posted: &mut Posted| posted.run == run && is_meant(posted.id);
        for posted in self.requests.extract_if(.., is_meant) {
            self.answers.insert((run, posted.id), verdict.clone());
        }
    }

    /// Shares out one thing that has slots. See [`RunStore::share`](crate::RunStore::share).
    pub(super) fn share(&mut self, owner: &str, ask: &SlotAsk, now: Timestamp) -> u32 {
        let Self { slots, owners, .. } = self;
        let shares = slots.entry(ask.key.clone()).or_default();
        let lives = |owner: &str| owners.get(owner).is_some_and(|life| life.strong_count() > 0);
        shares.retain(|other, _| other == owner || lives(other));
        let own = shares.remove(owner).unwrap_or_default();
        let others = shares.iter().map(|(other, share)| (other.as_str(), *share));
        let next = ask.decide(owner, own, others, now);
        shares.insert(owner.to_owned(), next);
        next.used - ask.used
    }

    pub(super) fn remove(&mut self, removed: &[RunId]) {
        self.runs.retain(|id, _| !removed.contains(id));
        self.requests.retain(|posted| !removed.contains(&posted.run));
        self.answers.retain(|(run, _), _| !removed.contains(run));
        self.feed.retain(|_, (of, ..)| !removed.contains(of));
        let runs = &self.runs;
        self.definitions.retain(|hash, _| runs.values().any(|run| run.new.hash == *hash));
    }

    pub(super) fn summary(&self, id: RunId, run: &Run) -> RunSummary {
        RunSummary {
            id,
            namespace: run.new.definition.namespace.clone(),
            workflow: run.new.definition.name.clone(),
            version: run.new.definition.version.clone(),
            definition: run.new.hash,
            state: run.state,
            created_at: run.new.created_at,
            started_at: run.started_at,
            finished_at: run.finished_at,
            workers: run.new.workers,
            base: run.new.base.clone(),
            alive: self.is_taken(run),
            meta: Arc::clone(&run.new.meta),
        }
    }
}
