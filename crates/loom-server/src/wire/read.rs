//! The way back: a [`RunEvent`] as the fact that it tells.

use loom_core::{
    Event, Failure, Output, Plan, RunOutcome, SkipReason, TaskDef, TaskIx, TaskRef, Timestamp,
    Value, Variable,
};
use loom_protocol::{
    AttemptOf, FailureEvent, MASK, OutputEvent, RunEvent, RunEventKind as Kind, read_rfc3339,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Duration;

/// The event that [`run_event`](super::run_event) wrote, secrets masked; `None` if a run of this plan
/// can have none such.
pub fn read_event(plan: &Plan, event: &RunEvent) -> Option<Event> {
    let at = time(&event.at)?;
    let whole = |name: &str| plan.find_task(name).map(TaskRef::whole);
    let of = |of: &AttemptOf| Some(TaskRef { task: plan.find_task(&of.task)?, item: of.item });
    Some(match event.what.clone() {
        Kind::RunStarted { .. } => Event::RunStarted { at },
        Kind::RunPaused { by } => Event::RunPaused { at, by },
        Kind::RunResumed { by } => Event::RunResumed { at, by },
        Kind::CancelRequested { by, reason } => Event::CancelRequested { at, by, reason },
        Kind::RunReopened { by, tasks } => {
            let tasks = tasks.iter().map(|name| whole(name)).collect::<Option<_>>()?;
            Event::RunReopened { at, by, tasks }
        }
        Kind::RunFinished { outcome } => {
            Event::RunFinished { at, outcome: named::<RunOutcome>(outcome)? }
        }
        Kind::TaskDeclared { task, group } => {
            let (task, def) = declared(plan, task, group)?;
            Event::Declared { at, task, def }
        }
        Kind::TaskFired { task, items } => {
            // Masked values are nobody's secret any more.
            Event::Fired { at, task: whole(&task)?, items, secret: false }
        }
        Kind::TaskAssigned { of: it } => {
            Event::Assigned { at, task: of(&it)?, attempt: it.attempt }
        }
        Kind::TaskStarted { of: it } => Event::Started { at, task: of(&it)?, attempt: it.attempt },
        Kind::TaskSucceeded { of: it, outputs } => {
            let outputs = outputs.into_iter().map(output).collect();
            Event::Succeeded { at, task: of(&it)?, attempt: it.attempt, outputs }
        }
        Kind::TaskFailed { of: it, failure, retry_at } => {
            let failure = Box::new(read_failure(failure)?);
            let retry_at = retry_at.map_or(Some(None), |text| time(&text).map(Some))?;
            Event::Failed { at, task: of(&it)?, attempt: it.attempt, failure, retry_at }
        }
        Kind::TaskGathered { task, failed } => Event::Gathered { at, task: whole(&task)?, failed },
        Kind::TaskInterrupted { of: it } => {
            Event::Interrupted { at, task: of(&it)?, attempt: it.attempt }
        }
        Kind::TaskSkipped { task, reason } => {
            let reason: SkipReason = serde_json::from_value(reason).ok()?;
            Event::Skipped { at, task: whole(&task)?, reason }
        }
        Kind::TaskCancelRequested { task, by, reason } => {
            Event::TaskCancelRequested { at, task: whole(&task)?, by, reason }
        }
        Kind::TaskSkipRequested { task, by, reason } => {
            Event::SkipRequested { at, task: whole(&task)?, by, reason }
        }
        Kind::TaskAmended { task, by, max_attempts, inputs } => {
            Event::Amended { at, task: whole(&task)?, by, max_attempts, inputs: variables(inputs) }
        }
        Kind::Custom { name, task, payload } => {
            Event::Emitted { at, task: whole(&task)?, name, payload: variables(payload) }
        }
        Kind::TaskCancelled { task, item } => {
            Event::Cancelled { at, task: TaskRef { task: plan.find_task(&task)?, item } }
        }
        Kind::TaskResolved { task, by, reason, outputs } => Event::Resolved {
            at,
            task: whole(&task)?,
            by,
            reason,
            outputs: outputs.into_iter().map(output).collect(),
        },
    })
}

fn time(text: &str) -> Option<Timestamp> {
    read_rfc3339(text).map(Timestamp)
}

/// A value that JSON writes as its stable name.
fn named<T: DeserializeOwned>(name: String) -> Option<T> {
    serde_json::from_value(Value::String(name)).ok()
}

fn read_failure(failure: FailureEvent) -> Option<Failure> {
    let FailureEvent { kind, message, retryable, retry_after, exit_status, error, tail, .. } =
        failure;
    let retry_after = match retry_after {
        Some(seconds) => Some(Duration::try_from_secs_f64(seconds).ok()?),
        None => None,
    };
    let kind = named(kind)?;
    Some(Failure { kind, message, retryable, retry_after, exit_status, error, tail })
}

fn output(event: OutputEvent) -> Output {
    let OutputEvent { name, value, declared, secret } = event;
    Output { name, value, declared, secret }
}

/// A further task, which only runs of another system have.
fn declared(plan: &Plan, name: String, group: Option<String>) -> Option<(TaskRef, Box<TaskDef>)> {
    let place = TaskIx(u32::try_from(plan.task_count()).ok()?);
    let mut def = TaskDef::new(name, plan.external()?);
    def.execution.parallel_group = group;
    Some((TaskRef::whole(place), Box::new(def)))
}

/// Which of them are secret shows by the mask alone.
fn variables(values: BTreeMap<String, Value>) -> Vec<Variable> {
    let variable = |(name, value): (String, Value)| Variable { secret: value == MASK, name, value };
    values.into_iter().map(variable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::run_event;
    use loom_core::{Definition, RunId, TaskDef};
    use loom_protocol::event_catalog;

    fn plan() -> Plan {
        let names = ["convert", "extract", "load", "alarm", "invoice"];
        let mut definition =
            Definition::new("nightly-report", names.map(|name| TaskDef::new(name, "noop")).into());
        definition.version = "1.2.0".into();
        Plan::new(definition)
    }

    /// As that, of runs that another system executes.
    fn elsewhere() -> Plan {
        let mut definition = (**plan().definition()).clone();
        definition.external = Some("dotflow".into());
        Plan::new(definition)
    }

    #[test]
    fn every_type_of_event_comes_back_as_it_was() {
        let plan = elsewhere();
        for kind in event_catalog().types {
            let run: RunId = kind.example.run.parse().unwrap();
            let event = read_event(&plan, &kind.example);
            let event = event.unwrap_or_else(|| panic!("{:?}", kind.example));
            assert_eq!(run_event(run, &plan, "order-66", kind.example.seq, &event), kind.example);
        }
    }

    #[test]
    fn what_no_run_of_the_plan_can_tell_is_no_event() {
        let plan = plan();
        let wrong = |change: &dyn Fn(&mut Value)| {
            for kind in event_catalog().types {
                let mut text = serde_json::to_value(&kind.example).unwrap();
                let before = text.clone();
                change(&mut text);
                if text == before {
                    continue;
                }
                let event = serde_json::from_value::<RunEvent>(text.clone()).ok();
                assert_eq!(event.and_then(|event| read_event(&plan, &event)), None, "{text}");
            }
        };
        let set = |name: &'static str, value: Value| {
            move |text: &mut Value| {
                if text.get(name).is_some() {
                    text[name] = value.clone();
                }
            }
        };
        wrong(&set("at", "soon".into()));
        wrong(&set("task", "nobody".into()));
        wrong(&set("outcome", "splendid".into()));
        wrong(&set("retry_at", "never".into()));
        wrong(&|text| {
            if text["type"] == "task.skipped" {
                text["reason"] = "because".into();
            }
            if text["failure"].is_object() {
                text["failure"]["kind"] = "bad luck".into();
            }
        });
    }
}
