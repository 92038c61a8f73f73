//! Who may begin: a pure function of what is taken and who waits.
//!
//! Runs are looked at in the order of the line, a greater priority first and then whoever came first.
//! Each takes what it needs of its limits in one order that is the same for all, as far as it comes;
//! one that has everything begins. What it has taken it keeps while it waits for the next limit:
//! since all take in one order nobody waits in a circle, and since nobody who came later can take
//! what it waits for, nobody of equal priority waits for ever.

use super::ledger::Ledger;
use super::rule::{Count, Rules, limit_of};
use loom_core::{RunId, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// Which of its counts has no room: its place among them.
    pub(super) count: usize,
    /// Whether it is a start that is lacking, and not a place; and when there will be one.
    pub(super) lacks: Lacking,
    /// The which it is in the line for that, from 1.
    pub(super) place: u32,
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
    /// Where the others stand.
    pub(super) waits: Vec<(RunId, Stand)>,
    /// How many wait at each place.
    pub(super) lines: HashMap<String, u32>,
    /// When the first of them may begin without anything having happened.
    pub(super) wake: Option<Timestamp>,
}

/// Looks at all who wait, in their order.
pub(super) fn decide<'w>(
    draft: &mut Draft<'_>,
    line: impl Iterator<Item = (RunId, &'w [Count])>,
) -> Outcome {
    let mut outcome = Outcome::default();
    for (run, counts) in line {
        match draft.advance(run, counts) {
            Ok(()) => outcome.begins.push(run),
            Err((count, lacks)) => {
                let place = outcome.lines.entry(counts[count].place.clone()).or_default();
                *place += 1;
                outcome.waits.push((run, Stand { count, lacks, place: *place }));
                if let Lacking::Start(Some(at)) = lacks {
                    outcome.wake = outcome.wake.into_iter().chain([at]).min();
                }
            }
        }
    }
    outcome
}
