//! Runs that another system executes: what it says becomes the same events that a run of our own has.
//!
//! Nothing is decided here about what runs when. What is said comes in any order, more than once, and
//! not always: so a task's state only moves forward, what must have come before is recorded with it,
//! and the end of a run settles what was never heard of.

use super::{Command, Run};
use crate::{
    Event, Failure, FailureKind, Observation, ObservedPhase, ObservedTask, Refusal, RunOutcome,
    RunState, TaskDef, TaskIx, TaskPhase, TaskRef, Timestamp,
};

/// The most tasks of a run that another system executes.
pub const OBSERVED_TASKS_MAX: usize = 1000;

impl Run {
    /// A command to a run that is not executed here: only its own system has something to say.
    pub(super) fn apply_external(
        &mut self,
        command: Command,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match command {
            Command::Observe(seen) => self.observe(seen, now),
            Command::Begin => Err(self.not_here("begin")),
            Command::Request(request) => Err(self.not_here(request.verb())),
            Command::Report(_) => Err(Refusal::StaleReport),
            // No attempt of it is ours, and nothing of it waits for a time.
            Command::Recover | Command::Wake => Ok(()),
        }
    }

    fn not_here(&self, wanted: &'static str) -> Refusal {
        Refusal::External { wanted, system: self.system() }
    }

    fn system(&self) -> String {
        self.plan.external().unwrap_or_default().to_owned()
    }

    fn observe(&mut self, seen: Observation, now: Timestamp) -> Result<(), Refusal> {
        let ended = self.state.is_final();
        match seen {
            Observation::Began if ended => return Err(self.over("begin")),
            Observation::Began => self.note_begun(now),
            Observation::Task(task) => {
                self.check_room(&task)?;
                if ended {
                    return self.observe_late(*task, now);
                }
                if task.phase != ObservedPhase::Waiting {
                    self.note_begun(now);
                }
                self.advance(*task, now);
            }
            // The first word counts.
            Observation::Ended(_) | Observation::Lost { .. } if ended => {}
            Observation::Ended(outcome) => {
                self.note_begun(now);
                self.close(outcome, now);
            }
            Observation::Lost { by, reason } => {
                self.emit(Event::CancelRequested { at: now, by, reason });
                self.close(RunOutcome::Cancelled, now);
            }
        }
        Ok(())
    }

    fn over(&self, wanted: &'static str) -> Refusal {
        Refusal::Run { wanted, state: self.state }
    }

    fn note_begun(&mut self, now: Timestamp) {
        if self.state == RunState::Queued {
            self.emit(Event::RunStarted { at: now });
        }
    }

    /// Refuses a task for which there is no place.
    fn check_room(&self, task: &ObservedTask) -> Result<(), Refusal> {
        let is_known = self.plan.find_task(&task.def.name).is_some();
        if is_known || self.slots.len() < OBSERVED_TASKS_MAX {
            return Ok(());
        }
        Err(Refusal::TooManyTasks { most: OBSERVED_TASKS_MAX })
    }

    /// The task's place, which it is given if it is new.
    fn place_of(&mut self, def: &TaskDef, now: Timestamp) -> TaskIx {
        self.plan.find_task(&def.name).unwrap_or_else(|| {
            let at = TaskIx(self.slots.len() as u32);
            let def = Box::new(def.clone());
            self.emit(Event::Declared { at: now, task: TaskRef::whole(at), def });
            at
        })
    }

    /// Something is said of a task after the run's end. How the task ended is still news if the run's
    /// end had to leave that open; the run is then opened for it and closed again. A task that nobody
    /// has heard of and that has not started belongs to another execution.
    fn observe_late(&mut self, task: ObservedTask, now: Timestamp) -> Result<(), Refusal> {
        let known = self.plan.find_task(&task.def.name);
        if known.is_none() && task.phase == ObservedPhase::Waiting {
            return Err(self.over("declare a task of"));
        }
        let tells_the_end = matches!(task.phase, ObservedPhase::Succeeded | ObservedPhase::Failed);
        if !tells_the_end || known.is_some_and(|at| !self.was_left_open(at)) {
            return Ok(());
        }
        let outcome = match self.state {
            RunState::Failed => RunOutcome::Failed,
            RunState::Cancelled => RunOutcome::Cancelled,
            _ => RunOutcome::Succeeded,
        };
        let open = (0..self.slots.len() as u32).map(TaskIx);
        let tasks = open.filter(|at| self.was_left_open(*at)).map(TaskRef::whole).collect();
        self.emit(Event::RunReopened { at: now, by: self.system(), tasks });
        self.advance(task, now);
        self.close(outcome, now);
        Ok(())
    }

    /// Whether the run's end settled the task, because nothing had been heard of its own.
    fn was_left_open(&self, task: TaskIx) -> bool {
        let progress = &self.slots[task.at()].progress;
        match progress.phase {
            TaskPhase::Cancelled => true,
            TaskPhase::Failed => progress.attempt == 0,
            _ => false,
        }
    }

    /// Brings a task to where it is said to stand, over everything that lies between.
    fn advance(&mut self, seen: ObservedTask, now: Timestamp) {
        let at = self.place_of(&seen.def, now);
        let progress = self.slots[at.at()].progress;
        if progress.phase.is_final() {
            return;
        }
        let task = TaskRef::whole(at);
        let ObservedTask { phase, ran, mut failures, outputs, .. } = seen;
        // When the attempts before the last one began and failed is not told: they are put to the
        // task's start.
        let began = match ran {
            Some(ran) if progress.attempt == 0 => now.before(ran),
            _ => now,
        };
        let last = (phase == ObservedPhase::Failed)
            .then(|| failures.pop().unwrap_or_else(|| self.unexplained()));
        for failure in failures.into_iter().skip(progress.failures as usize) {
            let attempt = self.ensure_running(at, began);
            let (failure, retry_at) = (Box::new(failure), Some(began));
            self.emit(Event::Failed { at: began, task, attempt, failure, retry_at });
        }
        match (phase, last) {
            (ObservedPhase::Waiting | ObservedPhase::BackingOff, _) => {}
            (ObservedPhase::Running, _) => _ = self.ensure_running(at, now),
            (ObservedPhase::Failed, Some(last)) => {
                let attempt = self.ensure_running(at, began);
                let failure = Box::new(last);
                self.emit(Event::Failed { at: now, task, attempt, failure, retry_at: None });
            }
            (ObservedPhase::Succeeded | ObservedPhase::Failed, _) => {
                let attempt = self.ensure_running(at, began);
                self.emit(Event::Succeeded { at: now, task, attempt, outputs });
            }
        }
    }

    /// Sees to it that an attempt is under way, and answers with its number.
    fn ensure_running(&mut self, at: TaskIx, began: Timestamp) -> u32 {
        let progress = self.slots[at.at()].progress;
        if progress.phase == TaskPhase::Running {
            return progress.attempt;
        }
        let attempt = progress.attempt + 1;
        self.emit(Event::Started { at: began, task: TaskRef::whole(at), attempt });
        attempt
    }

    /// Ends the run. A run that failed without a task that did lost one: most likely the process of
    /// the first that was not heard of has died.
    fn close(&mut self, outcome: RunOutcome, now: Timestamp) {
        let phases: Vec<TaskPhase> = self.slots.iter().map(|slot| slot.progress.phase).collect();
        let explains = |phase| matches!(phase, &TaskPhase::Failed | &TaskPhase::Running);
        if outcome == RunOutcome::Failed
            && !phases.iter().any(explains)
            && let Some(at) = phases.iter().position(|phase| *phase == TaskPhase::Waiting)
        {
            let failure = Box::new(self.silent());
            let task = TaskRef::whole(TaskIx(at as u32));
            self.emit(Event::Failed { at: now, task, attempt: 0, failure, retry_at: None });
        }
        for at in 0..self.slots.len() {
            if !self.slots[at].progress.phase.is_final() {
                let task = TaskRef::whole(TaskIx(at as u32));
                self.emit(Event::Cancelled { at: now, task });
            }
        }
        self.emit(Event::RunFinished { at: now, outcome });
    }

    fn unexplained(&self) -> Failure {
        let message = format!("`{}` reports that it failed, and no error", self.system());
        Failure::permanent(FailureKind::Plugin, message)
    }

    fn silent(&self) -> Failure {
        let message = format!(
            "`{}` reports that the run failed, and of no task that it did; this is the first whose \
             end it never reported: its process may have died",
            self.system()
        );
        Failure::permanent(FailureKind::Plugin, message)
    }

    /// A further task: [`Event::Declared`] took effect.
    pub(super) fn declared(&mut self, event: &Event) {
        let before = self.slots.len();
        self.plan.take(event);
        self.slots.resize_with(self.plan.task_count(), Default::default);
        let added = (self.slots.len() - before) as u32;
        self.unsettled += added;
        self.unsettled_tasks += added;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Definition, History, Output, Plan, Request, RunId, Submission};
    use ObservedPhase as P;
    use std::sync::Arc;
    use std::time::Duration;

    /// A run that is told of, and all of its events.
    struct Told {
        run: Run,
        events: Vec<Event>,
        now: Timestamp,
    }

    fn submission() -> Submission {
        let definition =
            Definition { external: Some("dotflow".into()), ..Definition::new("w", Vec::new()) };
        Submission {
            id: RunId::new(1, 1),
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::default(),
            workers: 1,
        }
    }

    impl Told {
        fn new() -> Self {
            Self { run: Run::new(submission()), events: Vec::new(), now: Timestamp(10_000_000) }
        }

        fn hears(&mut self, seen: Observation) -> Result<(), Refusal> {
            self.now = self.now + Duration::from_secs(1);
            let changes = self.run.apply(Command::Observe(seen), self.now)?;
            assert!(changes.effects.is_empty());
            self.events.extend(changes.events);
            self.check();
            Ok(())
        }

        /// What is replayed stands as what was told, in a history as well.
        fn check(&self) {
            let mut again = Run::new(submission());
            let mut history = History::new(submission(), Timestamp(0));
            for (seq, event) in (1..).zip(&self.events) {
                again.replay(event);
                history.record(seq, event);
            }
            assert_eq!(again.state(), self.run.state());
            for (task, _) in self.run.plan().tasks() {
                assert_eq!(again.phase(task), self.run.phase(task));
                assert_eq!(history.run().phase(task), self.run.phase(task));
            }
            let counts = history.counts();
            assert_eq!(counts.total() as usize, self.run.plan().task_count());
            for phase in TaskPhase::ALL {
                let tasks = self.run.plan().tasks();
                let there = tasks.filter(|(task, _)| self.run.phase(*task) == phase).count();
                assert_eq!(counts.of(phase) as usize, there, "{phase}");
            }
            let _ = history.critical_path(self.now);
        }

        fn phases(&self) -> Vec<&'static str> {
            self.run.plan().tasks().map(|(task, _)| self.run.phase(task).name()).collect()
        }

        fn types(&self) -> Vec<String> {
            let kind = |event: &Event| {
                let json = serde_json::to_value(event).unwrap();
                let attempt = json.get("a").map(|a| format!(" {a}")).unwrap_or_default();
                format!("{}{attempt}", json["e"].as_str().unwrap())
            };
            self.events.iter().map(kind).collect()
        }
    }

    fn task(name: &str, phase: P, failures: &[&str]) -> Observation {
        let failure = |message: &&str| Failure::permanent(FailureKind::Plugin, *message);
        Observation::Task(Box::new(ObservedTask {
            def: TaskDef::new(name, "dotflow"),
            phase,
            ran: Some(Duration::from_millis(300)),
            failures: failures.iter().map(failure).collect(),
            outputs: Vec::new(),
        }))
    }

    #[test]
    fn a_run_is_told_in_order() {
        let mut told = Told::new();
        told.hears(task("a", P::Waiting, &[])).unwrap();
        told.hears(task("b", P::Waiting, &[])).unwrap();
        assert_eq!(told.run.state(), RunState::Queued);
        told.hears(Observation::Began).unwrap();
        told.hears(task("a", P::Succeeded, &[])).unwrap();
        told.hears(task("b", P::Failed, &["x", "y"])).unwrap();
        told.hears(Observation::Ended(RunOutcome::Failed)).unwrap();
        let expected = [
            "declared",
            "declared",
            "run_started",
            "started 1",
            "succeeded 1",
            "started 1",
            "failed 1",
            "started 2",
            "failed 2",
            "run_finished",
        ];
        assert_eq!(told.types(), expected);
        let Event::Started { at, .. } = &told.events[3] else { panic!() };
        let Event::Succeeded { at: ended, .. } = &told.events[4] else { panic!() };
        assert_eq!(ended.since(*at), Duration::from_millis(300));
    }

    #[test]
    fn repeats_change_nothing() {
        let all = [
            task("a", P::Waiting, &[]),
            Observation::Began,
            task("a", P::Running, &[]),
            task("a", P::BackingOff, &["x"]),
            task("a", P::Succeeded, &["x"]),
            Observation::Ended(RunOutcome::Succeeded),
        ];
        let mut told = Told::new();
        for (n, seen) in all.iter().enumerate() {
            told.hears(seen.clone()).unwrap();
            let events = told.events.len();
            let is = |it: &Observation, phase: P| matches!(it, Observation::Task(task) if task.phase == phase);
            // Behind a failure, that the task runs tells of its next attempt.
            let news = |it: &&Observation| is(seen, P::BackingOff) && is(it, P::Running);
            for again in all[..=n].iter().filter(|it| !news(it)) {
                // A start is a new one once the run has ended.
                let _ = told.hears(again.clone());
            }
            assert_eq!(told.events.len(), events, "{:?}", told.types());
        }
        assert!(matches!(
            told.hears(Observation::Began),
            Err(Refusal::Run { wanted: "begin", state: RunState::Succeeded })
        ));
        assert!(told.hears(task("new", P::Waiting, &[])).is_err());
    }

    #[test]
    fn what_comes_first_or_alone_brings_the_rest() {
        let mut told = Told::new();
        told.hears(task("a", P::Succeeded, &["x"])).unwrap();
        let expected =
            ["run_started", "declared", "started 1", "failed 1", "started 2", "succeeded 2"];
        assert_eq!(told.types(), expected);
        let mut told = Told::new();
        told.hears(Observation::Ended(RunOutcome::Succeeded)).unwrap();
        assert_eq!(told.types(), ["run_started", "run_finished"]);
    }

    #[test]
    fn retries_that_are_told_one_by_one_are_recorded_once() {
        let mut told = Told::new();
        told.hears(task("a", P::Running, &[])).unwrap();
        told.hears(task("a", P::BackingOff, &["x"])).unwrap();
        told.hears(task("a", P::BackingOff, &["x", "y"])).unwrap();
        told.hears(task("a", P::Failed, &["x", "y", "z"])).unwrap();
        let expected = [
            "run_started",
            "declared",
            "started 1",
            "failed 1",
            "started 2",
            "failed 2",
            "started 3",
            "failed 3",
        ];
        assert_eq!(told.types(), expected);
    }

    #[test]
    fn the_end_settles_what_was_not_heard_of_and_late_news_opens_it() {
        let mut told = Told::new();
        for name in ["a", "b", "c"] {
            told.hears(task(name, P::Waiting, &[])).unwrap();
        }
        told.hears(task("a", P::Succeeded, &[])).unwrap();
        told.hears(Observation::Ended(RunOutcome::Failed)).unwrap();
        assert_eq!(told.phases(), ["succeeded", "failed", "cancelled"]);
        told.hears(task("c", P::Failed, &["boom"])).unwrap();
        assert_eq!(told.phases(), ["succeeded", "cancelled", "failed"]);
        assert_eq!(told.run.state(), RunState::Failed);
        let events = told.events.len();
        told.hears(task("c", P::Failed, &["boom"])).unwrap();
        told.hears(task("b", P::Running, &[])).unwrap();
        assert_eq!(told.events.len(), events);
        told.hears(task("d", P::Succeeded, &[])).unwrap();
        assert_eq!(told.phases(), ["succeeded", "cancelled", "failed", "succeeded"]);
    }

    #[test]
    fn a_run_of_which_nothing_is_heard_is_cancelled() {
        let mut told = Told::new();
        told.hears(task("a", P::Running, &[])).unwrap();
        told.hears(task("b", P::Waiting, &[])).unwrap();
        let (by, reason) = ("loom".to_owned(), "silence".to_owned());
        told.hears(Observation::Lost { by, reason }).unwrap();
        assert_eq!(told.phases(), ["cancelled", "cancelled"]);
        assert_eq!(told.run.state(), RunState::Cancelled);
        told.hears(task("a", P::Succeeded, &[])).unwrap();
        assert_eq!(told.phases(), ["succeeded", "cancelled"]);
        assert_eq!(told.run.state(), RunState::Cancelled);
    }

    #[test]
    fn nothing_is_asked_of_it_and_nothing_is_started() {
        let mut told = Told::new();
        told.hears(task("a", P::BackingOff, &["x"])).unwrap();
        assert_eq!(told.run.next_wake(), None);
        assert!(told.run.is_idle() && !told.run.has_ready());
        let filled = told.run.fill(told.now, 10, 10, &mut crate::OpenGate);
        assert!(filled.events.is_empty() && filled.effects.is_empty());
        for command in [
            Command::Begin,
            Command::Request(Request::Cancel { by: "me".into(), reason: String::new() }),
            Command::Request(Request::Retry { by: "me".into(), task: None }),
        ] {
            let refused = told.run.apply(command, told.now).unwrap_err();
            assert!(matches!(refused, Refusal::External { .. }), "{refused}");
        }
        for command in [Command::Recover, Command::Wake] {
            assert!(told.run.apply(command, told.now).unwrap().events.is_empty());
        }
    }

    #[test]
    fn tasks_are_limited() {
        let mut told = Told::new();
        for n in 0..OBSERVED_TASKS_MAX {
            let seen = Command::Observe(task(&n.to_string(), P::Waiting, &[]));
            let _ = told.run.apply(seen, told.now).unwrap();
        }
        let refused = told.hears(task("more", P::Waiting, &[])).unwrap_err();
        assert_eq!(refused, Refusal::TooManyTasks { most: OBSERVED_TASKS_MAX });
        // What is known goes on.
        let seen = Command::Observe(task("7", P::Succeeded, &[]));
        assert!(told.run.apply(seen, told.now).is_ok());
    }

    #[test]
    fn the_last_context_is_a_variable_of_the_task() {
        let mut told = Told::new();
        let output = |name: &str, declared| Output {
            name: name.into(),
            value: 7.into(),
            declared,
            secret: false,
        };
        let Observation::Task(mut seen) = task("a", P::Succeeded, &[]) else { panic!() };
        seen.outputs = vec![output("current_context", true), output("initial_context", false)];
        told.hears(Observation::Task(seen)).unwrap();
        let mut history = History::new(submission(), Timestamp(0));
        for (seq, event) in (1..).zip(&told.events) {
            history.record(seq, event);
        }
        let set: Vec<_> = history.emissions().map(|one| one.name.to_owned()).collect();
        assert_eq!(set, ["current_context"]);
    }
}
