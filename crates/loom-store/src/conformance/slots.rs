//! What only so many attempts may have at once, over all owners.

use super::Fixture;
use super::samples::at;
use crate::{RunStore, SLOT_PATIENCE, SlotAsk};
use loom_core::Timestamp;
use std::sync::atomic::{AtomicU32, Ordering};

fn ask(key: &str, most: u32, used: u32, wanted: u32) -> SlotAsk {
    SlotAsk { key: key.into(), most, used, wanted }
}

/// How many more of `a`, which has `most` slots, the session may use.
fn share(store: &mut impl RunStore, most: u32, used: u32, wanted: u32, now: Timestamp) -> u32 {
    let granted = store.share(&[ask("a", most, used, wanted)], now).unwrap();
    assert_eq!(granted.len(), 1);
    granted[0]
}

/// Together owners get what there is, and one thing's slots are not another's.
pub fn are_shared_by_all_owners(fixture: &impl Fixture) {
    let (mut first, mut second) = (fixture.session(), fixture.session());
    assert!(first.share(&[], at(0)).unwrap().is_empty());
    let asks = [ask("a", 3, 0, 2), ask("b", 1, 0, 1)];
    assert_eq!(first.share(&asks, at(0)).unwrap(), [2, 1]);
    let asks = [ask("b", 1, 0, 1), ask("a", 3, 0, 5), ask("c", 2, 0, 5)];
    assert_eq!(second.share(&asks, at(0)).unwrap(), [0, 1, 2]);
    assert_eq!(share(&mut first, 3, 2, 1, at(0)), 0);
    assert_eq!(share(&mut first, 0, 0, 1, at(0)), 0);
}

/// Who knows of fewer slots waits until so few are in use; who knows of more does not.
pub fn are_counted_by_each_owners_own_number(fixture: &impl Fixture) {
    let (mut few, mut many) = (fixture.session(), fixture.session());
    assert_eq!(share(&mut many, 3, 0, 2, at(0)), 2);
    assert_eq!(share(&mut few, 2, 0, 1, at(0)), 0);
    assert_eq!(share(&mut few, 2, 0, 0, at(0)), 0, "it leaves the line");
    assert_eq!(share(&mut many, 3, 2, 9, at(0)), 1);
    assert_eq!(share(&mut many, 3, 1, 0, at(0)), 0);
    assert_eq!(share(&mut few, 2, 0, 9, at(0)), 1);
}

/// A dead owner uses nothing and waits for nothing.
pub fn of_dead_owners_count_no_more(fixture: &impl Fixture) {
    let (mut user, mut waiter) = (fixture.session(), fixture.session());
    let mut next = fixture.session();
    assert_eq!(share(&mut user, 2, 0, 2, at(0)), 2);
    assert_eq!(share(&mut waiter, 2, 0, 1, at(0)), 0);
    assert_eq!(share(&mut next, 2, 0, 2, at(0)), 0);
    drop(waiter);
    assert_eq!(share(&mut next, 2, 0, 2, at(0)), 0);
    drop(user);
    assert_eq!(share(&mut next, 2, 0, 2, at(0)), 2);
}

/// What an owner says it uses is what counts, however often it says so.
pub fn are_given_back_by_using_fewer(fixture: &impl Fixture) {
    let (mut first, mut second) = (fixture.session(), fixture.session());
    assert_eq!(share(&mut first, 4, 0, 4, at(0)), 4);
    for _ in 0..2 {
        assert_eq!(share(&mut first, 4, 3, 0, at(0)), 0);
    }
    assert_eq!(share(&mut second, 4, 0, 4, at(0)), 1);
    assert_eq!(share(&mut first, 4, 1, 0, at(0)), 0);
    assert_eq!(share(&mut second, 4, 1, 9, at(0)), 2);
    assert_eq!(share(&mut second, 4, 0, 0, at(0)), 0);
    assert_eq!(share(&mut first, 4, 1, 9, at(0)), 3);
}

/// A slot that is given back goes to the one that has waited longest, also if its former user wants
/// it again at once.
pub fn go_to_who_waits_longest(fixture: &impl Fixture) {
    let [mut user, mut early, mut late] = [(); 3].map(|()| fixture.session());
    assert_eq!(share(&mut user, 1, 0, 1, at(0)), 1);
    assert_eq!(share(&mut early, 1, 0, 1, at(1)), 0);
    assert_eq!(share(&mut late, 1, 0, 1, at(2)), 0);
    assert_eq!(share(&mut user, 1, 0, 1, at(3)), 0, "others wait");
    assert_eq!(share(&mut late, 1, 0, 1, at(3)), 0, "one waits longer");
    assert_eq!(share(&mut early, 1, 0, 1, at(3)), 1);
    assert_eq!(share(&mut early, 1, 0, 1, at(4)), 0, "it has lost its place");
    assert_eq!(share(&mut user, 1, 0, 1, at(4)), 0, "one waits longer");
    assert_eq!(share(&mut late, 1, 0, 1, at(4)), 1);
    assert_eq!(share(&mut late, 1, 0, 0, at(4)), 0);
    assert_eq!(share(&mut user, 1, 0, 1, at(4)), 1);
    assert_eq!(share(&mut early, 1, 0, 1, at(4)), 0);
}

/// A place in line lasts as long as its owner goes on asking, and not much longer.
pub fn are_not_kept_for_who_asks_no_more(fixture: &impl Fixture) {
    let [mut user, mut waiter, mut other] = [(); 3].map(|()| fixture.session());
    let patience = SLOT_PATIENCE.as_secs();
    assert_eq!(share(&mut user, 1, 0, 1, at(0)), 1);
    assert_eq!(share(&mut waiter, 1, 0, 1, at(0)), 0);
    assert_eq!(share(&mut waiter, 1, 0, 1, at(patience - 1)), 0);
    assert_eq!(share(&mut user, 1, 0, 0, at(patience)), 0);
    assert_eq!(share(&mut other, 1, 0, 1, at(patience + 1)), 0);
    assert_eq!(share(&mut other, 1, 0, 1, at(2 * patience - 1)), 1);
}

/// Whatever owners do at once, no more is given than there is.
pub fn are_never_given_twice(fixture: &impl Fixture) {
    let most = 2;
    let mut sessions: Vec<_> = (0..3).map(|_| fixture.session()).collect();
    let in_use = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for session in &mut sessions {
            scope.spawn(|| {
                let mut had = 0;
                for second in 0.. {
                    let granted = share(session, most, 0, 1, at(second / 1000));
                    let others = in_use.fetch_add(granted, Ordering::SeqCst);
                    assert!(others + granted <= most, "{others} and {granted}");
                    std::thread::yield_now();
                    in_use.fetch_sub(granted, Ordering::SeqCst);
                    had += granted;
                    if had == 30 {
                        break;
                    }
                }
                share(session, most, 0, 0, at(0));
            });
        }
    });
}
