//! The rules of execution, one by one.

use super::driver::{Driver, output};
use crate::run::{Command, Missing};
use crate::test_support::{barrier, instant, task};
use crate::{
    Definition, Event, FailureKind, ForEach, News, OnFailure, Producer, Request, RetryPolicy,
    RunState, SkipReason, TaskIx, TaskPhase, Value,
};
use serde_json::json;
use std::time::Duration;

#[test]
fn rule_2_a_task_fires_once_when_its_inputs_are_set_and_its_dependencies_done() {
    let mut run =
        Driver::begun(vec![task("a").out("X"), task("b"), task("c").needs("X").after("b")]);
    assert_eq!(run.running(), ["a", "b"]);
    run.succeed("a", &["X"]);
    assert_eq!(run.phase("c"), TaskPhase::Waiting);
    assert_eq!(run.run.missing(TaskIx(2)), [Missing::Task(TaskIx(1))]);
    run.succeed("b", &[]);
    assert_eq!(run.running(), ["c"]);
    run.succeed("c", &[]);
    assert_eq!(run.run.state(), RunState::Succeeded);
}

#[test]
fn rule_1_true_is_set_where_no_task_emits_it() {
    assert_eq!(Driver::begun(vec![task("a").needs("TRUE")]).running(), ["a"]);
    let other = Driver::begun(vec![task("a").needs("TRUE"), task("start").out("TRUE")]);
    assert_eq!(other.running(), ["start"]);
}

#[test]
fn rule_3_the_first_emission_satisfies_and_a_task_sees_the_value_at_dispatch() {
    let mut run = Driver::begun(vec![
        task("a").out("X"),
        task("b").out("X"),
        task("c").needs("X").out("Y"),
        task("d").needs("X").needs("Y"),
    ]);
    run.succeed("a", &["X=old"]);
    assert_eq!(run.running(), ["b", "c"]);
    run.succeed("b", &["X=new"]);
    run.succeed("c", &["Y"]);
    let seen = &run.run.attempt(run.key("d").task, 1, false).inputs[0];
    assert_eq!(seen.value, json!("new"));
}

#[test]
fn rule_4_what_is_undeclared_is_kept_and_fires_nothing() {
    let mut run =
        Driver::begun(vec![task("a").out("X?"), task("b").needs("Y"), task("c").out("Y?")]);
    run.succeed("a", &["Y"]);
    assert_eq!(run.phase("b"), TaskPhase::Waiting);
    let kept = run.events.iter().find_map(|event| event.outputs().first().cloned());
    assert_eq!(kept.map(|output| (output.name, output.declared)), Some(("Y".into(), false)));
}

#[test]
fn rule_4_a_wildcard_takes_all() {
    let mut run =
        Driver::begun(vec![task("a").out("*"), task("b").needs("Y"), task("c").needs("Z")]);
    run.succeed("a", &["Y"]);
    assert_eq!(run.phases(), "a=succeeded b=running c=skipped");
}

#[test]
fn rule_5_a_missing_required_output_fails_the_attempt() {
    let mut run = Driver::begun(vec![task("a").out("X").out("Y?")]);
    run.succeed("a", &["Y"]);
    assert_eq!(run.run.state(), RunState::Failed);
    let failure = run.events.iter().find_map(|event| match event {
        Event::Failed { failure, .. } => Some(failure.kind),
        _ => None,
    });
    assert_eq!(failure, Some(FailureKind::MissingOutput));
}

#[test]
fn rule_6_skipping_names_the_variable_and_its_producers_and_cascades() {
    let mut run = Driver::begun(vec![
        task("a").out("X?"),
        task("b").out("X"),
        task("c").needs("X").out("Y"),
        task("d").needs("Y"),
        task("e").after("d"),
    ]);
    run.succeed("a", &[]);
    run.fail("b");
    assert_eq!(run.phases(), "a=succeeded b=failed c=skipped d=skipped e=skipped");
    let producer = |task: &str, ended: &str| Producer { task: task.into(), ended: ended.into() };
    assert_eq!(
        run.skip_reason("c"),
        &SkipReason::NoProducer {
            variable: "X".into(),
            producers: vec![producer("a", "succeeded"), producer("b", "failed")],
        }
    );
    assert_eq!(run.skip_reason("e"), &SkipReason::Dependency { task: "d".into() });
}

#[test]
fn rule_6_a_circle_is_skipped_as_soon_as_nothing_outside_can_break_it() {
    let mut run = Driver::begun(vec![
        task("out").out("X?"),
        task("a").needs("X").out("Y"),
        task("b").needs("Y").out("X"),
        task("long"),
    ]);
    assert_eq!(run.phase("a"), TaskPhase::Waiting);
    run.succeed("out", &[]);
    assert_eq!(run.phases(), "out=succeeded a=skipped b=skipped long=running");
    let ended = |task: &str, ended: &str| Producer { task: task.into(), ended: ended.into() };
    let circle = SkipReason::Circular {
        variables: vec!["X".into()],
        producers: vec![ended("out", "succeeded"), ended("b", "waiting")],
        tasks: Vec::new(),
    };
    assert_eq!(run.skip_reason("a"), &circle);
}

#[test]
fn rule_6_a_circle_over_the_end_of_a_task_names_it() {
    let mut run = Driver::begun(vec![
        task("out").out("Y?"),
        task("a").out("X").with(|task| task.execution.depends_on = vec!["b".into()]),
        task("b").needs("Y"),
        task("d").needs("X").out("Y"),
    ]);
    run.succeed("out", &[]);
    let SkipReason::Circular { variables, producers, tasks } = run.skip_reason("a") else {
        panic!("{:?}", run.skip_reason("a"));
    };
    assert!(variables.is_empty() && producers.is_empty());
    assert_eq!(tasks, &["b"]);
}

#[test]
fn the_lists_of_a_fan_that_may_fail_hold_what_there_is_and_nothing_is_no_list() {
    for (first, consumer) in [(true, "running"), (false, "skipped")] {
        let fan = task("a").out("X").with(|task| {
            task.allow_failure = true;
            task.for_each = Some(ForEach::Items(vec![1.into(), 2.into()]));
        });
        let mut run = Driver::begun(vec![fan, task("b").needs("X")]);
        if first {
            run.succeed("a", &["X=x"]);
        } else {
            run.fail("a");
        }
        run.fail("a");
        assert_eq!(run.phases(), format!("a=failed b={consumer}"));
        let lists = run.run.variable("X").map(|variable| variable.value.clone());
        assert_eq!(lists, first.then(|| json!(["x", null])));
    }
}

#[test]
fn rule_7_end_waits_for_all_that_is_not_downstream_of_it() {
    let mut run = Driver::begun(vec![
        task("a").out("X"),
        task("b"),
        barrier("end").needs("X").out("DONE"),
        task("after").needs("DONE"),
    ]);
    run.succeed("a", &["X"]);
    assert_eq!(run.run.missing(TaskIx(2)), [Missing::Barrier(1)]);
    run.fail("b");
    assert_eq!(run.running(), ["end"]);
    run.succeed("end", &["DONE"]);
    run.succeed("after", &[]);
    assert_eq!(run.run.state(), RunState::Failed, "end changes no outcome");
}

#[test]
fn rule_8_other_branches_go_on_and_allow_failure_forgives() {
    let mut run = Driver::begun(vec![task("a").with(|task| task.allow_failure = true), task("b")]);
    run.fail("a");
    assert_eq!(run.running(), ["b"]);
    run.succeed("b", &[]);
    assert_eq!(run.run.state(), RunState::Succeeded);
}

#[test]
fn rule_8_stop_ends_the_run_at_once_and_retry_takes_up_what_was_stopped() {
    let tasks = vec![task("a"), task("b"), task("c").after("b")];
    let definition = Definition { on_failure: OnFailure::Stop, ..Definition::new("test", tasks) };
    let mut run = Driver::new(definition, &[], 4);
    run.apply(Command::Begin).unwrap();
    run.fail("a");
    assert_eq!(run.phases(), "a=failed b=running c=skipped");
    let key = run.key("b");
    run.news(key, News::Stopped).unwrap();
    assert_eq!(run.phases(), "a=failed b=cancelled c=skipped");
    assert_eq!(run.run.state(), RunState::Failed);
    run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
    assert_eq!(run.phases(), "a=running b=running c=waiting");
}

#[test]
fn rule_9_at_most_so_many_work_at_once_and_instant_tasks_take_no_worker() {
    let tasks = (0..5).map(|n| task(&format!("t{n}"))).chain([instant("i")]).collect();
    let mut run = Driver::new(Definition::new("test", tasks), &[], 2);
    run.ahead = 1;
    run.apply(Command::Begin).unwrap();
    assert_eq!(run.running(), ["i", "t0", "t1"]);
    assert_eq!(run.out.len(), 4, "one more is handed over ahead");
    assert_eq!(run.phase("t2"), TaskPhase::Ready);
    run.succeed("t0", &[]);
    let key = run.key("t2");
    run.news(key, News::Began(run.now)).unwrap();
    let mut running = run.running();
    running.sort_unstable();
    assert_eq!(running, ["i", "t1", "t2"]);
}

#[test]
fn rule_9_async_false_runs_alone_and_is_not_overtaken() {
    let mut run = Driver::begun(vec![
        task("a"),
        task("alone").with(|task| task.execution.exclusive = true),
        task("c"),
    ]);
    assert_eq!(run.running(), ["a"]);
    run.succeed("a", &[]);
    assert_eq!(run.running(), ["alone"]);
    run.succeed("alone", &[]);
    assert_eq!(run.running(), ["c"]);
}

#[test]
fn rule_9_higher_priority_goes_first() {
    let with = |name: &str, priority| task(name).with(|task| task.execution.priority = priority);
    let tasks = vec![with("low", 0), with("high", 9)];
    let mut run = Driver::new(Definition::new("test", tasks), &[], 1);
    run.apply(Command::Begin).unwrap();
    assert_eq!(run.running(), ["high"]);
}

#[test]
fn rule_11_retries_wait_and_then_are_used_up() {
    let retry = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
    let mut run = Driver::begun(vec![task("a").with(|task| task.retry = retry)]);
    run.fail_retryably("a");
    assert_eq!(run.phase("a"), TaskPhase::BackingOff);
    let due = run.run.next_wake().unwrap();
    assert_eq!(due - run.now, Duration::from_secs(1));
    run.apply(Command::Wake).unwrap();
    assert_eq!(run.phase("a"), TaskPhase::BackingOff, "not yet");
    run.now = due;
    run.apply(Command::Wake).unwrap();
    assert_eq!(run.key("a").attempt, 2);
    run.fail_retryably("a");
    assert_eq!(run.run.state(), RunState::Failed);
}

#[test]
fn rule_11_a_permanent_failure_is_not_retried() {
    let retry = RetryPolicy { max_attempts: 9, ..RetryPolicy::default() };
    let mut run = Driver::begun(vec![task("a").with(|task| task.retry = retry)]);
    run.fail("a");
    assert_eq!(run.run.state(), RunState::Failed);
}

#[test]
fn for_each_runs_items_and_gathers_lists() {
    let each = task("each").out("X").out("Y?").with(|task| {
        task.for_each = Some(ForEach::Variable("LIST".into()));
    });
    let tasks = vec![each, task("then").needs("X")];
    let mut run = Driver::new(Definition::new("test", tasks), &[("LIST", json!("[1,2,3]"))], 2);
    run.apply(Command::Begin).unwrap();
    assert_eq!(run.running(), ["each", "each"]);
    let (first, second) = (run.out[0].0, run.out[1].0);
    run.news(second, News::Succeeded(vec![output("X=b"), output("Y=y")])).unwrap();
    run.news(first, News::Succeeded(vec![output("X=a")])).unwrap();
    assert_eq!(run.run.items(TaskIx(0)), Some((3, 2)));
    run.succeed("each", &["X=c"]);
    assert_eq!(run.phases(), "each=succeeded then=running");
    assert_eq!(run.run.variable("X").unwrap().value, json!(["a", "b", "c"]));
    assert_eq!(run.run.variable("Y").unwrap().value, json!([null, "y", null]));
}

#[test]
fn for_each_over_nothing_succeeds_at_once_with_empty_lists() {
    let each = task("each").out("X").with(|task| task.for_each = Some(ForEach::Items(vec![])));
    let run = Driver::begun(vec![each, task("then").needs("X")]);
    assert_eq!(run.phases(), "each=succeeded then=running");
    assert_eq!(run.run.variable("X").unwrap().value, json!([]));
}

#[test]
fn for_each_over_what_is_no_list_fails_and_a_failed_item_fails_the_task() {
    let each = |list: Value| {
        let task = task("each").with(|task| task.for_each = Some(ForEach::Variable("L".into())));
        let mut run = Driver::new(Definition::new("test", vec![task]), &[("L", list)], 4);
        run.apply(Command::Begin).unwrap();
        run
    };
    assert_eq!(each(json!("a,b")).run.state(), RunState::Failed);
    let mut run = each(json!([1, 2]));
    run.fail("each");
    assert_eq!(run.phase("each"), TaskPhase::Running);
    run.succeed("each", &[]);
    assert_eq!(run.run.state(), RunState::Failed);
    run.request(Request::Retry { by: "me".into(), task: Some("each".into()) }).unwrap();
    assert_eq!(run.running(), ["each"], "the item that succeeded does not run again");
    assert_eq!(run.key("each").attempt, 2);
    run.succeed("each", &[]);
    assert_eq!(run.run.state(), RunState::Succeeded);
}

#[test]
fn when_decides_with_the_variables_as_they_are() {
    let when = |name: &str, when: &str| {
        task(name).needs("X").with(|task| task.when = Some(when.to_owned()))
    };
    let mut run = Driver::begun(vec![
        task("a").out("X"),
        when("yes", "X == '5'"),
        when("no", "X|int > 5"),
        when("broken", "X.y.z > 1"),
    ]);
    run.succeed("a", &["X=5"]);
    assert_eq!(run.phases(), "a=succeeded yes=running no=skipped broken=failed");
    assert_eq!(run.skip_reason("no"), &SkipReason::Condition { when: "X|int > 5".into() });
}

#[test]
fn rule_4_a_wildcard_takes_all_that_items_emit() {
    let each = task("each").out("*").with(|task| {
        task.for_each = Some(ForEach::Items(vec![json!(1), json!(2)]));
    });
    let mut run = Driver::begun(vec![each, task("then").needs("X").needs("Y")]);
    let (first, second) = (run.out[0].0, run.out[1].0);
    run.news(first, News::Succeeded(vec![output("X=a")])).unwrap();
    run.news(second, News::Succeeded(vec![output("Y=b"), output("X=c")])).unwrap();
    assert_eq!(run.phases(), "each=succeeded then=running");
    assert_eq!(run.run.variable("X").unwrap().value, json!(["a", "c"]));
    assert_eq!(run.run.variable("Y").unwrap().value, json!([null, "b"]));
}

#[test]
fn when_and_for_each_see_what_a_wildcard_emitted() {
    let gated = task("gated").after("any").with(|task| task.when = Some("X == '1'".into()));
    let each = task("each").after("any").with(|task| {
        task.for_each = Some(ForEach::Variable("LIST".into()));
    });
    let mut run = Driver::begun(vec![task("any").out("*"), gated, each]);
    run.succeed("any", &["X=1", "LIST=[7]"]);
    assert_eq!(run.phases(), "any=succeeded gated=running each=running");
}

#[test]
fn rule_7_of_barriers_that_wait_for_each_other_the_last_still_comes_last() {
    let mut run = Driver::begun(vec![
        barrier("last"),
        task("a").needs("X"),
        barrier("one").out("Y"),
        barrier("two").out("X"),
        task("b").needs("Y"),
    ]);
    assert_eq!(run.running(), ["one", "two"]);
    run.succeed("one", &["Y"]);
    run.succeed("two", &["X"]);
    run.succeed("a", &[]);
    assert_eq!(run.running(), ["b"]);
    run.succeed("b", &[]);
    assert_eq!(run.running(), ["last"]);
}

#[test]
fn rule_8_a_for_each_task_that_a_failed_item_stopped_has_failed() {
    let each = task("each").with(|task| {
        task.for_each = Some(ForEach::Items(vec![json!(1), json!(2), json!(3)]));
    });
    for workers in [1, 2] {
        let definition = Definition {
            on_failure: OnFailure::Stop,
            ..Definition::new("test", vec![each.clone()])
        };
        let mut driver = Driver::new(definition, &[], workers);
        driver.apply(Command::Begin).unwrap();
        driver.fail("each");
        if workers == 2 {
            let other = driver.key("each");
            driver.news(other, News::Stopped).unwrap();
        }
        assert_eq!(driver.phases(), "each=failed");
        assert_eq!(driver.run.state(), RunState::Failed);
        driver.request(Request::Retry { by: "me".into(), task: None }).unwrap();
        for _ in 0..3 {
            driver.succeed("each", &[]);
        }
        assert_eq!(driver.run.state(), RunState::Succeeded);
    }
}
