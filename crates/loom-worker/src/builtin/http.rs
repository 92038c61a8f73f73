//! `http`: one HTTP request.
//!
//! Redirects are followed for GET and HEAD only: a request that changes something goes to the
//! address that was given, or not at all.

mod schema;

use super::bad_parameter;
use super::instant::duration;
use crate::http::{self, Answer, Exchange, Trouble};
use crate::job::{Ended, Job, Plugin, failure, output, timeout};
use crate::output::is_name;
use crate::stop::Wakeup;
use crate::sys::{self, Watched};
use loom_protocol::{AttemptOutput, AttemptRequest, ErrorCode, PluginManifest, json};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, HeaderValue, Method, header};

/// How long a request may take, unless it says.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The most bytes of an answer, unless the request says.
const MAX_BODY: u64 = 1 << 20;
/// The most bytes of an answer that a request may ask for.
const MAX_MAX_BODY: u64 = 64 << 20;
/// How many redirects are followed, unless the request says.
const MAX_REDIRECTS: u32 = 5;
/// How much of an unexpected answer the log shows, in bytes.
const EXCERPT: usize = 2048;
/// The header by which the far side recognises a repeated request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

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
}

/// The parameters as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    url: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    json: Option<Value>,
    #[serde(default)]
    expected_status: Option<Value>,
    #[serde(default)]
    timeout: Option<Value>,
    #[serde(default)]
    outputs: BTreeMap<String, String>,
    #[serde(default)]
    max_body: Option<Value>,
    #[serde(default)]
    max_redirects: Option<Value>,
}

/// What to send, and what to make of the answer.
struct Prepared {
    exchange: Exchange,
    /// Ranges of statuses, both ends included.
    expected: Vec<(u16, u16)>,
    outputs: BTreeMap<String, String>,
    /// For messages: the method, and the address without what may be secret in it.
    shown: String,
}

impl Prepared {
    fn read(params: &Map<String, Value>, request: &AttemptRequest) -> Result<Self, Ended> {
        let params: Params = serde_json::from_value(Value::Object(params.clone()))
            .map_err(|error| bad_parameter(format!("the parameters of `http`: {error}")))?;
        let uri = http::address(&params.url)
            .map_err(|why| bad_parameter(format!("parameter `url` cannot be used: {why}")))?;
        let method = params.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| bad_parameter(format!("`{method}` is not an HTTP method")))?;
        let safe = matches!(method, Method::GET | Method::HEAD);
        let (body, content_type) = match (params.body, params.json) {
            (Some(_), Some(_)) => {
                return Err(bad_parameter("give `body` or `json`, not both"));
            }
            (Some(Value::String(text)), None) => (Some(text.into_bytes()), None),
            (Some(value), None) | (None, Some(value)) => {
                (Some(value.to_string().into_bytes()), Some("application/json"))
            }
            (None, None) => (None, None),
        };
        let headers = headers(&params.headers, content_type, (!safe).then_some(request))?;
        let asked = number(params.max_redirects.as_ref(), "max_redirects", 20)?;
        let max_redirects = match asked {
            Some(1..) if !safe => {
                return Err(bad_parameter(format!(
                    "`max_redirects` is for GET and HEAD; a {method} is not redirected"
                )));
            }
            Some(count) => count as u32,
            None if safe => MAX_REDIRECTS,
            None => 0,
        };
        if let Some(name) = params.outputs.keys().find(|name| !is_name(name)) {
            return Err(bad_parameter(format!("output {name:?} is not a variable's name")));
        }
        let pointers = params.outputs.values();
        if let Some(pointer) =
            pointers.into_iter().find(|text| !text.is_empty() && !text.starts_with('/'))
        {
            return Err(bad_parameter(format!(
                "`{pointer}` in `outputs` is not a JSON pointer; write `/{pointer}`"
            )));
        }
        let timeout = params.timeout.map_or(Ok(TIMEOUT), |value| duration(&value, "timeout"))?;
        if timeout.is_zero() {
            return Err(bad_parameter("`timeout` must be more than 0"));
        }
        let max_body = number(params.max_body.as_ref(), "max_body", MAX_MAX_BODY)?;
        Ok(Self {
            shown: format!("{method} {}", http::shown(&uri)),
            expected: expected(params.expected_status.as_ref())?,
            outputs: params.outputs,
            exchange: Exchange {
                method,
                uri,
                headers,
                body,
                timeout,
                max_body: max_body.unwrap_or(MAX_BODY),
                max_redirects,
            },
        })
    }
}

fn headers(
    given: &BTreeMap<String, Value>,
    content_type: Option<&'static str>,
    repeatable: Option<&AttemptRequest>,
) -> Result<HeaderMap, Ended> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(bad_parameter(format!("the header `{name}` must be a text"))),
        };
        let (name, value) = http::header(name, &text).map_err(bad_parameter)?;
        headers.insert(name, value);
    }
    if let Some(content_type) = content_type {
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }
    if let Some(request) = repeatable
        && !headers.contains_key(IDEMPOTENCY_KEY)
    {
        let (name, value) =
            http::header(IDEMPOTENCY_KEY, &request.idempotency_key).map_err(bad_parameter)?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// A whole number, or a text that is one, as a reference to a variable may leave it.
fn number(value: Option<&Value>, param: &str, most: u64) -> Result<Option<u64>, Ended> {
    let Some(value) = value else { return Ok(None) };
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    let fits = number.filter(|number| *number <= most);
    let wrong = || bad_parameter(format!("`{param}` is {value}, but must be from 0 to {most}"));
    fits.map(Some).ok_or_else(wrong)
}

/// The statuses of success, as ranges.
fn expected(value: Option<&Value>) -> Result<Vec<(u16, u16)>, Ended> {
    let one = |value: &Value| {
        let text = match value {
            Value::String(text) => text.trim().to_ascii_lowercase(),
            other => other.to_string(),
        };
        let range = match (text.strip_suffix("xx"), text.split_once('-')) {
            (Some(class), _) => {
                class.parse::<u16>().ok().map(|class| (class * 100, class * 100 + 99))
            }
            (None, Some((first, last))) => first.parse().ok().zip(last.parse().ok()),
            (None, None) => text.parse().ok().map(|status| (status, status)),
        };
        range.filter(|(first, last)| 100 <= *first && first <= last && *last <= 599).ok_or_else(|| {
            bad_parameter(format!(
                "`expected_status` has {value}; write a status such as 204, a class such as `2xx`, \
                 or a range such as `200-204`"
            ))
        })
    };
    match value {
        None => Ok(vec![(200, 299)]),
        Some(Value::Array(list)) if !list.is_empty() => list.iter().map(one).collect(),
        Some(value) => one(value).map(|range| vec![range]),
    }
}

impl Plugin for Http {
    fn manifest(&self) -> &PluginManifest {
        &self.0
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let Prepared { mut exchange, expected, outputs, shown } =
            Prepared::read(&job.params, &job.request)?;
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
