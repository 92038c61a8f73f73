//! Why tasks ended as they did.

use super::super::{CancelledBy, Cause, CauseEnd, Why};
use super::asked::{Asked, run_of};
use crate::history::Act;
use crate::run::tests::driver::Driver;
use crate::test_support::task;
use crate::{Definition, News, OnFailure, Request, SkipReason, TaskIx};
use serde_json::json;
use std::time::Duration;

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
