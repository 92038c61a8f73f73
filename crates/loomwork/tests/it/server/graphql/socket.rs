//! The WebSocket itself: who comes in, what is not of the protocol, and how it ends.

use super::super::access::{HELLO, make, token};
use super::super::harness::Server;
use super::super::raw::Raw;
use super::client::{Closed, Socket, code, data, refusal};
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::{Value, json};
use std::io::Read;
use std::time::Duration;

const ALL: &str = "subscription { events { seq } }";

fn code_of(closed: Closed) -> u16 {
    closed.map_or(0, |(code, _)| code)
}

#[test]
fn queries_and_mutations_are_answered_too() {
    let server = Server::start();
    server.register(HELLO);
    let mut socket = Socket::open(&server, None).unwrap();
    let start = r#"mutation { startRun(run: { workflow: "hello" }) { id } }"#;
    socket.subscribe("a", start, &json!({}));
    let run = socket.expect("next", "a")["data"]["startRun"]["id"].take();
    socket.expect("complete", "a");
    server.until(run.as_str().unwrap(), "succeeded");
    let query = "query($id: ID!) { run(id: $id) { state } }";
    // An identity is free again once its operation has ended.
    socket.subscribe("a", query, &json!({ "id": run }));
    assert_eq!(socket.expect("next", "a")["data"]["run"]["state"], "SUCCEEDED");
    socket.expect("complete", "a");
    socket.subscribe("b", "{ nosuch }", &json!({}));
    assert_eq!(code(&socket.expect("error", "b")), "L751");
    socket.subscribe("c", "{ run(id: \"nosuch\") { id } }", &json!({}));
    assert_eq!(code(&socket.expect("next", "c")["errors"]), "L601");
    socket.expect("complete", "c");
    socket.say(&json!({ "type": "ping" }));
    assert_eq!(socket.hear().unwrap(), json!({ "type": "pong" }));
}

#[test]
fn a_token_comes_in_the_header_or_in_the_first_message() {
    let loom = Loom::new();
    let viewer = token(&loom, "viewer");
    let server = Server::with(loom, &["--access"]);
    assert!(Socket::open(&server, Some(&viewer)).is_some());
    let init = |payload: Value| {
        let mut socket = Socket::connect(&server, None).unwrap();
        socket.say(&json!({ "type": "connection_init", "payload": payload }));
        socket
    };
    for name in ["authorization", "Authorization"] {
        let mut socket = init(json!({ name: format!("Bearer {viewer}") }));
        assert_eq!(socket.hear().unwrap(), json!({ "type": "connection_ack" }));
        socket.subscribe("1", "{ eventCursor }", &json!({}));
        assert!(socket.expect("next", "1")["data"]["eventCursor"].is_string());
        socket.expect("complete", "1");
        socket.subscribe("2", "mutation { deleteRun(id: \"x\") }", &json!({}));
        assert_eq!(code(&socket.expect("next", "2")["errors"]), "L702");
    }
    for payload in [
        Value::Null,
        json!({}),
        json!({ "authorization": viewer }),
        json!({ "authorization": "Bearer loom_wrong" }),
        json!({ "token": viewer }),
    ] {
        let (code, reason) = init(payload).closed().unwrap();
        assert!(code == 4403 && reason.starts_with("L701"), "{code} {reason}");
    }
}

#[test]
fn what_is_not_of_the_protocol_ends_the_connection() {
    let server = Server::start();
    let said = |begun: bool, messages: &[&str]| {
        let open = if begun { Socket::open } else { Socket::connect };
        let mut socket = open(&server, None).unwrap();
        messages.iter().for_each(|message| socket.say_text(message));
        code_of(socket.closed())
    };
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": ALL } });
    let (init, subscribe) = (r#"{"type":"connection_init"}"#, subscribe.to_string());
    assert_eq!(said(false, &[&subscribe]), 4401);
    assert_eq!(said(true, &[init]), 4429);
    assert_eq!(said(true, &[&subscribe, &subscribe]), 4409);
    let batch = json!({ "type": "subscribe", "id": "1", "payload": [{ "query": ALL }] });
    for wrong in ["", "x", "{}", "null", r#"{"type":"start"}"#, &batch.to_string()] {
        assert_eq!(said(true, &[wrong]), 4400, "{wrong}");
    }
    let mut socket = Socket::open(&server, None).unwrap();
    socket.say_bytes(b"{}");
    assert_eq!(code_of(socket.closed()), 4400);
    // More than a body may have.
    assert_ne!(said(true, &[&"x".repeat(5 << 20)]), 1000);
    let long = json!({ "type": "subscribe", "id": "x".repeat(200), "payload": { "query": ALL } });
    assert_eq!(said(true, &[&long.to_string()]), 4400);
    assert_eq!(Socket::with(&server, "graphql-ws", &[]).err(), Some(400));
    let evil = [("origin", "https://evil.example".to_owned())];
    assert_eq!(Socket::with(&server, "graphql-transport-ws", &evil).err(), Some(403));
    server.get("/api/v1/workflows").expect(200);
}

#[test]
fn one_connection_has_so_many_operations() {
    let server = Server::start();
    let mut socket = Socket::open(&server, None).unwrap();
    for n in 0..33 {
        socket.subscribe(&n.to_string(), ALL, &json!({}));
    }
    assert_eq!(code(&socket.expect("error", "32")), "L750");
    socket.say(&json!({ "type": "complete", "id": "7" }));
    socket.subscribe("32", "{ eventCursor }", &json!({}));
    socket.expect("next", "32");
    socket.expect("complete", "32");
}

#[test]
fn an_operation_that_is_given_up_says_nothing_more() {
    let server = Server::start();
    server.register(HELLO);
    let mut socket = Socket::open(&server, None).unwrap();
    socket.subscribe("1", r#"subscription { events(after: "0-0") { seq } }"#, &json!({}));
    socket.say(&json!({ "type": "complete", "id": "1" }));
    // Free for another at once.
    socket.subscribe("1", "{ eventCursor }", &json!({}));
    socket.expect("next", "1");
    socket.expect("complete", "1");
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    socket.say(&json!({ "type": "ping" }));
    assert_eq!(socket.hear().unwrap(), json!({ "type": "pong" }));
}

#[test]
fn who_does_not_begin_or_gives_no_sign_of_life_is_not_waited_for() {
    let server = Server::with(Loom::new(), &["--limits-headers", "300ms"]);
    let socket = Socket::connect(&server, None).unwrap();
    assert_eq!(code_of(socket.closed()), 4408);
    // One that answers pings stays, however little it says.
    let mut alive = Socket::open(&server, None).unwrap();
    alive.subscribe("1", ALL, &json!({}));
    let alive = std::thread::spawn(move || alive.expect("next", "1"));
    // One that reads nothing answers none.
    let mut dead = Socket::open(&server, None).unwrap().raw();
    let mut rest = Vec::new();
    dead.read_to_end(&mut rest).unwrap();
    server.register(HELLO);
    let later = Socket::connect(&server, None).unwrap();
    assert_eq!(code_of(later.closed()), 4408, "some time has gone by");
    server.begin("hello");
    assert_eq!(alive.join().unwrap()["data"]["events"]["seq"], 1);
}

#[test]
fn a_token_that_is_revoked_ends_the_connection() {
    let loom = Loom::new();
    let made = make(&loom, "short", &["--role", "viewer"]);
    let text = made["token"].as_str().unwrap().to_owned();
    let server = Server::with(loom, &["--access", "--limits-headers", "300ms"]);
    let mut socket = Socket::open(&server, Some(&text)).unwrap();
    socket.subscribe("1", ALL, &json!({}));
    server.loom.loom(&["token", "revoke", made["id"].as_str().unwrap()]).exits(0);
    let (code, reason) = socket.closed().unwrap();
    assert!(code == 4403 && reason.starts_with("L701"), "{code} {reason}");
}

#[test]
fn a_subscription_ends_with_what_let_it_in() {
    let loom = Loom::new();
    let admin = token(&loom, "admin");
    let mut server = Server::with(loom, &["--access"]);
    server.set_token(&admin);
    let role = |permission: &str| {
        let role = json!({ "permissions": [permission] }).to_string();
        let headers = [("content-type", "application/json")];
        server.send("PUT", "/api/v1/roles/watch", &headers, &role)
    };
    role("events:read").expect(201);
    let watch = make(&server.loom, "ann", &["--role", "watch"])["token"].clone();
    let mut socket = Socket::open(&server, watch.as_str()).unwrap();
    socket.subscribe("1", ALL, &json!({}));
    // It is open once the next operation is answered.
    socket.subscribe("2", "{ eventCursor }", &json!({}));
    socket.expect("next", "2");
    socket.expect("complete", "2");
    role("runs:list").expect(200);
    assert_eq!(code(&socket.expect("error", "1")), "L702");
}

#[test]
fn a_connection_has_so_many_operations_although_it_forgets_them() {
    let server = Server::start();
    server.register("{ name: slow, tasks: [{ name: a, plugin: noop }] }");
    let mut socket = Socket::open(&server, None).unwrap();
    let start = r#"mutation { startRun(run: { workflow: "slow" }) { id } }"#;
    for n in 0..300 {
        socket.subscribe(&n.to_string(), start, &json!({}));
        socket.say(&json!({ "type": "complete", "id": n.to_string() }));
    }
    let refused = eventually("one is refused", || {
        let said = socket.hear().unwrap();
        (said["type"] == "error").then(|| said["payload"].clone())
    });
    assert_eq!(code(&refused), "L750");
}

#[test]
fn operations_count_as_calls() {
    let loom = Loom::new();
    let viewer = token(&loom, "viewer");
    let server = Server::with(loom, &["--access", "--limits-rate", "10"]);
    let mut socket = Socket::open(&server, Some(&viewer)).unwrap();
    for n in 0..12 {
        socket.subscribe(&n.to_string(), "{ eventCursor }", &json!({}));
    }
    let limited = eventually("the limit on calls", || {
        let said = socket.hear().unwrap();
        (said["type"] == "error").then(|| said["payload"].clone())
    });
    assert_eq!(code(&limited), "L706");
}

#[test]
fn so_do_signs_of_life() {
    for chatter in [json!({ "type": "ping" }), json!({ "type": "complete", "id": "none" })] {
        let server = Server::with(Loom::new(), &["--limits-rate", "10"]);
        let mut socket = Socket::open(&server, None).unwrap();
        (0..15).for_each(|_| socket.say(&chatter));
        let closed = loop {
            match socket.hear() {
                Ok(said) => assert_eq!(said["type"], "pong"),
                Err(closed) => break closed,
            }
        };
        assert_eq!(code_of(closed), 4429, "{chatter}");
    }
}

/// Waiting would not help.
#[test]
fn more_calls_than_a_second_has_are_too_many_for_one_query() {
    let server = Server::with(Loom::new(), &["--limits-rate", "10"]);
    let fields: Vec<String> = (0..15).map(|n| format!("a{n}: eventCursor")).collect();
    let (code, answer) = refusal(&server, &format!("{{ {} }}", fields.join(" ")), &json!({}));
    assert_eq!(code, "L752", "{answer}");
    let fields = fields[..4].join(" ");
    data(&server, &format!("{{ {fields} }}"), &json!({}));
}

#[test]
fn websockets_are_among_the_connections_that_there_may_be() {
    let server = Server::with(Loom::new(), &["--limits-connections", "1"]);
    let socket = Socket::open(&server, None).unwrap();
    let mut waiting = Raw::connect(server.address());
    let headers = [("host", "localhost"), ("connection", "close")];
    waiting.request("GET", "/api/v1/workflows", &headers, "");
    assert!(waiting.silent_for(Duration::from_millis(300)), "it was let in");
    drop(socket);
    assert_eq!(waiting.reply().unwrap().status, 200);
}

#[test]
fn a_server_that_stops_says_so() {
    let mut server = Server::start();
    let idle = Socket::open(&server, None).unwrap();
    let mut busy = Socket::open(&server, None).unwrap();
    busy.subscribe("1", ALL, &json!({}));
    let waiting = [idle, busy].map(|socket| std::thread::spawn(move || socket.closed()));
    server.stop();
    for closed in waiting {
        assert_eq!(code_of(closed.join().unwrap()), 1001);
    }
}
