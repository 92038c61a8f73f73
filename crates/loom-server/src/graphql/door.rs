//! How operations come in: as JSON, in an address, or over WebSocket.

use super::answer::Answer;
use super::desk::{Desk, Origin};
use super::request::{self, Body};
use super::session::{self, Visitor};
use super::{PATH, SCHEMA_PATH, Service, protocol, service};
use crate::access::{Caller, bearer};
use crate::app::App;
use crate::http::extract::{Json, Params, text};
use crate::http::guard::count_rest;
use crate::problem::Problem;
use crate::serve::{Peer, Room};
use async_graphql::Variables;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use loom_protocol::{ErrorCode, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::sync::Arc;

/// What answers are, for callers who know it; others get them as plain JSON.
const RESPONSE_JSON: &str = "application/graphql-response+json";
/// How much of what a client sends is read at once.
const READ_BUFFER: usize = 8 << 10;

/// The door, and what is written on it.
pub(crate) fn routes() -> Router<Arc<App>> {
    let service = service();
    // Shared by all requests and copies of the route.
    let schema = Bytes::from(service.sdl());
    let schema = move || {
        let schema = schema.clone();
        async move { ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], schema) }
    };
    Router::new()
        .route(PATH, get(asked).post(sent))
        .route(SCHEMA_PATH, get(schema))
        .layer(Extension(service))
}

/// Whether a client will say in its first message who it is: browsers cannot say so in a header.
pub(crate) fn says_who_later(head: &Parts) -> bool {
    head.uri.path() == PATH
        && is_upgrade(&head.headers)
        && !head.headers.contains_key(header::AUTHORIZATION)
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).map(HeaderValue::as_bytes);
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case(b"websocket"))
}

/// An operation in a body.
async fn sent(
    State(app): State<Arc<App>>,
    Extension(service): Extension<Service>,
    caller: Caller,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(address): RawQuery,
    Json(body): Json<Body>,
) -> Result<Response, Problem> {
    if address.is_some_and(|address| !address.is_empty()) {
        let what = "an operation in a body takes no parameters in the address";
        return Err(Problem::argument(what).help("put all of it into the body"));
    }
    let desk = Desk::new(app, caller, None, origin);
    let answer = execute(&service, desk, body, true).await?;
    Ok(respond(&headers, &answer))
}

/// An operation in an address.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QueryParams {
    query: String,
    operation_name: Option<String>,
    variables: Option<String>,
    #[serde(rename = "extensions")]
    _extensions: Option<IgnoredAny>,
}

/// A query in an address, or the beginning of a WebSocket.
async fn asked(
    State(app): State<Arc<App>>,
    Extension(service): Extension<Service>,
    origin: Origin,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    mut head: Parts,
) -> Result<Response, Problem> {
    if is_upgrade(&head.headers) {
        let socket = socket.map_err(|rejection| Problem::argument(rejection.body_text()))?;
        return upgrade(socket, app, service, origin, &head);
    }
    let caller = Caller::from_request_parts(&mut head, &app).await?;
    let Params(params) = Params::<QueryParams>::from_request_parts(&mut head, &app).await?;
    let QueryParams { query, operation_name, variables, .. } = params;
    let variables = variables.as_deref().map(|text| json::read::<Variables>(text.as_bytes()));
    let variables = variables
        .transpose()
        .map_err(|error| Problem::argument(format!("`variables` is no JSON object: {error}")))?
        .unwrap_or_default();
    let body = Body { query, operation_name, variables, _extensions: None };
    let desk = Desk::new(app, caller, None, origin);
    match execute(&service, desk, body, false).await {
        Ok(answer) => Ok(respond(&head.headers, &answer)),
        Err(problem) if problem.code == ErrorCode::MethodNotAllowed => {
            Ok(([(header::ALLOW, "POST")], problem).into_response())
        }
        Err(problem) => Err(problem),
    }
}

fn upgrade(
    socket: WebSocketUpgrade,
    app: Arc<App>,
    service: Service,
    origin: Origin,
    head: &Parts,
) -> Result<Response, Problem> {
    let largest = app.config.limits.body;
    let socket = socket
        .protocols([protocol::NAME])
        .read_buffer_size(READ_BUFFER)
        .max_message_size(largest)
        .max_frame_size(largest);
    if socket.selected_protocol().is_none() {
        let what = "the WebSocket speaks no protocol that the server does";
        let help = format!("send `Sec-WebSocket-Protocol: {}`", protocol::NAME);
        return Err(Problem::argument(what).help(help));
    }
    let shown = text(&head.headers, header::AUTHORIZATION.as_str())?.filter(|_| app.config.access);
    let shown = shown.map(bearer).transpose()?.map(str::to_owned);
    let caller = head.extensions.get::<Caller>().cloned();
    let visitor = Visitor {
        app,
        service,
        caller,
        shown,
        origin,
        _room: head.extensions.get::<Room>().cloned(),
    };
    Ok(socket.on_upgrade(move |socket| session::serve(socket, visitor)))
}

/// Carries out an operation. One in an address must not change anything: any page can make a
/// browser ask for an address.
async fn execute(
    service: &Service,
    desk: Desk,
    body: Body,
    may_change: bool,
) -> Result<Answer, Problem> {
    let correlation_id = desk.origin.correlation_id.clone();
    let asked = match request::read(body) {
        Ok(asked) => asked,
        Err(problem) => return Ok(Answer::refusal(problem, &correlation_id)),
    };
    match asked.kind {
        OperationType::Mutation if !may_change => {
            let what = "a mutation is not taken from an address";
            return Err(Problem::new(ErrorCode::MethodNotAllowed, what)
                .help("send it with POST and `Content-Type: application/json`"));
        }
        OperationType::Subscription => {
            let what = "a subscription needs a WebSocket";
            let problem = Problem::new(ErrorCode::BadQuery, what)
                .help(format!("connect to `{PATH}` with the protocol `{}`", protocol::NAME));
            return Ok(Answer::refusal(problem, &correlation_id));
        }
        _ => {}
    }
    match count_rest(&desk.app, &desk.caller, desk.origin.peer, asked.calls) {
        Err(problem) if problem.code == ErrorCode::QueryTooLarge => {
            return Ok(Answer::refusal(problem, &correlation_id));
        }
        counted => counted?,
    }
    let response = service.execute(asked.request.data(desk)).await;
    Ok(Answer::new(response, &correlation_id))
}

fn respond(headers: &HeaderMap, answer: &Answer) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let knows = accept.is_some_and(|accept| accept.contains(RESPONSE_JSON));
    let (status, kind) =
        if knows { (answer.status, RESPONSE_JSON) } else { (StatusCode::OK, "application/json") };
    let body = serde_json::to_vec(answer).expect("its keys are text");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let owned = |name| text(&head.headers, name).map(|text| text.map(str::to_owned));
        Ok(Self {
            peer: head.extensions.get::<Peer>().map(|peer| peer.0.ip()),
            correlation_id: owned("x-correlation-id")?.unwrap_or_default(),
            traceparent: owned("traceparent")?,
        })
    }
}
