//! `/runs/{id}/tasks/{task}/attempts/{attempt}/log`: what an attempt printed.

mod follow;
mod range;

use super::extract::{Params, Path, text};
use super::warrant::Warrant;
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use loom_protocol::ErrorCode;
use range::Range;
use serde::Deserialize;
use std::io::{self, SeekFrom};
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How much is read at once.
const PIECE: usize = 1 << 16;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(get))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LogParams {
    /// The item's index, from 0, for a `for_each` task.
    item: Option<u32>,
    /// Send what comes, as it comes, until the attempt has ended.
    #[serde(default)]
    follow: bool,
    /// With `follow`: begin behind so many bytes. A reader that was cut off goes on so.
    from: Option<u64>,
}

/// Read what an attempt printed
///
/// Secrets were masked before they were written. `Range: bytes=…` reads a part (RFC 9110).
#[utoipa::path(get, path = "/api/v1/runs/{id}/tasks/{task}/attempts/{attempt}/log", tag = "tasks",
    params(("id" = String, Path), ("task" = String, Path), ("attempt" = u32, Path), LogParams,
        ("Range" = Option<String>, Header)),
    security(("token" = ["logs:get"])),
    responses((status = 200, content_type = "text/plain", body = String),
        (status = 206, content_type = "text/plain", body = String)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task, attempt)): Path<(String, String, String)>,
    Params(params): Params<LogParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let attempt = attempt_number(&attempt)?;
    let log = app.runs.log(&caller, &id, &task, attempt, params.item).await?;
    if params.follow {
        let permit = app.stream_permit()?;
        let warrant = Warrant::new(&app, &caller, &headers, Permission::LogsGet)?;
        let from = params.from.unwrap_or(0);
        let body = follow::follow(app, log, from, warrant, permit).await?;
        return Ok(plain(Body::from_stream(body)));
    }
    if params.from.is_some() {
        return Err(Problem::argument("`from` goes with `follow`; give a `Range` without it"));
    }
    // Nothing is said about versions of a log, so no condition of `If-Range` can hold.
    let range = if headers.contains_key(header::IF_RANGE) {
        None
    } else {
        text(&headers, "range")?.and_then(Range::parse)
    };
    let Some(file) = app.runs.open_log(&log).await? else {
        return Ok(part(None, 0, range));
    };
    let mut file = File::from_std(file);
    let length = file.metadata().await.map_err(|error| unreadable(&error))?.len();
    if let Some((from, _)) = range.and_then(|range| range.within(length)) {
        file.seek(SeekFrom::Start(from)).await.map_err(|error| unreadable(&error))?;
    }
    Ok(part(Some(file), length, range))
}

/// The number of an attempt, as a path has it.
pub(super) fn attempt_number(text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| Problem::missing("attempt", text))
}

/// The file from where it stands, as far as was asked for.
fn part(file: Option<File>, length: u64, range: Option<Range>) -> Response {
    let body = |length| match file {
        Some(file) => Body::from_stream(pieces(file, length)),
        None => Body::empty(),
    };
    let Some(range) = range else {
        let mut response = plain(body(length));
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        return response;
    };
    let Some((from, until)) = range.within(length) else {
        let what = format!("the log has {length} bytes, and none of them is in the range");
        let mut response = Problem::new(ErrorCode::BadRange, what).into_response();
        content_range(&mut response, &format!("bytes */{length}"));
        return response;
    };
    let mut response = plain(body(until - from));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(until - from));
    content_range(&mut response, &format!("bytes {from}-{}/{length}", until - 1));
    response
}

fn content_range(response: &mut Response, text: &str) {
    let value = HeaderValue::from_str(text).expect("it has digits and signs only");
    response.headers_mut().insert(header::CONTENT_RANGE, value);
}

fn plain(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::ACCEPT_RANGES, "bytes"),
        // What a command printed is never a page.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body).into_response()
}

/// The next `left` bytes of a file.
fn pieces(file: File, left: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        match piece(&mut file, left).await {
            // It was cut short meanwhile.
            Ok(piece) if piece.is_empty() => {
                Some((Err(io::ErrorKind::UnexpectedEof.into()), (file, 0)))
            }
            Ok(piece) => {
                let left = left - piece.len() as u64;
                Some((Ok(piece), (file, left)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    })
}

/// What comes next of a file, at most `most` bytes; nothing at its end.
async fn piece(file: &mut File, most: u64) -> io::Result<Bytes> {
    let size = usize::try_from(most).map_or(PIECE, |most| most.min(PIECE));
    let mut piece = vec![0; size];
    let count = file.read(&mut piece).await?;
    piece.truncate(count);
    Ok(piece.into())
}

fn unreadable(error: &io::Error) -> Problem {
    Problem::new(ErrorCode::MachineFailed, format!("the log cannot be read: {error}"))
}
