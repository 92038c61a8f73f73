//! Things to put into a store.

use crate::{NewRun, Retention, RunCommit, RunMeta, definition_hash};
use loom_core::{
    Definition, EnvVar, Event, Failure, FailureKind, Output, Producer, Request, RunId, RunOutcome,
    RunState, SkipReason, TaskDef, TaskIx, TaskRef, Timestamp, Value, Variable,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The secret that [`secretive_run`] and its events hold, in every place that can hold one.
pub const SECRET: &str = "correct horse battery staple";

/// The `n`-th run's identity; a greater `n` is younger.
pub const fn run_id(n: u64) -> RunId {
    RunId::new(1_700_000_000_000 + n, 0x5eed_5eed * (n as u128 + 1))
}

/// A point in time, `n` seconds into the samples' era.
pub const fn at(n: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + n * 1000)
}

/// A workflow of this name with one task.
pub fn definition(name: &str) -> Definition {
    Definition::new(name, vec![TaskDef::new("only", "noop")])
}

/// What a run of this workflow is created from.
pub fn new_run(definition: Definition) -> NewRun {
    NewRun {
        hash: definition_hash(&definition),
        definition: Arc::new(definition),
        variables: Arc::new(vec![variable("TRUE", "1", false)]),
        workers: 4,
        base: "/home/somebody".into(),
        created_at: at(0),
        meta: Arc::default(),
    }
}

/// Everything that can be said about a run.
pub fn full_meta() -> RunMeta {
    RunMeta {
        tags: ["nightly", "Überfällig"].map(Into::into).into(),
        annotations: [("team", "data"), ("order", "4711")]
            .map(|(key, value)| (key.into(), value.into()))
            .into(),
        initiator: "somebody@example.org".into(),
        source: "schedule".into(),
        reason: "Because it is Monday".into(),
        correlation_id: "c-1".into(),
        priority: -100,
        start_at: Some(at(3600)),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        concurrency_key: Some("orders".into()),
        rerun_of: Some(run_id(0)),
        given_secrets: ["PIN".into()].into(),
        external: Some("airflow".into()),
    }
}

/// Creates the run, queued and without events.
pub fn created(run: RunId) -> RunCommit {
    creates(run, new_run(definition("sample")))
}

/// Creates the run from this, queued and without events.
pub const fn creates(run: RunId, new: NewRun) -> RunCommit {
    RunCommit {
        run,
        new: Some(new),
        first_seq: 1,
        events: Vec::new(),
        settles: Vec::new(),
        state: RunState::Queued,
        state_changed: true,
    }
}

/// Records events that leave the run running.
pub const fn records(run: RunId, first_seq: u64, events: Vec<Event>) -> RunCommit {
    RunCommit {
        run,
        new: None,
        first_seq,
        events,
        settles: Vec::new(),
        state: RunState::Running,
        state_changed: false,
    }
}

/// Records one event that leads to this state.
pub fn becomes(run: RunId, first_seq: u64, event: Event, state: RunState) -> RunCommit {
    RunCommit { state, state_changed: true, ..records(run, first_seq, vec![event]) }
}

/// Creates the run and ends it at once, `finished` seconds into the era.
pub fn ended(run: RunId, new: NewRun, finished: u64) -> RunCommit {
    let outcome = RunOutcome::Succeeded;
    RunCommit {
        events: vec![
            Event::RunStarted { at: at(0) },
            Event::RunFinished { at: at(finished), outcome },
        ],
        state: RunState::Succeeded,
        ..creates(run, new)
    }
}

/// What prunes all runs that ended less than so many seconds into the era, at most `limit`.
pub fn older_than(seconds: u64, limit: usize) -> Retention {
    Retention { before: at(seconds), limit, ..Retention::default() }
}

/// The `n`-th of a series of small events, each of them different.
pub const fn event(n: u64) -> Event {
    Event::Started { at: at(n), task: TaskRef::whole(TaskIx(0)), attempt: n as u32 }
}

/// The events from the `from`-th to the `to`-th.
pub fn events(from: u64, to: u64) -> Vec<Event> {
    (from..=to).map(event).collect()
}

/// A variable.
pub fn variable(name: &str, value: impl Into<Value>, secret: bool) -> Variable {
    Variable { name: name.into(), value: value.into(), secret }
}

/// An output.
pub fn output(name: &str, value: impl Into<Value>, secret: bool) -> Output {
    Output { name: name.into(), value: value.into(), declared: true, secret }
}

/// A success that emits these.
pub const fn emits(outputs: Vec<Output>) -> Event {
    Event::Succeeded { at: at(1), task: TaskRef::whole(TaskIx(0)), attempt: 1, outputs }
}

/// One of each kind of event, and of each kind of thing in them.
pub fn every_event() -> Vec<Event> {
    let mut events = run_events();
    events.extend(attempt_events());
    events.extend(skips());
    events
}

fn run_events() -> Vec<Event> {
    let by = || "somebody".to_owned();
    let finished = |outcome| Event::RunFinished { at: at(9), outcome };
    vec![
        Event::RunStarted { at: at(1) },
        Event::RunPaused { at: at(2), by: by() },
        Event::RunResumed { at: at(3), by: by() },
        Event::CancelRequested { at: at(4), by: by(), reason: "tired".into() },
        Event::CancelRequested { at: at(4), by: by(), reason: String::new() },
        finished(RunOutcome::Failed),
        Event::RunReopened { at: at(5), by: by(), tasks: vec![TaskRef::item(TaskIx(2), 7)] },
        finished(RunOutcome::Cancelled),
        finished(RunOutcome::Succeeded),
    ]
}

fn attempt_events() -> Vec<Event> {
    let (at, task, attempt) = (at(6), TaskRef::whole(TaskIx(3)), 2);
    let undeclared = Output { declared: false, ..output("NOISE", "x", false) };
    let full = Failure {
        retryable: true,
        retry_after: Some(Duration::from_millis(1500)),
        exit_status: Some(75),
        error: Some(json!({"code": [1, 2.5, null]})),
        tail: vec!["one".into(), "two".into()],
        ..Failure::permanent(FailureKind::Exit, "exit status 75")
    };
    let bare = Failure::permanent(FailureKind::PermissionDenied, "no");
    let failed = |failure, retry_at| Event::Failed {
        at,
        task: TaskRef::item(TaskIx(4), 0),
        attempt,
        failure: Box::new(failure),
        retry_at,
    };
    vec![
        Event::Fired { at, task, items: Some(vec![json!("a"), json!({"b": 1})]), secret: false },
        Event::Fired { at, task, items: Some(vec![json!("hidden")]), secret: true },
        Event::Fired { at, task, items: None, secret: false },
        Event::Assigned { at, task, attempt },
        Event::Started { at, task: TaskRef::item(TaskIx(0), u32::MAX), attempt },
        Event::Succeeded {
            at,
            task,
            attempt,
            outputs: vec![
                output("A", json!({"deep": [1, "2", null, true]}), false),
                output("B", SECRET, true),
                undeclared,
            ],
        },
        Event::Succeeded { at, task, attempt, outputs: vec![] },
        failed(full, Some(Timestamp(7))),
        failed(bare, None),
        Event::Gathered { at, task, failed: 3 },
        Event::Interrupted { at, task, attempt },
        Event::TaskCancelRequested { at, task, by: "somebody".into(), reason: "it hangs".into() },
        Event::SkipRequested { at, task, by: "somebody".into(), reason: String::new() },
        Event::Amended {
            at,
            task,
            by: "somebody".into(),
            max_attempts: Some(3),
            inputs: vec![variable("A", SECRET, true), variable("B", json!([1]), false)],
        },
        Event::Emitted {
            at,
            task,
            name: "order.placed".into(),
            payload: vec![variable("A", json!({"in": SECRET}), true), variable("B", 1, false)],
        },
        Event::Cancelled { at, task },
        Event::Declared { at, task, def: Box::new(TaskDef::new("later", "other")) },
        Event::Resolved {
            at,
            task,
            by: "somebody".into(),
            reason: "by hand".into(),
            outputs: vec![output("C", json!([SECRET]), true)],
        },
    ]
}

fn skips() -> Vec<Event> {
    let reasons = [
        SkipReason::NoProducer {
            variable: "V".into(),
            producers: vec![Producer { task: "t".into(), ended: "failed".into() }],
        },
        SkipReason::Dependency { task: "t".into() },
        SkipReason::Condition { when: "V == \"1\"".into() },
        SkipReason::Circular {
            variables: vec!["V".into(), "W".into()],
            producers: vec![Producer { task: "p".into(), ended: "waiting".into() }],
            tasks: vec!["d".into()],
        },
        SkipReason::Stopped { task: "t".into() },
        SkipReason::ByHand { by: "somebody".into(), reason: "not today".into() },
    ];
    let skipped = |reason| Event::Skipped { at: at(8), task: TaskRef::whole(TaskIx(5)), reason };
    reasons.map(skipped).into()
}

/// One of each kind of request.
pub fn every_request() -> Vec<Request> {
    let by = || "somebody".to_owned();
    vec![
        Request::Pause { by: by() },
        Request::Resume { by: by() },
        Request::Retry { by: by(), task: None },
        Request::Retry { by: by(), task: Some("only".into()) },
        Request::Resolve {
            by: by(),
            task: "only".into(),
            reason: "by hand".into(),
            outputs: vec![variable("A", SECRET, true), variable("B", 1, false)],
            without_outputs: true,
        },
        Request::Cancel { by: by(), reason: "tired".into() },
        Request::CancelTask { by: by(), reason: "it hangs".into(), task: "only".into() },
        Request::Skip { by: by(), reason: "not today".into(), task: "only".into() },
        Request::Amend {
            by: by(),
            task: "only".into(),
            max_attempts: Some(3),
            inputs: vec![variable("A", SECRET, true), variable("B", json!([1]), false)],
        },
    ]
}

/// A run whose definition and variables hold [`SECRET`].
pub fn secretive_run() -> NewRun {
    let mut definition = definition("secretive");
    let env =
        |name: &str, value: &str, secret| EnvVar { name: name.into(), value: value.into(), secret };
    definition.env = vec![
        env("API_TOKEN", "{{ENV:API_TOKEN}}", true),
        env("MARKED", SECRET, true),
        env("NAMED", &format!("user:{SECRET}"), false),
        env("OPEN", "readable", false),
    ];
    definition.secrets = vec!["NAMED".into()];
    NewRun {
        variables: Arc::new(vec![
            variable("API_TOKEN", SECRET, true),
            variable("DEEP", json!({"in": [SECRET]}), true),
            variable("OPEN", "readable", false),
        ]),
        ..new_run(definition)
    }
}
