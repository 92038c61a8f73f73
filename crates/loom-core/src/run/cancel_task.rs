//! Cancelling one task alone.

use super::Run;
use crate::{Event, Refusal, TaskRef, TaskStep, Timestamp};

impl Run {
    /// The task's attempts are stopped, and with the last of them it ends as cancelled, unless it comes
    /// to another end first; who needs it is skipped by rule 6. Its run goes on, and has failed in the
    /// end as if the task had, but is not stopped for it.
    pub(super) fn cancel_task(
        &mut self,
        by: String,
        reason: String,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.ensure_open("cancel a task of")?;
        let task = self.named(name)?;
        let slot = &self.slots[task.at()];
        let phase = slot.progress.phase;
        if phase.next(TaskStep::Cancel).is_none() {
            let (task, wanted) = (name.to_owned(), TaskStep::Cancel.verb());
            return Err(Refusal::Task { task, wanted, phase });
        }
        if slot.unwanted {
            return Err(Refusal::TaskEnding(name.to_owned()));
        }
        self.emit(Event::TaskCancelRequested { at: now, task: TaskRef::whole(task), by, reason });
        self.stop_attempts_of(task);
        self.leave_if_idle(task, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::run::Command;
    use crate::run::tests::driver::Driver;
    use crate::test_support::task;
    use crate::{
        Definition, Effect, Event, Failure, FailureKind, ForEach, News, OnFailure, Refusal,
        Request, RetryPolicy, RunState, SkipReason, TaskPhase, Value,
    };

    fn cancel(task: &str) -> Request {
        Request::CancelTask { by: "ann".into(), reason: "it hangs".into(), task: task.into() }
    }

    fn retry(task: Option<&str>) -> Request {
        Request::Retry { by: "me".into(), task: task.map(str::to_owned) }
    }

    fn twice() -> RetryPolicy {
        RetryPolicy { max_attempts: 2, ..RetryPolicy::default() }
    }

    #[test]
    fn a_running_task_ends_with_its_attempt_and_the_run_goes_on_to_fail() {
        let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X"), task("c")]);
        let key = run.key("a");
        let changes = run.run.apply(Command::Request(cancel("a")), run.now).unwrap();
        assert!(matches!(changes.effects[..], [Effect::Stop(stopped, _)] if stopped == key));
        assert_eq!(run.phases(), "a=running b=waiting c=running");
        assert_eq!(run.request(cancel("a")), Err(Refusal::TaskEnding("a".into())));
        run.news(key, News::Stopped).unwrap();
        assert_eq!(run.phases(), "a=cancelled b=skipped c=running");
        assert!(matches!(run.skip_reason("b"), SkipReason::NoProducer { .. }));
        run.succeed("c", &[]);
        assert_eq!(run.run.state(), RunState::Failed);
        let settled = Refusal::Run { wanted: "cancel a task of", state: RunState::Failed };
        assert_eq!(run.request(cancel("c")), Err(settled));
    }

    #[test]
    fn what_is_not_under_way_is_cancelled_at_once() {
        let mut run = Driver::begun(vec![
            task("a").with(|task| task.retry = twice()),
            task("b").after("a"),
            task("c").after("b"),
            task("d"),
        ]);
        run.fail_retryably("a");
        run.request(cancel("a")).unwrap();
        assert_eq!(run.phases(), "a=cancelled b=skipped c=skipped d=running");
        assert_eq!(run.run.next_wake(), None);
        let settled =
            Refusal::Task { task: "b".into(), wanted: "cancel", phase: TaskPhase::Skipped };
        assert_eq!(run.request(cancel("b")), Err(settled));
        run.succeed("d", &[]);
        assert_eq!(run.run.state(), RunState::Failed);
    }

    #[test]
    fn with_allow_failure_the_run_may_succeed() {
        let mut run = Driver::begun(vec![task("a").with(|task| task.allow_failure = true)]);
        let key = run.key("a");
        run.request(cancel("a")).unwrap();
        run.news(key, News::Stopped).unwrap();
        assert_eq!(run.run.state(), RunState::Succeeded);
    }

    #[test]
    fn a_result_that_was_on_its_way_counts_and_a_failure_is_not_tried_again() {
        let mut run = Driver::begun(vec![
            task("a").out("X"),
            task("b").needs("X"),
            task("c").with(|task| task.retry = twice()),
        ]);
        run.request(cancel("a")).unwrap();
        run.request(cancel("c")).unwrap();
        run.succeed("a", &["X"]);
        let key = run.key("c");
        run.news(key, News::Failed(Failure::retryable(FailureKind::Exit, "exit 1"))).unwrap();
        assert_eq!(run.phases(), "a=succeeded b=running c=failed");
    }

    #[test]
    fn an_attempt_that_a_crash_cut_off_is_not_repeated() {
        let mut run = Driver::begun(vec![task("a"), task("b")]);
        run.request(cancel("a")).unwrap();
        run.run = run.replayed();
        run.out.clear();
        run.apply(Command::Recover).unwrap();
        assert_eq!(run.phases(), "a=cancelled b=running");
    }

    #[test]
    fn it_does_not_stop_a_run_that_stops_on_failures() {
        let definition = Definition {
            on_failure: OnFailure::Stop,
            ..Definition::new("test", vec![task("a"), task("b"), task("c").after("b")])
        };
        let mut run = Driver::new(definition, &[], 4);
        run.apply(Command::Begin).unwrap();
        let key = run.key("a");
        run.request(cancel("a")).unwrap();
        run.news(key, News::Stopped).unwrap();
        run.succeed("b", &[]);
        assert_eq!(run.phases(), "a=cancelled b=succeeded c=running");
    }

    #[test]
    fn a_for_each_task_is_cancelled_whole() {
        let each = task("each").with(|task| {
            task.for_each = Some(ForEach::Items(vec![Value::Null; 4]));
            task.retry = twice();
        });
        let mut run = Driver::new(Definition::new("test", vec![each, task("b")]), &[], 2);
        run.apply(Command::Begin).unwrap();
        run.succeed("each", &[]);
        run.fail_retryably("each");
        let items = run.out.iter().filter(|(key, _)| key.task.item.is_some());
        let out: Vec<_> = items.map(|(key, _)| *key).collect();
        let changes = run.run.apply(Command::Request(cancel("each")), run.now).unwrap();
        assert_eq!(changes.effects.len(), out.len());
        for key in out {
            run.news(key, News::Stopped).unwrap();
        }
        assert_eq!(run.phases(), "each=cancelled b=running");
        let counts = run.history().item_counts();
        assert_eq!((counts.succeeded, counts.cancelled), (1, 3));
        run.succeed("b", &[]);
        assert_eq!(run.run.state(), RunState::Failed);
        run.request(retry(Some("each"))).unwrap();
        for _ in 0..3 {
            run.succeed("each", &[]);
        }
        assert_eq!(run.run.state(), RunState::Succeeded, "the item that succeeded is kept");
    }

    #[test]
    fn it_can_be_tried_again_or_settled_by_hand() {
        let cancelled = || {
            let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
            let key = run.key("a");
            run.request(cancel("a")).unwrap();
            run.news(key, News::Stopped).unwrap();
            assert_eq!(run.run.state(), RunState::Failed);
            run
        };
        for task in [None, Some("a")] {
            let mut run = cancelled();
            run.request(retry(task)).unwrap();
            assert_eq!(run.key("a").attempt, 2);
            run.succeed("a", &["X"]);
            run.succeed("b", &[]);
            assert_eq!(run.run.state(), RunState::Succeeded);
        }
        let mut run = cancelled();
        let (by, task, reason) = ("me".into(), "a".into(), String::new());
        let x = crate::Variable { name: "X".into(), value: Value::from(1), secret: false };
        run.request(Request::Resolve { by, task, reason, outputs: vec![x], without_outputs: true })
            .unwrap();
        assert_eq!(run.phases(), "a=resolved b=running");
    }

    #[test]
    fn another_tasks_retry_leaves_it_cancelled() {
        let mut run = Driver::begun(vec![task("a"), task("b")]);
        let key = run.key("a");
        run.request(cancel("a")).unwrap();
        run.news(key, News::Stopped).unwrap();
        run.fail("b");
        run.request(retry(Some("b"))).unwrap();
        assert_eq!(run.phases(), "a=cancelled b=running");
        run.succeed("b", &[]);
        assert_eq!(run.run.state(), RunState::Failed);
    }

    #[test]
    fn before_the_run_begins_too() {
        let mut run = Driver::new(Definition::new("test", vec![task("a"), task("b")]), &[], 1);
        run.request(cancel("a")).unwrap();
        assert!(matches!(run.events[1], Event::Cancelled { .. }));
        run.run = run.replayed();
        run.apply(Command::Begin).unwrap();
        assert_eq!(run.phases(), "a=cancelled b=running");
    }
}
