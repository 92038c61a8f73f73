//! Histories of runs driven by hand.

use super::{Act, AttemptRecord, AttemptResult, Counts, Enabler, Ending, History, PathLink, SetBy};
use crate::run::tests::driver::{Driver, output};
use crate::run::{Command, Run};
use crate::test_support::{barrier, task};
use crate::{
    Definition, ForEach, News, OnFailure, Request, RetryPolicy, TaskDef, TaskIx, TaskPhase,
    TaskRef, Timestamp, Variable,
};
use serde_json::json;
use std::time::Duration;

fn twice(name: &str) -> TaskDef {
    let retry = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
    task(name).with(|task| task.retry = retry)
}

fn each(name: &str, items: u32) -> TaskDef {
    let items = (0..items).map(|item| json!(item)).collect();
    task(name).with(|task| task.for_each = Some(ForEach::Items(items)))
}

/// The counters agree with counting, and the critical path has no gaps.
pub(crate) fn check(history: &History) {
    let run: &Run = history.run();
    let count =
        |phase| history.tasks().filter(|(task, _)| run.phase(*task) == phase).count() as u32;
    for phase in TaskPhase::ALL {
        assert_eq!(history.counts().of(phase), count(phase), "{phase}");
    }
    assert_eq!(history.counts().total() as usize, run.plan().task_count());
    let items = history.tasks().filter_map(|(task, _)| run.items(task)).map(|(items, _)| items);
    assert_eq!(history.item_counts().total(), items.sum::<u32>());
    if let Some(path) = history.critical_path(Timestamp(u64::MAX / 2)) {
        let part =
            |link: &PathLink| link.queued + link.ran + link.backed_off + link.lost + link.by_hand;
        assert_eq!(path.links.iter().map(part).sum::<Duration>(), path.total, "{path:?}");
        for link in &path.links {
            let held = link.held.iter().map(|held| held.span);
            assert_eq!(held.sum::<Duration>(), link.queued, "{link:?}");
        }
        let last = path.links[path.links.len() - 1].task;
        let slack = history.slack()[last.at()];
        assert!(slack.is_none_or(|slack| slack == Duration::ZERO), "{slack:?}");
    }
}

fn enabled(history: &History, task: u32) -> Option<(Enabler, Timestamp)> {
    history.task(TaskIx(task)).enabled.map(|enabled| (enabled.by, enabled.at))
}

#[test]
fn what_enabled_a_task_and_when_is_known() {
    let mut run = Driver::begun(vec![
        task("a").out("X"),
        task("b").out("Y"),
        task("c").needs("X").needs("Y"),
        barrier("end"),
    ]);
    let begun = run.now;
    run.succeed("b", &["Y"]);
    run.succeed("a", &["X"]);
    let enabled_at = run.now;
    run.succeed("c", &[]);
    let history = run.history();
    let enabled = |task: u32| enabled(&history, task);
    assert_eq!(enabled(0), Some((Enabler::Start, begun)));
    assert_eq!(enabled(2), Some((Enabler::Task(TaskIx(0)), enabled_at)));
    assert_eq!(enabled(3), Some((Enabler::Task(TaskIx(2)), run.now)));
    assert_eq!(history.started_at(), Some(begun));
    assert_eq!(history.task(TaskIx(0)).settled_at(), Some(enabled_at));
}

#[test]
fn attempts_say_when_each_step_was_and_how_it_ended() {
    let mut run = Driver::begun(vec![twice("a").out("X")]);
    let started = run.now;
    run.fail_retryably("a");
    let failed = run.now;
    run.now = run.run.next_wake().unwrap();
    let due = run.now;
    run.apply(Command::Wake).unwrap();
    let again = run.now;
    run.succeed("a", &["X", "NOISE=1"]);
    let history = run.history();
    let [first, second] = &history.task(TaskIx(0)).attempts[..] else { panic!("two attempts") };
    assert_eq!((first.ready_at, first.started_at), (started, Some(started)));
    assert_eq!((first.ended_at(), first.retry_at()), (Some(failed), Some(due)));
    assert_eq!((second.number, second.ready_at, second.started_at), (2, due, Some(again)));
    let AttemptResult::Succeeded { at, undeclared } = &second.result else { panic!("succeeded") };
    assert_eq!((*at, undeclared[0].name.as_str(), undeclared.len()), (run.now, "NOISE", 1));
    assert!(history.finished_at().is_some());
}

#[test]
fn a_held_attempt_is_handed_over_first_and_starts_later() {
    let mut run = Driver::new(Definition::new("test", vec![task("a"), task("b")]), &[], 1);
    run.ahead = 1;
    run.apply(Command::Begin).unwrap();
    let begun = run.now;
    let held = run.history().task(TaskIx(1)).attempts[0].clone();
    assert_eq!((held.assigned_at, held.started_at, held.is_running()), (Some(begun), None, false));
    run.succeed("a", &[]);
    let key = run.key("b");
    run.news(key, News::Began(run.now)).unwrap();
    let history = run.history();
    assert_eq!(history.task(TaskIx(1)).attempts.len(), 1);
    assert!(history.task(TaskIx(1)).attempts[0].is_running());
    assert_eq!(history.running().collect::<Vec<_>>(), [TaskRef::whole(TaskIx(1))]);
}

#[test]
fn who_set_a_variable_and_what_it_held_before_is_known() {
    let tasks = vec![task("a").out("X"), task("b").out("X").out("*"), task("c").needs("ENV")];
    let variables = [("ENV", json!(1)), ("SPARE", json!("s"))];
    let mut run = Driver::new(Definition::new("test", tasks), &variables, 4);
    run.apply(Command::Begin).unwrap();
    run.succeed("a", &["X=old"]);
    let first = run.events.len() as u64;
    run.succeed("b", &["X=new", "EXTRA=e"]);
    let history = run.history();
    let told: Vec<_> = history
        .emissions()
        .map(|set| (set.name, set.value.clone(), set.set_by, set.seq))
        .filter(|set| set.0 != "TRUE")
        .collect();
    let (a, b) = (SetBy::Task(TaskIx(0)), SetBy::Task(TaskIx(1)));
    assert_eq!(
        told,
        [
            ("SPARE", json!("s"), SetBy::Start, 0),
            ("ENV", json!(1), SetBy::Start, 0),
            ("X", json!("old"), a, first),
            ("X", json!("new"), b, first + 1),
            ("EXTRA", json!("e"), b, first + 1),
        ]
    );
    assert_eq!(history.variable("X").unwrap().set_by, b);
    assert_eq!(history.variable("EXTRA").unwrap().value, &json!("e"));
    assert_eq!(history.variable("NONE"), None);
    let names: Vec<_> = history.variables().map(|set| set.name).collect();
    assert_eq!(names, ["ENV", "EXTRA", "SPARE", "TRUE", "X"]);
}

#[test]
fn what_people_did_is_known() {
    let mut run = Driver::begun(vec![task("a"), task("b").after("a")]);
    run.request(Request::Pause { by: "ann".into() }).unwrap();
    assert_eq!(run.history().paused().unwrap().by, "ann");
    run.request(Request::Resume { by: "bob".into() }).unwrap();
    assert_eq!(run.history().paused(), None);
    run.fail("a");
    run.request(Request::Retry { by: "cid".into(), task: None }).unwrap();
    run.fail("a");
    let outputs: Vec<Variable> = Vec::new();
    let (by, task, reason) = ("dan".into(), "a".into(), "checked".into());
    run.request(Request::Resolve { by, task, reason, outputs, without_outputs: false }).unwrap();
    run.request(Request::Cancel { by: "eve".into(), reason: "enough".into() }).unwrap();
    let history = run.history();
    let acts: Vec<_> =
        history.interventions().iter().map(|done| (done.by.as_str(), &done.act)).collect();
    assert_eq!(
        acts,
        [
            ("ann", &Act::Pause),
            ("bob", &Act::Resume),
            ("cid", &Act::Retry(vec![TaskIx(0)])),
            ("dan", &Act::Resolve(TaskIx(0), "checked".into())),
            ("eve", &Act::Cancel("enough".into())),
        ]
    );
    assert_eq!(history.cancellation().unwrap().by, "eve");
    assert_eq!(history.task(TaskIx(0)).resolved().unwrap().1.reason, "checked");
}

#[test]
fn reopening_forgets_how_tasks_settled_and_keeps_their_attempts() {
    let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
    run.fail("a");
    assert!(run.history().task(TaskIx(1)).skipped().is_some());
    assert!(run.history().task(TaskIx(0)).failure().is_some());
    run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
    let history = run.history();
    let (a, b) = (history.task(TaskIx(0)), history.task(TaskIx(1)));
    assert_eq!(enabled(&history, 0), Some((Enabler::Reopened, run.now)));
    assert_eq!((a.attempts.len(), a.present_attempts().len()), (2, 1));
    assert_eq!((a.settled.as_ref(), b.settled.as_ref()), (None, None));
    assert_eq!((b.waiting_since, b.enabled), (run.now, None));
    assert_eq!(history.finished_at(), None);
    check(&history);
}

#[test]
fn the_time_that_a_run_lay_ended_is_none_that_it_took() {
    let mut run = Driver::new(Definition::new("test", vec![task("a")]), &[], 1);
    assert_eq!(run.history().took(run.now), None);
    run.apply(Command::Begin).unwrap();
    let begun = run.now;
    run.fail("a");
    let failed = run.history().finished_at().unwrap();
    let first = failed.since(begun);
    assert_eq!(run.history().took(run.now), Some(first));
    run.now = Timestamp(failed.0 + 3_600_000_000);
    run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
    let (_, reopened) = enabled(&run.history(), 0).unwrap();
    run.succeed("a", &[]);
    let history = run.history();
    let second = history.finished_at().unwrap().since(reopened);
    assert_eq!(history.took_since_opened(run.now), Some(second));
    assert_eq!(history.took(run.now), Some(first + second));
}

#[test]
fn items_are_counted_apart_and_their_attempts_told_apart() {
    let mut run = Driver::begun(vec![each("each", 3).out("X"), task("b").needs("X")]);
    let items = |run: &Driver| run.history().item_counts();
    assert_eq!(items(&run), Counts { running: 3, ..Counts::default() });
    let [first, second, third] = [0, 1, 2].map(|at| run.out[at].0);
    run.news(second, News::Succeeded(vec![output("X=b")])).unwrap();
    assert_eq!(items(&run), Counts { running: 2, succeeded: 1, ..Counts::default() });
    run.news(first, News::Succeeded(vec![output("X=a")])).unwrap();
    run.news(third, News::Succeeded(vec![output("X=c")])).unwrap();
    let history = run.history();
    let record = history.task(TaskIx(0));
    let last = |item| record.last_attempt(Some(item)).and_then(AttemptRecord::ended_at);
    assert!(last(1) < last(0) && last(0) < last(2));
    assert_eq!(record.settled.as_ref().unwrap().how, Ending::Succeeded);
    assert_eq!(history.variable("X").unwrap().value, &json!(["a", "b", "c"]));
    assert_eq!(history.variable("X").unwrap().set_by, SetBy::Task(TaskIx(0)));
    check(&history);
}

#[test]
fn items_that_never_ran_count_as_cancelled_with_their_task() {
    let tasks = vec![each("each", 3), task("b")];
    let definition = Definition { on_failure: OnFailure::Stop, ..Definition::new("test", tasks) };
    let mut run = Driver::new(definition, &[], 2);
    run.apply(Command::Begin).unwrap();
    run.succeed("each", &[]);
    let (left, other) = (run.out[0].0, run.out[1].0);
    let cancel = Request::Cancel { by: "me".into(), reason: String::new() };
    run.request(cancel).unwrap();
    run.news(left, News::Stopped).unwrap();
    run.news(other, News::Stopped).unwrap();
    let history = run.history();
    assert_eq!(history.item_counts(), Counts { succeeded: 1, cancelled: 2, ..Counts::default() });
    assert_eq!(history.counts(), Counts { cancelled: 2, ..Counts::default() });
    assert_eq!(history.running().len(), 0);
}

#[test]
fn a_gated_task_is_enabled_by_what_it_waited_for_and_may_fail_unattempted() {
    let when = |name: &str, when: &str| {
        task(name).needs("X").with(|task| task.when = Some(when.to_owned()))
    };
    let mut run =
        Driver::begun(vec![task("a").out("X"), when("yes", "X == '5'"), when("no", "X.y.z > 1")]);
    run.succeed("a", &["X=5"]);
    let history = run.history();
    let by = Enabler::Task(TaskIx(0));
    assert_eq!(enabled(&history, 1), Some((by, run.now)));
    let broken = history.task(TaskIx(2));
    assert!(matches!(broken.settled.as_ref().unwrap().how, Ending::FailedUnattempted(_)));
    assert_eq!(broken.attempts, []);
    check(&history);
}

#[test]
fn an_interrupted_attempt_makes_the_next_ready_at_once() {
    let mut run = Driver::begun(vec![task("a")]);
    run.run = run.replayed();
    run.out.clear();
    run.apply(Command::Recover).unwrap();
    let found = run.now;
    let history = run.history();
    let attempts = &history.task(TaskIx(0)).attempts;
    assert_eq!(attempts[0].result, AttemptResult::Interrupted { at: found });
    assert_eq!((attempts[1].number, attempts[1].ready_at), (2, found));
    assert_eq!(history.counts(), Counts { running: 1, ..Counts::default() });
}

#[test]
fn before_its_start_a_run_has_what_it_was_given() {
    let run = Driver::new(Definition::new("test", vec![task("a")]), &[], 1);
    let history = run.history();
    assert_eq!(history.counts(), Counts { ready: 1, ..Counts::default() });
    assert_eq!((history.started_at(), history.last_seq()), (None, 0));
    assert_eq!(history.created_at(), Timestamp(1));
}
