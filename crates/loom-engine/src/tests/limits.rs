//! Limits that hold over runs and engines.

use super::bench::{Bench, report, run, succeeded, task};
use crate::Input;
use loom_core::{News, Report, RunState};
use std::sync::atomic::Ordering;

#[test]
fn a_tasks_own_limit_holds_over_runs() {
    let mut bench = Bench::new();
    let limited = || {
        let mut limited = task("a");
        limited.execution.workers = Some(1);
        vec![limited]
    };
    let inputs = vec![bench.submit(1, limited()), bench.submit(2, limited())];
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary().iter().filter(|line| line.starts_with("start")).count(), 1);
    bench.turn(vec![succeeded(1, 0)]).unwrap();
    assert!(bench.diary().contains(&"start a#1".to_owned()));
    assert_eq!(bench.state(1), RunState::Succeeded);
}

#[test]
fn a_tasks_own_limit_holds_over_engines_and_the_one_that_waits_is_next() {
    let limited = || {
        let mut limited = task("a");
        limited.execution.workers = Some(2);
        limited.for_each = Some(loom_core::ForEach::Items((0..4).map(Into::into).collect()));
        vec![limited]
    };
    let wide = |bench: &Bench, number| {
        let Input::Submit(mut submission, reply) = bench.submit(number, limited()) else {
            unreachable!("that is what it makes")
        };
        submission.workers = 8;
        vec![Input::Submit(submission, reply)]
    };
    let item = |number, item| {
        let task = loom_core::TaskRef::item(loom_core::TaskIx(0), item);
        let report = Report { task, attempt: 1, news: News::Succeeded(Vec::new()) };
        Input::Reports(vec![(run(number), report)])
    };
    let starts =
        |bench: &Bench| bench.diary().into_iter().filter(|line| line.starts_with("start")).count();
    let mut first = Bench::new();
    let mut second = Bench::on(first.store.session("x"), "second");
    let inputs = wide(&first, 1);
    first.turn(inputs).unwrap();
    assert_eq!(starts(&first), 2);
    second.now.0 += 1;
    let inputs = wide(&second, 2);
    second.turn(inputs).unwrap();
    assert_eq!(starts(&second), 0);
    assert!(second.engine.waits_for_slots());

    first.now.0 += 2;
    first.turn(vec![item(1, 0)]).unwrap();
    assert_eq!(starts(&first), 1, "it waits longer, for its third");
    first.turn(vec![item(1, 1)]).unwrap();
    assert_eq!(starts(&first), 0, "the other waits longer");
    second.engine.look_for_slots();
    second.turn(vec![]).unwrap();
    assert_eq!(starts(&second), 1);

    first.store.end_owner("first");
    second.engine.look_for_slots();
    second.turn(vec![]).unwrap();
    assert_eq!(starts(&second), 1, "the dead use nothing");
}

#[test]
fn a_queue_that_gets_a_limit_counts_what_is_under_way_and_goes_on_when_it_is_raised() {
    let queued = || {
        let mut queued = task("a");
        queued.execution.queue = Some("gpu".into());
        vec![queued]
    };
    let mut bench = Bench::new();
    let queues =
        |most: u32| Input::Queues(std::collections::HashMap::from([("gpu".to_owned(), most)]));
    let starts = |bench: &Bench| {
        let diary = bench.diary();
        diary.into_iter().filter(|line| line.starts_with("start")).count()
    };
    let inputs = vec![bench.submit(1, queued()), bench.submit(2, queued())];
    bench.turn(inputs).unwrap();
    assert_eq!(starts(&bench), 2, "there is no limit yet");
    let inputs = vec![queues(2), bench.submit(3, queued()), bench.submit(4, queued())];
    bench.turn(inputs).unwrap();
    assert_eq!(starts(&bench), 0);
    assert!(bench.engine.waits_for_slots());
    bench.turn(vec![report(1, 0, 1, News::Succeeded(Vec::new()))]).unwrap();
    assert_eq!(starts(&bench), 1);
    bench.turn(vec![queues(3)]).unwrap();
    assert_eq!(starts(&bench), 1);
    let inputs = vec![bench.submit(5, queued()), bench.submit(6, queued())];
    bench.turn(inputs).unwrap();
    assert_eq!(starts(&bench), 0);
    bench.turn(vec![Input::Queues(std::collections::HashMap::new())]).unwrap();
    assert_eq!(starts(&bench), 2, "the limit is gone");
    assert!(!bench.engine.waits_for_slots());
}

#[test]
fn a_task_with_a_limit_waits_out_a_locked_store() {
    let mut bench = Bench::new();
    let mut limited = task("a");
    limited.execution.workers = Some(1);
    let inputs = vec![bench.submit(1, vec![limited])];
    bench.busy.store(true, Ordering::Relaxed);
    bench.turn(inputs).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "submitted"]);
    assert!(bench.engine.waits_for_slots());
    bench.busy.store(false, Ordering::Relaxed);
    bench.engine.look_for_slots();
    bench.turn(vec![]).unwrap();
    assert_eq!(bench.diary(), ["committed 1 runs", "start a#1"]);
}
