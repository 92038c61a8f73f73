//! What every request passes: who calls, and how long it may take.

use crate::access::Caller;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use loom_protocol::ErrorCode;
use std::sync::Arc;

/// The name of the one user of a server without access control.
const LOCAL: &str = "local";

pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    if app.config.access {
        return Problem::new(ErrorCode::Unauthenticated, "a token is needed").into_response();
    }
    request.extensions_mut().insert(Caller::everything(LOCAL));
    let limit = app.config.limits.request;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            ErrorCode::RequestTimeout,
            format!("the request took longer than {} s", limit.as_secs()),
        )
        .into_response(),
    }
}
