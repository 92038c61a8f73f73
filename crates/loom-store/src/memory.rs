//! [`MemoryStore`]: the reference model. It says what a store does in the fewest words, and stands
//! in for one in tests and simulation. Nothing of it outlives the process.

mod content;
mod documents;
mod search;

use crate::params::{FeedPage, FeedPosition, FeedRow, JournalPage, RunPage, RunSummary, StoredRun};
use crate::record::{masked_definition, masked_event, masked_variables, starts_run};
use crate::{
    Claim, DefinitionHash, KeyFilter, KeyPage, OwnerId, Posted, QueryStore, Recorded, RequestId,
    RequestState, Retention, RunCommit, RunFilter, RunMeta, RunStore, SlotAsk, StoreError,
    UpkeepStore,
};
use content::Content;
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
