//! The engine on a manual clock, the reference store and an executor that does nothing by itself.

mod bench;
mod limits;
mod parked;
mod posted;

use crate::Input;
use bench::{Bench, report, run, succeeded, task, with_a_parked_run};
use loom_core::{Failure, FailureKind, News, Request, RunState};
use loom_store::{Claim, RunStore, StoreError};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn what_is_gathered_is_committed_at_once_and_effects_come_after() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")]), bench.submit(2, vec![task("b")])];
    bench.turn(inputs).unwrap();
    let expected = ["committed 2 runs", "submitted", "submitted", "start a#1", "start b#1"];
    assert_eq!(bench.diary(), expected);
}

#[test]
fn a_locked_store_delays_everything_and_loses_nothing() {
    let mut bench = Bench::new();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    let inputs = vec![bench.submit(1, vec![task("a")])];
    assert!(bench.turn(inputs).unwrap_err().may_retry());
    assert_eq!(bench.diary(), [""; 0], "nothing is told or done before the commit");
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted", "start a#1"]);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert_eq!(bench.state(1), RunState::Succeeded);
}

#[test]
fn a_store_that_fails_for_good_ends_what_is_under_way_and_tells_who_waits() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    bench.moods.lock().unwrap().push(StoreError::Full("test".into()));
    let inputs = vec![bench.submit(2, vec![task("b")])];
    let error = bench.turn(inputs).unwrap_err();
    bench.engine.halt(error);
    let full = "not submitted: the store has no room left: test";
    // One for each run; the second was never started, which an executor does not mind.
    assert_eq!(bench.diary(), [full, "stop 0 Now", "stop 0 Now"]);
}

#[test]
fn after_short_attempts_more_are_handed_over_ahead_and_taken_back_by_a_drain() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, ["a", "b", "c", "d"].map(task).into())];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary()[2..], ["start a#1"]);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    bench.now.0 += 4_000;
    bench.turn(vec![succeeded(1, 1)]).unwrap();
    let diary = bench.diary();
    assert_eq!(diary[diary.len() - 2..], ["start c#1", "start d#1 held"], "{diary:?}");
    assert_eq!(bench.engine.may_linger(), Duration::from_millis(2));
    bench.turn(vec![Input::Drain { by: "me".into() }]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "recall 3"]);
    assert!(!bench.engine.has_stopped());
    bench.turn(vec![report(1, 3, 1, News::Stopped), succeeded(1, 2)]).unwrap();
    assert!(bench.engine.has_stopped());
    assert_eq!(bench.state(1), RunState::Paused);
}

#[test]
fn a_kill_ends_what_is_under_way_and_the_run_can_be_taken_up() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    bench.turn(vec![Input::Kill { by: "me".into() }]).unwrap();
    assert_eq!(bench.diary(), ["stop 0 Now", "committed 1 runs"]);
    bench.turn(vec![report(1, 0, 1, News::Stopped)]).unwrap();
    assert!(bench.engine.has_stopped());
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let resume = Request::Resume { by: "me".into() };
    let adopt = Input::Adopt(run(1), Some(resume), next.reply("adopted"));
    next.turn(vec![adopt]).unwrap();
    assert_eq!(next.diary(), ["end leftovers of 1", "committed 1 runs", "adopted", "start a#2"]);
}

#[test]
fn a_living_owners_run_is_not_taken_over() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    let mut other = Bench::on(bench.store.session("x"), "second");
    let adopt = Input::Adopt(run(1), None, other.reply("adopted"));
    other.turn(vec![adopt]).unwrap();
    assert_eq!(other.diary(), ["not adopted: the run belongs to a living process (first)"]);
}

#[test]
fn a_run_that_has_ended_is_anybodys_while_its_engine_lives() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    let failure = Failure::permanent(FailureKind::Exit, "exit 1");
    bench.turn(vec![report(1, 0, 1, News::Failed(failure))]).unwrap();
    for (store, retry) in [("second", "b"), ("third", "a")] {
        let mut next = Bench::on(bench.store.session("x"), store);
        let retry = Request::Retry { by: "me".into(), task: Some(retry.into()) };
        let adopt = Input::Adopt(run(1), Some(retry), next.reply("adopted"));
        next.turn(vec![adopt]).unwrap();
        let told = next.diary();
        if store == "second" {
            let refused = "not adopted: the workflow has no task `b`";
            assert_eq!(told, ["end leftovers of 1", "committed 1 runs", refused], "in vain");
            assert_eq!(next.engine.load(), (0, 0));
        } else {
            assert_eq!(told, ["end leftovers of 1", "committed 1 runs", "adopted", "start a#2"]);
        }
    }
}

#[test]
fn a_run_that_cannot_be_taken_up_is_given_up() {
    let bench = with_a_parked_run();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    next.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    let adopt = Input::Adopt(run(1), None, next.reply("adopted"));
    next.turn(vec![adopt]).unwrap();
    let busy = "not adopted: the store is locked by another process: test";
    assert_eq!(next.diary(), ["end leftovers of 1", busy]);
    assert_eq!(bench.store.session("third").claim(run(1)).unwrap(), Claim::Claimed);
}

#[test]
fn an_engine_that_leaves_starts_nothing_and_its_runs_stay_as_they_are() {
    let mut bench = Bench::new();
    let mut second = task("b");
    second.execution.depends_on = vec!["a".into()];
    let inputs = vec![bench.submit(1, vec![task("a"), second])];
    bench.turn(inputs).unwrap();
    bench.turn(vec![Input::Leave]).unwrap();
    assert!(!bench.engine.has_stopped(), "an attempt is under way");
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert!(bench.engine.has_stopped());
    assert!(!bench.diary().iter().any(|line| line.starts_with("start b")));
    assert_eq!(bench.state(1), RunState::Running);
}

fn behind_a_crash_with_three_runs() -> Bench {
    let mut bench = Bench::new();
    let inputs = (1..=3).map(|nth| bench.submit(nth, vec![task("a")])).collect();
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    Bench::on(bench.store.session("x"), "second")
}

#[test]
fn all_runs_taken_up_in_a_round_are_cleared_of_leftovers_at_once() {
    let mut next = behind_a_crash_with_three_runs();
    let adopt = |nth| Input::Adopt(run(nth), None, next.reply("adopted"));
    // One of them twice.
    let inputs = vec![adopt(1), adopt(2), adopt(3), adopt(2)];
    next.turn(inputs).unwrap();
    let diary = next.diary();
    let cleared: Vec<_> = diary.iter().filter(|line| line.starts_with("end left")).collect();
    assert_eq!(cleared, ["end leftovers of 3"]);
    assert_eq!(diary.iter().filter(|line| *line == "adopted").count(), 4);
    assert_eq!(next.engine.load(), (3, 0));
}

#[test]
fn a_locked_store_is_asked_for_one_of_the_runs_that_are_taken_up_in_a_round() {
    let mut next = behind_a_crash_with_three_runs();
    let adopt = |nth| Input::Adopt(run(nth), None, next.reply("adopted"));
    let mut inputs = [vec![adopt(1), adopt(2), adopt(3)], vec![adopt(1), adopt(2), adopt(3)]];
    next.busy.store(true, Ordering::Relaxed);
    next.turn(std::mem::take(&mut inputs[0])).unwrap();
    let locked = StoreError::Busy(format!("asked for {}", run(1)));
    assert_eq!(next.diary(), vec![format!("not adopted: {locked}"); 3]);
    next.busy.store(false, Ordering::Relaxed);
    next.turn(std::mem::take(&mut inputs[1])).unwrap();
    assert_eq!(next.engine.load(), (3, 0));
}

#[test]
fn what_is_claimed_for_an_input_that_is_refused_is_given_back() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let adopt = Input::Adopt(run(1), None, next.reply("adopted"));
    next.turn(vec![Input::Leave, adopt]).unwrap();
    assert!(next.diary().contains(&"not adopted: the engine has stopped".into()));
    assert_eq!(bench.store.session("third").claim(run(1)).unwrap(), Claim::Claimed);
}

#[test]
fn a_paused_run_goes_on_when_it_is_taken_up_for_anything_but_its_end() {
    let by = || "me".to_owned();
    let cases = [
        (Some(Request::Resume { by: by() }), RunState::Running),
        (Some(Request::Pause { by: by() }), RunState::Paused),
        (Some(Request::Cancel { by: by(), reason: by() }), RunState::Cancelled),
        (None, RunState::Paused),
    ];
    for (request, expected) in cases {
        let mut bench = Bench::new();
        let inputs = vec![bench.submit(1, vec![task("a")])];
        bench.turn(inputs).unwrap();
        bench.turn(vec![Input::Kill { by: by() }, report(1, 0, 1, News::Stopped)]).unwrap();
        assert_eq!(bench.state(1), RunState::Paused);
        bench.store.end_owner("first");
        let mut next = Bench::on(bench.store.session("x"), "second");
        let adopt = Input::Adopt(run(1), request.clone(), next.reply("adopted"));
        next.turn(vec![adopt]).unwrap();
        assert_eq!(next.state(1), expected, "{request:?}");
    }
}

#[test]
fn to_resume_an_interrupted_run_is_to_take_it_up() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.store.end_owner("first");
    let mut next = Bench::on(bench.store.session("x"), "second");
    let resume = Some(Request::Resume { by: "me".into() });
    let inputs = vec![Input::Adopt(run(1), resume, next.reply("adopted"))];
    next.turn(inputs).unwrap();
    assert_eq!(next.diary(), ["end leftovers of 1", "committed 1 runs", "adopted", "start a#2"]);
}

#[test]
fn requests_for_runs_elsewhere_are_refused() {
    let mut bench = Bench::new();
    let resume = Request::Resume { by: "me".into() };
    let ask = Input::Request(run(9), resume, bench.reply("asked"));
    bench.turn(vec![ask]).unwrap();
    assert_eq!(bench.diary(), [format!("not asked: run {} is not under way here", run(9))]);
}

#[test]
fn a_run_that_exists_is_not_created_again_and_harms_nothing_else() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")]), bench.submit(1, vec![task("x")])];
    bench.turn(inputs).unwrap();
    let exists = format!("not submitted: run {} exists already", run(1));
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted", &exists, "start a#1"]);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert_eq!((bench.state(1), bench.engine.load()), (RunState::Succeeded, (0, 0)));
    bench.diary();

    // Now only the store knows of it, or another process has it.
    let limited = || {
        let mut limited = task("b");
        limited.execution.workers = Some(1);
        vec![limited]
    };
    let cancel = Request::Cancel { by: "me".into(), reason: String::new() };
    for store in ["first", "second"] {
        let mut next = Bench::on(bench.store.session("x"), store);
        let number = if store == "first" { 2 } else { 3 };
        let inputs = vec![
            next.submit(1, limited()),
            next.submit(number, limited()),
            Input::Request(run(1), cancel.clone(), next.reply("cancelled")),
        ];
        next.turn(inputs).unwrap();
        let told = next.diary();
        let refused = format!("not cancelled: run {} exists already", run(1));
        assert_eq!(told[..4], ["committed 1 runs", &exists, "submitted", &refused]);
        // What the run that was not created would have taken of a limit is given back.
        next.turn(vec![]).unwrap();
        assert_eq!([&told[4..], &next.diary()].concat(), ["start b#1"]);
        next.turn(vec![succeeded(number, 0)]).unwrap();
        assert_eq!((next.state(1), next.state(number)), (RunState::Succeeded, RunState::Succeeded));
    }
}
