//! Requests that nobody would send by mistake alone, to every address that there is.

use super::access::HELLO;
use super::harness::Server;
use super::raw::{Raw, Reply};
use serde_json::Value;

/// An operation of the document.
struct Operation {
    method: String,
    path: String,
    takes_body: bool,
    takes_cursor: bool,
}

fn operations(server: &Server) -> Vec<Operation> {
    let document = server.get("/api/v1/openapi.json").expect(200);
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        // That protocol takes whatever its clients have ever sent; its own tests are elsewhere.
        if path.starts_with("/dotflow") {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            let has = |name: &str| {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                parameters.into_iter().any(|parameter| parameter["name"] == name)
            };
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                takes_body: operation["requestBody"].is_object(),
                takes_cursor: has("cursor"),
            });
        }
    }
    assert!(operations.len() > 40, "{}", operations.len());
    operations
}

impl Operation {
    /// The path with this in place of all that it names.
    fn named(&self, name: &str) -> String {
        let mut path = self.path.clone();
        while let Some((before, rest)) = path.split_once('{') {
            let (_, behind) = rest.split_once('}').unwrap();
            path = format!("{before}{name}{behind}");
        }
        path
    }

    fn names_something(&self) -> bool {
        self.path.contains('{')
    }
}

/// Sends bytes that need be no text, and reads the answer.
fn send(server: &Server, method: &str, path: &str, body: &[u8]) -> Reply {
    let mut raw = Raw::connect(server.address());
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    raw.send(&[head.as_bytes(), body].concat());
    raw.reply().unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// A refusal is a problem document with a code of ours.
#[track_caller]
fn assert_refusal(reply: &Reply, what: &str) {
    assert!((400..500).contains(&reply.status), "{what}: {reply:?}");
    assert!(reply.head.contains("application/problem+json"), "{what}: {reply:?}");
    let document: Value = serde_json::from_str(&reply.body).unwrap();
    let code = document["code"].as_str().unwrap_or_default();
    assert!(code.starts_with('L') && code.len() == 4, "{what}: {document}");
    assert!(!document["detail"].as_str().unwrap().is_empty(), "{what}");
}

#[test]
fn every_body_that_is_wrong_is_refused_with_a_reason() {
    let server = Server::start();
    server.register(HELLO);
    let deep = "[".repeat(100_000);
    let deep_map = "{\"a\":".repeat(10_000);
    let bodies: [&[u8]; 14] = [
        b"{",
        b"{\"workflow\":",
        b"nul",
        b"7",
        b"-1e999",
        b"\"text\"",
        b"[]",
        b"[[]]",
        b"null",
        b"{\"nosuch\": 1}",
        b"{\"workflow\": 7, \"name\": [], \"roles\": {}, \"runs\": \"x\", \"url\": 1}",
        b"{\"workflow\": \"\xff\xfe\"}",
        deep.as_bytes(),
        deep_map.as_bytes(),
    ];
    for operation in operations(&server).iter().filter(|operation| operation.takes_body) {
        for body in bodies {
            let path = operation.named("hello");
            let reply = send(&server, &operation.method, &path, body);
            let text = String::from_utf8_lossy(&body[..body.len().min(40)]);
            let what = format!("{} {path} with {text}", operation.method);
            // To say what is wrong is what this one is for.
            if operation.path.ends_with("/validate") && reply.status == 200 {
                continue;
            }
            assert_refusal(&reply, &what);
        }
    }
    server.get("/health/ready").expect(200);
}

#[test]
fn what_is_not_there_and_what_is_no_name_is_told() {
    let server = Server::start();
    let long = "x".repeat(5000);
    let names = [
        "nosuch",
        "01m7y5qqkx6z346q3qhq2xaxpy",
        "..",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "%00",
        "%ff%fe",
        "a%0d%0ax",
        "'%20OR%201=1--",
        "%F0%9F%92%A9",
        &long,
    ];
    for operation in operations(&server).iter().filter(|operation| operation.names_something()) {
        for name in names {
            let path = operation.named(name);
            let reply = send(&server, &operation.method, &path, b"{}");
            let what = format!("{} {}", operation.method, &path[..path.len().min(80)]);
            // A list or a change of things that have no such name yet may be in order.
            if reply.status < 300 {
                let is_new = operation.method == "PUT" || operation.method == "GET";
                assert!(is_new, "{what}: {reply:?}");
                continue;
            }
            assert_refusal(&reply, &what);
        }
    }
}

#[test]
fn cursors_that_are_none_of_the_list_are_refused() {
    let server = Server::start();
    server.register(HELLO);
    let run = server.begin("hello");
    server.until(&run, "succeeded");
    let lists: Vec<Operation> =
        operations(&server).into_iter().filter(|operation| operation.takes_cursor).collect();
    assert!(lists.len() >= 6, "{}", lists.len());
    for list in lists {
        for cursor in ["x", "%00", "AAAAAAAAAAAAAAAA", "hello", &run[..25], "%ff", "-1", "{}"] {
            let path = format!("{}?cursor={cursor}", list.named("nosuch"));
            let reply = send(&server, "GET", &path, b"");
            assert_refusal(&reply, &path);
            // Whose list is not there is told first.
            if !list.names_something() && cursor != "%ff" {
                assert!(reply.body.contains("\"L711\""), "{path}: {reply:?}");
            }
        }
    }
}
