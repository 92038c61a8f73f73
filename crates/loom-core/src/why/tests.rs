//! Answers about runs driven by hand.

mod asked;
mod held;
mod settled;

pub(crate) use asked::check;

use super::{Why, explain_task};
use crate::history::SetBy;
use crate::run::Command;
use crate::run::tests::driver::Driver;
use crate::test_support::task;
use crate::{
    Backoff, Definition, Failure, FailureKind, ForEach, News, Request, RetryPolicy, TaskIx,
    TaskPhase, TaskRef, Timestamp,
};
use asked::{Asked, run_of};
use serde_json::json;
use std::time::Duration;

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
