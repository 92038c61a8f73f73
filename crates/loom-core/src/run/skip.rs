//! Skipping a task by hand.

use super::Run;
use crate::{Event, Refusal, SkipReason, TaskPhase, TaskRef, TaskStep, Timestamp};

impl Run {
    /// A task that waits or is ready will not run, and who needs it is skipped by rule 6. One that was
    /// handed over is taken back. A retry of the run leaves it skipped.
    pub(super) fn skip(
        &mut self,
        by: String,
        reason: String,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.ensure_open("skip a task of")?;
        let task = self.named(name)?;
        let slot = &self.slots[task.at()];
        if slot.unwanted && !slot.progress.phase.is_final() {
            return Err(Refusal::TaskEnding(name.to_owned()));
        }
        let phase = slot.progress.phase;
        if !matches!(phase, TaskPhase::Waiting | TaskPhase::Ready) {
            let (task, wanted) = (name.to_owned(), TaskStep::Skip.verb());
            return Err(Refusal::Task { task, wanted, phase });
        }
        self.stop_attempts_of(task);
        let reason = SkipReason::ByHand { by, reason };
        self.emit(Event::Skipped { at: now, task: TaskRef::whole(task), reason });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::run::tests::driver::Driver;
    use crate::run::{Command, Run};
    use crate::test_support::{barrier, task};
    use crate::{
        Definition, Effect, Event, ForEach, News, Refusal, Request, RunState, SkipReason, TaskDef,
        TaskPhase, Value,
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

    #[test]
    fn what_was_handed_over_is_taken_back_and_its_reports_are_stale() {
        let tasks = vec![task("a"), task("b"), task("c").after("b")];
        let mut run = Driver::new(Definition::new("test", tasks), &[], 1);
        run.ahead = 1;
        run.apply(Command::Begin).unwrap();
        let held = run.key("b");
        assert_eq!(run.run.held_back(), 1);
        let changes = run.run.apply(Command::Request(skip("b")), run.now).unwrap();
        assert!(matches!(changes.effects[..], [Effect::Stop(key, _)] if key == held));
        assert_eq!(run.run.held_back(), 0);
        assert_eq!(run.news(held, News::Stopped), Err(Refusal::StaleReport));
        run.succeed("a", &[]);
        assert_eq!(run.run.state(), RunState::Succeeded);
    }

    #[test]
    fn a_for_each_task_is_skipped_whole() {
        let each = |name: &str| -> TaskDef {
            task(name).with(|task| task.for_each = Some(ForEach::Items(vec![Value::Null; 3])))
        };
        let mut run = Driver::new(Definition::new("test", vec![task("a"), each("each")]), &[], 1);
        run.ahead = 2;
        run.apply(Command::Begin).unwrap();
        assert_eq!(run.run.held_back(), 2);
        run.request(skip("each")).unwrap();
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
