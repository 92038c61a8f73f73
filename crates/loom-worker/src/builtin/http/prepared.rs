//! The parameters, read: what to send, and what to make of the answer.

use super::super::bad_param;
use super::super::instant::{bad_output, duration};
use super::MAX_MAX_BODY;
use crate::http::{self, Exchange};
use crate::job::BadParam;
use loom_protocol::is_variable;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// How long a request may take, unless it says.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The most bytes of an answer, unless the request says.
const MAX_BODY: u64 = 1 << 20;
/// How many redirects are followed, unless the request says.
const MAX_REDIRECTS: u32 = 5;
/// The header by which the far side recognises a repeated request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

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
pub(super) struct Prepared {
    pub(super) exchange: Exchange,
    /// Ranges of statuses, both ends included.
    pub(super) expected: Vec<(u16, u16)>,
    pub(super) outputs: BTreeMap<String, String>,
    /// For messages: the method, and the address without what may be secret in it.
    pub(super) shown: String,
}

impl Prepared {
    pub(super) fn read(params: &Map<String, Value>) -> Result<Self, BadParam> {
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
    pub(super) fn repeatable(&mut self, idempotency_key: &str) -> Result<(), BadParam> {
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
