//! Answers about runs driven by hand.

use super::{
    CancelledBy, Cause, CauseEnd, Few, Hold, RunWhy, SkippedWhy, Standing, Via, WaitingWhy,
    WaitsFor, Why, explain_run, explain_task,
};
use crate::history::{Act, History, SetBy};
use crate::run::Command;
use crate::run::tests::driver::Driver;
use crate::test_support::{barrier, task};
use crate::{
    Backoff, Definition, Event, Failure, FailureKind, ForEach, News, OnFailure, Request,
    RetryPolicy, SkipReason, TaskDef, TaskIx, TaskPhase, TaskRef, Timestamp, Value,
};
use serde_json::json;
use std::time::Duration;

/// A run and its history, to be asked by name.
struct Asked {
    run: Driver,
    history: History,
}

impl Asked {
    fn of(run: Driver) -> Self {
        Self { history: run.history(), run }
    }

    fn ix(&self, name: &str) -> TaskIx {
        self.history.run().plan().find_task(name).unwrap()
    }

    fn why(&self, name: &str) -> Why<'_> {
        explain_task(&self.history, TaskRef::whole(self.ix(name)), self.run.now).why
    }

    fn waiting(&self, name: &str) -> WaitingWhy {
        let Why::Waiting(why) = self.why(name) else { panic!("{name}: {:?}", self.why(name)) };
        why
    }

    fn skipped(&self, name: &str) -> SkippedWhy<'_> {
        let Why::Skipped(why) = self.why(name) else { panic!("{name}: {:?}", self.why(name)) };
        why
    }

    fn hold(&self, name: &str) -> Hold<'_> {
        let Why::Ready(hold) = self.why(name) else { panic!("{name}: {:?}", self.why(name)) };
        hold
    }

    fn run_why(&self) -> RunWhy<'_> {
        explain_run(&self.history, self.run.now)
    }

    fn name(&self, task: TaskIx) -> &str {
        &self.history.run().plan().task(task).name
    }

    /// `name phase`
    fn stand(&self, standing: &Standing) -> String {
        format!("{} {}", self.name(standing.task.task), standing.phase)
    }

    fn stands(&self, standings: &Few<Standing>) -> Vec<String> {
        standings.first.iter().map(|standing| self.stand(standing)).collect()
    }

    /// `via <- name phase` of each link of each chain.
    fn chains(&self, why: &WaitingWhy) -> Vec<String> {
        let link = |link: &super::ChainLink| {
            let via = match &link.via {
                Via::Variable(name) => name.as_str(),
                Via::Dependency => "after",
                Via::Barrier => "barrier",
                Via::Circle => "circle",
            };
            format!("{via} <- {}", self.stand(&link.standing))
        };
        let chain = |chain: &super::ActiveChain| {
            chain.links.iter().map(link).collect::<Vec<_>>().join(", ")
        };
        why.chains.iter().map(chain).collect()
    }

    fn end(&self, end: &CauseEnd) -> String {
        let name = self.name(end.task());
        match end {
            CauseEnd::Failed(_, failure) => format!("{name} failed: {}", failure.message),
            CauseEnd::DidNotEmit(_) => format!("{name} did not emit"),
            CauseEnd::Resolved(_, how) => format!("{name} settled by {}", how.by),
            CauseEnd::Skipped(..) => format!("{name} skipped"),
            CauseEnd::Cancelled(_) => format!("{name} cancelled"),
            CauseEnd::Nobody(_, variable) => format!("{name}: nobody sets {variable}"),
        }
    }

    /// The tree as nested brackets.
    fn tree(&self, causes: &[Cause]) -> String {
        let cause = |cause: &Cause| match self.tree(&cause.behind) {
            behind if behind.is_empty() => self.end(&cause.end),
            behind => format!("{} ({behind})", self.end(&cause.end)),
        };
        causes.iter().map(cause).collect::<Vec<_>>().join(", ")
    }

    fn beginnings(&self, causes: &Few<(CauseEnd, super::Toll)>) -> Vec<String> {
        let told = |(end, toll): &(CauseEnd, super::Toll)| {
            format!("{}, for which {} skipped", self.end(end), toll.count)
        };
        causes.first.iter().map(told).collect()
    }

    fn ends(&self, ends: &Few<CauseEnd>) -> Vec<String> {
        ends.first.iter().map(|end| self.end(end)).collect()
    }
}

/// Whatever happened, waiting leads to something open, and skipping to a first cause.
pub(crate) fn check(history: &History, now: Timestamp) {
    let is_open = |standing: &Standing| super::waiting::is_open(standing.phase);
    for (task, _) in history.tasks() {
        for item in 0..history.run().items(task).map_or(0, |(count, _)| count) {
            explain_task(history, TaskRef::item(task, item), now);
        }
        match explain_task(history, TaskRef::whole(task), now).why {
            Why::Waiting(why) => {
                assert!(!why.waits_for.is_empty() && !why.chains.is_empty(), "{task:?}: {why:?}");
                let last = |chain: &super::ActiveChain| chain.links[chain.links.len() - 1].standing;
                assert!(why.chains.iter().all(|chain| is_open(&last(chain))), "{why:?}");
            }
            Why::Skipped(why) => assert!(why.first.count() > 0, "{task:?}: {why:?}"),
            _ => {}
        }
    }
    let why = explain_run(history, now);
    let run = history.run();
    let fatal = run
        .plan()
        .tasks()
        .filter(|(task, def)| run.phase(*task) == TaskPhase::Failed && !def.allow_failure);
    assert!(why.first_causes.count() as usize >= fatal.count(), "{why:?}");
}

fn run_of(definition: Definition, variables: &[(&str, Value)], workers: u32) -> Driver {
    let mut run = Driver::new(definition, variables, workers);
    run.apply(Command::Begin).unwrap();
    run
}

fn alone(name: &str) -> TaskDef {
    task(name).with(|task| task.execution.exclusive = true)
}

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
fn running_says_which_try_it_is_when_it_times_out_and_what_it_saw() {
    let retry = RetryPolicy { max_attempts: 3, backoff: Backoff::None, ..RetryPolicy::default() };
    let mut run = Driver::begun(vec![
        task("a").out("X"),
        task("b").out("X"),
        task("c").needs("X").with(|task| {
            task.retry = retry;
            task.execution.timeout = Some(Duration::from_micros(70));
        }),
    ]);
    run.succeed("a", &["X=old"]);
    run.fail_retryably("c");
    run.apply(Command::Wake).unwrap();
    let started = run.now;
    run.succeed("b", &["X=new"]);
    let asked = Asked::of(run);
    let Why::Running(why) = asked.why("c") else { panic!("running") };
    assert_eq!((why.attempt.unwrap().number, why.try_number, why.of), (2, 2, 3));
    assert_eq!(why.times_out_at, Some(Timestamp(started.0 + 70)));
    let [seen] = &why.inputs[..] else { panic!("one input") };
    assert_eq!((seen.variable.value, seen.outdated), (&json!("old"), true));
    assert_eq!(seen.variable.set_by, SetBy::Task(TaskIx(0)));
}

#[test]
fn backing_off_says_when_it_goes_on_and_why_then() {
    let policy = RetryPolicy { max_attempts: 4, ..RetryPolicy::default() };
    let retried = || vec![task("a").with(|task| task.retry = policy.clone())];
    let fail = |run: &mut Driver, asked: Option<u64>| {
        let mut failure = Failure::retryable(FailureKind::HttpStatus, "503");
        failure.retry_after = asked.map(Duration::from_secs);
        let key = run.key("a");
        run.news(key, News::Failed(failure)).unwrap();
    };
    let mut run = Driver::begun(retried());
    fail(&mut run, None);
    run.now = run.run.next_wake().unwrap();
    run.apply(Command::Wake).unwrap();
    fail(&mut run, Some(1));
    let now = run.now;
    let mut asked = Asked::of(run);
    let Why::BackingOff(why) = asked.why("a") else { panic!("backing off") };
    let secs = Duration::from_secs;
    assert_eq!((why.failures, why.of, why.wait, why.backoff), (2, 4, secs(2), secs(2)));
    assert_eq!((why.failed_at, why.retry_at), (now, now + secs(2)));
    assert_eq!(why.asked, Some(super::Asked { wait: secs(1), decided: false }));
    // Once the time has come it is ready, which is no event.
    asked.run.now = now + secs(3);
    let why = explain_task(&asked.history, TaskRef::whole(TaskIx(0)), asked.run.now);
    assert_eq!((why.standing.phase, why.standing.since), (TaskPhase::Ready, now + secs(2)));

    let mut run = Driver::begun(retried());
    fail(&mut run, Some(7));
    let asked = Asked::of(run);
    let Why::BackingOff(why) = asked.why("a") else { panic!("backing off") };
    assert_eq!((why.wait, why.backoff), (secs(7), secs(1)));
    assert_eq!(why.asked, Some(super::Asked { wait: secs(7), decided: true }));
}

#[test]
fn succeeded_and_failed_tell_what_came_of_it() {
    let mut run = Driver::begun(vec![
        task("a").out("X").out("Y?"),
        task("b").needs("X").out("Z"),
        task("c").needs("Z").out("V"),
        task("d").needs("V"),
    ]);
    run.now.0 += 9;
    run.succeed("a", &["X=1", "Y=2"]);
    run.fail("b");
    let asked = Asked::of(run);
    let Why::Succeeded(why) = asked.why("a") else { panic!("succeeded") };
    assert_eq!((why.attempts, why.took), (1, Duration::from_micros(10)));
    assert_eq!(why.set.first.iter().map(|set| set.name).collect::<Vec<_>>(), ["X", "Y"]);
    let Why::Failed(why) = asked.why("b") else { panic!("failed") };
    assert_eq!((why.failure.message.as_str(), why.tries, why.of), ("exit 1", 1, 1));
    assert_eq!((why.toll.count, why.toll.first), (2, vec![TaskIx(2), TaskIx(3)]));
    assert!(!why.allowed);
}

#[test]
fn a_skipped_task_leads_back_to_every_first_cause_once() {
    let mut run = Driver::begun(vec![
        task("fails").out("A"),
        task("quiet").out("A?"),
        task("middle").needs("A").out("B"),
        task("left").needs("B").out("C"),
        task("right").needs("B").out("C"),
        task("last").needs("C"),
        task("gated").out("E").with(|task| task.when = Some("1 == 2".into())),
        task("after").needs("E"),
    ]);
    run.succeed("quiet", &[]);
    run.fail("fails");
    let asked = Asked::of(run);
    let why = asked.skipped("last");
    assert!(matches!(why.reason, SkipReason::NoProducer { .. }));
    assert_eq!(asked.ends(&why.first), ["fails failed: exit 1", "quiet did not emit"]);
    let tree = asked.tree(&why.causes);
    assert_eq!(
        tree,
        "left skipped (middle skipped (fails failed: exit 1, quiet did not emit)), right skipped",
    );
    let why = asked.skipped("after");
    assert_eq!(asked.tree(&why.causes), "gated skipped");
    let why = asked.skipped("gated");
    assert_eq!(asked.ends(&why.first), ["gated skipped"], "it is its own cause");
    assert!(why.causes.is_empty());
}

#[test]
fn a_deep_tree_is_cut_and_still_names_its_first_cause() {
    let chain = (1..50).map(|at| task(&format!("t{at}")).after(&format!("t{}", at - 1)));
    let mut run = Driver::begun([task("t0")].into_iter().chain(chain).collect());
    run.fail("t0");
    let asked = Asked::of(run);
    let why = asked.skipped("t49");
    let mut depth = 0;
    let (mut level, mut more) = (&why.causes, why.more);
    while let [cause] = &level[..] {
        depth += 1;
        (level, more) = (&cause.behind, cause.more);
    }
    // Those on the way; the first is named apart.
    assert_eq!((depth, more), (6, 42));
    assert_eq!(asked.ends(&why.first), ["t0 failed: exit 1"]);
    let Why::Failed(why) = asked.why("t0") else { panic!("failed") };
    assert_eq!(why.toll.count, 49);
}

#[test]
fn circles_and_variables_that_nobody_sets_are_their_own_cause() {
    let mut run = Driver::begun(vec![
        task("out").out("X?"),
        task("a").needs("X").out("Y"),
        task("b").needs("Y").out("X"),
        task("lost").needs("NOBODY"),
        task("more").after("lost"),
    ]);
    run.succeed("out", &[]);
    let asked = Asked::of(run);
    let why = asked.skipped("a");
    assert!(matches!(why.reason, SkipReason::Circular { .. }));
    assert_eq!(asked.tree(&why.causes), "out did not emit, b skipped");
    assert_eq!(asked.ends(&why.first), ["out did not emit"]);
    assert_eq!(asked.ends(&asked.skipped("more").first), ["lost: nobody sets NOBODY"]);
}

#[test]
fn cancelled_and_resolved_name_who_did_it() {
    let mut run = Driver::begun(vec![task("a").out("X"), task("b").after("a"), task("c")]);
    run.fail("a");
    let outputs = vec![crate::Variable { name: "X".into(), value: json!(7), secret: false }];
    let (by, task, reason) = ("ann".into(), "a".into(), "checked".into());
    run.request(Request::Resolve { by, task, reason, outputs, without_outputs: false }).unwrap();
    run.request(Request::Cancel { by: "bob".into(), reason: "enough".into() }).unwrap();
    let asked = Asked::of(run);
    let Why::Resolved { resolution, set } = asked.why("a") else { panic!("resolved") };
    assert_eq!((resolution.by.as_str(), resolution.reason.as_str()), ("ann", "checked"));
    assert_eq!(set.first[0].value, &json!(7));
    let why = asked.run_why();
    let Some(CancelledBy::Request(request)) = why.ended_by else { panic!("{why:?}") };
    assert_eq!(request.by, "bob");
}

#[test]
fn tasks_that_were_cancelled_or_skipped_alone_name_who_did_it() {
    let mut run = Driver::begun(vec![
        task("a").out("X"),
        task("b").needs("X"),
        task("c"),
        task("d").after("c"),
        task("e").after("d"),
    ]);
    let key = run.key("a");
    let (by, reason) = (|| "ann".to_owned(), || "it hangs".to_owned());
    let cancel = Request::CancelTask { by: by(), reason: reason(), task: "a".into() };
    run.request(cancel).unwrap();
    run.news(key, News::Stopped).unwrap();
    run.request(Request::Skip { by: by(), reason: reason(), task: "d".into() }).unwrap();
    run.succeed("c", &[]);
    let asked = Asked::of(run);
    let Why::Cancelled(CancelledBy::Alone(one)) = asked.why("a") else { panic!("alone") };
    assert_eq!((one.by.as_str(), &one.act), ("ann", &Act::CancelTask(TaskIx(0), reason())));
    assert_eq!(asked.tree(&asked.skipped("b").causes), "a cancelled");
    assert_eq!(asked.skipped("d").reason, &SkipReason::ByHand { by: by(), reason: reason() });
    let why = asked.run_why();
    assert_eq!(asked.beginnings(&why.first_causes), ["a cancelled, for which 1 skipped"]);
    assert_eq!(asked.beginnings(&why.left_out), ["d skipped, for which 1 skipped"]);
}

#[test]
fn an_amended_task_tells_its_tries_and_what_it_was_given() {
    let mut run = Driver::begun(vec![task("a").needs("TRUE")]);
    let amend = |value: u32, max_attempts| Request::Amend {
        by: "ann".into(),
        task: "a".into(),
        max_attempts,
        inputs: vec![crate::Variable { name: "TRUE".into(), value: value.into(), secret: false }],
    };
    run.request(amend(7, Some(3))).unwrap();
    run.fail_retryably("a");
    run.now = run.run.next_wake().unwrap();
    run.apply(Command::Wake).unwrap();
    run.request(amend(8, None)).unwrap();
    let asked = Asked::of(run);
    let Why::Running(why) = asked.why("a") else { panic!("it runs") };
    assert_eq!((why.try_number, why.of), (2, 3));
    let [seen] = &why.inputs[..] else { panic!("{why:?}") };
    assert_eq!((seen.variable.value, seen.variable.set_by), (&json!(7), SetBy::Amendment));
    assert!(seen.outdated, "it was amended again since");
}

#[test]
fn what_a_failure_stops_names_that_failure() {
    let tasks = vec![task("a"), task("b"), task("c").after("b")];
    let definition = Definition { on_failure: OnFailure::Stop, ..Definition::new("test", tasks) };
    let mut run = run_of(definition, &[], 4);
    run.fail("a");
    let key = run.key("b");
    run.news(key, News::Stopped).unwrap();
    let asked = Asked::of(run);
    assert_eq!(asked.why("b"), Why::Cancelled(CancelledBy::Failure(TaskIx(0))));
    assert_eq!(asked.tree(&asked.skipped("c").causes), "a failed: exit 1");
}

#[test]
fn items_are_told_apart() {
    let each = task("each").with(|task| task.for_each = Some(ForEach::Variable("L".into())));
    let definition = Definition::new("test", vec![each]);
    let mut run = run_of(definition, &[("L", json!([1, 2, 3]))], 2);
    run.fail("each");
    let asked = Asked::of(run);
    let why = |asked: &Asked, item| {
        let of = TaskRef { task: TaskIx(0), item };
        format!("{:?}", explain_task(&asked.history, of, asked.run.now).why)
    };
    let whole = TaskRef::whole(TaskIx(0));
    let items = explain_task(&asked.history, whole, asked.run.now).items.unwrap();
    assert_eq!((items.count, items.settled, items.open.count()), (3, 1, 2));
    assert_eq!(items.failed.first[0].0, 0);
    assert!(why(&asked, Some(0)).starts_with("Failed(FailedWhy"), "{}", why(&asked, Some(0)));
    assert!(why(&asked, Some(1)).starts_with("Running(RunningWhy"), "{}", why(&asked, Some(1)));
    assert!(why(&asked, None).starts_with("Running(RunningWhy"));

    let mut run = asked.run;
    run.now.0 += 9;
    run.news(
        crate::AttemptKey { run: run.run.id(), task: TaskRef::item(TaskIx(0), 1), attempt: 1 },
        News::Succeeded(vec![]),
    )
    .unwrap();
    let asked = Asked::of(run);
    let why = explain_task(&asked.history, TaskRef::item(TaskIx(0), 1), asked.run.now).why;
    let Why::Succeeded(done) = why else { panic!("{why:?}") };
    assert_eq!((done.attempts, done.took), (1, Duration::from_micros(11)));
}

#[test]
fn a_run_tells_what_went_wrong_first_what_is_open_and_what_comes_next() {
    let retry = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
    let mut run = Driver::begun(vec![
        task("fails").out("A"),
        task("lost").needs("A"),
        task("works").out("B"),
        task("retried").out("C").with(|task| task.retry = retry),
        task("next").needs("B").needs("C").out("D"),
        task("later").needs("D"),
    ]);
    run.fail("fails");
    run.fail_retryably("retried");
    let asked = Asked::of(run);
    let why = asked.run_why();
    let [(end, toll)] = &why.first_causes.first[..] else { panic!("{why:?}") };
    assert_eq!((asked.end(end).as_str(), toll.count), ("fails failed: exit 1", 1));
    assert_eq!(asked.stands(&why.running), ["works running"]);
    assert_eq!(why.backing_off.first[0].0.task, TaskIx(3));
    assert_eq!(why.ready.count(), 0);
    let next: Vec<_> = why.next.first.iter().map(|(task, _)| asked.name(*task)).collect();
    assert_eq!(next, ["next"]);
    assert_eq!(why.path.unwrap().links.len(), 1);
    assert_eq!(why.ended_by, None);
}

/// How many tasks a tree shows or says that it leaves out.
fn counted(causes: &[Cause]) -> u32 {
    causes.iter().map(|cause| 1 + cause.more + counted(&cause.behind)).sum()
}

#[test]
fn what_a_cut_leaves_out_is_counted_whole() {
    // `last` waits for ten, each of which waits for two; all of it for `root`.
    let near = (0..10).map(|at| task(&format!("n{at}")).out("N").after(&format!("f{at}")));
    let far = (0..10).map(|at| task(&format!("f{at}")).after("root"));
    let last = [task("root"), task("last").needs("N")];
    let mut run = Driver::begun(last.into_iter().chain(near).chain(far).collect());
    run.fail("root");
    let asked = Asked::of(run);
    let why = asked.skipped("last");
    assert_eq!(counted(&why.causes) + why.more, 21, "each of the others once");
    assert_eq!((why.causes.len(), why.more, why.is_flat()), (5, 10, false));
    assert_eq!(asked.ends(&why.first), ["root failed: exit 1"]);
}

#[test]
fn what_was_settled_without_its_outputs_had_failed() {
    let mut run = Driver::begun(vec![task("load").out("X"), task("rep").needs("X")]);
    run.fail("load");
    let resolve = Request::Resolve {
        by: "ann".into(),
        task: "load".into(),
        reason: "not needed".into(),
        outputs: Vec::new(),
        without_outputs: true,
    };
    run.request(resolve).unwrap();
    let asked = Asked::of(run);
    let why = asked.skipped("rep");
    let [Cause { end: CauseEnd::Resolved(_, how), .. }] = &why.causes[..] else {
        panic!("{why:?}")
    };
    assert_eq!((how.by.as_str(), how.reason.as_str()), ("ann", "not needed"));
    assert_eq!(how.failure.as_ref().unwrap().message, "exit 1");
    assert!(why.is_flat());
    let why = asked.run_why();
    assert_eq!(asked.beginnings(&why.first_causes), ["load settled by ann, for which 1 skipped"]);
    assert_eq!(why.left_out.count(), 0);
}

#[test]
fn a_condition_that_does_not_hold_is_nothing_wrong_and_shows_what_decided() {
    let when = |name: &str, when: &str| task(name).with(|task| task.when = Some(when.into()));
    let mut run = Driver::begun(vec![
        task("count").out("N"),
        when("gated", "N|int > 3 and LIMIT is defined").needs("N").out("G"),
        task("after").needs("G"),
        task("again").after("gated"),
        task("may").with(|task| task.allow_failure = true),
    ]);
    run.succeed("count", &["N=2"]);
    run.fail("may");
    let asked = Asked::of(run);
    let why = asked.skipped("gated");
    let values = why.decided_by.first.iter().map(|named| {
        (named.name.as_str(), named.seen.map(|seen| (seen.variable.value.clone(), seen.outdated)))
    });
    assert_eq!(values.collect::<Vec<_>>(), [("LIMIT", None), ("N", Some((json!("2"), false)))]);
    assert!(why.is_flat() && asked.skipped("after").is_flat());
    assert_eq!(asked.skipped("after").decided_by.count(), 0);
    let why = asked.run_why();
    assert_eq!(why.state, crate::RunState::Succeeded);
    let (wrong, left_out) = (&why.first_causes, &why.left_out);
    assert_eq!(asked.beginnings(wrong), ["may failed: exit 1, for which 0 skipped"]);
    assert_eq!(asked.beginnings(left_out), ["gated skipped, for which 2 skipped"]);
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
        let elsewhere = super::Elsewhere { instances, queue, queue_most };
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
