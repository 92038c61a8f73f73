//! What is noted of every request: where it comes from, how long it took, what became of it, and
//! what it belongs to.

use super::forwarded;
use crate::app::App;
use crate::ids::{is_correlation_id, new_id};
use crate::serve::Peer;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Instant;

/// By what the caller knows the matter that a request is part of.
pub(super) const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// The most bytes of a path that are logged.
const PATH_MAX: usize = 1024;
/// What stands for requests to no route.
const NOWHERE: &str = "none";

pub(super) async fn track(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = match correlation(&app, &request) {
        Ok(id) => id,
        Err(problem) => return problem.into_response(),
    };
    // Handlers find it where the caller would have put it.
    request.headers_mut().insert(CORRELATION, id.clone());
    let from = origin(&app, &mut request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or(NOWHERE, MatchedPath::as_str).to_owned();
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    app.insight.requests.answered(&route, method.as_str(), status, took);
    app.log.info(
        "request",
        &[
            ("method", method.as_str().into()),
            ("path", shortened(&path).into()),
            ("status", status.into()),
            ("from", from.into()),
            ("took_ms", (took.as_micros() as f64 / 1e3).into()),
            ("correlation_id", id.to_str().unwrap_or_default().into()),
        ],
    );
    response.headers_mut().insert(CORRELATION, id);
    response
}

/// As much of a path as the log keeps: lines wait in memory, and anybody may send long ones.
fn shortened(path: &str) -> &str {
    &path[..path.floor_char_boundary(PATH_MAX)]
}

/// Puts the client in the place of the proxy that speaks for it, for all who ask who calls.
fn origin(app: &App, request: &mut Request) -> Option<String> {
    let mut peer = *request.extensions().get::<Peer>()?;
    let (proxies, header) = (&app.config.trusted_proxies, app.config.proxy_header);
    peer.0.set_ip(forwarded::origin(peer.0.ip(), request.headers(), proxies, header));
    request.extensions_mut().insert(peer);
    Some(peer.0.ip().to_string())
}

/// The caller's, if it is one; else a new one.
fn correlation(app: &App, request: &Request) -> Result<HeaderValue, crate::Problem> {
    match request.headers().get(CORRELATION) {
        Some(id) if is_correlation_id(id.as_bytes()) => Ok(id.clone()),
        _ => {
            let id = new_id(app.clock.now())?.to_string();
            Ok(HeaderValue::try_from(id).expect("letters and digits"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut_between_letters() {
        assert_eq!(shortened("/a"), "/a");
        assert_eq!(shortened(&"ä".repeat(5000)).len(), PATH_MAX);
        assert_eq!(shortened(&format!("x{}", "ä".repeat(5000))).len(), PATH_MAX - 1);
    }
}
