//! What is asked of runs: ends, pauses, tasks settled by hand, second tries; and what was cut off.

use super::driver::Driver;
use crate::run::Command;
use crate::test_support::task;
use crate::{
    Definition, ForEach, News, OnFailure, Refusal, Request, RetryPolicy, RunState, TaskIx,
    TaskPhase, Timestamp, Variable,
};
use serde_json::json;

#[test]
fn cancel_stops_what_runs_and_ends_with_the_last_report() {
    let mut run = Driver::begun(vec![task("a"), task("b").after("a")]);
    let cancel = Request::Cancel { by: "me".into(), reason: "enough".into() };
    run.request(cancel.clone()).unwrap();
    assert_eq!(run.phases(), "a=running b=cancelled");
    assert!(matches!(run.request(cancel), Err(Refusal::Run { .. })));
    let key = run.key("a");
    run.news(key, News::Stopped).unwrap();
    assert_eq!(run.run.state(), RunState::Cancelled);
}

#[test]
fn a_queued_run_can_be_cancelled() {
    let mut run = Driver::new(Definition::new("test", vec![task("a")]), &[], 1);
    run.request(Request::Cancel { by: "me".into(), reason: String::new() }).unwrap();
    assert_eq!(run.run.state(), RunState::Cancelled);
}

#[test]
fn pause_starts_nothing_new() {
    let mut run = Driver::begun(vec![task("a"), task("b").after("a")]);
    run.request(Request::Pause { by: "me".into() }).unwrap();
    run.succeed("a", &[]);
    assert_eq!(run.phase("b"), TaskPhase::Ready);
    run.request(Request::Resume { by: "me".into() }).unwrap();
    assert_eq!(run.running(), ["b"]);
}

#[test]
fn resolving_counts_as_success_and_may_set_outputs() {
    let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
    run.fail("a");
    assert_eq!(run.run.state(), RunState::Failed);
    let outputs = vec![Variable { name: "X".into(), value: json!("by hand"), secret: false }];
    let resolve = Request::Resolve {
        by: "me".into(),
        task: "a".into(),
        reason: "checked".into(),
        outputs,
        without_outputs: false,
    };
    run.request(resolve.clone()).unwrap();
    assert_eq!(run.phases(), "a=resolved b=running");
    run.succeed("b", &[]);
    assert_eq!(run.run.state(), RunState::Succeeded);
    assert!(matches!(run.request(resolve), Err(Refusal::Run { .. })));
}

#[test]
fn resolving_without_a_required_output_is_refused_unless_it_is_meant() {
    let mut run = Driver::begun(vec![
        task("a").out("X").out("Y").out("Z?"),
        task("y").out("Y"),
        task("b").needs("X"),
    ]);
    run.succeed("y", &["Y"]);
    run.fail("a");
    let resolve = |outputs: Vec<Variable>, without_outputs| Request::Resolve {
        by: "me".into(),
        task: "a".into(),
        reason: String::new(),
        outputs,
        without_outputs,
    };
    let refusal = run.request(resolve(Vec::new(), false)).unwrap_err();
    let missing = Refusal::OutputsMissing { task: "a".into(), outputs: vec!["X".into()] };
    assert_eq!(refusal, missing, "`Y` was set by another");
    assert_eq!(run.phases(), "a=failed y=succeeded b=skipped");
    run.request(resolve(Vec::new(), true)).unwrap();
    assert_eq!(run.phases(), "a=resolved y=succeeded b=skipped");
    assert_eq!(run.run.state(), RunState::Succeeded);
}

#[test]
fn recovery_runs_what_was_cut_off_as_a_new_attempt_that_counts_no_failure() {
    let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
    run.run = run.replayed();
    run.out.clear();
    run.apply(Command::Recover).unwrap();
    assert_eq!(run.key("a").attempt, 2);
    run.succeed("a", &["X"]);
    run.succeed("b", &[]);
    assert_eq!(run.run.state(), RunState::Succeeded);
}

#[test]
fn reports_about_other_attempts_are_refused() {
    let mut run = Driver::begun(vec![task("a")]);
    let mut key = run.key("a");
    key.attempt = 2;
    assert_eq!(run.news(key, News::Succeeded(vec![])), Err(Refusal::StaleReport));
    key.attempt = 1;
    assert_eq!(run.news(key, News::Began(Timestamp(1))), Err(Refusal::StaleReport));
    run.succeed("a", &[]);
    assert_eq!(run.news(key, News::Succeeded(vec![])), Err(Refusal::StaleReport));
}

#[test]
fn an_item_that_was_stopped_in_its_backoff_runs_again_when_the_run_is_reopened() {
    let retry = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
    let each = task("each").with(|task| {
        task.for_each = Some(ForEach::Items(vec![json!(1)]));
        task.retry = retry.clone();
    });
    let tasks = vec![each, task("a"), task("b").with(|task| task.retry = retry)];
    let definition = Definition { on_failure: OnFailure::Stop, ..Definition::new("test", tasks) };
    let mut run = Driver::new(definition, &[], 4);
    run.apply(Command::Begin).unwrap();
    run.fail_retryably("each");
    run.fail_retryably("b");
    run.fail("a");
    assert_eq!(run.phases(), "each=cancelled a=failed b=cancelled");
    run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
    assert_eq!(run.phases(), "each=running a=running b=running");
    run.fail_retryably("each");
    run.fail_retryably("b");
    assert_eq!(
        run.phases(),
        "each=running a=running b=backing_off",
        "all attempts are there again"
    );
    let item = crate::TaskRef::item(TaskIx(0), 0);
    assert_eq!(run.run.phase_of(item), Some(TaskPhase::BackingOff));
}

#[test]
fn retrying_in_a_pause_starts_nothing_until_the_run_is_resumed() {
    let mut run = Driver::begun(vec![task("a"), task("b")]);
    run.fail("a");
    run.request(Request::Pause { by: "me".into() }).unwrap();
    run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
    assert_eq!((run.run.state(), run.phase("a")), (RunState::Paused, TaskPhase::Ready));
    run.request(Request::Resume { by: "me".into() }).unwrap();
    assert_eq!(run.running(), ["b", "a"]);
}

#[test]
fn rule_2_a_task_that_failed_before_it_fired_is_decided_again_when_it_is_retried() {
    let each = task("each").needs("LIST").with(|task| {
        task.for_each = Some(ForEach::Variable("LIST".into()));
    });
    let mut driver = Driver::begun(vec![task("a").out("LIST"), each]);
    driver.succeed("a", &["LIST=7"]);
    assert_eq!(driver.run.state(), RunState::Failed);
    driver.request(Request::Retry { by: "me".into(), task: None }).unwrap();
    assert_eq!(driver.running(), Vec::<&str>::new());
    assert_eq!(driver.phases(), "a=succeeded each=failed");
    assert_eq!(driver.run.state(), RunState::Failed);
    assert_eq!(driver.replayed().state(), RunState::Failed);
}
