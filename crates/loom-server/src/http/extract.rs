//! Reading requests; what cannot be read is a problem document.

use super::query;
use crate::access::Caller;
use crate::asked::{Precondition, Seen};
use crate::problem::Problem;
use crate::workflows::Tagged;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{self, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use loom_protocol::ErrorCode;
use loom_protocol::json::{self, JsonError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::IntoParams;

/// When a request has to have come whole. A change goes on when its answer is no longer waited for,
/// and would otherwise wait for its body for as long as the client likes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Instant);

/// A JSON body, read or written.
pub(crate) struct Json<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::argument("the body is not announced as JSON")
                .help("send `Content-Type: application/json`"));
        }
        read(&body(request, state).await?).map(Self)
    }
}

/// A JSON body that may be left out.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<S, T> FromRequest<S> for OptionalJson<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Default,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let body = body(request, state).await?;
        match body.is_empty() {
            true => Ok(Self(T::default())),
            false if !json => Err(Problem::argument("the body is not announced as JSON")
                .help("send `Content-Type: application/json`")),
            false => read(&body).map(Self),
        }
    }
}

/// The whole body, within the limits on its size and time.
pub(super) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let deadline = request.extensions().get::<Deadline>().copied();
    let body = Bytes::from_request(request, state);
    let body = match deadline {
        Some(Deadline(at)) => timeout_at(at, body).await.map_err(|_| {
            Problem::new(ErrorCode::RequestTimeout, "the body did not come in time")
        })?,
        None => body.await,
    };
    body.map_err(|rejection: BytesRejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Problem::new(ErrorCode::BodyTooLarge, "the body exceeds the server's limit");
        }
        Problem::argument(format!("the body cannot be read: {}", rejection.body_text()))
    })
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.ends_with("+json")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // A list would be taken for an object's values without their names.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| *first != b'{') {
        return Err(Problem::argument("the body is JSON of another kind and has to be an object"));
    }
    json::read(body).map_err(|error| {
        // The reader of some values is handed them without their places.
        let place = match error.place() {
            (0, _) => String::new(),
            (line, column) => format!(" at line {line}, column {column}"),
        };
        Problem::argument(format!("the body is wrong{place}: {}", told(&error)))
    })
}

/// What is wrong, for those who do not know the types of this program, and without the place.
fn told(error: &JsonError) -> String {
    let (line, column) = error.place();
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let Some((what, expected)) = text.rsplit_once(", expected ") else { return text.to_owned() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        kind if kind.starts_with("struct ") => "an object",
        other => other,
    };
    format!("{what}, expected {expected}")
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// What stands in the path.
pub(super) struct Path<T>(pub(super) T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|extract::Path(path)| Self(path)).map_err(|rejection: PathRejection| {
            Problem::argument(format!("the path is wrong: {}", rejection.body_text()))
        })
    }
}

/// What stands behind the question mark.
pub(crate) struct Params<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Params<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Pairs(pairs) = Pairs::from_request_parts(parts, state).await?;
        params(pairs).map(Self)
    }
}

/// Which part of a list to show.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    /// The most items: 1 to 200, 50 if absent.
    pub(super) limit: Option<usize>,
}

/// Which part of a list of things in namespaces to show.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParams {
    /// Only of this namespace.
    pub(super) namespace: Option<String>,
    /// Where the page before ended.
    pub(super) cursor: Option<String>,
    /// The most items: 1 to 200, 50 if absent.
    pub(super) limit: Option<usize>,
}

/// The parameters one by one, in order; names may repeat.
pub(super) struct Pairs(pub(super) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(pairs)| Self(pairs)).map_err(|rejection: QueryRejection| {
            Problem::argument(format!("the parameters cannot be read: {}", rejection.body_text()))
        })
    }
}

/// Parameters as a struct: a name that repeats is a list.
pub(super) fn params<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Problem> {
    query::read(pairs).map_err(|error| Problem::argument(format!("a parameter is wrong: {error}")))
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // The guard lets nothing through without one.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(ErrorCode::Unauthenticated, "the caller is not known"))
    }
}

/// A header as text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::argument(format!("the header `{name}` is given more than once")));
    }
    let text = value.to_str();
    text.map(Some).map_err(|_| Problem::argument(format!("the header `{name}` is not ASCII text")))
}

/// What an `If-Match` header asks for. Tags that are not as [`etag`] writes them match nothing.
fn if_match(headers: &HeaderMap) -> Result<Option<Seen>, Problem> {
    let Some(tags) = text(headers, "if-match")? else { return Ok(None) };
    if tags.trim() == "*" {
        return Ok(Some(Seen::Anyhow));
    }
    let version = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    Ok(Some(Seen::Tagged(tags.split(',').filter_map(version).collect())))
}

/// Whether an `If-None-Match: *` header says that nothing may be there yet.
fn if_absent(headers: &HeaderMap) -> Result<bool, Problem> {
    match text(headers, "if-none-match")? {
        None => Ok(false),
        Some("*") => Ok(true),
        Some(_) => Err(Problem::argument("`If-None-Match` is `*` or absent")),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let headers = &parts.headers;
        Ok(Self { present: if_match(headers)?, absent: if_absent(headers)? })
    }
}

/// Something with its entity tag.
pub(super) fn tagged<T: Serialize>(found: Tagged<T>) -> Response {
    (etag(found.version), Json(found.value)).into_response()
}

/// What was made or replaced, with its entity tag: 201 if it is new.
pub(super) fn written<T: Serialize>((found, new): (Tagged<T>, bool)) -> Response {
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    (status, tagged(found)).into_response()
}

/// A version as an entity tag.
fn etag(version: u64) -> [(header::HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_protocol::api::{BatchStart, StartRun};

    #[test]
    fn a_body_that_is_wrong_is_explained_without_the_types_of_the_program() {
        let start = |text: &str| read::<StartRun>(text.as_bytes()).unwrap_err().message;
        for (text, expected) in [
            (
                "{\"workflow\": \"w\",\n \"workers\": \"x\"}",
                "the body is wrong at line 2, column 15: invalid type: string \"x\", expected a whole number from 0 up",
            ),
            ("{", "the body is wrong at line 1, column 1: EOF while parsing an object"),
            ("7", "the body is JSON of another kind and has to be an object"),
            (" []", "the body is JSON of another kind and has to be an object"),
        ] {
            assert_eq!(start(text), expected);
        }
        let problem = read::<BatchStart>(b"{\"runs\": [7]}").unwrap_err();
        assert!(problem.message.ends_with("integer `7`, expected an object"), "{problem}");
    }
}
