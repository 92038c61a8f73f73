//! One event of each type, as the catalogue shows them.

use crate::{AttemptOf, FailureEvent, OutputEvent, RunEvent, RunEventKind as Kind, rfc3339};
use serde_json::json;

/// One event of each type, in the order of [`RunEventKind::TYPES`](Kind::TYPES). Together they tell
/// no story: each has the number and the time of its place in the list.
pub(crate) fn examples() -> Vec<RunEvent> {
    let numbered = (1..).zip(of_runs().into_iter().chain(of_tasks()).chain(of_people()));
    let event = |(seq, what)| RunEvent {
        run: "01kvy9m2c8t4q0r6w1x5z3a7b9".into(),
        seq,
        at: rfc3339(1_795_250_000_000_000 + seq * 1_250),
        what,
    };
    numbered.map(event).collect()
}

fn of_runs() -> Vec<Kind> {
    vec![
        Kind::RunStarted {
            namespace: "default".into(),
            workflow: "nightly-report".into(),
            version: "1.2.0".into(),
            correlation_id: "order-66".into(),
        },
        Kind::RunPaused { by: "ann".into() },
        Kind::RunResumed { by: "ann".into() },
        Kind::CancelRequested { by: "ann".into(), reason: "the source is down".into() },
        Kind::RunReopened { by: "ann".into(), tasks: vec!["load".into()] },
        Kind::RunFinished { outcome: "succeeded".into() },
    ]
}

fn of_tasks() -> Vec<Kind> {
    vec![
        Kind::TaskDeclared { task: "load".into(), group: Some("nightly".into()) },
        Kind::TaskFired { task: "convert".into(), items: Some(vec![json!("a.csv")]) },
        Kind::TaskAssigned { of: attempt("extract") },
        Kind::TaskStarted { of: attempt("extract") },
        Kind::TaskSucceeded { of: attempt("extract"), outputs: vec![output()] },
        Kind::TaskFailed {
            of: attempt("load"),
            failure: FailureEvent {
                kind: "exit".into(),
                code: "L401".into(),
                message: "the command exited with status 75".into(),
                retryable: true,
                retry_after: None,
                exit_status: Some(75),
                error: None,
                tail: vec!["connection refused".into()],
            },
            retry_at: Some(rfc3339(1_795_250_001_000_000)),
        },
        Kind::TaskGathered { task: "convert".into(), failed: 0 },
        Kind::TaskInterrupted { of: attempt("load") },
        Kind::TaskSkipped {
            task: "alarm".into(),
            reason: json!({ "why": "condition", "when": "USED >= 95" }),
        },
    ]
}

fn of_people() -> Vec<Kind> {
    let (by, reason) = (|| "ann".to_owned(), || "it hangs".to_owned());
    vec![
        Kind::TaskCancelRequested { task: "load".into(), by: by(), reason: reason() },
        Kind::TaskSkipRequested { task: "load".into(), by: by(), reason: reason() },
        Kind::TaskAmended {
            task: "load".into(),
            by: by(),
            max_attempts: Some(5),
            inputs: [("TARGET".to_owned(), json!("standby"))].into(),
        },
        Kind::TaskCancelled { task: "load".into(), item: None },
        Kind::TaskResolved {
            task: "load".into(),
            by: by(),
            reason: "loaded by hand".into(),
            outputs: vec![output()],
        },
        Kind::Custom {
            name: "billing.invoiced".into(),
            task: "invoice".into(),
            payload: [("INVOICE".to_owned(), json!("2026-117"))].into(),
        },
    ]
}

fn attempt(task: &str) -> AttemptOf {
    AttemptOf { task: task.into(), item: None, attempt: 1 }
}

fn output() -> OutputEvent {
    OutputEvent { name: "ROWS".into(), value: json!(1200), declared: true, secret: false }
}
