//! The last door: whatever way a value came, it goes into a run's events only if they can be read again.

use super::{Command, Submission, steering};
use crate::json::{Unfit, check};
use crate::{
    Failure, FailureKind, News, Observation, ObservedTask, Output, Refusal, Report, Value,
};

impl Submission {
    /// Refuses variables that a run cannot take.
    pub fn check(&self) -> Result<(), Refusal> {
        let names = self.variables.iter().map(|variable| &*variable.name);
        if let Some(name) = steering::uninvited(names, self.plan.definition()) {
            return Err(Refusal::Steering { name: name.to_owned() });
        }
        all(self.variables.iter().map(|variable| (&*variable.name, &variable.value)))
    }
}

/// The command, if its values are taken. An attempt has ended however bad its values are: it failed
/// with them.
pub(super) fn admit(command: Command) -> Result<Command, Refusal> {
    match &command {
        Command::Request(request) => {
            let variables = request.variables().iter();
            all(variables.map(|variable| (&*variable.name, &variable.value)))?;
        }
        Command::Observe(Observation::Task(task)) => observed(task)?,
        Command::Report(_)
        | Command::Observe(_)
        | Command::Begin
        | Command::Wake
        | Command::Recover => {}
    }
    match command {
        Command::Report(report) => {
            Ok(Command::Report(Report { news: reported(report.news), ..report }))
        }
        command => Ok(command),
    }
}

fn observed(task: &ObservedTask) -> Result<(), Refusal> {
    let outputs = task.outputs.iter().map(|output| (&*output.name, &output.value));
    let errors = task.failures.iter().filter_map(|failure| failure.error.as_ref());
    all(outputs.chain(errors.map(|error| ("ERROR", error))))
}

fn all<'a>(values: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Result<(), Refusal> {
    values.into_iter().try_for_each(|(name, value)| {
        check(value).map_err(|why| Refusal::Unfit { name: name.to_owned(), why })
    })
}

fn reported(news: News) -> News {
    match news {
        News::Succeeded(outputs) => match unfit(&outputs) {
            None => News::Succeeded(outputs),
            Some((name, why)) => {
                let message = format!(
                    "the output `{name}` is not taken: {why}; emit it as a text, or the path of a \
                     file instead"
                );
                News::Failed(Failure::permanent(FailureKind::BadOutput, message))
            }
        },
        News::Failed(mut failure) => {
            if let Some(Err(why)) = failure.error.as_ref().map(check) {
                failure.error = None;
                failure.message =
                    format!("{}; its error object is left out: {why}", failure.message);
            }
            News::Failed(failure)
        }
        News::Began(_) | News::Stopped => news,
    }
}

fn unfit(outputs: &[Output]) -> Option<(&str, Unfit)> {
    outputs.iter().find_map(|output| Some((&*output.name, check(&output.value).err()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::DEPTH_MAX;
    use crate::plan::Plan;
    use crate::run::Run;
    use crate::run::tests::driver::Driver;
    use crate::test_support::task;
    use crate::{
        Definition, Event, ObservedPhase, Request, RunId, TaskDef, TaskPhase, Timestamp, Variable,
    };
    use serde_json::json;
    use std::sync::Arc;

    fn nested(depth: usize) -> Value {
        (0..depth).fold(Value::Null, |inner, _| json!([inner]))
    }

    fn output(value: Value) -> Output {
        Output { name: "X".into(), value, declared: true, secret: false }
    }

    fn variable(value: Value) -> Variable {
        Variable { name: "X".into(), value, secret: false }
    }

    #[test]
    fn outputs_that_are_too_deep_fail_the_attempt_for_good() {
        let retry = crate::RetryPolicy { max_attempts: 3, ..crate::RetryPolicy::default() };
        for (depth, phase) in
            [(DEPTH_MAX, TaskPhase::Succeeded), (DEPTH_MAX + 1, TaskPhase::Failed)]
        {
            let a = task("a").out("X").with(|task| task.retry = retry.clone());
            let mut run = Driver::begun(vec![a]);
            let key = run.key("a");
            run.news(key, News::Succeeded(vec![output(nested(depth))])).unwrap();
            assert_eq!(run.phase("a"), phase);
            let said = format!("{:?}", run.events);
            assert_eq!(said.contains("`X` is not taken"), phase == TaskPhase::Failed, "{said}");
        }
        let mut run = Driver::begun(vec![task("a")]);
        let key = run.key("a");
        let error = Some(nested(DEPTH_MAX + 1));
        let failure = Failure { error, ..Failure::permanent(FailureKind::Exit, "it exited") };
        run.news(key, News::Failed(failure)).unwrap();
        let failed = run.events.iter().find_map(|event| match event {
            Event::Failed { failure, .. } => Some(failure),
            _ => None,
        });
        let failed = failed.unwrap();
        assert!(failed.error.is_none());
        assert!(failed.message.starts_with("it exited; its error object is left out: lists"));
    }

    #[test]
    fn what_is_asked_and_submitted_is_refused_beyond_the_depth() {
        let mut run = Driver::begun(vec![task("a").out("X"), task("b").needs("X")]);
        let amend = |depth| Request::Amend {
            by: "me".into(),
            task: "b".into(),
            max_attempts: None,
            inputs: vec![variable(nested(depth))],
        };
        let resolve = |depth| Request::Resolve {
            by: "me".into(),
            task: "a".into(),
            reason: String::new(),
            outputs: vec![variable(nested(depth))],
            without_outputs: false,
        };
        let unfit = Err(Refusal::Unfit { name: "X".into(), why: Unfit::TooDeep(DEPTH_MAX) });
        assert_eq!(run.request(amend(DEPTH_MAX + 1)), unfit);
        assert_eq!(run.request(resolve(DEPTH_MAX + 1)), unfit);
        assert_eq!(run.request(amend(DEPTH_MAX)), Ok(()));
        let submission = |depth| Submission {
            id: RunId::new(1, 1),
            plan: Arc::new(Plan::new(Definition::new("test", vec![]))),
            variables: Arc::new(vec![variable(nested(depth))]),
            workers: 1,
        };
        assert_eq!(submission(DEPTH_MAX + 1).check(), unfit);
        assert_eq!(submission(DEPTH_MAX).check(), Ok(()));
    }

    #[test]
    fn what_another_system_says_is_refused_beyond_the_depth() {
        let external = Some("other".to_owned());
        let definition = Definition { external, ..Definition::new("test", vec![]) };
        let mut run = Run::new(Submission {
            id: RunId::new(1, 1),
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::default(),
            workers: 1,
        });
        let mut observe = |outputs: Value, error: Value| {
            let failure =
                Failure { error: Some(error), ..Failure::permanent(FailureKind::Plugin, "x") };
            let task = ObservedTask {
                def: TaskDef::new("t", "other"),
                phase: ObservedPhase::Running,
                ran: None,
                failures: vec![failure],
                outputs: vec![output(outputs)],
            };
            let seen = Observation::Task(Box::new(task));
            run.apply(Command::Observe(seen), Timestamp(1)).map(|changes| changes.events.len())
        };
        let refused =
            |name: &str| Err(Refusal::Unfit { name: name.into(), why: Unfit::TooDeep(DEPTH_MAX) });
        assert_eq!(observe(nested(DEPTH_MAX + 1), Value::Null), refused("X"));
        assert_eq!(observe(Value::Null, nested(DEPTH_MAX + 1)), refused("ERROR"));
        assert!(observe(nested(DEPTH_MAX), nested(DEPTH_MAX)).unwrap() > 0);
    }
}
