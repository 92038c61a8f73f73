//! Clients that are slow, large, many, or pages of somebody else.

use super::access::token;
use super::harness::Server;
use super::raw::{Raw, ask};
use crate::harness::Loom;
use crate::watch::eventually;

#[test]
fn who_sends_nothing_or_too_slowly_is_not_waited_for() {
    let server = Server::with(Loom::new(), &["--limits-headers", "300ms"]);
    let beginnings: [&[u8]; 5] =
        [b"", b"P", b"PRI * HTTP/2.0\r\n", b"GET /api/v1/work", b"GET / HTTP/1.1\r\nhost: localh"];
    for beginning in beginnings {
        let mut raw = Raw::connect(server.address());
        raw.send(beginning);
        raw.ends();
    }
    // One that was answered and then does nothing.
    let mut idle = Raw::connect(server.address());
    idle.request("GET", "/api/v1/workflows", &[("host", "localhost")], "");
    assert_eq!(idle.reply().unwrap().status, 200);
    idle.ends();
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::with(Loom::new(), &["--limits-request", "300ms"]);
    let mut raw = Raw::connect(server.address());
    raw.send(b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{");
    let reply = raw.reply().unwrap();
    assert_eq!(reply.status, 408);
    assert!(reply.body.contains("\"L708\""), "{}", reply.body);
    // The limit is on the answer's beginning: streams go on.
    let mut stream = Raw::connect(server.address());
    stream.request("GET", "/api/v1/events", &[("host", "localhost")], "");
    assert_eq!(stream.reply().unwrap().status, 200);
    let late = Raw::connect(server.address());
    late_reader(&server, stream, late);
}

/// Sees an event on a stream that is older than the limit on requests.
fn late_reader(server: &Server, mut stream: Raw, mut slow: Raw) {
    // A request that runs into the limit takes as long as it.
    slow.send(b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{");
    assert_eq!(slow.reply().unwrap().status, 408);
    server.register(super::access::HELLO);
    server.begin("hello");
    assert!(stream.line("run.").contains("run."));
}

#[test]
fn what_is_too_large_is_refused_with_a_problem_document() {
    let server = Server::start();
    let large = "x".repeat(10 << 20);
    let json = [("content-type", "application/json")];
    for path in ["/api/v1/runs", "/api/v1/workflows"] {
        server.send("POST", path, &json, &large).problem(413, "L707");
    }
    // Without a length that is announced.
    let mut raw = Raw::connect(server.address());
    raw.send(
        b"POST /api/v1/workflows HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    for _ in 0..5 {
        raw.send(chunk.as_bytes());
    }
    let reply = raw.reply().unwrap();
    assert_eq!(reply.status, 413, "{reply:?}");
    assert!(reply.head.contains("application/problem+json"), "{}", reply.head);
    // What is within the limit is read, though a framework's own may be lower.
    let comment = format!("# {}\nworkflow: {{}}", "x".repeat(3 << 20));
    server.send("POST", "/api/v1/workflows", &[], &comment).problem(422, "L104");
}

#[test]
fn headers_have_a_limit() {
    let server = Server::start();
    let long = "x".repeat(100 << 10);
    let mut raw = Raw::connect(server.address());
    raw.request("GET", "/api/v1/workflows", &[("host", "localhost"), ("x-long", &long)], "");
    assert_eq!(raw.reply().unwrap().status, 431);
    let many: Vec<(String, String)> =
        (0..200).map(|number| (format!("x-{number}"), "1".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let reply = ask(server.address(), "GET", "/api/v1/workflows", &many, "");
    assert_eq!(reply.status, 431);
    server.get("/api/v1/workflows").expect(200);
}

#[test]
fn a_client_has_so_many_calls_and_an_address_so_many_failures() {
    let loom = Loom::new();
    let (one, other) = (token(&loom, "viewer"), token(&loom, "operator"));
    let server = Server::with(loom, &["--access", "--limits-rate", "5", "--limits-failures", "20"]);
    let call = |token: &str| {
        let token = format!("Bearer {token}");
        let headers = [("authorization", token.as_str())];
        ask(server.address(), "GET", "/api/v1/workflows", &headers, "")
    };
    let limited = eventually("the limit on calls", || {
        let reply = call(&one);
        (reply.status == 429).then_some(reply)
    });
    assert!(limited.head.contains("retry-after: 1"), "{}", limited.head);
    assert!(limited.body.contains("\"L706\""), "{}", limited.body);
    assert_eq!(call(&other).status, 200);
    eventually("a permit that came back", || (call(&one).status == 200).then_some(()));
    let statuses: Vec<u16> = (0..30).map(|_| call("loom_wrong").status).collect();
    assert_eq!(statuses[..20], [401; 20]);
    assert!(statuses[20..].contains(&429), "{statuses:?}");
    assert_eq!(call(&other).status, 200, "others fail from the same address");
}

#[test]
fn pages_of_others_do_not_reach_a_server_without_access_control() {
    let args = ["--hosts", "loom.lan", "--cors-origins", "https://ci.example"];
    let server = Server::with(Loom::new(), &args);
    let call = |method: &str, headers: &[(&str, &str)]| {
        let mut raw = Raw::connect(server.address());
        raw.request(method, "/api/v1/workflows", headers, "");
        raw.reply().unwrap()
    };
    assert_eq!(call("GET", &[("host", "loom.lan")]).status, 200);
    let rebound = call("GET", &[("host", "evil.example")]);
    assert_eq!(rebound.status, 403);
    assert!(rebound.body.contains("server.hosts"), "{}", rebound.body);
    let evil = [("host", "localhost"), ("origin", "https://evil.example")];
    let foreign = call("POST", &evil);
    assert_eq!(foreign.status, 403);
    assert!(!foreign.head.contains("access-control-allow-origin"), "{}", foreign.head);
    let listed = [("host", "localhost"), ("origin", "https://ci.example")];
    let allowed = call("GET", &listed);
    assert_eq!(allowed.status, 200);
    assert!(allowed.head.contains("access-control-allow-origin: https://ci.example"));
    let asks = [listed[0], listed[1], ("access-control-request-method", "POST")];
    let preflight = call("OPTIONS", &asks);
    assert_eq!(preflight.status, 200);
    assert!(preflight.head.contains("access-control-allow-methods"), "{}", preflight.head);
    let evil = [evil[0], evil[1], ("access-control-request-method", "POST")];
    let preflight = call("OPTIONS", &evil);
    assert!(!preflight.head.contains("access-control-allow-origin"), "{}", preflight.head);
}

#[test]
fn another_address_than_loopback_needs_access_control() {
    let loom = Loom::new();
    let said = loom.loom(&["serve", "--listen", "0.0.0.0:0"]);
    said.exits(2).warns("L714");
}
