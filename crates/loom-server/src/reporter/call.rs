//! What is posted about an event. Pure.

use crate::wire::masked;
use loom_core::{
    AttemptRecord, Event, Failure, History, RunId, RunOutcome, SetBy, TaskDef, TaskIx, TaskRef,
    Timestamp, Variable, explain_inputs,
};
use loom_protocol::{MASK, rfc3339};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Behind the far side's address.
    pub(super) path: String,
    pub(super) body: Value,
    /// Whether it ends a run, or begins it again. Nothing from before it may be sent once more after
    /// it: to the far side that would be another beginning, or another end.
    pub(super) turns: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Post,
    Patch,
}

/// What is posted about the event that the history has recorded last.
pub(super) fn calls(history: &History, seq: u64, event: &Event) -> Vec<Call> {
    if history.run().is_external() {
        return Vec::new();
    }
    let mut calls = if seq == 1 { introduction(history) } else { Vec::new() };
    calls.extend(match event {
        Event::RunStarted { .. } | Event::RunReopened { .. } => {
            let turns = matches!(event, Event::RunReopened { .. });
            Some(of_run(history, json!({ "status": "In progress" }), turns))
        }
        Event::RunFinished { at, outcome } => {
            Some(of_run(history, end(history, *at, *outcome), true))
        }
        _ => status(history, event).map(|(task, status)| of_task(history, task, status)),
    });
    calls
}

/// The workflow and its tasks.
fn introduction(history: &History) -> Vec<Call> {
    let plan = history.run().plan();
    let definition = plan.definition();
    let id = uuid(history.run().id());
    let workflow = json!({
        "id": id,
        "workflow_id": id,
        "name": definition.name,
        "workflow_name": definition.name,
        "execution_mode": "parallel",
        "keep_going": definition.on_failure == loom_core::OnFailure::Continue,
        "tasks": [],
    });
    let post = |path: String, body| Call { method: Method::Post, path, body, turns: false };
    let task = |(ix, _): (TaskIx, &TaskDef)| {
        post(format!("/workflows/{id}/tasks"), body(history, ix, "Not started"))
    };
    let tasks = plan.tasks().map(task);
    std::iter::once(post("/workflows".to_owned(), workflow)).chain(tasks).collect()
}

fn of_run(history: &History, body: Value, turns: bool) -> Call {
    let path = format!("/workflows/{}", uuid(history.run().id()));
    Call { method: Method::Patch, path, body, turns }
}

fn end(history: &History, at: Timestamp, outcome: RunOutcome) -> Value {
    let status = if outcome == RunOutcome::Succeeded { "Completed" } else { "Failed" };
    let took = history.started_at().map(|started| at.since(started).as_secs_f64());
    json!({ "status": status, "duration": took })
}

fn of_task(history: &History, task: TaskIx, status: &str) -> Call {
    let name = &history.run().plan().task(task).name;
    let body = body(history, task, status);
    Call { method: Method::Patch, path: format!("/tasks/{}", segment(name)), body, turns: false }
}

/// Where the event leaves its task, in the protocol's words, if it tells anything of the whole task.
/// There is no word for a task that was skipped: it stays `Not started`.
fn status(history: &History, event: &Event) -> Option<(TaskIx, &'static str)> {
    let TaskRef { task, item } = event.task()?;
    let whole = item.is_none();
    let status = match event {
        Event::Started { .. } if whole || history.task(task).attempts.len() == 1 => "In progress",
        Event::Succeeded { .. } | Event::Resolved { .. } if whole => "Completed",
        Event::Failed { retry_at: None, .. } if whole => "Failed",
        Event::Failed { .. } | Event::Interrupted { .. } if whole => "Retry",
        Event::Gathered { failed: 0, .. } => "Completed",
        Event::Gathered { .. } => "Failed",
        Event::Cancelled { .. } if whole && !history.task(task).attempts.is_empty() => "Failed",
        _ => return None,
    };
    Some((task, status))
}

/// All that is known of a task.
fn body(history: &History, task: TaskIx, status: &str) -> Value {
    let run = history.run();
    let def = run.plan().task(task);
    let record = history.task(task);
    let errors: Vec<Value> = record.attempts.iter().filter_map(error).collect();
    let unattempted = record.failure().filter(|_| errors.is_empty() && status == "Failed");
    let errors: Vec<Value> =
        errors.into_iter().chain(unattempted.map(|failure| told(None, failure))).collect();
    let (started, settled) = (record.started_at(), record.settled_at());
    let took = started.zip(settled).map(|(from, to)| to.since(from).as_secs_f64());
    json!({
        "id": def.name,
        "task_id": def.name,
        "workflow_id": uuid(run.id()),
        "name": def.name,
        "status": status,
        "duration": took,
        "initial_context": given(history, task),
        "current_context": made(history, task),
        "previous_context": Value::Null,
        "group_name": def.execution.parallel_group.as_deref().unwrap_or("default"),
        "retry_count": record.attempts.iter().filter(|attempt| attempt.retry_at().is_some()).count(),
        "created_at": rfc3339(history.created_at().0),
        "started_at": started.map(|at| rfc3339(at.0)),
        "finished_at": settled.map(|at| rfc3339(at.0)),
        "error": errors.last(),
        "errors": errors,
    })
}

/// What the last attempt was given.
fn given(history: &History, task: TaskIx) -> Value {
    let Some(attempt) = history.task(task).attempts.last() else { return Value::Null };
    let inputs = explain_inputs(history, task, attempt);
    let value = |seen: &loom_core::SeenInput<'_>| {
        if seen.variable.secret { MASK.into() } else { seen.variable.value.clone() }
    };
    let inputs = inputs.iter().map(|seen| (seen.variable.name.to_owned(), value(seen)));
    Value::Object(inputs.collect::<Map<_, _>>())
}

/// What the task has set.
fn made(history: &History, task: TaskIx) -> Value {
    let own = history.emissions().filter(|set| set.set_by == SetBy::Task(task));
    let variables: Vec<Variable> = own
        .map(|set| Variable {
            name: set.name.to_owned(),
            value: set.value.clone(),
            secret: set.secret,
        })
        .collect();
    if variables.is_empty() { Value::Null } else { json!(masked(&variables)) }
}

/// The error of an attempt that failed. The last one of a task that failed has no number, as with
/// dotflow's own clients.
fn error(attempt: &AttemptRecord) -> Option<Value> {
    let number = attempt.retry_at().map(|_| attempt.number);
    attempt.failure().map(|failure| told(number, failure))
}

fn told(number: Option<u32>, failure: &Failure) -> Value {
    json!({
        "attempt": number,
        "exception": failure.kind.name(),
        "message": failure.message,
        "traceback": failure.tail.join("\n"),
    })
}

/// A run's identity in the form that the protocol's own have.
pub(super) fn uuid(run: RunId) -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in run.to_bytes().into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A text as one part of a path.
fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Definition, FailureKind, Output, Plan, Submission};
    use std::sync::Arc;

    fn history(definition: Definition) -> History {
        let submission = Submission {
            id: RunId::new(1_700_000_000_000, 7),
            plan: Arc::new(Plan::new(definition)),
            variables: Arc::default(),
            workers: 1,
        };
        History::new(submission, Timestamp(0))
    }

    /// Each call as a line: its method, its path, its status.
    fn lines(history: &mut History, events: &[Event]) -> Vec<String> {
        let mut lines = Vec::new();
        for (seq, event) in (1..).zip(events) {
            history.record(seq, event);
            for call in calls(history, seq, event) {
                let status = call.body.get("status").and_then(Value::as_str).unwrap_or("-");
                lines.push(format!("{:?} {} {status}", call.method, call.path));
            }
        }
        lines
    }

    #[test]
    fn a_run_is_told_in_the_order_of_its_events() {
        let mut history = history(Definition::new("w", vec![TaskDef::new("a b/ä", "cmd")]));
        let (at, task) = (Timestamp(1), TaskRef::whole(TaskIx(0)));
        let failed = |attempt, retry_at| Event::Failed {
            at,
            task,
            attempt,
            failure: Box::new(Failure::retryable(FailureKind::Exit, "no")),
            retry_at,
        };
        let out = |name: &str, secret| Output {
            name: name.into(),
            value: 1.into(),
            declared: true,
            secret,
        };
        let events = [
            Event::RunStarted { at },
            Event::Started { at, task, attempt: 1 },
            failed(1, Some(at)),
            Event::Started { at, task, attempt: 2 },
            Event::Succeeded {
                at,
                task,
                attempt: 2,
                outputs: vec![out("A", false), out("B", true)],
            },
            Event::RunFinished { at, outcome: RunOutcome::Succeeded },
        ];
        let id = "018bcfe5-6800-0000-0000-000000000007";
        assert_eq!(uuid(history.run().id()), id);
        let expected = [
            "Post /workflows -".to_owned(),
            format!("Post /workflows/{id}/tasks Not started"),
            format!("Patch /workflows/{id} In progress"),
            "Patch /tasks/a%20b%2F%C3%A4 In progress".to_owned(),
            "Patch /tasks/a%20b%2F%C3%A4 Retry".to_owned(),
            "Patch /tasks/a%20b%2F%C3%A4 In progress".to_owned(),
            "Patch /tasks/a%20b%2F%C3%A4 Completed".to_owned(),
            format!("Patch /workflows/{id} Completed"),
        ];
        assert_eq!(lines(&mut history, &events), expected);
        let body = body(&history, TaskIx(0), "Completed");
        assert_eq!(body["current_context"], json!({ "A": 1, "B": "***" }));
        assert_eq!((&body["retry_count"], &body["errors"][0]["attempt"]), (&json!(1), &json!(1)));
        assert_eq!(body["workflow_id"], id);
    }

    #[test]
    fn of_a_list_only_the_whole_is_told() {
        let mut task = TaskDef::new("a", "cmd");
        task.for_each = Some(loom_core::ForEach::Items(vec![1.into(), 2.into()]));
        let mut history = history(Definition::new("w", vec![task]));
        let (at, whole) = (Timestamp(1), TaskRef::whole(TaskIx(0)));
        let item = |item| TaskRef::item(TaskIx(0), item);
        let ended = |item| Event::Succeeded { at, task: item, attempt: 1, outputs: Vec::new() };
        let events = [
            Event::RunStarted { at },
            Event::Fired { at, task: whole, items: Some(vec![1.into(), 2.into()]), secret: false },
            Event::Started { at, task: item(0), attempt: 1 },
            Event::Started { at, task: item(1), attempt: 1 },
            ended(item(0)),
            ended(item(1)),
            Event::Gathered { at, task: whole, failed: 0 },
        ];
        let lines = lines(&mut history, &events);
        assert_eq!(lines[3..], ["Patch /tasks/a In progress", "Patch /tasks/a Completed"]);
    }

    #[test]
    fn runs_of_other_systems_are_theirs_to_tell() {
        let external = Some("dotflow".to_owned());
        let mut history = history(Definition { external, ..Definition::new("w", Vec::new()) });
        let events = [Event::RunStarted { at: Timestamp(1) }];
        assert!(lines(&mut history, &events).is_empty());
    }
}
