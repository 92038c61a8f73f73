//! Which files start a run now: decided from what is there, what is known, and the time.
//!
//! A file that is not known as it is now is *open*. It fires once it has stayed as it is for a
//! while: who is still writing it changes its size or time. One that was open when a server came, and
//! had changed before, is missed instead if the trigger catches nothing up; but first another server
//! that was there all the time gets the chance to say that it was not.

use super::look::{FILES_MAX, Found, Mark};
use loom_core::Timestamp;
use loom_protocol::api::FileCatchUp;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How many files are decided at once; the others follow at once.
const AT_ONCE: usize = 500;
/// How long somebody who was there before may take to decide.
const GRACE: Duration = Duration::from_secs(10);
/// By how much the clock of files may be behind.
const BEHIND: Duration = Duration::from_millis(20);
/// The most files that are known, of those that are gone too.
const KNOWN_MAX: usize = 2 * FILES_MAX;

/// How a trigger deals with its files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) quiet: Duration,
    pub(super) catch_up: FileCatchUp,
    /// Since when this server is there.
    pub(super) began: Timestamp,
}

/// Files that are not known as they are now.
#[derive(Debug)]
pub(super) struct Open {
    files: HashMap<String, Since>,
    /// Whether nobody here has looked before.
    first: bool,
}

#[derive(Clone, Copy, Debug)]
struct Since {
    mark: Mark,
    at: Timestamp,
    missed: bool,
}

/// What is to be written down.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// They start a run each, in this order.
    pub(super) fires: Vec<Found>,
    /// They start none.
    pub(super) missed: Vec<Found>,
    /// Gone for so long that they need not be known.
    pub(super) forgotten: Vec<String>,
    /// When to look again, if nothing else happens.
    pub(super) wake: Option<Timestamp>,
}

impl Decision {
    pub(super) const fn is_empty(&self) -> bool {
        self.fires.is_empty() && self.missed.is_empty() && self.forgotten.is_empty()
    }
}

impl Open {
    pub(super) fn new() -> Self {
        Self { files: HashMap::new(), first: true }
    }

    /// Decides. What fires or is missed stays open until it is known.
    pub(super) fn decide(
        &mut self,
        policy: Policy,
        known: &HashMap<String, Mark>,
        found: &[Found],
        now: Timestamp,
    ) -> Decision {
        let late = self.first && policy.catch_up == FileCatchUp::None;
        self.first = false;
        let mut files = HashMap::new();
        let mut decision = Decision::default();
        for file in found.iter().filter(|file| known.get(&file.path) != Some(&file.mark)) {
            let before = self.files.get(&file.path).filter(|since| since.mark == file.mark);
            let missed = late && file.changed + BEHIND < policy.began;
            let fresh = Since { mark: file.mark, at: now, missed };
            let since = before.copied().unwrap_or(fresh);
            files.insert(file.path.clone(), since);
            let wait = if since.missed { policy.quiet.max(GRACE) } else { policy.quiet };
            let ready = since.at + wait;
            if ready > now {
                decision.wake = Some(decision.wake.map_or(ready, |wake| wake.min(ready)));
            } else if since.missed {
                decision.missed.push(file.clone());
            } else {
                decision.fires.push(file.clone());
            }
        }
        self.files = files;
        decision.fires.sort_by(|a, b| order(a).cmp(&order(b)));
        if decision.fires.len() + decision.missed.len() > AT_ONCE {
            decision.fires.truncate(AT_ONCE);
            decision.missed.truncate(AT_ONCE - decision.fires.len());
            decision.wake = Some(now);
        }
        decision.forgotten = forgotten(known, found);
        decision
    }
}

/// The oldest first.
fn order(file: &Found) -> (Timestamp, &str) {
    (file.mark.modified(), &file.path)
}

/// Of the files that are gone the oldest, if more are known than may be.
fn forgotten(known: &HashMap<String, Mark>, found: &[Found]) -> Vec<String> {
    let Some(excess) = known.len().checked_sub(KNOWN_MAX).filter(|excess| *excess > 0) else {
        return Vec::new();
    };
    let there: HashSet<&str> = found.iter().map(|file| file.path.as_str()).collect();
    let mut gone: Vec<(&String, &Mark)> =
        known.iter().filter(|(path, _)| !there.contains(path.as_str())).collect();
    gone.sort_by_key(|(path, mark)| (mark.modified(), *path));
    gone.into_iter().take(excess.min(AT_ONCE)).map(|(path, _)| path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(2);

    fn policy(catch_up: FileCatchUp) -> Policy {
        Policy { quiet: QUIET, catch_up, began: at(0) }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_800_000_000_000_000) + Duration::from_secs(seconds)
    }

    fn file(path: &str, modified: i64) -> Found {
        let changed = Timestamp(modified as u64);
        Found { path: path.to_owned(), mark: Mark::made_up(1, modified), changed }
    }

    fn known(files: &[Found]) -> HashMap<String, Mark> {
        files.iter().map(|file| (file.path.clone(), file.mark)).collect()
    }

    #[test]
    fn a_file_fires_once_it_has_been_quiet_for_long_enough() {
        let (mut open, nothing) = (Open::new(), HashMap::new());
        let all = policy(FileCatchUp::All);
        // It is written for three seconds.
        for second in 0..3 {
            let found = [file("a", second as i64)];
            let decision = open.decide(all, &nothing, &found, at(second));
            let wake = Some(at(second) + QUIET);
            assert_eq!(decision, Decision { wake, ..Decision::default() });
        }
        let found = [file("a", 2)];
        assert!(open.decide(all, &nothing, &found, at(3)).is_empty());
        assert_eq!(open.decide(all, &nothing, &found, at(4)).fires, found);
        assert_eq!(open.decide(all, &nothing, &found, at(5)).fires, found, "until it is known");
        let known = known(&found);
        assert_eq!(open.decide(all, &known, &found, at(6)), Decision::default());
        let changed = [file("a", 9)];
        assert!(open.decide(all, &known, &changed, at(7)).is_empty());
        assert_eq!(open.decide(all, &known, &changed, at(9)).fires, changed);
    }

    #[test]
    fn a_file_that_comes_back_as_it_was_fires_no_second_time() {
        let mut open = Open::new();
        let (all, found) = (policy(FileCatchUp::All), [file("a", 1)]);
        let known = known(&found);
        assert!(open.decide(all, &known, &[], at(0)).is_empty());
        assert_eq!(open.decide(all, &known, &found, at(9)), Decision::default());
    }

    #[test]
    fn who_catches_nothing_up_misses_what_was_there_first() {
        let (mut open, none) = (Open::new(), policy(FileCatchUp::None));
        let (old, new) = (file("old", 1), file("new", 2));
        let nothing = HashMap::new();
        let young = Found { changed: at(0), ..file("young", 1) };
        let first = [old.clone(), young.clone()];
        let decision = open.decide(none, &nothing, &first, at(0));
        assert_eq!(decision.wake, Some(at(0) + QUIET), "one came when somebody was there");
        assert_eq!(open.decide(none, &nothing, &first, at(2)).fires, [young]);
        let decision = open.decide(none, &nothing, std::slice::from_ref(&old), at(2));
        assert_eq!(decision.wake, Some(at(0) + GRACE));
        let both = [old.clone(), new.clone()];
        open.decide(none, &nothing, &both, at(3));
        assert_eq!(open.decide(none, &nothing, &both, at(5)).fires, [new]);
        let decision = open.decide(none, &nothing, &both, at(10));
        assert_eq!(decision.missed, std::slice::from_ref(&old));
        // What changes meanwhile is no old change.
        let changed = [file("old", 3)];
        open.decide(none, &nothing, &changed, at(11));
        assert_eq!(open.decide(none, &nothing, &changed, at(13)).fires, changed);
    }

    #[test]
    fn many_files_are_decided_bit_by_bit_the_oldest_first() {
        let all = Policy { quiet: Duration::ZERO, ..policy(FileCatchUp::All) };
        let found: Vec<_> = (0..1200).rev().map(|n| file(&format!("{n:04}"), n)).collect();
        let (mut open, mut known, mut fired) = (Open::new(), HashMap::new(), Vec::new());
        let mut looks = 0;
        loop {
            let decision = open.decide(all, &known, &found, at(0));
            if decision.fires.is_empty() {
                break;
            }
            assert!(decision.fires.len() <= AT_ONCE);
            known.extend(decision.fires.iter().map(|file| (file.path.clone(), file.mark)));
            fired.extend(decision.fires.into_iter().map(|file| file.path));
            looks += 1;
        }
        assert_eq!((looks, fired.len()), (3, 1200));
        assert!(fired.is_sorted());
    }

    #[test]
    fn what_is_gone_is_forgotten_when_too_much_is_known_the_oldest_first() {
        let files: Vec<_> = (0..KNOWN_MAX + 3).map(|n| file(&n.to_string(), n as i64)).collect();
        let known = known(&files);
        let mut open = Open::new();
        let there = &files[1..2];
        let decision = open.decide(policy(FileCatchUp::All), &known, there, at(0));
        assert_eq!(decision.forgotten, ["0", "2", "3"]);
    }
}
