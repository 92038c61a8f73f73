//! Changing a task of one run: how often it may be attempted, and what it is given.

use super::Run;
use crate::plan::VarIx;
use crate::{
    BadAmendment, Event, Refusal, RetryPolicy, RunState, TaskIx, TaskPhase, TaskRef, Timestamp,
    Value, Variable,
};

/// The most bytes of an amended input's value, as JSON: as many as a task may emit.
pub const AMENDED_BYTES_MAX: usize = 16 << 20;

/// What people have changed of a task.
#[derive(Debug, Default)]
pub(crate) struct Amendment {
    max_attempts: Option<u32>,
    inputs: Vec<Variable>,
}

impl Run {
    /// Takes effect for whatever has yet to start; an attempt that was handed over is taken back if it
    /// would see other inputs. Inputs still have to be set before the task fires.
    pub(super) fn amend(
        &mut self,
        by: String,
        name: &str,
        max_attempts: Option<u32>,
        mut inputs: Vec<Variable>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.state != RunState::Failed {
            self.ensure_open("amend a task of")?;
        }
        let task = self.named(name)?;
        let slot = &self.slots[task.at()];
        let phase = slot.progress.phase;
        if phase.is_final() && !self.has_come_to_grief(task) {
            return Err(Refusal::Task { task: name.to_owned(), wanted: "amend", phase });
        }
        if slot.unwanted && !phase.is_final() {
            return Err(Refusal::TaskEnding(name.to_owned()));
        }
        self.check_amendment(task, max_attempts, &inputs)
            .map_err(|why| Refusal::Amendment { task: name.to_owned(), why })?;
        for input in &mut inputs {
            input.secret |= self.is_secret_input(task, &input.name);
        }
        let is_seen = !inputs.is_empty();
        let whole = TaskRef::whole(task);
        self.emit(Event::Amended { at: now, task: whole, by, max_attempts, inputs });
        if is_seen {
            self.recall_held(task);
        }
        Ok(())
    }

    fn check_amendment(
        &self,
        task: TaskIx,
        max_attempts: Option<u32>,
        inputs: &[Variable],
    ) -> Result<(), BadAmendment> {
        if max_attempts.is_none() && inputs.is_empty() {
            return Err(BadAmendment::Nothing);
        }
        if let Some(wanted) = max_attempts {
            let (least, most) = (self.least_attempts(task), RetryPolicy::ATTEMPTS_MAX);
            if !(least..=most).contains(&wanted) {
                return Err(BadAmendment::Attempts { least, most });
            }
        }
        let declared = &self.plan.task(task).inputs;
        for Variable { name, value, .. } in inputs {
            if !declared.contains(name) {
                return Err(BadAmendment::NotAnInput(name.clone()));
            }
            if is_too_large(value) {
                return Err(BadAmendment::TooLarge(name.clone()));
            }
        }
        Ok(())
    }

    /// The least limit that leaves room for the attempts that are to come.
    fn least_attempts(&self, task: TaskIx) -> u32 {
        let own = std::iter::once(&self.slots[task.at()].progress);
        let items = self.fans.get(&task).into_iter().flat_map(|fan| &fan.progress);
        let to_come = own
            .chain(items)
            .filter(|progress| matches!(progress.phase, TaskPhase::Ready | TaskPhase::BackingOff));
        to_come.map(|progress| progress.failures + 1).max().unwrap_or(1)
    }

    fn is_secret_input(&self, task: TaskIx, name: &str) -> bool {
        let definition = self.plan.definition();
        self.plan.is_secret(name)
            || definition.env.iter().any(|var| var.secret && var.name == name)
            || self.variable(name).is_some_and(|variable| variable.secret)
            || self.amended(task, name).is_some_and(|variable| variable.secret)
    }

    /// Takes over what an event says was changed.
    pub(super) fn take_amendment(
        &mut self,
        task: TaskIx,
        max_attempts: Option<u32>,
        inputs: &[Variable],
    ) {
        self.keep_secret(inputs);
        let amendment = self.amendments.entry(task).or_default();
        amendment.max_attempts = max_attempts.or(amendment.max_attempts);
        for input in inputs {
            amendment.inputs.retain(|before| before.name != input.name);
            amendment.inputs.push(input.clone());
        }
    }

    fn amended(&self, task: TaskIx, name: &str) -> Option<&Variable> {
        self.amendments.get(&task)?.inputs.iter().find(|input| input.name == name)
    }

    /// An input as the task would see it now.
    pub(super) fn input(&self, task: TaskIx, var: VarIx) -> Option<&Variable> {
        let variable = self.vars[var as usize].value.as_ref()?;
        Some(self.amended(task, &variable.name).unwrap_or(variable))
    }

    /// Any variable as the task would see it now.
    pub(super) fn seen_by(&self, task: TaskIx, name: &str) -> Option<&Variable> {
        self.amended(task, name).or_else(|| self.variable(name))
    }

    /// What people have given a task in place of its inputs.
    pub fn amended_inputs(&self, task: TaskIx) -> &[Variable] {
        self.amendments.get(&task).map_or(&[], |amendment| &amendment.inputs)
    }

    /// How many attempts a task, or each of its items, has in all.
    pub fn max_attempts(&self, task: TaskIx) -> u32 {
        let amended = self.amendments.get(&task).and_then(|amendment| amendment.max_attempts);
        amended.unwrap_or_else(|| self.plan.task(task).retry.max_attempts)
    }
}

/// Whether a value has more bytes, as JSON, than are allowed. Stops counting there.
fn is_too_large(value: &Value) -> bool {
    struct Budget(usize);
    impl std::io::Write for Budget {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer(Budget(AMENDED_BYTES_MAX), value).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Command;
    use crate::run::tests::driver::Driver;
    use crate::test_support::task;
    use crate::{Definition, Effect, News, Request, TaskDef};
    use serde_json::json;

    fn amend(task: &str, max_attempts: Option<u32>, inputs: &[(&str, Value)]) -> Request {
        let inputs = inputs.iter().map(|(name, value)| Variable {
            name: (*name).into(),
            value: value.clone(),
            secret: false,
        });
        Request::Amend {
            by: "ann".into(),
            task: task.into(),
            max_attempts,
            inputs: inputs.collect(),
        }
    }

    fn why_not(run: &mut Driver, request: Request) -> BadAmendment {
        match run.request(request) {
            Err(Refusal::Amendment { why, .. }) => why,
            other => panic!("{other:?}"),
        }
    }

    /// What the last attempt that was handed over sees.
    fn seen(run: &Driver, name: &str) -> String {
        let key = run.key(name);
        let attempt = run.run.attempt(key.task, key.attempt, false);
        let inputs = attempt.inputs.iter().map(|input| format!("{}={}", input.name, input.value));
        inputs.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn more_attempts_while_it_runs_backs_off_or_after_it_failed() {
        let mut run = Driver::begun(vec![task("a")]);
        run.request(amend("a", Some(2), &[])).unwrap();
        run.fail_retryably("a");
        assert_eq!(run.phase("a"), TaskPhase::BackingOff);
        run.request(amend("a", Some(3), &[])).unwrap();
        for _ in 0..2 {
            run.now = run.run.next_wake().unwrap();
            run.apply(Command::Wake).unwrap();
            run.fail_retryably("a");
        }
        assert_eq!(run.run.state(), RunState::Failed);
        run.request(amend("a", Some(4), &[])).unwrap();
        run.request(Request::Retry { by: "me".into(), task: None }).unwrap();
        run.fail_retryably("a");
        assert_eq!(run.phase("a"), TaskPhase::BackingOff, "all four are there again");
        assert_eq!(run.replayed().max_attempts(TaskIx(0)), 4);
    }

    #[test]
    fn fewer_attempts_but_not_fewer_than_are_used_up() {
        let retry = RetryPolicy { max_attempts: 9, ..RetryPolicy::default() };
        let mut run = Driver::begun(vec![task("a").with(|task| task.retry = retry)]);
        run.fail_retryably("a");
        let why = why_not(&mut run, amend("a", Some(1), &[]));
        assert_eq!(why, BadAmendment::Attempts { least: 2, most: 1000 });
        assert_eq!(why_not(&mut run, amend("a", Some(1001), &[])), why);
        run.now = run.run.next_wake().unwrap();
        run.apply(Command::Wake).unwrap();
        run.request(amend("a", Some(1), &[])).unwrap();
        run.fail_retryably("a");
        assert_eq!(run.phase("a"), TaskPhase::Failed, "the attempt under way was the last");
    }

    #[test]
    fn inputs_are_seen_by_what_starts_later_and_by_nobody_else() {
        let retry = RetryPolicy { max_attempts: 3, ..RetryPolicy::default() };
        let taker: TaskDef = task("b").needs("X").needs("Y").with(|task| task.retry = retry);
        let mut run = Driver::begun(vec![task("a").out("X").out("Y"), taker, task("c").needs("X")]);
        run.request(amend("b", None, &[("X", json!("mine"))])).unwrap();
        assert_eq!(run.phase("b"), TaskPhase::Waiting, "it still waits for X");
        run.succeed("a", &["X=1", "Y=2"]);
        assert_eq!(seen(&run, "b"), r#"X="mine" Y="2""#);
        assert_eq!(seen(&run, "c"), r#"X="1""#);
        run.request(amend("b", None, &[("Y", json!([7]))])).unwrap();
        run.run = run.replayed();
        run.fail_retryably("b");
        run.now = run.run.next_wake().unwrap();
        run.apply(Command::Wake).unwrap();
        assert_eq!(seen(&run, "b"), r#"X="mine" Y=[7]"#);
    }

    #[test]
    fn conditions_and_lists_of_the_task_see_them_too() {
        let gated = task("gated").needs("X").with(|task| task.when = Some("X == 'go'".into()));
        let each = task("each").needs("X").with(|task| {
            task.for_each = Some(crate::ForEach::Variable("X".into()));
        });
        let mut run = Driver::begun(vec![task("a").out("X"), gated, each]);
        run.request(amend("gated", None, &[("X", json!("go"))])).unwrap();
        run.request(amend("each", None, &[("X", json!([1, 2]))])).unwrap();
        run.succeed("a", &["X=stay"]);
        assert_eq!(run.phases(), "a=succeeded gated=running each=running");
        assert_eq!(run.run.items(TaskIx(2)), Some((2, 0)));
    }

    #[test]
    fn a_held_attempt_is_taken_back_to_see_them() {
        let tasks = vec![task("a"), task("b").needs("TRUE")];
        let mut run = Driver::new(Definition::new("test", tasks), &[], 1);
        run.ahead = 1;
        run.apply(Command::Begin).unwrap();
        let held = run.key("b");
        let request = Command::Request(amend("b", None, &[("TRUE", json!("2"))]));
        let changes = run.run.apply(request, run.now).unwrap();
        assert!(matches!(changes.effects[..], [Effect::Recall(key)] if key == held));
        run.news(held, News::Stopped).unwrap();
        assert_eq!(seen(&run, "b"), r#"TRUE="2""#);
        assert_eq!(run.key("b").attempt, 2);
    }

    #[test]
    fn secrets_stay_secret() {
        let mut definition =
            Definition::new("test", vec![task("a").out("X"), task("b").needs("X")]);
        definition.secrets = vec!["X".into()];
        let mut run = Driver::new(definition, &[], 1);
        run.apply(Command::Begin).unwrap();
        run.request(amend("b", None, &[("X", json!("hunter2"))])).unwrap();
        let event = run.events.last_mut().unwrap();
        assert!(event.has_secrets());
        assert_eq!(event.secrets_mut(), [&mut json!("hunter2")]);
        assert!(run.run.secrets().contains(&"hunter2".to_owned()));
    }

    #[test]
    fn what_cannot_be_amended_is_refused() {
        let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
        assert_eq!(why_not(&mut run, amend("b", None, &[])), BadAmendment::Nothing);
        let unknown = amend("b", None, &[("Z", json!(1))]);
        assert_eq!(why_not(&mut run, unknown), BadAmendment::NotAnInput("Z".into()));
        let large = amend("b", None, &[("X", json!("x".repeat(AMENDED_BYTES_MAX)))]);
        assert_eq!(why_not(&mut run, large), BadAmendment::TooLarge("X".into()));
        run.succeed("a", &["X"]);
        let settled = run.request(amend("a", Some(2), &[])).unwrap_err();
        assert_eq!(settled.to_string(), "cannot amend task `a`, which has succeeded");
        run.succeed("b", &[]);
        assert!(matches!(run.request(amend("b", Some(2), &[])), Err(Refusal::Run { .. })));
    }
}
