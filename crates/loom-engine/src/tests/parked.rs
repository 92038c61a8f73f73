//! Runs outside the memory, and those that are held.

use super::bench::{Bench, report, run, succeeded, task, with_a_parked_run};
use crate::Input;
use loom_core::{Failure, FailureKind, News, Request, RetryPolicy, RunState};
use loom_store::{Claim, RunStore, StoreError};
use std::time::Duration;

#[test]
fn a_run_that_only_waits_leaves_the_memory_and_comes_back_in_time() {
    let mut bench = with_a_parked_run();
    assert_eq!(bench.engine.load(), (0, 1));
    bench.diary();
    bench.now = bench.engine.next_wake().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.engine.load(), (1, 0));
    assert_eq!(bench.diary(), ["committed 1 runs", "start a#2"]);
}

#[test]
fn a_run_that_can_never_be_read_is_let_go_of_and_told() {
    let mut bench = with_a_parked_run();
    let inputs = vec![bench.submit(2, vec![task("b")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    bench.now = bench.engine.next_wake().unwrap();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), Vec::<String>::new(), "it is tried again");
    bench.now = bench.engine.next_wake().unwrap();
    bench.moods.lock().unwrap().push(StoreError::Corrupt("test".into()));
    bench.turn(vec![succeeded(2, 0)]).unwrap();
    let lost = format!("lost {}: {}", run(1), StoreError::Corrupt("test".into()));
    assert_eq!(bench.diary(), [lost.as_str(), "committed 1 runs"], "the others go on");
    assert_eq!(bench.engine.load(), (0, 0));
    assert_eq!(bench.engine.next_wake(), None);
    assert_eq!(bench.store.session("other").claim(run(1)).unwrap(), Claim::Claimed);
}

#[test]
fn a_report_that_comes_again_brings_no_parked_run_back() {
    let mut bench = with_a_parked_run();
    bench.diary();
    bench.moods.lock().unwrap().push(StoreError::Corrupt("test".into()));
    let failure = Failure::retryable(FailureKind::Exit, "exit 1");
    bench.turn(vec![report(1, 0, 1, News::Failed(failure))]).unwrap();
    assert_eq!(bench.moods.lock().unwrap().len(), 1, "the store was not asked");
    assert_eq!((bench.engine.load(), bench.diary().len()), ((0, 1), 0));
}

#[test]
fn a_run_wakes_for_the_same_time_twice_if_the_clock_is_set_back() {
    let mut bench = Bench::new();
    let mut patient = task("a");
    let second = Duration::from_secs(1);
    patient.retry = RetryPolicy { max_attempts: 3, initial: second, max: second, ..patient.retry };
    let inputs = vec![bench.submit(1, vec![patient])];
    bench.turn(inputs).unwrap();
    let start = bench.now;
    for attempt in 1..=2 {
        bench.now = start;
        let failure = Failure::retryable(FailureKind::Exit, "exit 1");
        bench.turn(vec![report(1, 0, attempt, News::Failed(failure))]).unwrap();
        bench.diary();
        bench.now = bench.engine.next_wake().expect("it backs off");
        bench.turn(vec![]).unwrap();
        let again = format!("start a#{}", attempt + 1);
        assert_eq!(bench.diary(), ["committed 1 runs", again.as_str()]);
    }
}

#[test]
fn a_run_that_cannot_be_loaded_for_a_request_still_wakes() {
    let mut bench = with_a_parked_run();
    bench.diary();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    let resume = Request::Resume { by: "me".into() };
    let inputs = vec![Input::Request(run(1), resume, bench.reply("resumed"))];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary().len(), 1, "only the refusal");
    bench.now = bench.engine.next_wake().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "start a#2"]);
}

#[test]
fn a_drain_pauses_runs_outside_the_memory_too() {
    let mut bench = with_a_parked_run();
    bench.turn(vec![Input::Drain { by: "me".into() }]).unwrap();
    assert_eq!(bench.state(1), RunState::Paused);
}

#[test]
fn a_held_run_is_parked_until_it_is_begun() {
    let mut bench = Bench::new();
    let inputs = vec![bench.hold(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted"]);
    assert_eq!((bench.state(1), bench.engine.load()), (RunState::Queued, (0, 1)));
    let pause = Request::Pause { by: "me".into() };
    let refused = Input::Request(run(1), pause, bench.reply("paused"));
    bench.turn(vec![refused]).unwrap();
    assert_eq!(bench.diary(), ["not paused: cannot pause a run that is queued"]);
    assert_eq!(bench.engine.load(), (0, 1), "what is refused leaves it parked");
    let inputs = [1, 2].map(|_| Input::Begin(run(1), bench.reply("begun"))).into();
    bench.turn(inputs).unwrap();
    let twice = "not begun: cannot begin a run that is running";
    assert_eq!(bench.diary(), ["committed 1 runs", "begun", twice, "start a#1"]);
}

#[test]
fn a_held_run_can_be_cancelled_before_it_begins() {
    let mut bench = Bench::new();
    let cancel = Request::Cancel { by: "me".into(), reason: String::new() };
    let inputs = vec![
        bench.hold(1, vec![task("a")]),
        Input::Request(run(1), cancel, bench.reply("cancelled")),
    ];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted", "cancelled"]);
    assert_eq!((bench.state(1), bench.engine.load()), (RunState::Cancelled, (0, 0)));
}

#[test]
fn a_held_run_stays_held_when_it_is_adopted_and_begins_when_that_is_asked() {
    let by = || "me".to_owned();
    let cases = [
        (None, RunState::Queued),
        (Some(Request::Resume { by: by() }), RunState::Running),
        (Some(Request::Skip { by: by(), reason: by(), task: "a".into() }), RunState::Running),
        (Some(Request::Cancel { by: by(), reason: by() }), RunState::Cancelled),
    ];
    for (request, expected) in cases {
        let mut bench = Bench::new();
        let inputs = vec![bench.hold(1, vec![task("a"), task("b")])];
        bench.turn(inputs).unwrap();
        bench.store.end_owner("first");
        let mut next = Bench::on(bench.store.session("x"), "second");
        let adopt = Input::Adopt(run(1), request.clone(), next.reply("adopted"));
        next.turn(vec![adopt]).unwrap();
        assert_eq!(next.state(1), expected, "{request:?}");
        assert_eq!(next.engine.load().1, usize::from(request.is_none()), "{request:?}");
    }
    let mut bench = Bench::new();
    let inputs = vec![bench.hold(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let begin = Input::Begin(run(1), next.reply("begun"));
    next.turn(vec![begin]).unwrap();
    assert_eq!(next.diary(), ["end leftovers of 1", "committed 1 runs", "begun", "start a#1"]);
}
