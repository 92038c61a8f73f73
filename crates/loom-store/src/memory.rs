//! [`MemoryStore`]: the reference model. It says what a store does in the fewest words, and stands
//! in for one in tests and simulation. Nothing of it outlives the process.

mod documents;
mod search;

use crate::params::{FeedPage, FeedPosition, FeedRow, JournalPage, RunPage, RunSummary, StoredRun};
use crate::record::{
    finished_at, masked_definition, masked_event, masked_variables, started_at, starts_run,
};
use crate::{
    Claim, DefinitionHash, KeyFilter, KeyPage, NewRun, OwnerId, Posted, QueryStore, Recorded,
    RequestId, RequestState, Retention, RunCommit, RunFilter, RunMeta, RunStore, Share, SlotAsk,
    StoreError, UpkeepStore, Verdict,
};
use loom_core::{Definition, Event, Request, RunId, RunState, Timestamp, Variable};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// One owner's session of a store in memory. Sessions made from one another share its content.
///
/// An owner lives until its last session is dropped or [`MemoryStore::end_owner`] names it.
#[derive(Debug)]
pub struct MemoryStore {
    content: Arc<Mutex<Content>>,
    owner: OwnerId,
    life: Arc<()>,
}

#[derive(Debug, Default)]
struct Content {
    runs: BTreeMap<RunId, Run>,
    definitions: BTreeMap<DefinitionHash, Arc<Definition>>,
    /// Which events of which run were recorded together: the number of the first, and how many.
    feed: BTreeMap<FeedPosition, (RunId, u64, usize)>,
    feed_end: FeedPosition,
    /// Those that wait, oldest first.
    requests: Vec<Posted>,
    requests_so_far: u64,
    answers: BTreeMap<(RunId, RequestId), Verdict>,
    owners: BTreeMap<OwnerId, Weak<()>>,
    documents: documents::Documents,
    /// What owners use of what has slots, and since when they wait for more.
    slots: BTreeMap<String, BTreeMap<OwnerId, Share>>,
}

#[derive(Debug)]
struct Run {
    new: NewRun,
    owner: Option<OwnerId>,
    state: RunState,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    events: Vec<Event>,
}

impl MemoryStore {
    /// An empty store, and a first session of it for an owner called `memory`.
    pub fn new() -> Self {
        Self::join(Arc::default(), "memory".into())
    }

    /// Another session of the same store, for this owner. A name whose owner has ended starts a
    /// new life, in which the runs of the old one are its own.
    #[must_use]
    pub fn session(&self, owner: impl Into<OwnerId>) -> Self {
        Self::join(Arc::clone(&self.content), owner.into())
    }

    /// Ends an owner, as the death of its process would: others may claim its runs, and its
    /// sessions can do nothing any more that needs an owner.
    pub fn end_owner(&self, owner: &str) {
        self.content().owners.remove(owner);
    }

    /// The name that this session owns runs under.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    fn join(content: Arc<Mutex<Content>>, owner: OwnerId) -> Self {
        let mut inner = content.lock().expect("no session panics while it holds the content");
        let living = inner.owners.get(&owner).and_then(Weak::upgrade);
        let life = living.unwrap_or_default();
        inner.owners.insert(owner.clone(), Arc::downgrade(&life));
        drop(inner);
        Self { content, owner, life }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("no session panics while it holds the content")
    }

    /// The content, unless this session's owner has ended.
    fn as_owner(&self) -> Result<MutexGuard<'_, Content>, StoreError> {
        let content = self.content();
        let current = content.owners.get(&self.owner);
        if current.is_some_and(|life| std::ptr::eq(life.as_ptr(), Arc::as_ptr(&self.life))) {
            Ok(content)
        } else {
            Err(StoreError::Unavailable(format!("the owner {} has ended", self.owner)))
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Content {
    fn run(&self, run: RunId) -> Result<&Run, StoreError> {
        self.runs.get(&run).ok_or(StoreError::NoRun(run))
    }

    fn is_alive(&self, owner: &str) -> bool {
        self.owners.get(owner).is_some_and(|life| life.strong_count() > 0)
    }

    fn is_taken(&self, run: &Run) -> bool {
        run.owner.as_deref().is_some_and(|owner| self.is_alive(owner))
    }

    /// Refuses the commits if one of them does not fit what is recorded and the ones before it.
    fn check(&self, owner: &str, commits: &[RunCommit]) -> Result<(), StoreError> {
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

    fn apply(&mut self, owner: &str, commit: &RunCommit) {
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

    /// Shares out one thing that has slots. See [`RunStore::share`].
    fn share(&mut self, owner: &str, ask: &SlotAsk, now: Timestamp) -> u32 {
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

    fn remove(&mut self, removed: &[RunId]) {
        self.runs.retain(|id, _| !removed.contains(id));
        self.requests.retain(|posted| !removed.contains(&posted.run));
        self.answers.retain(|(run, _), _| !removed.contains(run));
        self.feed.retain(|_, (of, ..)| !removed.contains(of));
        let runs = &self.runs;
        self.definitions.retain(|hash, _| runs.values().any(|run| run.new.hash == *hash));
    }

    fn summary(&self, id: RunId, run: &Run) -> RunSummary {
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

impl RunStore for MemoryStore {
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError> {
        let mut content = self.as_owner()?;
        content.check(&self.owner, commits)?;
        for commit in commits {
            content.apply(&self.owner, commit);
        }
        Ok(())
    }

    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError> {
        let content = self.content();
        let run = content.run(run)?;
        Ok(StoredRun { new: run.new.clone(), events: run.events.clone() })
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        let mut content = self.as_owner()?;
        match &content.run(run)?.owner {
            Some(owner) if *owner != self.owner && content.is_alive(owner) => {
                return Ok(Claim::OwnedBy(owner.clone()));
            }
            _ => {}
        }
        let run = content.runs.get_mut(&run).expect("it was just found");
        run.owner = Some(self.owner.clone());
        Ok(Claim::Claimed)
    }

    fn release(&mut self, run: RunId) -> Result<(), StoreError> {
        let mut content = self.as_owner()?;
        if let Some(run) = content.runs.get_mut(&run)
            && run.owner.as_deref() == Some(&self.owner)
        {
            run.owner = None;
        }
        Ok(())
    }

    fn requests(&mut self) -> Result<Vec<Posted>, StoreError> {
        let content = self.as_owner()?;
        let is_own = |posted: &&Posted| {
            let run = content.runs.get(&posted.run);
            run.is_some_and(|run| run.owner.as_deref() == Some(&self.owner))
        };
        Ok(content.requests.iter().filter(is_own).cloned().collect())
    }

    fn share(&mut self, asks: &[SlotAsk], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        let mut content = self.as_owner()?;
        Ok(asks.iter().map(|ask| content.share(&self.owner, ask, now)).collect())
    }
}

impl QueryStore for MemoryStore {
    fn run(&mut self, run: RunId) -> Result<RunSummary, StoreError> {
        let content = self.content();
        Ok(content.summary(run, content.run(run)?))
    }

    fn owner(&mut self, run: RunId) -> Result<Option<OwnerId>, StoreError> {
        let content = self.content();
        let run = content.run(run)?;
        Ok(run.owner.clone().filter(|_| content.is_taken(run)))
    }

    fn find(&mut self, text: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        let matches = |run: &RunId| {
            let id = run.to_string();
            id.starts_with(text) || id.ends_with(text)
        };
        Ok(self.content().runs.keys().rev().copied().filter(matches).take(limit).collect())
    }

    fn list(&mut self, filter: &RunFilter) -> Result<RunPage, StoreError> {
        Ok(self.content().list(filter))
    }

    fn counts(&mut self, filter: &RunFilter) -> Result<BTreeMap<RunState, u64>, StoreError> {
        Ok(self.content().counts(filter))
    }

    fn namespaces(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        Ok(self.content().namespaces())
    }

    fn annotation_keys(&mut self, filter: &KeyFilter) -> Result<KeyPage, StoreError> {
        Ok(self.content().annotation_keys(filter))
    }

    fn last_seq(&mut self, run: RunId) -> Result<u64, StoreError> {
        Ok(self.content().run(run)?.events.len() as u64)
    }

    fn variables(&mut self, run: RunId) -> Result<Vec<Variable>, StoreError> {
        Ok(masked_variables(&self.content().run(run)?.new.variables))
    }

    fn journal(&mut self, run: RunId, after: u64, limit: usize) -> Result<JournalPage, StoreError> {
        let content = self.content();
        let mut behind = (1..).zip(&content.run(run)?.events).filter(|(seq, _)| *seq > after);
        let events = behind
            .by_ref()
            .take(limit)
            .map(|(seq, event)| Recorded { seq, event: masked_event(event) })
            .collect();
        Ok(JournalPage { events, more: behind.next().is_some() })
    }

    fn feed(&mut self, after: FeedPosition, limit: usize) -> Result<FeedPage, StoreError> {
        let content = self.content();
        let mut page = FeedPage { rows: Vec::new(), more: false };
        let mut taken = 0;
        let behind = content.feed.range((Bound::Excluded(after), Bound::Unbounded));
        for (&position, &(run, first_seq, count)) in behind {
            if taken >= limit {
                page.more = true;
                break;
            }
            taken += count;
            let of = content.run(run)?;
            let events = of.events.iter().skip(first_seq as usize - 1).take(count);
            let events: Vec<Event> = events.map(masked_event).collect();
            let starts = starts_run(&events);
            let correlation_id =
                if starts { of.new.meta.correlation_id.clone() } else { String::new() };
            let definition = of.new.hash;
            let row = FeedRow {
                position,
                run,
                definition,
                correlation_id,
                first_seq,
                events,
                damage: None,
            };
            page.rows.push(row);
        }
        Ok(page)
    }

    fn feed_end(&mut self) -> Result<FeedPosition, StoreError> {
        Ok(self.content().feed_end)
    }

    fn definition(&mut self, hash: &DefinitionHash) -> Result<Definition, StoreError> {
        match self.content().definitions.get(hash) {
            Some(definition) => Ok(masked_definition(definition)),
            None => Err(StoreError::no_definition(hash)),
        }
    }

    fn post(&mut self, run: RunId, request: &Request) -> Result<RequestId, StoreError> {
        let mut content = self.content();
        if content.run(run)?.state.is_final() {
            return Err(StoreError::Conflict(run));
        }
        content.requests_so_far += 1;
        let id = RequestId(content.requests_so_far);
        content.requests.push(Posted { id, run, request: Ok(request.clone()) });
        Ok(id)
    }

    fn request_state(&mut self, run: RunId, id: RequestId) -> Result<RequestState, StoreError> {
        let content = self.content();
        if content.requests.iter().any(|posted| (posted.run, posted.id) == (run, id)) {
            return Ok(RequestState::Waits);
        }
        let answer = content.answers.get(&(run, id)).cloned();
        Ok(answer.map_or(RequestState::Gone, RequestState::Settled))
    }

    fn withdraw(&mut self, run: RunId, id: RequestId) -> Result<bool, StoreError> {
        let mut content = self.content();
        content.answers.remove(&(run, id));
        if content.runs.get(&run).is_some_and(|found| content.is_taken(found)) {
            return Ok(false);
        }
        let waited = content.requests.len();
        content.requests.retain(|posted| (posted.run, posted.id) != (run, id));
        Ok(content.requests.len() < waited)
    }

    fn describe(
        &mut self,
        run: RunId,
        before: &RunMeta,
        after: &RunMeta,
    ) -> Result<bool, StoreError> {
        let mut content = self.content();
        let found = content.runs.get_mut(&run).ok_or(StoreError::NoRun(run))?;
        let is_so = *found.new.meta == *before;
        if is_so {
            found.new.meta = Arc::new(after.clone());
        }
        Ok(is_so)
    }
}

impl UpkeepStore for MemoryStore {
    fn prune(&mut self, retention: &Retention) -> Result<Vec<RunId>, StoreError> {
        let mut content = self.content();
        let Some(mut filter) = retention.filter() else { return Ok(Vec::new()) };
        let most = filter.page_size();
        filter.limit = usize::MAX;
        let old = content.list(&filter).runs.into_iter().filter(|run| !run.alive);
        let old: Vec<RunId> = old.map(|run| run.id).take(most).collect();
        content.remove(&old);
        Ok(old)
    }

    fn delete(&mut self, run: RunId) -> Result<(), StoreError> {
        let mut content = self.content();
        let found = content.run(run)?;
        if !found.state.is_final() || content.is_taken(found) {
            return Err(StoreError::NotEnded(run));
        }
        content.remove(&[run]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Fixture, samples};

    struct Memory(MemoryStore);

    impl Fixture for Memory {
        type Store = MemoryStore;

        fn session(&self) -> MemoryStore {
            let taken = self.0.content().owners.len();
            self.0.session(format!("owner-{taken}"))
        }

        fn readable(&self) -> Option<Vec<u8>> {
            None
        }
    }

    crate::store_conformance!(|| Memory(MemoryStore::new()));

    #[test]
    fn an_ended_owners_sessions_can_do_nothing_more_and_its_runs_can_be_claimed() {
        let mut first = MemoryStore::new();
        let mut second = first.session("second");
        let run = samples::run_id(1);
        first.commit(&[samples::created(run)]).unwrap();
        assert_eq!(second.claim(run).unwrap(), Claim::OwnedBy("memory".into()));

        second.end_owner("memory");
        assert_eq!(second.claim(run).unwrap(), Claim::Claimed);
        assert!(matches!(first.requests(), Err(StoreError::Unavailable(_))));
        assert!(matches!(first.commit(&[]), Err(StoreError::Unavailable(_))));

        let mut again = first.session("memory");
        assert_eq!(again.claim(run).unwrap(), Claim::OwnedBy("second".into()));
        assert!(matches!(first.claim(run), Err(StoreError::Unavailable(_))));
    }
}
