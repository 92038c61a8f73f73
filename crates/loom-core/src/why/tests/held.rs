//! What tasks wait for that have not started.

use super::super::{Elsewhere, Hold, WaitsFor, Why, explain_task};
use super::asked::{Asked, alone, run_of};
use crate::run::Command;
use crate::run::tests::driver::Driver;
use crate::test_support::{barrier, task};
use crate::{Definition, Event, ForEach, Request, TaskIx, TaskPhase, TaskRef};
use serde_json::json;

#[test]
fn waiting_names_what_is_missing_and_leads_down_to_what_is_open() {
    let run = Driver::begun(vec![
        task("extract").out("RAW"),
        task("transform").needs("RAW").out("CLEAN"),
        task("other").out("CLEAN"),
        task("load").needs("CLEAN").after("transform"),
        barrier("end"),
    ]);
    let begun = run.now;
    let asked = Asked::of(run);
    let why = asked.waiting("load");
    let [WaitsFor::Variable { name, producers }, WaitsFor::Task(on)] = &why.waits_for[..] else {
        panic!("{why:?}")
    };
    assert_eq!(name, "CLEAN");
    assert_eq!(asked.stands(producers), ["transform waiting", "other running"]);
    assert_eq!((asked.stand(on).as_str(), on.since), ("transform waiting", begun));
    assert_eq!(
        asked.chains(&why),
        ["CLEAN <- other running", "CLEAN <- transform waiting, RAW <- extract running"]
    );
    let [WaitsFor::Barrier(open)] = &asked.waiting("end").waits_for[..] else { panic!("barrier") };
    assert_eq!(open.count(), 4);
}

#[test]
fn a_long_chain_is_cut_in_the_middle_and_many_are_counted() {
    let chain = (1..50).map(|at| task(&format!("t{at}")).after(&format!("t{}", at - 1)));
    let asked = Asked::of(Driver::begun([task("t0")].into_iter().chain(chain).collect()));
    let why = asked.waiting("t49");
    assert_eq!((why.chains[0].links.len(), why.chains[0].left_out), (8, 41));
    assert!(asked.chains(&why)[0].starts_with("after <- t48 waiting, after <- t47 waiting"));
    assert!(asked.chains(&why)[0].ends_with("after <- t0 running"));

    let many = (0..30).map(|at| task(&format!("m{at}"))).chain([barrier("end")]);
    let why = Asked::of(Driver::begun(many.collect())).waiting("end");
    assert_eq!((why.chains.len(), why.more_active), (5, 25));
    let WaitsFor::Barrier(open) = &why.waits_for[0] else { panic!("{why:?}") };
    assert_eq!((open.first.len(), open.more), (5, 25));
}

#[test]
fn barriers_that_wait_for_each_other_wait_for_everything_else() {
    let asked = Asked::of(Driver::begun(vec![
        task("a").needs("X"),
        barrier("one").out("Y"),
        barrier("two").out("X"),
        task("b").needs("Y"),
        task("c"),
    ]));
    assert_eq!(asked.chains(&asked.waiting("a")), ["X <- two waiting, barrier <- c running"]);

    // `open` is downstream of both, so neither waits for it.
    let mut run = Driver::begun(vec![
        task("a").needs("X"),
        barrier("one").out("Y").out("Z"),
        barrier("two").out("X").out("Z"),
        task("b").needs("Y"),
        task("sets").out("Z"),
        task("open").needs("Z"),
    ]);
    run.succeed("sets", &["Z"]);
    let asked = Asked::of(run);
    assert_eq!(asked.chains(&asked.waiting("a")), ["circle <- open running"]);
}

#[test]
fn before_its_start_everything_waits_for_the_run_to_begin() {
    let tasks = vec![task("a"), task("b").after("a")];
    let asked = Asked::of(Driver::new(Definition::new("test", tasks), &[], 1));
    assert_eq!(asked.hold("a"), Hold::NotBegun);
    assert_eq!(asked.waiting("b").waits_for[0], WaitsFor::Start);
}

#[test]
fn ready_says_what_holds_it_back() {
    let tasks = || vec![task("a"), task("b"), alone("c"), task("d")];
    let asked = Asked::of(run_of(Definition::new("test", tasks()), &[], 1));
    let Hold::Workers { workers: 1, busy } = asked.hold("b") else { panic!("workers") };
    assert_eq!(asked.stands(&busy), ["a running"]);
    let Hold::UntilAlone(busy) = asked.hold("c") else { panic!("must be alone") };
    assert_eq!(asked.stands(&busy), ["a running"]);
    let Hold::Behind(first) = asked.hold("d") else { panic!("behind c") };
    assert_eq!(asked.stand(&first), "c ready");

    let mut run = run_of(Definition::new("test", tasks()), &[], 2);
    run.succeed("a", &[]);
    run.succeed("b", &[]);
    let Hold::Beside(alone) = Asked::of(run).hold("d") else { panic!("c is alone") };
    assert_eq!(alone.phase, TaskPhase::Running);

    let mut run = run_of(Definition::new("test", tasks()), &[], 1);
    run.request(Request::Pause { by: "ann".into() }).unwrap();
    run.succeed("a", &[]);
    let asked = Asked::of(run);
    let Hold::Paused(Some(pause)) = asked.hold("b") else { panic!("paused") };
    assert_eq!(pause.by, "ann");
}

#[test]
fn ready_may_be_handed_over_or_about_to_start() {
    let mut run = Driver::new(Definition::new("test", vec![task("a"), task("b")]), &[], 1);
    run.ahead = 1;
    run.apply(Command::Begin).unwrap();
    let at = run.now;
    let asked = Asked::of(run);
    let Hold::HandedOver { at: handed, busy } = asked.hold("b") else { panic!("handed over") };
    assert_eq!((handed, asked.stands(&busy)), (at, vec!["a running".to_owned()]));

    // An event stream that stops before the engine has started what is ready.
    let limited = task("a").with(|task| task.execution.queue = Some("gpu".into()));
    let mut run = Driver::begun(vec![limited]);
    run.events.truncate(1);
    assert_eq!(
        Asked::of(run).hold("a"),
        Hold::AboutToStart { queue: Some("gpu"), instances: None }
    );
}

#[test]
fn ready_names_the_limit_of_its_own_that_is_reached_and_who_took_it() {
    let queued = |name: &str| task(name).with(|task| task.execution.queue = Some("gpu".into()));
    let each = task("each").with(|task| {
        task.execution.workers = Some(1);
        task.for_each = Some(ForEach::Items(vec![json!(1), json!(2)]));
    });
    let mut run = Driver::begun(vec![queued("a"), queued("b"), task("c"), each]);
    // As an engine would have started them whose queue takes one.
    let of = |name: &str, item: Option<u32>| {
        let task = run.run.plan().find_task(name).unwrap();
        TaskRef { task, item }
    };
    let not_started = [of("b", None), of("each", Some(1))];
    run.events.retain(|event| match event {
        Event::Started { task, .. } => !not_started.contains(task),
        _ => true,
    });
    let asked = Asked::of(run);
    let Hold::Queue { name: "gpu", taken } = asked.hold("b") else { panic!("the queue is full") };
    assert_eq!(asked.stands(&taken), ["a running"]);
    let why = explain_task(&asked.history, not_started[1], asked.run.now).why;
    let Why::Ready(Hold::Instances { most: 1, taken }) = why else { panic!("{why:?}") };
    assert_eq!(taken.first[0].task, TaskRef::item(not_started[1].task, 0));
}

#[test]
fn with_what_other_runs_have_a_hold_is_exact() {
    let tasks = vec![task("a").with(|task| {
        task.execution.queue = Some("gpu".into());
        task.execution.workers = Some(2);
    })];
    let mut run = Driver::begun(tasks);
    run.events.truncate(1);
    let asked = Asked::of(run);
    let given = |instances, queue, queue_most| {
        let elsewhere = Elsewhere { instances, queue, queue_most };
        match asked.hold("a").given(&asked.history, TaskIx(0), elsewhere, asked.run.now) {
            Hold::Instances { most, taken } => format!("instances {most} {}", taken.count()),
            Hold::Queue { name, taken } => format!("queue {name} {}", taken.count()),
            hold => format!("{hold:?}"),
        }
    };
    let free = "AboutToStart { queue: None, instances: None }";
    assert_eq!(given(2, 2, None), "instances 2 0");
    assert_eq!(given(1, 1, None), "queue gpu 0");
    assert_eq!(given(1, 1, Some(2)), free);
    assert_eq!(given(0, 2, Some(2)), "queue gpu 0");
    assert_eq!(given(0, 0, None), free);
}
