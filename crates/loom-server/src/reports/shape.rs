//! What dotflow's clients send, in all the shapes that their versions have, as observations.
//!
//! Clients of all versions are taken alike: what a body does not have is made up for, and what has
//! several names is looked for under all of them. They look at no answer, so the less is refused, the
//! less is lost.

use super::fields::{Fields, Last};
use crate::problem::Problem;
use jiff::civil::DateTime;
use loom_core::json::{check, read};
use loom_core::{
    Failure, FailureKind, OBSERVED_TASKS_MAX, ObservedPhase, ObservedTask, Output, RunOutcome,
    TaskDef, Value,
};
use loom_protocol::ErrorCode;
use serde_json::json;
use std::time::Duration;

/// The name of the system, and of the plugin that its tasks show.
pub(super) const SYSTEM: &str = "dotflow";
/// The longest identity or name of theirs, in characters.
const NAME_MAX: usize = 128;
/// The most bytes of a context, as JSON. The client cuts off at 5,000,000 for all of a task.
const CONTEXT_BYTES: usize = 1 << 20;
/// The most failures of a task that are kept: the last ones.
const FAILURES_MAX: usize = 100;
/// The longest message of a failure, in characters.
const MESSAGE_MAX: usize = 4096;
/// The most lines of a traceback that are kept, the last ones, and the longest, in characters.
const TRACE_LINES: usize = 60;
const TRACE_LINE_MAX: usize = 400;
/// The longest time that a task may say it took.
const LONGEST: f64 = 10.0 * 366.0 * 86_400.0;

/// A body: an object.
pub(super) struct Body<'a>(Fields<'a>);

/// What is said of a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing that changes its run.
    Nothing,
    /// It began.
    Began,
    /// It ended.
    Ended(RunOutcome),
}

impl<'a> Body<'a> {
    pub(super) fn read(text: &'a [u8]) -> Result<Self, Problem> {
        let fields = read(text).map_err(|error| {
            Problem::argument(format!("the body is no JSON object that can be taken: {error}"))
        });
        fields.map(Self)
    }

    /// The workflow's identity, as a body that creates it has it.
    pub(super) fn created_workflow(&self) -> Result<String, Problem> {
        self.first(&["id", "workflow_id"], "workflow")
    }

    /// The workflow that a task belongs to.
    pub(super) fn workflow_of_task(&self) -> Result<String, Problem> {
        self.first(&["workflow_id"], "workflow")
    }

    /// The task's identity, as a body that creates it has it.
    fn created_task(&self) -> Result<String, Problem> {
        self.first(&["task_id", "id"], "task")
    }

    fn first(&self, keys: &[&str], what: &str) -> Result<String, Problem> {
        match keys.iter().find_map(|key| self.field(key)) {
            Some(Value::String(text)) => identity(&text, what),
            Some(Value::Number(number)) => identity(&number.to_string(), what),
            Some(_) => Err(Problem::argument(format!("the {what}'s id is no text and no number"))),
            None => Err(Problem::argument(format!("the body does not name the {what}"))
                .help(format!("give `{}`", keys[0]))),
        }
    }

    /// The workflow's name, if it has one.
    pub(super) fn name(&self) -> Option<String> {
        let text = self.text("workflow_name").or_else(|| self.text("name"))?;
        let name = cut(text.trim(), NAME_MAX);
        (!name.is_empty()).then_some(name)
    }

    /// What a change of the workflow says.
    pub(super) fn word(&self) -> Result<Word, Problem> {
        Ok(match self.phase()? {
            None | Some(ObservedPhase::Waiting | ObservedPhase::BackingOff) => Word::Nothing,
            Some(ObservedPhase::Running) => Word::Began,
            Some(ObservedPhase::Succeeded) => Word::Ended(RunOutcome::Succeeded),
            Some(ObservedPhase::Failed) => Word::Ended(RunOutcome::Failed),
        })
    }

    /// The tasks that a body which creates a workflow brings along: no more than a run may have are
    /// looked at.
    pub(super) fn tasks(&self) -> Result<Vec<ObservedTask>, Problem> {
        let Some(Last { items, count }) = self.0.list("tasks", OBSERVED_TASKS_MAX) else {
            return Ok(Vec::new());
        };
        if count > OBSERVED_TASKS_MAX {
            let what =
                format!("the body has {count} tasks; a run has {OBSERVED_TASKS_MAX} at most");
            return Err(Problem::new(ErrorCode::LimitReached, what));
        }
        let task = |text: &'a str| match Fields::read(text) {
            Some(fields) => Self(fields).task(None),
            None => Err(Problem::argument("a task of `tasks` is no object")),
        };
        items.into_iter().map(task).collect()
    }

    /// What is said of a task; its identity stands in the path, or in the body alone.
    pub(super) fn task(&self, id: Option<&str>) -> Result<ObservedTask, Problem> {
        let name = match id {
            Some(id) => identity(id, "task")?,
            None => self.created_task()?,
        };
        let phase = self.phase()?.unwrap_or(ObservedPhase::Waiting);
        Ok(ObservedTask {
            def: self.def(name),
            phase,
            ran: self.ran(),
            failures: self.failures(phase),
            outputs: self.outputs(),
        })
    }

    fn def(&self, name: String) -> TaskDef {
        let mut def = TaskDef::new(name, SYSTEM);
        let group = self.text("group_name").map(|group| cut(group.trim(), NAME_MAX));
        def.execution.parallel_group =
            group.filter(|group| !group.is_empty() && *group != "default");
        if let Some(step) = self.text("step") {
            def.annotations.insert("step".to_owned(), cut(&step, NAME_MAX));
        }
        def
    }

    /// Where the task or the workflow stands, if that is said.
    fn phase(&self) -> Result<Option<ObservedPhase>, Problem> {
        let Some(text) = self.field("status") else { return Ok(None) };
        let wrong = || {
            Problem::argument(format!("there is no status {}", cut(&text.to_string(), NAME_MAX)))
                .help("a status is Not started, In progress, Retry, Paused, Completed or Failed")
        };
        let text = text.as_str().ok_or_else(wrong)?;
        let phase = match text.to_ascii_lowercase().as_str() {
            "new" | "not started" | "paused" => ObservedPhase::Waiting,
            "in progress" => ObservedPhase::Running,
            "retry" => ObservedPhase::BackingOff,
            "completed" => ObservedPhase::Succeeded,
            "failed" => ObservedPhase::Failed,
            _ => return Err(wrong()),
        };
        Ok(Some(phase))
    }

    /// How long the task took: what it says, or the time between its start and its end. These have
    /// no zone, so that only their difference means something.
    fn ran(&self) -> Option<Duration> {
        let said = self.field("duration").and_then(|duration| duration.as_f64());
        let between = || {
            let (from, to) =
                (moment(&self.text("started_at")?)?, moment(&self.text("finished_at")?)?);
            to.duration_since(from).try_into().ok().map(|time: Duration| time.as_secs_f64())
        };
        let seconds = said.or_else(between)?;
        (0.0..=LONGEST).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
    }

    /// The failures, in order. The last one of a task that failed carries the contexts, which a
    /// success has among its outputs.
    fn failures(&self, phase: ObservedPhase) -> Vec<Failure> {
        let listed = self.0.list("errors", FAILURES_MAX).map(|last| last.items).unwrap_or_default();
        let single = self.field("error").filter(|error| listed.is_empty() && error.is_object());
        let listed = listed.into_iter().map(|text| small(text).unwrap_or_default());
        let mut failures: Vec<Failure> =
            listed.chain(single).map(|error| failure(&error)).collect();
        if let Some(failure) = failures.last_mut().filter(|_| phase == ObservedPhase::Failed)
            && let Some(Value::Object(error)) = &mut failure.error
        {
            failure.retryable = false;
            for name in ["initial_context", "previous_context"] {
                error.extend(self.context(name).map(|context| (name.to_owned(), context)));
            }
        }
        failures
    }

    /// The contexts. What the task made is a variable of it; what it was given is kept with the
    /// attempt.
    fn outputs(&self) -> Vec<Output> {
        let names = ["initial_context", "previous_context", "current_context"];
        let output = |name: &str| {
            let value = self.context(name)?;
            let declared = name == "current_context";
            Some(Output { name: name.to_owned(), value, declared, secret: false })
        };
        names.into_iter().filter_map(output).collect()
    }

    /// A context: JSON, or JSON in a text, or for a class of steps a map of such texts. A text that
    /// is none, because it holds `NaN` or is a printed object, stays a text.
    fn context(&self, name: &str) -> Option<Value> {
        let Some(found) = small(self.0.get(name)?) else {
            // In the client's own words.
            return Some(json!({ "message": "Context size exceeded" }));
        };
        let decoded = match &found {
            Value::Null => return None,
            Value::Object(steps) if !steps.is_empty() && steps.keys().all(|key| is_ulid(key)) => {
                let steps = steps.iter().map(|(step, value)| (step.clone(), inner(value)));
                Value::Object(steps.collect())
            }
            other => inner(other),
        };
        // What is in the texts may be one level too deep together with the map.
        Some(if check(&decoded).is_ok() { decoded } else { found })
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.field(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What the body says under a key, unless that is nothing, or more than anything is taken of.
    fn field(&self, key: &str) -> Option<Value> {
        small(self.0.get(key)?).filter(|value| !value.is_null())
    }
}

/// A part of a body as a value, if it is not too large for one.
fn small(text: &str) -> Option<Value> {
    (text.len() <= CONTEXT_BYTES).then(|| read(text.as_bytes()).ok())?
}

/// What names a workflow or a task.
pub(super) fn identity(text: &str, what: &str) -> Result<String, Problem> {
    let length = text.chars().count();
    if (1..=NAME_MAX).contains(&length) && !text.contains(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Problem::argument(format!(
        "the {what}'s id has 1 to {NAME_MAX} characters, none of them a control"
    )))
}

fn inner(value: &Value) -> Value {
    let decoded = value.as_str().and_then(|text| read(text.as_bytes()).ok());
    decoded.unwrap_or_else(|| value.clone())
}

fn is_ulid(key: &str) -> bool {
    key.len() == 26 && key.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

fn failure(error: &Value) -> Failure {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let (exception, message) =
        (cut(text("exception"), NAME_MAX), cut(text("message"), MESSAGE_MAX));
    let kind = match exception.as_str() {
        "TimeoutError" => FailureKind::Timeout,
        _ => FailureKind::Plugin,
    };
    let said = match (exception.is_empty(), message.is_empty()) {
        (true, true) => "it failed, and no error was reported".to_owned(),
        (true, false) => message,
        (false, true) => exception.clone(),
        (false, false) => format!("{exception}: {message}"),
    };
    let lines: Vec<&str> = text("traceback").lines().collect();
    let last = lines.len().saturating_sub(TRACE_LINES);
    Failure {
        error: Some(json!({ "exception": exception })),
        tail: lines[last..].iter().map(|line| cut(line, TRACE_LINE_MAX)).collect(),
        ..Failure::retryable(kind, said)
    }
}

/// A time with a zone or without.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    text.parse().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// The beginning of a text, so many characters, without controls.
fn cut(text: &str, most: usize) -> String {
    let whole = |letter: char| if letter.is_control() && letter != '\t' { ' ' } else { letter };
    text.chars().take(most).map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: &Value) -> Body<'static> {
        Body::read(value.to_string().leak().as_bytes()).unwrap()
    }

    #[test]
    fn workflows_are_created_in_every_shape() {
        for (shape, id, name) in [
            (json!({ "id": "w" }), "w", None),
            (json!({ "id": "w", "execution_mode": "sequential", "keep_going": false }), "w", None),
            (
                json!({ "tasks": [], "execution_mode": "x", "keep_going": true, "id": "w" }),
                "w",
                None,
            ),
            (
                json!({ "workflow_id": "w", "workflow_name": "demo", "tasks": [], "id": "w", "name": "demo" }),
                "w",
                Some("demo"),
            ),
            (json!({ "workflow_id": 7, "name": "  " }), "7", None),
        ] {
            let body = body(&shape);
            assert_eq!(body.created_workflow().unwrap(), id);
            assert_eq!(body.name().as_deref(), name);
            assert!(body.tasks().unwrap().is_empty());
        }
        for wrong in [json!({}), json!({ "id": [] }), json!({ "id": "" }), json!({ "id": "a\nb" })]
        {
            assert!(body(&wrong).created_workflow().is_err(), "{wrong}");
        }
        for wrong in ["", "[]", "3", "{\"id\":", "{\"id\": NaN}"] {
            assert!(Body::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let deep = format!("{{\"id\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        assert!(Body::read(deep.as_bytes()).is_err());
    }

    #[test]
    fn tasks_are_created_and_changed_in_every_shape() {
        let early = body(&json!({
            "id": 0, "step": "<function a>", "callback": "<function b>",
            "initial_context": { "i": 1 }, "group_name": "default",
        }));
        let task = early.task(None).unwrap();
        assert_eq!((task.def.name.as_str(), task.phase), ("0", ObservedPhase::Waiting));
        assert_eq!(task.def.execution.parallel_group, None);
        assert_eq!(task.outputs[0].value, json!({ "i": 1 }));
        let full = body(&json!({
            "task_id": "01M7XP6F59AA3BPET8HHT16XMF", "workflow_id": "w", "status": "Completed",
            "duration": 0.25, "initial_context": null, "current_context": "{\"users\": 150}",
            "previous_context": "\"loaded 120\"", "group_name": "g", "retry_count": 0,
            "created_at": "2026-11-20T23:55:47.241624", "started_at": null, "finished_at": null,
            "errors": [], "id": "01M7XP6F59AA3BPET8HHT16XMF", "error": null,
        }));
        let task = full.task(Some("01M7XP6F59AA3BPET8HHT16XMF")).unwrap();
        assert_eq!(task.phase, ObservedPhase::Succeeded);
        assert_eq!(task.ran, Some(Duration::from_millis(250)));
        assert_eq!(task.def.execution.parallel_group.as_deref(), Some("g"));
        let outputs: Vec<_> =
            task.outputs.iter().map(|it| (it.name.as_str(), &it.value, it.declared)).collect();
        let (previous, current) = (json!("loaded 120"), json!({ "users": 150 }));
        let expected =
            [("previous_context", &previous, false), ("current_context", &current, true)];
        assert_eq!(outputs, expected);
        assert_eq!(full.workflow_of_task().unwrap(), "w");
        let trimmed = body(&json!({ "status": "Failed", "errors": [{ "message": "x" }] }));
        let task = trimmed.task(Some("3")).unwrap();
        assert_eq!(task.failures[0].message, "x");
        assert!(!task.failures[0].retryable);
    }

    #[test]
    fn every_status_is_known_and_no_other() {
        for (status, word) in [
            (json!("In progress"), Word::Began),
            (json!("Completed"), Word::Ended(RunOutcome::Succeeded)),
            (json!("FAILED"), Word::Ended(RunOutcome::Failed)),
            (json!("New"), Word::Nothing),
            (json!("Not started"), Word::Nothing),
            (json!("Paused"), Word::Nothing),
            (json!("Retry"), Word::Nothing),
            (json!(null), Word::Nothing),
        ] {
            assert_eq!(body(&json!({ "status": status })).word().unwrap(), word);
        }
        for wrong in [json!("done"), json!(1), json!({}), json!("x".repeat(10_000))] {
            let problem = body(&json!({ "status": wrong })).word().unwrap_err();
            assert!(problem.message.len() < 300);
        }
    }

    #[test]
    fn contexts_are_decoded_as_far_as_they_can_be() {
        let context =
            |value: Value| body(&json!({ "current_context": value })).context("current_context");
        let ulid = "01M7XP6F59AA3BPET8HHT16XMF";
        assert_eq!(context(json!("{\"a\": [1, null]}")), Some(json!({ "a": [1, null] })));
        assert_eq!(context(json!("{\"a\": NaN}")), Some(json!("{\"a\": NaN}")));
        assert_eq!(context(json!("<object at 0x7f>")), Some(json!("<object at 0x7f>")));
        assert_eq!(context(json!({ ulid: "{\"x\": 1}" })), Some(json!({ ulid: { "x": 1 } })));
        assert_eq!(context(json!({ "x": "1" })), Some(json!({ "x": "1" })));
        assert_eq!(context(json!(null)), None);
        let large = context(json!("x".repeat(CONTEXT_BYTES))).unwrap();
        assert_eq!(large["message"], "Context size exceeded");
    }

    #[test]
    fn failures_say_what_the_errors_said() {
        let error = |attempt: Value, exception: &str, message: &str| {
            json!({ "attempt": attempt, "exception": exception, "message": message,
                "traceback": "Traceback:\n  File \"x\"\nE" })
        };
        let failed = body(&json!({
            "status": "Failed", "initial_context": "{\"a\": 1}",
            "errors": [error(json!(1), "ValueError", "kaput"), error(json!(null), "TimeoutError", "")],
        }));
        let failures = failed.task(Some("t")).unwrap().failures;
        assert_eq!(failures[0].message, "ValueError: kaput");
        assert_eq!((failures[0].kind, failures[0].retryable), (FailureKind::Plugin, true));
        assert_eq!(failures[0].tail, ["Traceback:", "  File \"x\"", "E"]);
        assert_eq!((failures[1].kind, failures[1].retryable), (FailureKind::Timeout, false));
        assert_eq!(failures[1].message, "TimeoutError");
        let error = failures[1].error.as_ref().unwrap();
        assert_eq!(error, &json!({ "exception": "TimeoutError", "initial_context": { "a": 1 } }));
        let many = json!({ "status": "Retry", "errors": vec![json!(7); 10_000] });
        assert_eq!(body(&many).task(Some("t")).unwrap().failures.len(), FAILURES_MAX);
    }

    #[test]
    fn a_body_brings_no_more_tasks_than_a_run_has() {
        let with = |count: usize| {
            let tasks: Vec<Value> = (0..count).map(|id| json!({ "id": id })).collect();
            body(&json!({ "id": "w", "tasks": tasks })).tasks().map(|tasks| tasks.len())
        };
        assert_eq!(with(OBSERVED_TASKS_MAX).unwrap(), OBSERVED_TASKS_MAX);
        assert_eq!(with(OBSERVED_TASKS_MAX + 1).unwrap_err().code, ErrorCode::LimitReached);
        assert!(body(&json!({ "id": "w", "tasks": [7] })).tasks().is_err());
        assert!(body(&json!({ "id": "w", "tasks": null })).tasks().unwrap().is_empty());
        assert_eq!(Body::read(b"{\"id\":1,\"id\":2}").unwrap().created_workflow().unwrap(), "2");
    }

    #[test]
    fn contexts_stay_within_the_depth() {
        let lists = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let context =
            |value: Value| body(&json!({ "current_context": value })).context("current_context");
        let step = "01M7XP6F59AA3BPET8HHT16XMF";
        assert_eq!(
            context(json!(lists(64))).unwrap(),
            read::<Value>(lists(64).as_bytes()).unwrap()
        );
        assert_eq!(context(json!(lists(65))).unwrap(), lists(65), "it stays a text");
        let map = json!({ step: lists(64) });
        assert_eq!(context(map.clone()).unwrap(), map);
        assert_eq!(context(json!({ step: "[1]" })).unwrap(), json!({ step: [1] }));
        let ladder = json!({ "$serde_json::private::RawValue": "[1]" });
        assert_eq!(context(json!(ladder.to_string())).unwrap(), ladder.to_string());
        for body in [json!({ "current_context": ladder }), json!({ "other": ladder })] {
            assert!(Body::read(body.to_string().as_bytes()).is_err());
        }
    }

    #[test]
    fn times_without_a_zone_give_durations() {
        let ran = |value: Value| body(&value).ran();
        let times = json!({
            "started_at": "2026-11-20T23:55:47.250000", "finished_at": "2026-11-20T23:55:48.500000",
        });
        assert_eq!(ran(times), Some(Duration::from_millis(1250)));
        for none in [
            json!({}),
            json!({ "duration": -1 }),
            json!({ "duration": 1e300 }),
            json!({ "started_at": "x", "finished_at": "y" }),
            json!({ "started_at": "2026-11-20T10:00:00", "finished_at": "2026-11-20T09:00:00" }),
        ] {
            assert_eq!(ran(none.clone()), None, "{none}");
        }
    }
}
