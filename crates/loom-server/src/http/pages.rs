//! The web interface: its files as they are, and its one page at every address that is a page's.
//!
//! They hold nothing that is secret, so they are open to all: the page itself asks for a token. A
//! policy that is as strict as the pages can bear keeps whatever slips into them from doing harm.

use super::nowhere;
use crate::app::App;
use crate::ids::random;
use crate::parts::PageFile;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use std::sync::Arc;

/// The page that is shown at every address of a page.
const INDEX: &str = "/index.html";
/// What the first part of an address says if it is no page's.
const ELSEWHERE: [&str; 6] = ["api", "dotflow", "graphql", "health", "hooks", "metrics"];
/// Where the page has room for its nonce.
const ROOM: &str = "name=\"csp-nonce\" content=\"";
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Whether somebody asks for a page or a file of one.
pub(super) fn is_page(app: &App, head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
        && find(app, head.uri.path(), &head.headers).is_some()
}

/// Answers what no route is for.
pub(super) async fn serve(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    if !is_page(&app, &head) {
        return nowhere(head.uri).await.into_response();
    }
    let found = find(&app, head.uri.path(), &head.headers).expect("it is a page");
    match found {
        Found::File(file) => plain(&file, &head.headers),
        Found::Index(file) => page(&file),
    }
}

enum Found {
    File(PageFile),
    Index(PageFile),
}

fn find(app: &App, path: &str, headers: &HeaderMap) -> Option<Found> {
    let first = path.split('/').nth(1).unwrap_or_default();
    if ELSEWHERE.contains(&first) {
        return None;
    }
    match app.pages.file(path) {
        Some(file) if path != INDEX => Some(Found::File(file)),
        _ if path == "/" || path == INDEX || takes_html(headers) => {
            app.pages.file(INDEX).map(Found::Index)
        }
        _ => None,
    }
}

/// Whether a browser asks for something to look at, rather than a program or a script for a file.
fn takes_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|one| {
        let kind = one.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html")
    })
}

/// The page, with a nonce that no other answer has.
fn page(file: &PageFile) -> Response {
    let nonce = match random::<16>() {
        Ok(bits) => STANDARD_NO_PAD.encode(bits),
        Err(problem) => return problem.into_response(),
    };
    let text = String::from_utf8_lossy(file.body);
    let text = text.replacen(ROOM, &format!("{ROOM}{nonce}"), 1);
    answer(file, Bytes::from(text), &policy(&format!("'self' 'nonce-{nonce}'")), ASK_AGAIN)
}

fn plain(file: &PageFile, headers: &HeaderMap) -> Response {
    let gzip = file.gzip.filter(|_| takes_gzip(headers));
    let (body, tag) = match gzip {
        Some(gzip) => (gzip, format!("\"{}-gz\"", file.tag)),
        None => (file.body, format!("\"{}\"", file.tag)),
    };
    let caching = if file.lasting { FOR_GOOD } else { ASK_AGAIN };
    let mut response = answer(file, Bytes::from_static(body), &policy("'self'"), caching);
    if knows(headers, &tag) {
        *response.body_mut() = Body::empty();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_str(&tag).expect("it is ASCII"));
    if file.gzip.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if gzip.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn answer(file: &PageFile, body: Bytes, policy: &str, caching: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, file.kind),
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers.map(|(name, value)| (name, value.to_owned())), body).into_response()
}

/// What the pages may do: load from here, talk to here, and be in nobody's frame.
fn policy(styles: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' blob: data:; \
         font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    accepted.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        let is_refused = weight.and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0);
        is_gzip && !is_refused
    })
}

/// Whether the client has just this.
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}
