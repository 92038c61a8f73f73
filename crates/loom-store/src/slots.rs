//! How slots are shared out: the rule, for every store to apply in a transaction of its own.

use loom_core::Timestamp;
use std::time::Duration;

/// How long an owner keeps its place in line without asking.
pub const SLOT_PATIENCE: Duration = Duration::from_secs(3);

/// What an owner uses, and wants to use, of something that has so many slots for all owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotAsk {
    /// What it is.
    pub key: String,
    /// How many slots it has, as far as this owner knows: each counts by its own number.
    pub most: u32,
    /// How many of them this owner uses now. Whatever else it was given, it gives back.
    pub used: u32,
    /// How many more it could use at once.
    pub wanted: u32,
}

/// One owner's share of something that has slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How many slots it uses.
    pub used: u32,
    /// Where it stands in line for more.
    pub line: Option<Place>,
}

/// A place in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Since when the owner waits.
    pub since: Timestamp,
    /// When it last asked.
    pub asked: Timestamp,
}

impl Place {
    /// Whether the owner still waits. A clock that was set back ends no waiting for ever.
    pub const fn lasts(self, now: Timestamp) -> bool {
        (now.0.abs_diff(self.asked.0) as u128) < SLOT_PATIENCE.as_micros()
    }
}

impl SlotAsk {
    /// What `owner`, whose share is `own`, has after this ask, where `others` are the shares of all
    /// other living owners. It is given what it has more than it said it uses.
    pub fn decide<'a>(
        &self,
        owner: &str,
        own: Share,
        others: impl IntoIterator<Item = (&'a str, Share)>,
        now: Timestamp,
    ) -> Share {
        let place = own.line.filter(|place| place.lasts(now));
        let mut taken = self.used;
        for (other, share) in others {
            taken = taken.saturating_add(share.used);
            let waits = share.line.filter(|line| line.lasts(now));
            // One slot is left to each that waits longer.
            let is_before = waits.is_some_and(|line| {
                place.is_none_or(|place| (line.since, other) < (place.since, owner))
            });
            taken = taken.saturating_add(u32::from(is_before));
        }
        let granted = self.most.saturating_sub(taken).min(self.wanted);
        let since = place.map_or(now, |place| place.since);
        let waits = granted == 0 && self.wanted > 0;
        Share {
            used: self.used.saturating_add(granted),
            line: waits.then_some(Place { since, asked: now }),
        }
    }
}
