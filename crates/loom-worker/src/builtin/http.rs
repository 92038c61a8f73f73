//! `http`: one HTTP request.
//!
//! Redirects are followed for GET and HEAD only: a request that changes something goes to the
//! address that was given, or not at all.

mod prepared;
mod schema;

use crate::http::{Answer, Exchange, Trouble};
use crate::job::{BadParam, Ended, Job, Plugin, failure, output, timeout};
use crate::params;
use crate::stop::Wakeup;
use crate::sys::{self, Watched};
use loom_protocol::{AttemptOutput, ErrorCode, PluginManifest, json};
use prepared::Prepared;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most bytes of an answer that a request may ask for.
const MAX_MAX_BODY: u64 = 64 << 20;
/// How much of an unexpected answer the log shows, in bytes.
const EXCERPT: usize = 2048;

/// `http`: asks a server.
pub(crate) struct Http(PluginManifest);

impl Http {
    pub(crate) fn new() -> Self {
        Self(PluginManifest {
            description: "Sends an HTTP request and emits what the answer holds.".to_owned(),
            params: Some(schema::params()),
            ..PluginManifest::default()
        })
    }

    /// Whether there is such a parameter.
    fn takes(&self, param: &str) -> bool {
        let schema = self.0.params.as_ref();
        schema.is_some_and(|schema| schema["properties"].get(param).is_some())
    }
}

impl Plugin for Http {
    fn manifest(&self) -> &PluginManifest {
        &self.0
    }

    fn wrong_params(&self, params: &Map<String, Value>) -> Vec<BadParam> {
        params::wrong(params, |known| {
            // One that is not known may yet be right, and one that there is not is told of by the schema.
            let mut known = known.clone();
            known.retain(|name, _| self.takes(name));
            known.entry("url").or_insert_with(|| "http://localhost/".into());
            Prepared::read(&known).map(drop)
        })
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let mut prepared = Prepared::read(&job.params)?;
        prepared.repeatable(&job.request.idempotency_key)?;
        let Prepared { mut exchange, expected, outputs, shown } = prepared;
        let (limit, max_body) = (exchange.timeout, exchange.max_body);
        if let Some(deadline) = job.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            exchange.timeout = limit.min(left.max(Duration::from_millis(1)));
        }
        let answered = attend(job, exchange)?;
        let answer = answered.map_err(|trouble| match trouble {
            Trouble::Timeout => {
                let message =
                    format!("{shown} took longer than its `timeout` of {} s", limit.as_secs_f64());
                failure(ErrorCode::TaskTimeout, message, true)
            }
            Trouble::Connection(why) => {
                failure(ErrorCode::Connection, format!("{shown} failed: {why}"), true)
            }
            Trouble::Certificates(why) => {
                let message = format!("{shown} was not sent: {why}; correct SSL_CERT_FILE");
                failure(ErrorCode::Connection, message, false)
            }
            Trouble::TooLarge => {
                let message = format!(
                    "{shown} answered with more than {max_body} bytes; raise `max_body` (at most \
                     {MAX_MAX_BODY})"
                );
                failure(ErrorCode::BadOutput, message, false)
            }
        })?;
        job.log.line(&format!("{shown}: {}, {} bytes", answer.status, answer.body.len()));
        let is_expected =
            expected.iter().any(|(first, last)| (*first..=*last).contains(&answer.status));
        if !is_expected {
            return Err(unexpected(job, &shown, &answer));
        }
        emit(job, &shown, &outputs, answer)
    }
}

/// Has the exchange done by another thread and waits for it, for the attempt's end and for requests
/// to stop. A thread that nobody waits for any more ends with its exchange's time.
fn attend(job: &Job, exchange: Exchange) -> Result<Result<Answer, Trouble>, Ended> {
    let internal = |error: io::Error| {
        let message = format!("the request could not be started: {error}");
        failure(ErrorCode::TaskSpawn, message, true)
    };
    let wakeup = Arc::new(Wakeup::new().map_err(internal)?);
    let result = Arc::new(Mutex::new(None));
    let client = job.host.client.clone();
    let (done, theirs) = (Arc::clone(&wakeup), Arc::clone(&result));
    std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            let answered = catch_unwind(AssertUnwindSafe(|| client.exchange(exchange)));
            *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
            done.wake();
        })
        .map_err(internal)?;
    let _guard = job.stop.wake(&wakeup);
    loop {
        sys::poll(&mut [Watched::readable(wakeup.as_fd())], job.deadline).map_err(internal)?;
        wakeup.clear();
        if let Some(answered) = result.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic there is one of the attempt.
            return Ok(answered.unwrap_or_else(|panic| resume_unwind(panic)));
        }
        if job.stop.asked().is_some() {
            return Err(Ended::Stopped);
        }
        if job.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(timeout(&job.request));
        }
    }
}

/// Rule 11: what may pass is retryable, and a wish to wait is honoured.
fn unexpected(job: &mut Job, shown: &str, answer: &Answer) -> Ended {
    let status = answer.status;
    let excerpt = String::from_utf8_lossy(&answer.body[..answer.body.len().min(EXCERPT)]);
    if !excerpt.trim().is_empty() {
        job.log.line(excerpt.trim_end());
    }
    let retryable = matches!(status, 408 | 429 | 500..);
    let hint = match status {
        401 | 403 => "; check the credentials in `headers`",
        404 => "; check `url`",
        300..=399 => {
            "; set `url` to the address that it redirects to, or add the status to \
                      `expected_status`"
        }
        200..=299 => "; add the status to `expected_status` if it is fine",
        _ => "",
    };
    let message = format!("{shown} answered with the unexpected status {status}{hint}");
    let mut ended = failure(ErrorCode::HttpStatus, message, retryable);
    if let Ended::Failed(info) = &mut ended
        && matches!(status, 429 | 503)
    {
        info.retry_after = answer.retry_after;
    }
    ended
}

fn emit(
    job: &mut Job,
    shown: &str,
    pointers: &BTreeMap<String, String>,
    answer: Answer,
) -> Result<Vec<AttemptOutput>, Ended> {
    let bad = |what: String| failure(ErrorCode::BadOutput, format!("{shown}: {what}"), false);
    let mut emitted = Vec::new();
    if !pointers.is_empty() {
        let body: Value = json::read(&answer.body).map_err(|error| {
            bad(format!("`outputs` needs an answer in JSON that can be read: {error}"))
        })?;
        for (name, pointer) in pointers {
            match body.pointer(pointer) {
                Some(value) => emitted.push(output(name.clone(), value.clone())),
                None => job.log.line(&format!("{name}: the answer has nothing at `{pointer}`")),
            }
        }
    }
    let declared = |name: &str| {
        job.request.outputs.iter().any(|declared| declared == name) && !pointers.contains_key(name)
    };
    if declared("STATUS") {
        emitted.push(output("STATUS", answer.status));
    }
    if declared("BODY") {
        let text = String::from_utf8(answer.body)
            .map_err(|_| bad("the answer is not UTF-8 text, so BODY cannot hold it".to_owned()))?;
        emitted.push(output("BODY", text));
    }
    Ok(emitted)
}

#[cfg(test)]
mod tests;
