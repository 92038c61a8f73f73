//! The runs that wait for limits, each where it will be found when there is something to decide
//! about it: a decision costs what it changes, not what waits.

use super::decide::{Lacking, Rank, Stand};
use super::rule::Count;
use loom_core::{RunId, Timestamp};
use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeSet, HashMap};

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Line {
    entries: HashMap<RunId, Entry>,
    /// Of which it is not known what they count against.
    unknown: BTreeSet<RunId>,
    /// To be looked at when the next decision is made.
    open: BTreeSet<Rank>,
    /// By the place that has no room for them. None is empty.
    queues: HashMap<String, Queue>,
    /// When places have a start again, if nothing happens before.
    wakes: BTreeSet<(Timestamp, String)>,
}

/// A run that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rank: Rank,
    /// What it counts against, once that is known.
    counts: Option<Vec<Count>>,
    /// What it lacks, once that has been looked at.
    stand: Option<Stand>,
    /// Another process that lives has it, and begins it.
    pub(super) elsewhere: bool,
    /// Not to be tried before, because that failed just now.
    pub(super) rests_until: Timestamp,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: BTreeSet<Rank>,
    wake: Option<Timestamp>,
}

/// Where an entry stands.
enum Spot<'a> {
    Unknown,
    Open,
    At(&'a str),
}

impl Entry {
    pub(super) const fn new(rank: Rank, counts: Option<Vec<Count>>) -> Self {
        Self { rank, counts, stand: None, elsewhere: false, rests_until: Timestamp(0) }
    }

    fn spot(&self) -> Spot<'_> {
        match (&self.counts, &self.stand) {
            (None, _) => Spot::Unknown,
            (Some(_), None) => Spot::Open,
            (Some(counts), Some(stand)) => {
                counts.get(stand.count).map_or(Spot::Open, |count| Spot::At(&count.place))
            }
        }
    }

    /// What it lacks, of which of its counts.
    pub(super) fn lacks(&self) -> Option<(&Count, Lacking)> {
        let (counts, stand) = (self.counts.as_ref()?, self.stand.as_ref()?);
        Some((counts.get(stand.count)?, stand.lacks))
    }
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, run: RunId) -> bool {
        self.entries.contains_key(&run)
    }

    pub(super) fn get(&self, run: RunId) -> Option<&Entry> {
        self.entries.get(&run)
    }

    /// Lets a run wait. No effect if it does already.
    pub(super) fn enter(&mut self, entry: Entry) {
        if !self.contains(entry.rank.run) {
            self.put(entry);
        }
    }

    /// A run waits no more.
    pub(super) fn leave(&mut self, run: RunId) {
        self.take(run);
    }

    /// Changes what is known of a run that waits. Whoever waits at a place that has no room goes on
    /// doing so: there is none for anybody, whatever their rank.
    pub(super) fn change(&mut self, run: RunId, change: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.take(run) {
            change(&mut entry);
            self.put(entry);
        }
    }

    /// What a run counts against is known.
    pub(super) fn learn(&mut self, run: RunId, counts: Vec<Count>) {
        self.change(run, |entry| (entry.counts, entry.stand) = (Some(counts), None));
    }

    /// What a run has is to be looked at anew.
    pub(super) fn look_again(&mut self, run: RunId) {
        self.change(run, |entry| entry.stand = None);
    }

    /// What runs count against is to be found out anew.
    pub(super) fn forget_counts(&mut self) {
        let runs: Vec<RunId> = self.entries.keys().copied().collect();
        for run in runs {
            self.change(run, |entry| (entry.counts, entry.stand) = (None, None));
        }
    }

    /// A run was looked at: it stands here now, or has everything. What was not known any more when
    /// that was written down is looked at anew.
    pub(super) fn settle(&mut self, run: RunId, stand: Option<Stand>) {
        let Some(mut entry) = self.take(run) else { return };
        entry.stand = stand;
        let wake = match entry.lacks() {
            Some((count, Lacking::Start(Some(at)))) => Some((count.place.clone(), at)),
            _ => None,
        };
        self.put(entry);
        if let Some((place, at)) = wake {
            let before = self.queues.get(&place).and_then(|queue| queue.wake);
            self.set_wake(&place, before.into_iter().chain([at]).min());
        }
    }

    /// When the place has a start again is to be found out anew.
    pub(super) fn forget_wake(&mut self, place: &str) {
        self.set_wake(place, None);
    }

    fn take(&mut self, run: RunId) -> Option<Entry> {
        let entry = self.entries.remove(&run)?;
        match entry.spot() {
            Spot::Unknown => _ = self.unknown.remove(&run),
            Spot::Open => _ = self.open.remove(&entry.rank),
            Spot::At(place) => {
                if let Some(queue) = self.queues.get_mut(place) {
                    queue.waiting.remove(&entry.rank);
                    if queue.waiting.is_empty() {
                        self.set_wake(place, None);
                        self.queues.remove(place);
                    }
                }
            }
        }
        Some(entry)
    }

    fn put(&mut self, entry: Entry) {
        match entry.spot() {
            Spot::Unknown => _ = self.unknown.insert(entry.rank.run),
            Spot::Open => _ = self.open.insert(entry.rank),
            Spot::At(place) => {
                let queue = match self.queues.entry(place.to_owned()) {
                    Slot::Occupied(queue) => queue.into_mut(),
                    Slot::Vacant(vacant) => vacant.insert(Queue::default()),
                };
                queue.waiting.insert(entry.rank);
            }
        }
        self.entries.insert(entry.rank.run, entry);
    }

    fn set_wake(&mut self, place: &str, at: Option<Timestamp>) {
        let Some(queue) = self.queues.get_mut(place) else { return };
        if let Some(before) = std::mem::replace(&mut queue.wake, at) {
            self.wakes.remove(&(before, place.to_owned()));
        }
        self.wakes.extend(at.map(|at| (at, place.to_owned())));
    }
}

/// For those who decide.
impl Line {
    /// Some of the runs of which it is not known what they count against.
    pub(super) fn unknown(&self, most: usize) -> Vec<RunId> {
        self.unknown.iter().take(most).copied().collect()
    }

    /// Those that are to be looked at whatever happened.
    pub(super) fn open(&self) -> impl Iterator<Item = Rank> {
        self.open.iter().copied()
    }

    /// What a run counts against.
    pub(super) fn counts(&self, run: RunId) -> Option<&[Count]> {
        self.entries.get(&run)?.counts.as_deref()
    }

    /// The rank of a run that waits at this place.
    pub(super) fn rank_at(&self, place: &str, run: RunId) -> Option<Rank> {
        let entry = self.entries.get(&run)?;
        matches!(entry.spot(), Spot::At(at) if at == place).then_some(entry.rank)
    }

    /// The first who waits at a place.
    pub(super) fn head(&self, place: &str) -> Option<Rank> {
        self.queues.get(place)?.waiting.first().copied()
    }

    /// The next who waits at a place, behind this one.
    pub(super) fn behind(&self, place: &str, rank: Rank) -> Option<Rank> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.queues.get(place)?.waiting.range((Excluded(rank), Unbounded)).next().copied()
    }

    /// The places that have a start again by now.
    pub(super) fn awake(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        self.wakes.iter().take_while(move |(at, _)| *at <= now).map(|(_, place)| &**place)
    }

    /// When the first place has one.
    pub(super) fn wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }
}

/// For those who watch.
impl Line {
    /// The which a run is at a place, from 1, and how many wait there. Counts those before it.
    pub(super) fn position(&self, place: &str, rank: Rank) -> (u32, u32) {
        let Some(queue) = self.queues.get(place) else { return (1, 1) };
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        (count(queue.waiting.range(..=rank).count()), count(queue.waiting.len()))
    }

    /// The places at which runs wait, and how many.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, u64)> {
        self.queues.iter().map(|(place, queue)| (&**place, queue.waiting.len() as u64))
    }

    /// All who wait and count against something known, in their order.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(Rank, &[Count])> {
        let known = self.entries.values();
        let mut all: Vec<_> =
            known.filter_map(|entry| Some((entry.rank, entry.counts.as_deref()?))).collect();
        all.sort_unstable_by_key(|(rank, _)| *rank);
        all
    }
}
