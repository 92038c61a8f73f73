//! Where requests come from, and how many connections an address has.

use super::access::token;
use super::harness::Server;
use super::raw::{Raw, ask};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::Value;

/// The status of a call with a wrong token, of which few are borne.
fn wrong(server: &Server, forwarded: &[(&str, &str)]) -> u16 {
    let token = [("authorization", "Bearer loom_wrong")];
    ask(server.address(), "GET", "/api/v1/runs", &[&token, forwarded].concat(), "").status
}

/// Where the changes of a caller came from, the last first.
fn origins(server: &Server, who: &str) -> Vec<String> {
    let found = server.get(&format!("/api/v1/audit?who={who}&action=runs:start")).expect(200);
    let items = found["items"].as_array().unwrap().iter();
    items.map(|item| item["from"].as_str().unwrap().to_owned()).collect()
}

fn guarded(args: &[&str]) -> Server {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let args = [&["--access", "--limits-failures", "3"], args].concat();
    let mut server = Server::with(loom, &args);
    server.set_token(&admin);
    server
}

#[test]
fn nobody_is_believed_who_is_no_trusted_proxy() {
    let server = guarded(&["--trusted-proxies", "192.0.2.0/24"]);
    let statuses: Vec<u16> = (0..4)
        .map(|n| {
            let made_up = format!("198.51.100.{n}");
            wrong(&server, &[("x-forwarded-for", &made_up), ("forwarded", &made_up)])
        })
        .collect();
    assert_eq!(statuses, [401, 401, 401, 429]);
    server.send("POST", "/api/v1/runs", &[("x-forwarded-for", "198.51.100.7")], "{}");
    let from = eventually("the change", || origins(&server, "admin").pop());
    assert_eq!(from, "127.0.0.1");
}

#[test]
fn a_trusted_proxy_speaks_for_its_clients_and_clients_for_nobody() {
    let server = guarded(&["--trusted-proxies", "127.0.0.1", "--trusted-proxies", "10.0.0.0/8"]);
    let from = |addresses: &str| wrong(&server, &[("x-forwarded-for", addresses)]);
    for n in 0..3 {
        // Whatever the client put before, its own address is what the proxy appends.
        assert_eq!(from(&format!("203.0.113.{n}, 198.51.100.7, 10.9.9.9")), 401);
    }
    assert_eq!(from("198.51.100.7"), 429);
    assert_eq!(from("203.0.113.9, 198.51.100.7"), 429);
    assert_eq!(from("198.51.100.7, 198.51.100.8"), 401, "another client is not refused");
    // The header that is not configured counts for nothing.
    let other = [("forwarded", "for=203.0.113.77"), ("x-forwarded-for", "198.51.100.7")];
    assert_eq!(wrong(&server, &other), 429);

    server.send("POST", "/api/v1/runs", &[("x-forwarded-for", "6.6.6.6, 2001:db8::7")], "{}");
    let from = eventually("the change", || origins(&server, "admin").pop());
    assert_eq!(from, "2001:db8::7");
    eventually("the request in the log", || {
        server.said().contains("from=2001:db8::7").then_some(())
    });
}

#[test]
fn the_standard_header_is_read_where_it_is_configured() {
    let server = guarded(&["--trusted-proxies", "127.0.0.1", "--proxy-header", "forwarded"]);
    let headers = [("forwarded", "for=6.6.6.6, for=\"[2001:db8::9]:4711\";proto=https")];
    server.send("POST", "/api/v1/runs", &headers, "{}");
    let from = eventually("the change", || origins(&server, "admin").pop());
    assert_eq!(from, "2001:db8::9");
}

#[test]
fn proxies_that_are_none_are_refused() {
    let loom = Loom::new();
    for (flag, value, expected) in [
        ("--trusted-proxies", "proxy.example", "no address or range"),
        ("--trusted-proxies", "10.0.0.0/33", "no address or range"),
        ("--proxy-header", "x-real-ip", "`x-forwarded-for` or `forwarded`"),
    ] {
        loom.loom(&["serve", "--listen", "127.0.0.1:0", flag, value])
            .exits(2)
            .warns("L717")
            .warns(expected);
    }
}

/// A connection that stays open, or the end of one that is not taken.
fn opened(server: &Server) -> Option<Raw> {
    let mut raw = Raw::connect(server.address());
    raw.request("GET", "/api/v1/events", &[("host", "localhost")], "");
    raw.reply().map(|reply| {
        assert_eq!(reply.status, 200);
        raw
    })
}

#[test]
fn an_address_has_so_many_connections_and_a_trusted_proxy_any_number() {
    let limit = ["--limits-address-connections", "3"];
    let server = Server::with(Loom::new(), &limit);
    let mut open: Vec<Raw> = (0..3).map(|_| opened(&server).unwrap()).collect();
    assert!(opened(&server).is_none());
    eventually("it is told", || server.said().contains("127.0.0.1 has too many").then_some(()));
    open.pop();
    open.push(eventually("room for another", || opened(&server)));
    assert!(opened(&server).is_none());

    let proxied = Server::with(
        Loom::new(),
        &[&limit[..], &["--trusted-proxies", "::1,127.0.0.0/8"]].concat(),
    );
    let open: Vec<Raw> = (0..9).map(|_| opened(&proxied).unwrap()).collect();
    let status: Value = proxied.get("/health/status").expect(200);
    assert_eq!(status["streams"], open.len());
}
