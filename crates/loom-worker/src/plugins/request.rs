//! The JSON request that tells a plugin's process what to do.

use super::persistent::PROTOCOL;
use crate::environment;
use crate::job::Job;
use serde_json::{Map, Value, json};

/// Everything about an attempt that its plugin may know.
pub(super) fn of(job: &Job) -> Map<String, Value> {
    let request = &job.request;
    let env: Map<String, Value> = environment::names(request)
        .filter_map(|name| {
            let value = environment::variable(request, name)?;
            Some((name.to_owned(), value.into_owned()))
        })
        .collect();
    let context: Map<String, Value> =
        request.context.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let body = json!({
        "protocol": PROTOCOL,
        "run": request.id.run,
        "workflow": request.workflow,
        "task": request.task,
        "attempt": request.id.attempt,
        "idempotency_key": request.idempotency_key,
        "env": env,
        "params": job.params,
        "outputs": request.outputs,
        "permissions": job.granted,
        "item": request.item,
        "context": context,
    });
    match body {
        Value::Object(body) => body,
        _ => unreachable!("the literal above is an object"),
    }
}
