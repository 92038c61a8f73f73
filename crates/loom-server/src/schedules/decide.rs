//! What a schedule does now: decided from its state and the time, without touching anything.
//!
//! Every tick comes to exactly one end: it fires (under an identity that the schedule and the tick
//! decide), it is skipped because of an earlier run, or it is missed because nobody was there. A
//! state is what is kept; whoever writes a decided state in place of the one that it was decided
//! from has decided, and everybody else looks again. So two servers on one store, or one that is
//! killed and started, fire a tick once.

use super::rule::Rule;
use super::state::{ACTIVE_MAX, Policy, State};
use loom_core::Timestamp;
use loom_protocol::api::{CatchUp, Overlap};
use std::time::Duration;

/// The most ticks that wait for a run to end.
const WAITING_MAX: usize = 100;
/// The most ticks of one absence that are counted.
const COUNTED_MAX: usize = 10_000;
/// The most ticks that are decided at once; the others follow at once.
const DUE_MAX: usize = 1000;

/// Decides all ticks that are due, and answers when to look again, if nothing else happens.
pub(super) fn decide(
    rule: &Rule,
    policy: &Policy,
    state: &mut State,
    now: Timestamp,
) -> Option<Timestamp> {
    if state.paused {
        return None;
    }
    let mut due = due(rule, policy, state, now);
    if policy.overlap == Overlap::CancelOlder && due.len() > 1 {
        // Each would be cancelled by the next.
        state.counts.skipped += due.len() as u64 - 1;
        due.drain(..due.len() - 1);
    }
    for tick in due {
        take(policy, state, tick);
    }
    if state.active.is_empty() && !state.waiting.is_empty() {
        let tick = state.waiting.remove(0);
        state.fire(tick, policy.run(tick));
    }
    rule.next_after(state.through).map(|tick| policy.fires_at(tick))
}

/// The ticks that fire now unless an earlier run is in their way; all up to them are decided.
fn due(rule: &Rule, policy: &Policy, state: &mut State, now: Timestamp) -> Vec<Timestamp> {
    let mut due = missed(rule, policy, state, now);
    let late = due.len();
    while let Some(tick) = rule.next_after(state.through)
        && policy.fires_at(tick) <= now
        && due.len() < DUE_MAX + late
    {
        due.push(tick);
        state.through = tick;
    }
    if matches!(policy.catch_up, CatchUp::Last {}) && due.len() > late {
        state.counts.missed += late as u64;
        due.drain(..late);
    }
    due
}

/// Passes over the ticks that are too late, and answers with those that fire all the same.
fn missed(rule: &Rule, policy: &Policy, state: &mut State, now: Timestamp) -> Vec<Timestamp> {
    let back =
        |time: Timestamp, span: Duration| Timestamp(time.0.saturating_sub(span.as_micros() as u64));
    // Later ones are on time.
    let line = back(back(now, policy.grace + policy.jitter), Duration::from_micros(1));
    let from = state.through;
    let passed = rule.ticks(from, line).take(COUNTED_MAX).count();
    if passed == 0 {
        return Vec::new();
    }
    let fires = match policy.catch_up {
        CatchUp::None {} => Vec::new(),
        CatchUp::Last {} => rule.last(from, line, 1).into(),
        CatchUp::All { window_s, most } => {
            let window = back(now, Duration::from_secs(window_s.into())).max(from).min(line);
            rule.last(window, line, most as usize).into()
        }
    };
    state.through = line;
    state.counts.missed += (passed.max(fires.len()) - fires.len()) as u64;
    fires
}

/// What a due tick does.
fn take(policy: &Policy, state: &mut State, tick: Timestamp) {
    let room = state.active.len() < ACTIVE_MAX;
    match policy.overlap {
        Overlap::Allow if room => state.fire(tick, policy.run(tick)),
        Overlap::Skip if state.active.is_empty() => state.fire(tick, policy.run(tick)),
        Overlap::Queue if state.waiting.len() < WAITING_MAX => state.waiting.push(tick),
        Overlap::CancelOlder if room => {
            state.active.iter_mut().for_each(|firing| firing.cancel = true);
            state.fire(tick, policy.run(tick));
        }
        _ => state.counts.skipped += 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Firing;
    use super::*;
    use loom_core::RunId;
    use loom_protocol::api::Timing;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const START: Timestamp = Timestamp(1_800_000_000_000_000);

    fn after(seconds: f64) -> Timestamp {
        START + Duration::from_secs_f64(seconds)
    }

    fn every(seconds: u32) -> Rule {
        Rule::new(&Timing::Every { seconds, from: None }, START).unwrap()
    }

    fn policy(overlap: Overlap, catch_up: CatchUp) -> Policy {
        let grace = Duration::from_secs(5);
        Policy { salt: "s".into(), overlap, catch_up, jitter: Duration::ZERO, grace }
    }

    fn fired(state: &State) -> Vec<u64> {
        state.active.iter().map(|firing| firing.tick.since(START).as_secs()).collect()
    }

    #[test]
    fn what_a_tick_does_while_an_earlier_run_is_under_way() {
        // (policy, under way after three ticks, cancelled, waiting, skipped)
        let cases = [
            (Overlap::Skip, vec![10], 0, 0, 2),
            (Overlap::Queue, vec![10], 0, 2, 0),
            (Overlap::Allow, vec![10, 20, 30], 0, 0, 0),
            (Overlap::CancelOlder, vec![10, 20, 30], 2, 0, 0),
        ];
        for (overlap, active, cancelled, waiting, skipped) in cases {
            let (rule, policy) = (every(10), policy(overlap, CatchUp::None {}));
            let mut state = State::new(START);
            for look in [10.0, 20.0, 30.0] {
                let wake = decide(&rule, &policy, &mut state, after(look));
                assert_eq!(wake, Some(after(look + 10.0)));
            }
            assert_eq!(fired(&state), active, "{overlap:?}");
            let marked = state.active.iter().filter(|firing| firing.cancel).count();
            assert_eq!((marked, state.waiting.len()), (cancelled, waiting), "{overlap:?}");
            assert_eq!(state.counts.skipped, skipped, "{overlap:?}");
        }
    }

    #[test]
    fn a_tick_that_waits_fires_when_the_run_before_has_ended() {
        let (rule, policy) = (every(10), policy(Overlap::Queue, CatchUp::None {}));
        let mut state = State::new(START);
        for look in [10.0, 20.0, 30.0] {
            decide(&rule, &policy, &mut state, after(look));
        }
        for tick in [20, 30] {
            let run = state.active[0].run;
            state.ended(run);
            decide(&rule, &policy, &mut state, after(31.0));
            assert_eq!(fired(&state), [tick]);
        }
        assert_eq!(state.counts.fired, 3);
    }

    #[test]
    fn what_becomes_of_ticks_that_nobody_was_there_for() {
        let all = |window_s, most| CatchUp::All { window_s, most };
        // Looked at after 95 s, 5 s of grace: the tick at 90 s is on time in the first set alone.
        let cases = [
            (CatchUp::None {}, 95.0, vec![90], 8),
            (CatchUp::Last {}, 95.0, vec![90], 8),
            (all(1000, 100), 95.0, vec![10, 20, 30, 40, 50, 60, 70, 80, 90], 0),
            (CatchUp::None {}, 97.0, vec![], 9),
            (CatchUp::Last {}, 97.0, vec![90], 8),
            (all(1000, 3), 97.0, vec![70, 80, 90], 6),
            (all(30, 100), 97.0, vec![70, 80, 90], 6),
            (all(3, 100), 97.0, vec![], 9),
        ];
        for (catch_up, look, active, missed) in cases {
            let (rule, policy) = (every(10), policy(Overlap::Allow, catch_up));
            let mut state = State::new(START);
            decide(&rule, &policy, &mut state, after(look));
            assert_eq!(fired(&state), active, "{catch_up:?} after {look}");
            assert_eq!(state.counts.missed, missed, "{catch_up:?} after {look}");
        }
    }

    #[test]
    fn an_absence_of_years_is_passed_over_quickly() {
        let (rule, policy) = (every(1), policy(Overlap::Allow, CatchUp::Last {}));
        let mut state = State::new(START);
        let years = 5 * 365 * 24 * 3600;
        decide(&rule, &policy, &mut state, after(f64::from(years)));
        assert_eq!(state.counts.missed, COUNTED_MAX as u64);
        assert_eq!(fired(&state), (u64::from(years as u32) - 5..=years as u64).collect::<Vec<_>>());
    }

    #[test]
    fn a_paused_schedule_decides_nothing_and_one_that_is_over_wants_no_look() {
        let policy = policy(Overlap::Allow, CatchUp::None {});
        let mut state = State { paused: true, ..State::new(START) };
        let before = state.clone();
        assert_eq!(decide(&every(10), &policy, &mut state, after(10.0)), None);
        assert_eq!(state, before);
        let once = Rule::Once(after(10.0));
        let mut state = State::new(START);
        assert_eq!(decide(&once, &policy, &mut state, START), Some(after(10.0)));
        assert_eq!(decide(&once, &policy, &mut state, after(10.0)), None);
        assert_eq!(fired(&state), [10]);
    }

    #[test]
    fn a_refused_run_is_in_nobodys_way() {
        let (rule, policy) = (every(10), policy(Overlap::Skip, CatchUp::None {}));
        let mut state = State::new(START);
        decide(&rule, &policy, &mut state, after(10.0));
        let run = state.active[0].run;
        state.refused(run, "no such workflow".into());
        decide(&rule, &policy, &mut state, after(20.0));
        assert_eq!(fired(&state), [20]);
        assert_eq!((state.counts.fired, state.counts.refused), (1, 1));
    }

    fn policies() -> impl Strategy<Value = Policy> {
        let overlap = prop_oneof![
            Just(Overlap::Skip),
            Just(Overlap::Queue),
            Just(Overlap::Allow),
            Just(Overlap::CancelOlder)
        ];
        let all =
            (1..400u32, 1..20u32).prop_map(|(window_s, most)| CatchUp::All { window_s, most });
        let catch_up = prop_oneof![Just(CatchUp::None {}), Just(CatchUp::Last {}), all];
        (overlap, catch_up, 0..20u64, 1..20u64).prop_map(|(overlap, catch_up, jitter, grace)| {
            Policy {
                salt: "s".into(),
                overlap,
                catch_up,
                jitter: Duration::from_secs(jitter),
                grace: Duration::from_secs(grace),
            }
        })
    }

    /// What happens between two looks.
    #[derive(Clone, Debug)]
    struct Between {
        passes: f64,
        /// Which of the runs end, as bits.
        end: u64,
        /// The process is killed after it has decided, before that is written.
        lost: bool,
    }

    fn between() -> impl Strategy<Value = Between> {
        let passes = prop_oneof![4 => 0.0..5.0f64, 1 => 5.0..500.0f64];
        (passes, any::<u64>(), prop::bool::weighted(0.2)).prop_map(|(passes, end, lost)| Between {
            passes,
            end,
            lost,
        })
    }

    proptest! {
        /// Each tick comes to exactly one end, whatever is looked at when, ends when, and is killed
        /// when; no tick has two runs, and none fires before its time.
        #[test]
        fn no_tick_is_lost_and_none_fires_twice(
            period in 1u32..40,
            policy in policies(),
            steps in prop::collection::vec(between(), 1..60),
        ) {
            let rule = every(period);
            let mut state = State::new(START);
            let (mut now, mut runs, mut ticks) = (START, BTreeSet::new(), BTreeSet::new());
            for step in steps {
                now = now + Duration::from_secs_f64(step.passes);
                let mut next = state.clone();
                let ends = |(place, _): &(usize, &Firing)| step.end >> (place % 64) & 1 == 1;
                for (_, firing) in state.active.iter().enumerate().filter(ends) {
                    next.ended(firing.run);
                }
                let known: BTreeSet<RunId> = next.active.iter().map(|firing| firing.run).collect();
                let wake = decide(&rule, &policy, &mut next, now);
                if step.lost {
                    continue;
                }
                state = next;
                prop_assert!(wake.is_some_and(|wake| wake >= state.through));
                for firing in state.active.iter().filter(|firing| !known.contains(&firing.run)) {
                    prop_assert!(policy.fires_at(firing.tick) <= now);
                    prop_assert!(runs.insert(firing.run) && ticks.insert(firing.tick));
                }
                let counts = state.counts;
                let decided = counts.fired + counts.skipped + counts.missed;
                let all = rule.ticks(START, state.through).count() as u64;
                prop_assert_eq!(decided + state.waiting.len() as u64, all);
                prop_assert_eq!(counts.fired as usize, runs.len());
            }
            let all: BTreeSet<Timestamp> = rule.ticks(START, state.through).collect();
            prop_assert!(ticks.is_subset(&all));
        }

        /// Whoever looks when the schedule asks to be looked at misses nothing.
        #[test]
        fn who_looks_when_asked_misses_nothing(period in 1u32..40, policy in policies()) {
            let (rule, mut state) = (every(period), State::new(START));
            let mut now = START;
            for _ in 0..100 {
                now = decide(&rule, &policy, &mut state, now).unwrap().max(now);
                for run in state.active.iter().map(|firing| firing.run).collect::<Vec<_>>() {
                    state.ended(run);
                }
            }
            let counts = state.counts;
            prop_assert_eq!(counts.missed, 0);
            prop_assert!(counts.fired >= 1);
        }
    }
}
