//! `http`: one HTTP request.
//!
//! Redirects are followed for GET and HEAD only: a request that changes something goes to the
//! address that was given, or not at all.

mod schema;

use super::bad_param;
use super::instant::{bad_output, duration};
use crate::http::{self, Answer, Exchange, Trouble};
use crate::job::{BadParam, Ended, Job, Plugin, failure, output, timeout};
use crate::params;
use crate::stop::Wakeup;
use crate::sys::{self, Watched};
use loom_protocol::{AttemptOutput, ErrorCode, PluginManifest, is_variable, json};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

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
    fn read(params: &Map<String, Value>) -> Result<Self, BadParam> {
        let params: Params = serde_json::from_value(Value::Object(params.clone()))
            .map_err(|error| bad_param("", format!("the parameters of `http`: {error}")))?;
        let uri = http::address(&params.url)
            .map_err(|why| bad_param("url", format!("parameter `url` cannot be used: {why}")))?;
        let method = params.method.as_deref().unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| bad_param("method", format!("`{method}` is not an HTTP method")))?;
        let (body, content_type) = body(params.body, params.json)?;
        let headers = headers(&params.headers, content_type)?;
        let max_redirects = redirects(params.max_redirects.as_ref(), &method)?;
        check_outputs(&params.outputs)?;
        let timeout = params.timeout.map_or(Ok(TIMEOUT), |value| duration(&value, "timeout"))?;
        if timeout.is_zero() {
            return Err(bad_param("timeout", "`timeout` must be more than 0"));
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

    /// Lets the far side recognise a request that changes something when it comes again.
    fn repeatable(&mut self, idempotency_key: &str) -> Result<(), BadParam> {
        let headers = &mut self.exchange.headers;
        if !is_safe(&self.exchange.method) && !headers.contains_key(IDEMPOTENCY_KEY) {
            let (name, value) = header(IDEMPOTENCY_KEY, idempotency_key)?;
            headers.insert(name, value);
        }
        Ok(())
    }
}

/// Whether a request with this method changes nothing.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// What is sent, and its type if it is not the caller who says it.
fn body(
    body: Option<Value>,
    json: Option<Value>,
) -> Result<(Option<Vec<u8>>, Option<&'static str>), BadParam> {
    Ok(match (body, json) {
        (Some(_), Some(_)) => return Err(bad_param("json", "give `body` or `json`, not both")),
        (Some(Value::String(text)), None) => (Some(text.into_bytes()), None),
        (Some(value), None) | (None, Some(value)) => {
            (Some(value.to_string().into_bytes()), Some("application/json"))
        }
        (None, None) => (None, None),
    })
}

fn redirects(asked: Option<&Value>, method: &Method) -> Result<u32, BadParam> {
    let safe = is_safe(method);
    match number(asked, "max_redirects", 20)? {
        Some(1..) if !safe => {
            let message =
                format!("`max_redirects` is for GET and HEAD; a {method} is not redirected");
            Err(bad_param("max_redirects", message))
        }
        Some(count) => Ok(count as u32),
        None if safe => Ok(MAX_REDIRECTS),
        None => Ok(0),
    }
}

fn check_outputs(outputs: &BTreeMap<String, String>) -> Result<(), BadParam> {
    if let Some(name) = outputs.keys().find(|name| !is_variable(name)) {
        return Err(bad_output(name));
    }
    let Some(pointer) = outputs.values().find(|pointer| !is_pointer(pointer)) else {
        return Ok(());
    };
    let mend = if pointer.starts_with('/') {
        "`~` is written `~0`, and `/` in a key `~1`".to_owned()
    } else {
        format!("write `/{pointer}`")
    };
    Err(bad_param("outputs", format!("`{pointer}` in `outputs` is not a JSON pointer; {mend}")))
}

/// Whether a text is a JSON pointer (RFC 6901).
fn is_pointer(text: &str) -> bool {
    let mut escapes = text.split('~').skip(1);
    (text.is_empty() || text.starts_with('/')) && escapes.all(|rest| rest.starts_with(['0', '1']))
}

fn headers(
    given: &BTreeMap<String, Value>,
    content_type: Option<&'static str>,
) -> Result<HeaderMap, BadParam> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => {
                let message = format!("the header `{name}` must be a text");
                return Err(bad_param("headers", message));
            }
        };
        let (name, value) = header(name, &text)?;
        headers.insert(name, value);
    }
    if let Some(content_type) = content_type {
        headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }
    Ok(headers)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BadParam> {
    http::header(name, value).map_err(|why| bad_param("headers", why))
}

/// A whole number, or a text that is one, as a reference to a variable may leave it.
fn number(value: Option<&Value>, param: &'static str, most: u64) -> Result<Option<u64>, BadParam> {
    let Some(value) = value else { return Ok(None) };
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    let fits = number.filter(|number| *number <= most);
    let wrong = || bad_param(param, format!("`{param}` is {value}, but must be from 0 to {most}"));
    fits.map(Some).ok_or_else(wrong)
}

/// The statuses of success, as ranges.
fn expected(value: Option<&Value>) -> Result<Vec<(u16, u16)>, BadParam> {
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
            let message = format!(
                "`expected_status` has {value}; write a status such as 204, a class such as `2xx`, \
                 or a range such as `200-204`"
            );
            bad_param("expected_status", message)
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

    fn wrong_params(&self, params: &Map<String, Value>) -> Vec<BadParam> {
        params::wrong(params, |known| {
            // One that is not known may yet be right.
            let mut known = known.clone();
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
