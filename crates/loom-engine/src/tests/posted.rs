//! What other processes ask over the store.

use super::bench::{Bench, report, run, succeeded, task, with_a_parked_run};
use crate::Input;
use loom_core::{News, Request, RunState};
use loom_store::{Posted, QueryStore, RequestState, RunStore, StoreError, Verdict};
use std::sync::atomic::Ordering;

#[test]
fn another_processs_request_reaches_the_run() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    let cancel = Request::Cancel { by: "other".into(), reason: "enough".into() };
    let mut other = bench.store.session("other");
    let id = other.post(run(1), &cancel).unwrap();
    bench.engine.read_requests().unwrap();
    bench.engine.read_requests().unwrap();
    bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
    assert!(bench.turn(vec![]).is_err());
    assert_eq!(other.request_state(run(1), id).unwrap(), RequestState::Waits);
    bench.engine.read_requests().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "stop 0 Gently"]);
    let granted = RequestState::Settled(Verdict::Granted);
    assert_eq!(other.request_state(run(1), id).unwrap(), granted);
}

#[test]
fn a_refused_request_of_another_process_is_answered_with_the_reason() {
    let mut bench = Bench::new();
    let inputs = vec![bench.submit(1, vec![task("a")])];
    bench.turn(inputs).unwrap();
    bench.diary();
    let resume = Request::Resume { by: "other".into() };
    let mut other = bench.store.session("other");
    let id = other.post(run(1), &resume).unwrap();
    bench.engine.read_requests().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs"]);
    let refused = Verdict::Refused("cannot resume a run that is running".into());
    assert_eq!(other.request_state(run(1), id).unwrap(), RequestState::Settled(refused));
}

#[test]
fn a_request_that_cannot_be_read_is_dropped_and_told_and_the_engine_goes_on() {
    // Of a run in memory, and of a parked one.
    for mut bench in [Bench::new(), with_a_parked_run()] {
        if bench.engine.load() == (0, 0) {
            let inputs = vec![bench.submit(1, vec![task("a")])];
            bench.turn(inputs).unwrap();
        }
        bench.diary();
        let pause = Request::Pause { by: "newer".into() };
        let mut other = bench.store.session("other");
        let id = other.post(run(1), &pause).unwrap();
        bench.garbles.store(true, Ordering::Relaxed);
        bench.engine.read_requests().unwrap();
        bench.moods.lock().unwrap().push(StoreError::Busy("test".into()));
        // The store is busy at first, so that nothing is told before it is settled.
        if bench.turn(vec![]).is_err() {
            assert!(bench.diary().is_empty());
        }
        bench.engine.read_requests().unwrap();
        bench.turn(vec![]).unwrap();
        let told = format!("dropped a request for {}: garbled", run(1));
        assert_eq!(bench.diary(), ["committed 1 runs".to_owned(), told]);
        let why = "the process that has the run cannot read the request: garbled";
        let refused = RequestState::Settled(Verdict::Refused(why.into()));
        assert_eq!(other.request_state(run(1), id).unwrap(), refused);
        assert_eq!(bench.state(1), RunState::Running);
    }
}

#[test]
fn a_stopping_engine_cancels_for_others_and_leaves_the_rest_to_the_next_owner() {
    let mut bench = Bench::new();
    let inputs = [1, 2].map(|n| bench.submit(n, vec![task("a"), task("b")])).into();
    bench.turn(inputs).unwrap();
    bench.turn(vec![Input::Drain { by: "me".into() }]).unwrap();
    bench.diary();
    let by = || "other".to_owned();
    let mut other = bench.store.session("other");
    other.post(run(1), &Request::Resume { by: by() }).unwrap();
    other.post(run(2), &Request::Cancel { by: by(), reason: String::new() }).unwrap();
    bench.engine.read_requests().unwrap();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "stop 0 Gently"]);
    bench.turn(vec![succeeded(1, 0), report(2, 0, 1, News::Stopped)]).unwrap();
    assert!(bench.engine.has_stopped());
    assert_eq!(bench.state(2), RunState::Cancelled);
    let left = bench.store.session("first").requests().unwrap();
    assert!(matches!(&left[..], [Posted { request: Ok(Request::Resume { .. }), .. }]), "{left:?}");
}
