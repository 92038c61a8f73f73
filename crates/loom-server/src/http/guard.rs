//! What every request passes: where it comes from, who calls, how often, how much and how long.

use super::extract::Deadline;
use super::reports::{REPORTS, USER_TOKEN};
use super::triggers::HOOKS;
use super::{docs, origin, pages};
use crate::access::{Caller, Client, bearer};
use crate::app::App;
use crate::graphql;
use crate::problem::Problem;
use crate::serve::Peer;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use loom_protocol::ErrorCode;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The name of the one user of a server without access control.
const LOCAL: &str = "local";
/// How much of a body that is too large is read, so that its sender reads the answer.
const DRAIN_MAX: u64 = 64 << 20;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(5);

pub(super) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let limit = app.config.limits.request;
    let deadline = Instant::now() + limit;
    let admitted = timeout_at(deadline, admit(&app, &head)).await;
    match admitted.unwrap_or_else(|_| Err(too_long(limit))) {
        Ok(None) => {}
        Ok(Some(caller)) => drop(head.extensions.insert(caller)),
        Err(problem) => return unread(&head, &body, problem.into_response()),
    }
    head.extensions.insert(Deadline(deadline));
    let request = Request::from_parts(head, body);
    let limits = &app.config.limits;
    let most = if is_report(request.uri().path()) { limits.report_body } else { limits.body };
    if let Some(problem) = too_large(&request, most) {
        drain(request).await;
        return problem.into_response();
    }
    // For the head of the answer alone: event streams go on.
    match timeout_at(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => too_long(limit).into_response(),
    }
}

/// An answer to a request whose body nobody reads. The connection may end with it, so its sender is
/// told not to send the next request over it.
fn unread(head: &Parts, body: &Body, mut response: Response) -> Response {
    if head.version < Version::HTTP_2 && !body.is_end_stream() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn too_long(limit: Duration) -> Problem {
    let what = format!("the request took longer than {} s", limit.as_secs_f64());
    Problem::new(ErrorCode::RequestTimeout, what)
}

/// Who calls; `None` for what is open to all.
async fn admit(app: &App, head: &Parts) -> Result<Option<Caller>, Problem> {
    let address = head.extensions.get::<Peer>().map(|peer| peer.0.ip());
    if is_open(head, app.config.open_metrics) || pages::is_page(app, head) {
        count(app, client(None, address))?;
        return Ok(None);
    }
    if !app.config.access {
        origin::check(head, &app.config.hosts, &app.config.origins)?;
        count(app, client(None, address))?;
        return Ok(Some(Caller::everything(LOCAL)));
    }
    if graphql::says_who_later(head) {
        count(app, client(None, address))?;
        return Ok(None);
    }
    match shown(head) {
        Ok(shown) => recognise(app, shown, address).await.map(Some),
        Err(problem) => Err(failed(app, problem, address)),
    }
}

/// Who shows this token, counted as one call of theirs.
pub(crate) async fn recognise(
    app: &App,
    shown: &str,
    address: Option<IpAddr>,
) -> Result<Caller, Problem> {
    let caller = app.access.caller(shown).await;
    let caller = caller.map_err(|problem| failed(app, problem, address))?;
    count(app, client(Some(&caller), address))?;
    Ok(caller)
}

/// Counts so many calls that come in one, of which the first is counted already.
pub(crate) fn count_rest(
    app: &App,
    caller: &Caller,
    address: Option<IpAddr>,
    calls: u32,
) -> Result<(), Problem> {
    let throttle = &app.access.calls;
    if !throttle.holds(calls) {
        let what = format!(
            "it stands for {calls} calls, and the server takes fewer of one client in a second"
        );
        return Err(Problem::new(ErrorCode::QueryTooLarge, what).help("ask for less at once"));
    }
    let Some(client) = counted_as(app, Some(caller), address) else { return Ok(()) };
    throttle.take_all(&client, calls.saturating_sub(1), app.clock.now()).map_err(too_many)
}

/// Counts a call on a connection whose caller may not have said yet who it is.
pub(crate) fn count_call(
    app: &App,
    caller: Option<&Caller>,
    address: Option<IpAddr>,
) -> Result<(), Problem> {
    count(app, counted_as(app, caller, address))
}

/// Without access control everybody is the same caller, and addresses are told apart.
fn counted_as(app: &App, caller: Option<&Caller>, address: Option<IpAddr>) -> Option<Client> {
    client(caller.filter(|_| app.config.access), address)
}

/// What somebody is told who is not known, or cannot be: that, until they try too often. Whoever
/// is known comes in whatever others do from the same address.
pub(super) fn failed(app: &App, problem: Problem, address: Option<IpAddr>) -> Problem {
    let Some(from) = client(None, address) else { return problem };
    if problem.code != ErrorCode::Unauthenticated {
        return problem;
    }
    match app.access.failures.take(&from, app.clock.now()) {
        Ok(()) => problem,
        Err(wait) => too_many(wait),
    }
}

/// What answers everybody beside the pages: probes of health, metrics if they are so configured, the
/// page to try the API, which asks for a token itself, and the hooks, where what comes in proves itself
/// to its trigger.
fn is_open(head: &Parts, open_metrics: bool) -> bool {
    let path = head.uri.path();
    if path.starts_with(HOOKS) {
        return true;
    }
    matches!(head.method, Method::GET | Method::HEAD)
        && (matches!(path, "/health/live" | "/health/ready" | docs::ADDRESS)
            || open_metrics && path == "/metrics")
}

/// Whether this is where other systems report.
fn is_report(path: &str) -> bool {
    path.strip_prefix(REPORTS).is_some_and(|rest| rest.starts_with('/'))
}

/// The token that a request shows. Reports may show theirs in a header of their own.
fn shown(head: &Parts) -> Result<&str, Problem> {
    let headers = &head.headers;
    let own = headers.get(USER_TOKEN).filter(|_| is_report(head.uri.path()));
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        if let Some(token) = own.and_then(|token| token.to_str().ok()) {
            return Ok(token.trim());
        }
        return Err(Problem::new(ErrorCode::Unauthenticated, "a token is needed")
            .help("send `Authorization: Bearer TOKEN`; `loom token create` makes one"));
    };
    bearer(value.to_str().unwrap_or_default())
}

fn client(caller: Option<&Caller>, address: Option<IpAddr>) -> Option<Client> {
    match caller {
        Some(caller) => Some(Client::Known(caller.token().unwrap_or(caller.name()).to_owned())),
        None => address.map(Client::address),
    }
}

fn count(app: &App, client: Option<Client>) -> Result<(), Problem> {
    let Some(client) = client else { return Ok(()) };
    app.access.calls.take(&client, app.clock.now()).map_err(too_many)
}

fn too_many(wait: Duration) -> Problem {
    let retry_after = Some(Duration::from_secs(wait.as_secs() + 1));
    let what = "too many requests of this client";
    Problem { retry_after, ..Problem::new(ErrorCode::TooManyRequests, what) }
}

/// Whether the request announces more than it may send. What is not announced is cut off as it
/// comes.
fn too_large(request: &Request, limit: usize) -> Option<Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?;
    let too_large = length.parse::<u64>().map_or(true, |length| length > limit as u64);
    too_large.then(|| {
        let what = format!("the body of {length} bytes exceeds the server's limit of {limit}");
        Problem::new(ErrorCode::BodyTooLarge, what)
    })
}

/// Reads a body to nowhere, within limits. A connection that is closed with something unread is
/// reset, and the answer is lost with it. Who waits to be asked for the body has not sent it.
async fn drain(request: Request) {
    if request.headers().contains_key(header::EXPECT) {
        return;
    }
    let mut left = DRAIN_MAX;
    let mut stream = Body::into_data_stream(request.into_body());
    let read = async {
        while let Some(Ok(bytes)) = stream.next().await {
            left = left.saturating_sub(bytes.len() as u64);
            if left == 0 {
                break;
            }
        }
    };
    // Slow ones do without the answer.
    let _ = timeout(DRAIN_TIME, read).await;
}
