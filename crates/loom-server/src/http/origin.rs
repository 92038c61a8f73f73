//! Keeping web pages away from a server without access control, and letting some in.
//!
//! A page of any site can make its reader's browser call a server on the reader's own machine. It
//! may do so under a name of its own that it lets point there (DNS rebinding), which the `Host`
//! header shows, or from its own origin, which the `Origin` header shows. Both are refused unless
//! they are listed.

use crate::problem::Problem;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, header};
use loom_protocol::ErrorCode;
use std::net::IpAddr;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long browsers may remember what is allowed.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Refuses what does not come from this machine's own programs or pages.
pub(super) fn check(head: &Parts, hosts: &[String], origins: &[String]) -> Result<(), Problem> {
    let host = match head.uri.authority() {
        // HTTP/2 has it in the address.
        Some(authority) => Some(authority.clone()),
        None => header_text(head, &header::HOST).and_then(|text| text.parse().ok()),
    };
    let host = host.ok_or_else(|| Problem::argument("the `Host` header is missing or wrong"))?;
    if !is_ours(&host, hosts) {
        let what = format!("this server is not known as `{}`", host.host());
        return Err(Problem::new(ErrorCode::Forbidden, what)
            .help("name it in the setting `server.hosts`, or turn access control on"));
    }
    let Some(origin) = head.headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let own = origin.split_once("://").is_some_and(|(_, of)| of == host.as_str());
    if own || origins.iter().any(|listed| listed == origin) {
        return Ok(());
    }
    let what = format!("pages of `{origin}` may not call this server");
    Err(Problem::new(ErrorCode::Forbidden, what)
        .help("list the origin in the setting `server.cors_origins`"))
}

fn is_ours(host: &Authority, hosts: &[String]) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|listed| listed.eq_ignore_ascii_case(name))
}

fn header_text<'a>(head: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

/// Tells browsers which pages may call; nothing without listed origins.
pub(super) fn cors(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let name = HeaderName::from_static;
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                header::RANGE,
                name("idempotency-key"),
                name("last-event-id"),
                name("traceparent"),
                name("x-correlation-id"),
            ])
            .expose_headers([
                header::CONTENT_RANGE,
                header::ETAG,
                header::RETRY_AFTER,
                name("x-correlation-id"),
            ])
            .max_age(MAX_AGE),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn verdict(host: &str, origin: Option<&str>) -> bool {
        let mut request = Request::builder().uri("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        check(&head, &["loom.lan".into()], &["https://ci.example".into()]).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_and_pages_of_its_own_or_listed_ones_come_in() {
        for (host, origin, expected) in [
            ("127.0.0.1:7420", None, true),
            ("127.8.9.1", None, true),
            ("[::1]:7420", None, true),
            ("LocalHost:7420", None, true),
            ("loom.lan", None, true),
            ("evil.example:7420", None, false),
            ("127.0.0.1.evil.example", None, false),
            ("10.0.0.1:7420", None, false),
            ("localhost@evil.example", None, false),
            ("", None, false),
            ("localhost:7420", Some("http://localhost:7420"), true),
            ("localhost:7420", Some("http://localhost:3000"), false),
            ("localhost:7420", Some("https://ci.example"), true),
            ("localhost:7420", Some("https://ci.example.evil"), false),
            ("localhost:7420", Some("null"), false),
            ("localhost:7420", Some(""), false),
        ] {
            assert_eq!(verdict(host, origin), expected, "{host} {origin:?}");
        }
    }
}
