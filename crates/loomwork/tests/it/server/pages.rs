//! The web interface, as the binary serves it.

use super::access::token;
use super::harness::{Answer, Server};
use crate::harness::Loom;
use std::collections::BTreeSet;

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Answer {
    server.send_plain("GET", path, headers, "")
}

/// A header that need not be there.
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// The addresses of the files that the page names.
fn files(page: &str) -> Vec<String> {
    let parts = page.split(['"']).filter(|part| part.starts_with('/') && part.contains('.'));
    parts.map(str::to_owned).collect()
}

#[test]
fn every_address_of_a_page_is_the_page() {
    let server = Server::start();
    for path in ["/", "/index.html", "/runs", "/workflows/default/my.flow", "/runs?status=failed"] {
        let page = get(&server, path, &[HTML]);
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8", "{path}");
        assert!(page.text.contains("<title>Loomwork</title>"), "{path}: {}", page.text);
    }
    assert_eq!(get(&server, "/", &[]).status, 200);
}

#[test]
fn the_page_is_no_answer_for_the_api_nor_for_programs() {
    let server = Server::start();
    let paths =
        ["/api/v1/nosuch", "/graphql/nosuch", "/metrics/nosuch", "/health/nosuch", "/hooks"];
    for path in paths {
        get(&server, path, &[HTML]).problem(404, "L703");
    }
    get(&server, "/nosuch", &[]).problem(404, "L703");
    get(&server, "/assets/nosuch.js", &[("accept", "*/*")]).problem(404, "L703");
    get(&server, "/assets/../../etc/passwd", &[("accept", "*/*")]).problem(404, "L703");
    server.send_plain("POST", "/runs", &[HTML], "").problem(404, "L703");
}

#[test]
fn the_policy_lets_nothing_in_from_elsewhere_and_each_answer_has_its_own_nonce() {
    let server = Server::start();
    let mut nonces = BTreeSet::new();
    for _ in 0..3 {
        let page = get(&server, "/", &[HTML]);
        let (_, rest) = page.text.split_once("name=\"csp-nonce\" content=\"").unwrap();
        let (nonce, _) = rest.split_once('"').unwrap();
        assert!(nonce.len() >= 20, "{nonce}");
        let expected = format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
             img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; worker-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        assert_eq!(header(&page, "content-security-policy"), expected);
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert_eq!(header(&page, "referrer-policy"), "no-referrer");
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert!(header(&page, "etag").is_empty(), "no two answers are the same");
        nonces.insert(nonce.to_owned());
    }
    assert_eq!(nonces.len(), 3);
}

#[test]
fn files_are_compressed_for_those_who_take_it_and_not_sent_twice() {
    let server = Server::start();
    let page = get(&server, "/", &[HTML]).text;
    let files = files(&page);
    // A build without pages has one without files.
    assert_eq!(files.is_empty(), page.contains("built without its web interface"), "{page}");
    for path in files {
        let plain = get(&server, &path, &[("accept-encoding", "br, gzip;q=0")]);
        assert_eq!(plain.status, 200, "{path}");
        assert_eq!(header(&plain, "content-encoding"), "", "{path}");
        assert_eq!(header(&plain, "x-content-type-options"), "nosniff", "{path}");
        assert!(header(&plain, "content-security-policy").starts_with("default-src 'none'"));
        let lasting = header(&plain, "cache-control").contains("immutable");
        assert_eq!(lasting, path.starts_with("/assets/"), "{path}");
        let tag = header(&plain, "etag");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag}");
        let again = get(&server, &path, &[("if-none-match", &format!("\"other\", {tag}"))]);
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(header(&again, "etag"), tag, "{path}");
        let head = server.send_plain("HEAD", &path, &[], "");
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        assert_eq!(header(&head, "content-length"), plain.text.len().to_string(), "{path}");
        if header(&plain, "vary").is_empty() {
            continue;
        }
        let headers = [("accept-encoding", "gzip")];
        let compressed = server.send_plain("HEAD", &path, &headers, "");
        assert_eq!(header(&compressed, "content-encoding"), "gzip", "{path}");
        assert_ne!(header(&compressed, "etag"), tag, "it is another representation");
        let length: usize = header(&compressed, "content-length").parse().unwrap();
        assert!(length < plain.text.len(), "{path}");
    }
}

#[test]
fn nobody_needs_a_token_for_the_pages_and_they_are_counted_all_the_same() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access", "--limits-rate", "5"]);
    assert_eq!(get(&server, "/runs", &[HTML]).status, 200);
    get(&server, "/api/v1/runs", &[HTML]).problem(401, "L701");
    get(&server, "/nosuch", &[]).problem(401, "L701");
    let refused = (0..50).find(|_| get(&server, "/", &[HTML]).status == 429);
    assert!(refused.is_some(), "a stranger asks as often as they like");
    // Who is known is not counted with strangers.
    server.set_token(&admin);
    server.get("/api/v1/me").expect(200);
}
