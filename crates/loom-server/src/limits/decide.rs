//! Who may begin: a pure function of what is taken and who waits.
//!
//! Runs are looked at in the order of the line, a greater priority first and then whoever came first.
//! Each takes what it needs of its limits in one order that is the same for all, as far as it comes;
//! one that has everything begins. What it has taken it keeps while it waits for the next limit:
//! since all take in one order nobody waits in a circle, and since nobody who came later can take
//! what it waits for, nobody of equal priority waits for ever.

use super::ledger::Ledger;
use super::line::Line;
use super::rule::{Count, Rules, limit_of};
use loom_core::{RunId, Timestamp};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A place in the order in which runs are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) priority: Reverse<i32>,
    pub(super) since: Timestamp,
    pub(super) run: RunId,
}

/// What happened to runs that may have something of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It has begun.
    Begun(RunId, Timestamp),
    /// It has ended, and had begun by this time; or it will not begin.
    Gone(RunId, Option<Timestamp>),
    /// It is under way, and counts against these.
    UnderWay(RunId, Vec<Count>),
}

/// What a run that waits lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// Which of its counts has no room: its place among them.
    pub(super) count: usize,
    /// Whether it is a start that is lacking, and not a place; and when there will be one.
    pub(super) lacks: Lacking,
}

/// What a limit lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacking {
    Place,
    Start(Option<Timestamp>),
}

/// What is taken, by where it is kept.
pub(super) trait Ledgers {
    /// The count at a place, if anything is taken of it.
    fn at(&self, place: &str) -> Option<&Ledger>;
}

/// Changes of what is taken, that are not made yet.
pub(super) struct Draft<'a> {
    base: &'a dyn Ledgers,
    now: Timestamp,
    pub(super) changed: BTreeMap<String, Ledger>,
}

impl<'a> Draft<'a> {
    pub(super) const fn new(base: &'a dyn Ledgers, now: Timestamp) -> Self {
        Self { base, now, changed: BTreeMap::new() }
    }

    /// Takes in what happened. `holding` says where a run may have something.
    pub(super) fn tell(&mut self, news: &News, holding: impl Fn(RunId) -> Vec<String>) {
        match news {
            News::Begun(run, at) => {
                for place in self.places(*run, holding) {
                    self.edit_present(&place, |ledger| ledger.begin(*run, *at));
                }
            }
            News::Gone(run, begun_by) => {
                for place in self.places(*run, holding) {
                    self.edit_present(&place, |ledger| ledger.leave(*run, *begun_by));
                }
            }
            News::UnderWay(run, counts) => {
                for count in counts.iter().filter(|count| count.limit.max_runs.is_some()) {
                    self.edit(count, |ledger| ledger.take_place(*run));
                }
            }
        }
    }

    /// Lets a run take what it needs, as far as there is room. Answers with what has no room.
    pub(super) fn advance(&mut self, run: RunId, counts: &[Count]) -> Result<(), (usize, Lacking)> {
        let nothing = Ledger::default();
        for (at, count) in counts.iter().enumerate() {
            let limit = &count.limit;
            let ledger = self.at(&count.place).unwrap_or(&nothing);
            if ledger.has(run, limit) {
                continue;
            }
            if !ledger.has_place(run, limit.max_runs) {
                return Err((at, Lacking::Place));
            }
            ledger
                .has_start(run, limit.pace, self.now)
                .map_err(|next| (at, Lacking::Start(next)))?;
            self.edit(count, |ledger| ledger.take(run, limit));
        }
        Ok(())
    }

    /// The changes, without what counts no more.
    pub(super) fn finish(mut self, rules: &Rules) -> BTreeMap<String, Ledger> {
        let limits = rules.by_id();
        for (place, ledger) in &mut self.changed {
            if let Some(limit) = limits.get(limit_of(place)) {
                ledger.sweep(limit, self.now);
            }
        }
        self.changed
    }

    fn at(&self, place: &str) -> Option<&Ledger> {
        self.changed.get(place).or_else(|| self.base.at(place))
    }

    fn edit(&mut self, count: &Count, change: impl FnOnce(&mut Ledger)) {
        let base = self.base;
        let key = || Ledger::new(count.key.clone());
        let present = || base.at(&count.place).cloned().unwrap_or_else(key);
        change(self.changed.entry(count.place.clone()).or_insert_with(present));
    }

    /// Changes what is taken at a place, if anything is.
    fn edit_present(&mut self, place: &str, change: impl FnOnce(&mut Ledger)) {
        if let Some(present) = self.at(place).cloned() {
            change(self.changed.entry(place.to_owned()).or_insert(present));
        }
    }

    /// Where the run has something, before these changes or after.
    fn places(&self, run: RunId, holding: impl Fn(RunId) -> Vec<String>) -> Vec<String> {
        let mut places = holding(run);
        let new = self.changed.iter().filter(|(_, ledger)| ledger.runs().contains(&run));
        places.extend(new.map(|(place, _)| place.clone()));
        places
    }
}

/// What a look at the line came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Who has everything.
    pub(super) begins: Vec<RunId>,
    /// Where others stand that were looked at, in the order in which that was.
    pub(super) waits: Vec<(RunId, Stand)>,
}

/// Looks at those who wait, in their order, of whom something may have changed: who is new, and who
/// waits at these places. Of those at a place whoever comes later is looked at once all before have
/// gone on. It comes to what a look at all would.
pub(super) fn decide<'a>(
    draft: &mut Draft<'_>,
    line: &'a Line,
    places: impl Iterator<Item = &'a str>,
) -> Outcome {
    // Where the next of each place is found.
    let mut next: BTreeMap<Rank, Option<&str>> = line.open().map(|rank| (rank, None)).collect();
    for place in places {
        // Another server may have given what there is to somebody further behind.
        let given = draft.at(place).into_iter().flat_map(Ledger::all);
        let given = given.filter_map(|run| line.rank_at(place, run));
        next.extend(line.head(place).into_iter().chain(given).map(|rank| (rank, Some(place))));
    }
    let mut outcome = Outcome::default();
    while let Some((rank, place)) = next.pop_first() {
        let Some(counts) = line.counts(rank.run) else { continue };
        let mut stays = false;
        match draft.advance(rank.run, counts) {
            Ok(()) => outcome.begins.push(rank.run),
            Err((count, lacks)) => {
                stays = place == Some(&*counts[count].place);
                outcome.waits.push((rank.run, Stand { count, lacks }));
            }
        }
        if let Some(place) = place.filter(|_| !stays)
            && let Some(behind) = line.behind(place, rank)
        {
            next.entry(behind).or_insert(Some(place));
        }
    }
    outcome
}
