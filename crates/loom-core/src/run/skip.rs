//! Skipping a task by hand.

use super::Run;
use crate::{Event, Refusal, SkipReason, TaskPhase, TaskRef, TaskStep, Timestamp};

impl Run {
    /// A task that waits or is ready will not run, and who needs it is skipped by rule 6. What was
    /// handed over of it is taken back first, unless it begins meanwhile: then it goes on. A retry of
    /// the run leaves the task skipped.
    pub(super) fn skip(
        &mut self,
        by: String,
        reason: String,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.ensure_open("skip a task of")?;
        let task = self.named(name)?;
        let phase = self.phase(task);
        if !matches!(phase, TaskPhase::Waiting | TaskPhase::Ready) {
            let (task, wanted) = (name.to_owned(), TaskStep::Skip.verb());
            return Err(Refusal::Task { task, wanted, phase });
        }
        if self.is_leaving(task) {
            return Err(Refusal::TaskEnding(name.to_owned()));
        }
        let whole = TaskRef::whole(task);
        if self.attempts_out_of(task).is_empty() {
            let reason = SkipReason::ByHand { by, reason };
            self.emit(Event::Skipped { at: now, task: whole, reason });
        } else {
            self.emit(Event::SkipRequested { at: now, task: whole, by, reason });
            self.recall_held(task);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::run::tests::driver::Driver;
    use crate::run::{Command, Run};
    use crate::test_support::{barrier, task};
    use crate::{
        Definition, Effect, Event, ForEach, News, OnFailure, Refusal, Request, RunState,
        SkipReason, TaskDef, TaskPhase, Value,
    };

    fn skip(task: &str) -> Request {
        Request::Skip { by: "ann".into(), reason: "not today".into(), task: task.into() }
    }

    fn by_hand() -> SkipReason {
        SkipReason::ByHand { by: "ann".into(), reason: "not today".into() }
    }

    #[test]
    fn a_waiting_task_is_skipped_and_so_is_who_needs_it() {
        let tasks = vec![
            task("a").out("X"),
            task("b").needs("X").out("Y"),
            task("c").needs("Y"),
            task("d").after("b"),
            barrier("end"),
        ];
        let mut run = Driver::begun(tasks);
        run.request(skip("b")).unwrap();
        assert_eq!(run.phases(), "a=running b=skipped c=skipped d=skipped end=waiting");
        assert_eq!(run.skip_reason("b"), &by_hand());
        assert!(matches!(run.skip_reason("c"), SkipReason::NoProducer { .. }));
        assert!(matches!(run.skip_reason("d"), SkipReason::Dependency { .. }));
        run.succeed("a", &["X"]);
        run.succeed("end", &[]);
        assert_eq!(run.run.state(), RunState::Succeeded, "what is skipped fails nothing");
    }

    #[test]
    fn a_task_that_has_started_or_settled_is_not_skipped() {
        let mut run = Driver::begun(vec![task("a"), task("b").after("a")]);
        let refused = |run: &mut Driver, name: &str| run.request(skip(name)).unwrap_err();
        let running = Refusal::Task { task: "a".into(), wanted: "skip", phase: TaskPhase::Running };
        assert_eq!(refused(&mut run, "a"), running);
        assert_eq!(running.to_string(), "cannot skip task `a`, which is running");
        assert_eq!(refused(&mut run, "x"), Refusal::UnknownTask("x".into()));
        run.succeed("a", &[]);
        let settled =
            Refusal::Task { task: "a".into(), wanted: "skip", phase: TaskPhase::Succeeded };
        assert_eq!(refused(&mut run, "a"), settled);
        run.succeed("b", &[]);
        assert!(matches!(refused(&mut run, "b"), Refusal::Run { .. }));
    }

    /// `a` works, and what comes next is handed over.
    fn handed_over(next: Vec<TaskDef>, ahead: u32) -> Driver {
        let tasks = [task("a")].into_iter().chain(next).collect();
        let mut run = Driver::new(Definition::new("test", tasks), &[], 1);
        run.ahead = ahead;
        run.apply(Command::Begin).unwrap();
        assert_eq!(run.run.held_back(), ahead);
        run
    }

    #[test]
    fn what_was_handed_over_is_taken_back_first() {
        let mut run = handed_over(vec![task("b"), task("c").after("b")], 1);
        let held = run.key("b");
        let changes = run.run.apply(Command::Request(skip("b")), run.now).unwrap();
        assert!(matches!(changes.effects[..], [Effect::Recall(key)] if key == held));
        assert_eq!(run.phase("b"), TaskPhase::Ready);
        assert_eq!(run.request(skip("b")), Err(Refusal::TaskEnding("b".into())));
        run.news(held, News::Stopped).unwrap();
        assert_eq!(run.phases(), "a=running b=skipped c=skipped");
        assert_eq!(run.skip_reason("b"), &by_hand());
        run.succeed("a", &[]);
        assert_eq!(run.run.state(), RunState::Succeeded);
    }

    /// That it was woken is not recorded.
    #[test]
    fn one_whose_wait_for_the_next_attempt_is_over_is_skipped_in_a_replay_too() {
        let again = task("a").with(|task| task.retry.max_attempts = 2);
        let mut run = Driver::new(Definition::new("test", vec![again, task("b")]), &[], 1);
        run.apply(Command::Begin).unwrap();
        run.fail_retryably("a");
        run.now = run.run.next_wake().unwrap();
        run.apply(Command::Wake).unwrap();
        assert_eq!(run.phases(), "a=ready b=running");
        run.request(skip("a")).unwrap();
        let mut replayed = run.replayed();
        assert_eq!(replayed.phase(crate::TaskIx(0)), TaskPhase::Skipped);
        assert_eq!(replayed.next_wake(), None);
        assert_eq!(run.history().run().phase(crate::TaskIx(0)), TaskPhase::Skipped);
        run.succeed("b", &[]);
        assert_eq!(run.run.state(), RunState::Succeeded);
    }

    #[test]
    fn what_has_begun_meanwhile_goes_on() {
        let mut run = handed_over(vec![task("b")], 1);
        run.request(skip("b")).unwrap();
        run.succeed("b", &[]);
        run.succeed("a", &[]);
        assert_eq!(run.phases(), "a=succeeded b=succeeded");
    }

    #[test]
    fn the_other_items_of_what_has_begun_meanwhile_go_on_too() {
        let each =
            task("each").with(|task| task.for_each = Some(ForEach::Items(vec![Value::Null; 3])));
        let mut run = handed_over(vec![each], 1);
        run.request(skip("each")).unwrap();
        run.succeed("a", &[]);
        for _ in 0..3 {
            run.succeed("each", &[]);
        }
        assert_eq!(run.run.state(), RunState::Succeeded);
    }

    #[test]
    fn a_crash_takes_back_what_was_handed_over() {
        let mut run = handed_over(vec![task("b")], 1);
        run.request(skip("b")).unwrap();
        run.run = run.replayed();
        run.out.clear();
        run.apply(Command::Recover).unwrap();
        assert_eq!(run.phases(), "a=running b=skipped");
        assert_eq!(run.history().interventions().len(), 1);
    }

    #[test]
    fn a_for_each_task_is_skipped_whole() {
        let each =
            task("each").with(|task| task.for_each = Some(ForEach::Items(vec![Value::Null; 3])));
        let mut run = handed_over(vec![each], 2);
        run.request(skip("each")).unwrap();
        for _ in 0..2 {
            assert_eq!(run.phase("each"), TaskPhase::Ready);
            let held = run.key("each");
            run.news(held, News::Stopped).unwrap();
        }
        assert_eq!((run.run.held_back(), run.phase("each")), (0, TaskPhase::Skipped));
        assert_eq!(run.history().item_counts().skipped, 3);
        run.succeed("a", &[]);
        assert_eq!(run.run.state(), RunState::Succeeded);
    }

    #[test]
    fn a_retry_leaves_it_skipped() {
        let mut run = Driver::begun(vec![task("a"), task("b").after("a"), task("c").after("b")]);
        run.request(skip("b")).unwrap();
        run.fail("a");
        run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
        assert_eq!(run.phases(), "a=running b=skipped c=skipped");
        assert_eq!(run.skip_reason("b"), &by_hand());
    }

    /// So does one whose run was stopped before the executor gave back what it had of the task.
    #[test]
    fn so_does_the_retry_of_a_run_that_a_failure_stopped_meanwhile() {
        let each = task("b").with(|task| task.for_each = Some(ForEach::Items(vec![Value::Null])));
        for b in [task("b"), each] {
            let mut definition = Definition::new("test", vec![task("a"), b]);
            definition.on_failure = OnFailure::Stop;
            let mut run = Driver::new(definition, &[], 1);
            run.ahead = 1;
            run.apply(Command::Begin).unwrap();
            let held = run.key("b");
            run.request(skip("b")).unwrap();
            run.fail("a");
            run.news(held, News::Stopped).unwrap();
            assert_eq!(run.phases(), "a=failed b=skipped");
            run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
            assert_eq!(run.phases(), "a=running b=skipped");
        }
    }

    #[test]
    fn before_the_run_begins_too() {
        let tasks = vec![task("a"), task("b").after("a")];
        let mut run = Driver::new(Definition::new("test", tasks), &[], 1);
        run.request(skip("a")).unwrap();
        assert_eq!((run.run.state(), run.phase("b")), (RunState::Queued, TaskPhase::Waiting));
        let again: Run = run.replayed();
        run.run = again;
        run.apply(Command::Begin).unwrap();
        assert_eq!(run.phases(), "a=skipped b=skipped");
        assert_eq!(run.run.state(), RunState::Succeeded);
        assert!(matches!(run.events[1], Event::RunStarted { .. }));
    }
}
