//! What a server knows of its limits: who waits, and what is taken.
//!
//! What is taken stands in the store; here is what was last seen of it, with the version that it had.
//! A decision that was made from what is old is refused when it is written, and made anew.

use super::decide::{Draft, Lacking, Ledgers, News, Outcome, Rank, decide};
use super::document::put_ledger;
use super::ledger::Ledger;
use super::line::{Entry, Line};
use super::rule::{Count, Rules};
use loom_core::{RunId, Timestamp};
use loom_protocol::api::{Lack, LimitWait};
use loom_protocol::rfc3339;
use loom_store::{Change, Expect};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) rules: Arc<Rules>,
    ledgers: HashMap<String, Kept>,
    /// Where runs have something.
    holding: HashMap<RunId, BTreeSet<String>>,
    line: Line,
    /// Where something changed since the last decision.
    touched: BTreeSet<String>,
    /// What happened since the last decision that was written.
    news: Vec<News>,
    /// Whether a decision is on its way to the store.
    deciding: bool,
    /// Whether the runs that were under way before are counted.
    pub(super) counted: bool,
}

#[derive(Debug)]
struct Kept {
    ledger: Ledger,
    version: u64,
}

/// What was decided, and is to be written before it is so.
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    ledgers: BTreeMap<String, Ledger>,
    /// Nothing as long as it is not known what is taken.
    outcome: Option<Outcome>,
    /// The places at which it was looked who may go on.
    looked_at: BTreeSet<String>,
    /// How much of the news it takes in.
    news: usize,
}

#[cfg(test)]
impl Plan {
    /// Who begins, and what is taken then.
    pub(super) fn decided(&self) -> (Vec<RunId>, BTreeMap<String, Ledger>) {
        let begins = self.outcome.as_ref().map(|outcome| outcome.begins.clone());
        (begins.unwrap_or_default(), self.ledgers.clone())
    }
}

/// A run at the door, which is let in or sent away.
pub(super) struct Newcomer<'a> {
    pub(super) run: RunId,
    /// What it counts against and may refuse it.
    pub(super) counts: &'a [Count],
}

/// The door is shut: this count has no room.
pub(super) struct Shut {
    pub(super) count: usize,
    pub(super) lacks: Lacking,
}

impl Book {
    /// Other rules hold from now on. What runs count against is found out anew.
    pub(super) fn set_rules(&mut self, rules: Rules) {
        self.rules = Arc::new(rules);
        self.line.forget_counts();
        self.counted = false;
    }

    /// Whether there is anything to do.
    pub(super) fn is_idle(&self) -> bool {
        self.rules.runs.is_empty() && self.line.is_empty()
    }

    /// How many runs wait.
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    /// A run waits from now on, that counts against these by those rules. No effect if it does
    /// already.
    pub(super) fn enter(&mut self, rank: Rank, rules: &Arc<Rules>, counts: Vec<Count>) {
        let counts = Arc::ptr_eq(rules, &self.rules).then_some(counts);
        self.line.enter(Entry::new(rank, counts));
    }

    /// A run waits from now on, of which it is not known what it counts against.
    pub(super) fn enter_unknown(&mut self, rank: Rank) {
        self.line.enter(Entry::new(rank, None));
    }

    /// The store says that the run waits, and with which rank.
    pub(super) fn meet(&mut self, rank: Rank) {
        self.enter_unknown(rank);
        self.line.change(rank.run, |entry| {
            entry.rank = rank;
            // Whoever had it may be gone.
            entry.elsewhere = false;
        });
    }

    /// A run that waits goes before or behind others.
    pub(super) fn set_priority(&mut self, run: RunId, priority: i32) {
        self.line.change(run, |entry| entry.rank.priority = Reverse(priority));
    }

    /// A run waits no more.
    pub(super) fn leave(&mut self, run: RunId) {
        self.line.leave(run);
    }

    /// Something happened. What is of no interest is passed over.
    pub(super) fn tell(&mut self, mut news: News) {
        let interesting = match &mut news {
            News::Begun(run, _) => {
                self.leave(*run);
                self.holding.contains_key(run) || self.may_hold(*run)
            }
            News::Gone(run, begun_by) => {
                if self.line.contains(*run) {
                    // News come in order: it has not begun, or it would not wait.
                    *begun_by = None;
                }
                self.leave(*run);
                self.holding.contains_key(run) || self.may_hold(*run)
            }
            News::UnderWay(..) => true,
        };
        if interesting {
            self.news.push(news);
        }
    }

    /// Whether the run will have something as soon as what is decided or known is written.
    fn may_hold(&self, run: RunId) -> bool {
        let counted = |news: &News| matches!(news, News::UnderWay(other, _) if *other == run);
        self.deciding || self.news.iter().any(counted)
    }

    /// Some of the runs of which it is not known what they count against.
    pub(super) fn unknown(&self, most: usize) -> Vec<RunId> {
        self.line.unknown(most)
    }

    /// What a run that waits counts against is known, if the rules are still those.
    pub(super) fn learn(&mut self, rules: &Arc<Rules>, rank: Rank, counts: Vec<Count>) {
        self.line.change(rank.run, |entry| entry.rank = rank);
        if Arc::ptr_eq(rules, &self.rules) {
            self.line.learn(rank.run, counts);
        }
    }

    /// Another process has the run.
    pub(super) fn is_elsewhere(&mut self, run: RunId) {
        self.line.change(run, |entry| entry.elsewhere = true);
    }

    /// The run is not to be tried before this time.
    pub(super) fn rest(&mut self, run: RunId, until: Timestamp) {
        self.line.change(run, |entry| entry.rests_until = until);
    }

    /// Decides who may begin. A newcomer is looked at behind all who wait.
    pub(super) fn plan(
        &mut self,
        now: Timestamp,
        newcomer: Option<&Newcomer<'_>>,
    ) -> (Plan, Option<Shut>) {
        self.deciding = true;
        self.decide(now, newcomer)
    }

    /// What is taken, with what happened since that was written.
    pub(super) fn draft(&self, now: Timestamp) -> Draft<'_> {
        let mut draft = Draft::new(self, now);
        for news in &self.news {
            draft.tell(news, |run| self.held_by(run));
        }
        draft
    }

    fn decide(&self, now: Timestamp, newcomer: Option<&Newcomer<'_>>) -> (Plan, Option<Shut>) {
        let mut draft = self.draft(now);
        let mut looked_at = self.touched.clone();
        looked_at.extend(draft.changed.keys().cloned());
        looked_at.extend(self.line.awake(now).map(str::to_owned));
        let places = looked_at.iter().map(String::as_str);
        let outcome = self.counted.then(|| decide(&mut draft, &self.line, places));
        let before = draft.changed.clone();
        let shut = newcomer.and_then(|newcomer| {
            let (count, lacks) = draft.advance(newcomer.run, newcomer.counts).err()?;
            Some(Shut { count, lacks })
        });
        if shut.is_some() {
            draft.changed = before;
        }
        let ledgers = self.differing(draft);
        let changes = ledgers.iter().map(|(place, ledger)| {
            let version = self.ledgers.get(place).map(|kept| kept.version);
            put_ledger(place, ledger, version.map_or(Expect::Absent, Expect::Version))
        });
        let changes = changes.collect();
        (Plan { changes, ledgers, outcome, looked_at, news: self.news.len() }, shut)
    }

    /// What is to be written of a draft.
    pub(super) fn differing(&self, draft: Draft<'_>) -> BTreeMap<String, Ledger> {
        let mut ledgers = draft.finish(&self.rules);
        ledgers.retain(|place, ledger| self.at(place) != Some(ledger));
        ledgers
    }

    /// All who wait and count against something known, in their order.
    #[cfg(test)]
    pub(super) fn everybody(&self) -> Vec<(Rank, &[Count])> {
        self.line.all()
    }

    /// What was decided is written, under these versions. Answers with who may begin here, and with
    /// when to look again.
    pub(super) fn written(
        &mut self,
        plan: Plan,
        versions: &[u64],
        now: Timestamp,
    ) -> (Vec<RunId>, Option<Timestamp>) {
        let Plan { ledgers, outcome, looked_at, news, .. } = plan;
        self.deciding = false;
        self.news.drain(..news);
        for ((place, ledger), &version) in ledgers.into_iter().zip(versions) {
            self.keep_ledger(place, Some((ledger, version)));
        }
        let Some(Outcome { begins, waits }) = outcome else {
            self.touched.extend(looked_at);
            return (Vec::new(), None);
        };
        for place in &looked_at {
            self.touched.remove(place);
            self.line.forget_wake(place);
        }
        for (run, stand) in waits {
            self.line.settle(run, Some(stand));
        }
        let mut wake = self.line.wake();
        let mut here = Vec::new();
        for run in begins {
            self.line.settle(run, None);
            let Some(entry) = self.line.get(run).filter(|entry| !entry.elsewhere) else {
                continue;
            };
            if entry.rests_until <= now {
                here.push(run);
            } else {
                wake = wake.into_iter().chain([entry.rests_until]).min();
            }
        }
        (here, wake)
    }

    /// What is taken at a place, as the store has it now. Whoever waits and has lost something by that
    /// is looked at anew.
    pub(super) fn set_ledger(&mut self, place: String, found: Option<(Ledger, u64)>) {
        let found = found.filter(|(ledger, _)| !ledger.is_empty());
        let before = self.ledgers.get(&place).map(|kept| (&kept.ledger, kept.version));
        if before == found.as_ref().map(|(ledger, version)| (ledger, *version)) {
            return;
        }
        let nothing = Ledger::default();
        let now = found.as_ref().map_or(&nothing, |(ledger, _)| ledger);
        let lost: Vec<RunId> =
            before.map(|(ledger, _)| ledger.lost(now).collect()).unwrap_or_default();
        lost.into_iter().for_each(|run| self.line.look_again(run));
        self.touched.insert(place.clone());
        self.keep_ledger(place, found);
    }

    fn keep_ledger(&mut self, place: String, found: Option<(Ledger, u64)>) {
        if let Some(before) = self.ledgers.remove(&place) {
            for run in before.ledger.all() {
                if let Some(places) = self.holding.get_mut(&run) {
                    places.remove(&place);
                    if places.is_empty() {
                        self.holding.remove(&run);
                    }
                }
            }
        }
        // One that says nothing is deleted, not kept.
        let Some((ledger, version)) = found.filter(|(ledger, _)| !ledger.is_empty()) else {
            return;
        };
        for run in ledger.all() {
            self.holding.entry(run).or_default().insert(place.clone());
        }
        self.ledgers.insert(place, Kept { ledger, version });
    }

    /// What is taken at all places, as the store has it now.
    pub(super) fn set_ledgers<'a>(
        &mut self,
        found: impl Iterator<Item = (&'a str, &'a Ledger, u64)>,
    ) {
        let mut gone: BTreeSet<String> = self.ledgers.keys().cloned().collect();
        for (place, ledger, version) in found {
            gone.remove(place);
            self.set_ledger(place.to_owned(), Some((ledger.clone(), version)));
        }
        gone.into_iter().for_each(|place| self.set_ledger(place, None));
    }

    /// The places of all counts that are known.
    #[cfg(test)]
    pub(super) fn places(&self) -> Vec<String> {
        self.ledgers.keys().cloned().collect()
    }

    /// The runs that have something, and whether they have a start that is not used.
    pub(super) fn holders(&self) -> HashMap<RunId, bool> {
        let starts = |places: &BTreeSet<String>, run: &RunId| {
            places.iter().any(|place| self.at(place).is_some_and(|it| it.starts().contains(run)))
        };
        self.holding.iter().map(|(run, places)| (*run, starts(places, run))).collect()
    }

    /// What the run waits for, and who has the places of that.
    pub(super) fn wait(&self, run: RunId) -> Option<(LimitWait, Vec<RunId>)> {
        let entry = self.line.get(run)?;
        let (count, lacks) = entry.lacks()?;
        let (lacks, next_at) = match lacks {
            Lacking::Place => (Lack::Place, None),
            Lacking::Start(at) => (Lack::Time, at.map(|at| rfc3339(at.0))),
        };
        let (place, line) = self.line.position(&count.place, entry.rank);
        let (limit, key) = (count.limit.name.clone(), count.key.clone());
        let wait = LimitWait { limit, key, lacks, place, line, next_at };
        let holders = self.at(&count.place).map(|ledger| ledger.runs().iter().copied().collect());
        Some((wait, holders.unwrap_or_default()))
    }

    /// How many runs have places of each limit, and how many wait for it, by what names its counts.
    pub(super) fn figures(&self) -> BTreeMap<String, (u64, u64)> {
        let mut figures: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for limit in &self.rules.runs {
            figures.insert(limit.id.clone(), (0, 0));
        }
        for (place, kept) in &self.ledgers {
            if let Some(figures) = figures.get_mut(super::rule::limit_of(place)) {
                figures.0 += kept.ledger.runs().len() as u64;
            }
        }
        for (place, waiting) in self.line.places() {
            if let Some(figures) = figures.get_mut(super::rule::limit_of(place)) {
                figures.1 += waiting;
            }
        }
        figures
    }

    fn held_by(&self, run: RunId) -> Vec<String> {
        self.holding.get(&run).map(|places| places.iter().cloned().collect()).unwrap_or_default()
    }
}

impl Ledgers for Book {
    fn at(&self, place: &str) -> Option<&Ledger> {
        self.ledgers.get(place).map(|kept| &kept.ledger)
    }
}
