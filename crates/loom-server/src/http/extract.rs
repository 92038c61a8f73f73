//! Reading requests; what cannot be read is a problem document.

use super::query;
use crate::access::Caller;
use crate::asked::Precondition;
use crate::problem::Problem;
use crate::workflows::Tagged;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{self, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use loom_protocol::ErrorCode;
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
    if body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| *first == b'[') {
        return Err(Problem::argument("the body is a list and has to be an object"));
    }
    serde_json::from_slice(body).map_err(|error| {
        // The reader of some values is handed them without their places.
        let place = match (error.line(), error.column()) {
            (0, _) => String::new(),
            (line, column) => format!(" at line {line}, column {column}"),
        };
        Problem::argument(format!("the body is wrong{place}: {error}"))
    })
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
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str();
    text.map(Some).map_err(|_| Problem::argument(format!("the header `{name}` is not ASCII text")))
}

/// The version in an `If-Match` header, as [`etag`] wrote it.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(tag) = text(headers, "if-match")? else { return Ok(None) };
    if tag == "*" {
        return Ok(None);
    }
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    version.and_then(|version| version.parse().ok()).map(Some).ok_or_else(|| {
        Problem::new(ErrorCode::PreconditionFailed, "the `If-Match` tag is not one of ours")
    })
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
        Ok(Self { version: if_match(headers)?, absent: if_absent(headers)? })
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
