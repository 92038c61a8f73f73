//! A recorded run as one JSON document.

use loom_core::{
    Act, Amended, AttemptRecord, AttemptResult, Counts, Ending, History, Intervention, SetBy,
    TaskIx, TaskPhase, TaskRecord, Timestamp, VariableRecord,
};
use loom_protocol::{MASK, rfc3339};
use loom_server::wire::{failure_event, masked};
use loom_store::RunSummary;
use serde_json::{Map, Value, json};

/// Everything that is known of a run. `docs/cli.md` describes it.
pub(crate) fn document(run: &RunSummary, history: &History, now: Timestamp) -> Value {
    let plan = history.run().plan();
    let path = history.critical_path(now).map(|path| {
        let link = |link: &loom_core::PathLink| {
            json!({
                "task": plan.task(link.task).name,
                "item": link.item,
                "ready_at": time(link.ready_at),
                "ended_at": time(link.ended_at),
                "queued_s": link.queued.as_secs_f64(),
                "ran_s": link.ran.as_secs_f64(),
                "backed_off_s": link.backed_off.as_secs_f64(),
            })
        };
        path.links.iter().map(link).collect::<Vec<_>>()
    });
    json!({
        "run": run.id.to_string(),
        "namespace": run.namespace,
        "workflow": run.workflow,
        "version": run.version,
        "state": run.state.name(),
        "alive": run.alive,
        "created_at": time(run.created_at),
        "started_at": history.started_at().map(time),
        "finished_at": history.finished_at().map(time),
        "workers": run.workers,
        "base": run.base,
        "counts": counts(history.counts()),
        "variables": history.variables().map(|one| variable(history, one)).collect::<Vec<_>>(),
        "tasks": history.tasks().map(|(ix, one)| task(history, ix, one)).collect::<Vec<_>>(),
        "interventions": history.interventions().iter().map(|one| intervention(history, one))
            .collect::<Vec<_>>(),
        "critical_path": path,
    })
}

fn time(at: Timestamp) -> String {
    rfc3339(at.0)
}

fn counts(counts: Counts) -> Value {
    let of = |phase: TaskPhase| (phase.name().to_owned(), Value::from(counts.of(phase)));
    Value::Object(TaskPhase::ALL.map(of).into_iter().collect())
}

fn variable(history: &History, variable: VariableRecord<'_>) -> Value {
    let value = if variable.secret { &Value::from(MASK) } else { variable.value };
    let set_by = match variable.set_by {
        SetBy::Start | SetBy::Amendment => Value::Null,
        SetBy::Task(task) => history.run().plan().task(task).name.as_str().into(),
    };
    json!({
        "name": variable.name,
        "value": value,
        "secret": variable.secret,
        "set_by": set_by,
        "at": time(variable.at),
    })
}

fn task(history: &History, ix: TaskIx, record: &TaskRecord) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("name", history.run().plan().task(ix).name.as_str().into());
    put("phase", history.run().phase(ix).name().into());
    put("waiting_since", time(record.waiting_since).into());
    put("ready_at", json!(record.enabled.map(|enabled| time(enabled.at))));
    put("settled_at", json!(record.settled_at().map(time)));
    if let Some((count, settled)) = history.run().items(ix) {
        put("items", json!({ "count": count, "settled": settled }));
    }
    put("attempts", record.attempts.iter().map(attempt).collect());
    match record.settled.as_ref().map(|settled| &settled.how) {
        Some(Ending::Skipped(reason)) => {
            put("skipped", json!(reason));
        }
        Some(Ending::Resolved(resolution)) => {
            put("resolved", json!({ "by": resolution.by, "reason": resolution.reason }));
        }
        Some(Ending::FailedUnattempted(failure)) => {
            put("failure", json!(failure_event(failure)));
        }
        _ => {}
    }
    Value::Object(object)
}

fn attempt(attempt: &AttemptRecord) -> Value {
    let result = match attempt.result {
        AttemptResult::UnderWay if attempt.started_at.is_some() => "running",
        AttemptResult::UnderWay => "held",
        AttemptResult::Succeeded { .. } => "succeeded",
        AttemptResult::Failed { .. } => "failed",
        AttemptResult::Interrupted { .. } => "interrupted",
        AttemptResult::Cancelled { .. } => "cancelled",
    };
    json!({
        "attempt": attempt.number,
        "item": attempt.item,
        "ready_at": time(attempt.ready_at),
        "assigned_at": attempt.assigned_at.map(time),
        "started_at": attempt.started_at.map(time),
        "ended_at": attempt.ended_at().map(time),
        "result": result,
        "failure": attempt.failure().map(failure_event),
        "retry_at": attempt.retry_at().map(time),
    })
}

fn intervention(history: &History, one: &Intervention) -> Value {
    let name = |task: &TaskIx| history.run().plan().task(*task).name.clone();
    let (act, tasks, reason) = match &one.act {
        Act::Pause => ("pause", Vec::new(), ""),
        Act::Resume => ("resume", Vec::new(), ""),
        Act::Cancel(reason) => ("cancel", Vec::new(), reason.as_str()),
        Act::Retry(tasks) => ("retry", tasks.iter().map(name).collect(), ""),
        Act::Resolve(task, reason) => ("resolve", vec![name(task)], reason.as_str()),
        Act::CancelTask(task, reason) => ("cancel_task", vec![name(task)], reason.as_str()),
        Act::Skip(task, reason) => ("skip", vec![name(task)], reason.as_str()),
        Act::Amend(task, _) => ("amend", vec![name(task)], ""),
    };
    let mut object =
        json!({ "at": time(one.at), "by": one.by, "act": act, "tasks": tasks, "reason": reason });
    if let Act::Amend(_, Amended { max_attempts, inputs }) = &one.act {
        object["max_attempts"] = json!(max_attempts);
        object["inputs"] = json!(masked(inputs));
    }
    object
}
