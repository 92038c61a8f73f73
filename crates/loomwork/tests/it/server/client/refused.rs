//! What cannot be done, and what is said of it.

use super::WAITS;
use crate::harness::Loom;
use crate::server::harness::Server;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

/// Answers every request with what `answer` makes of its first line; its address.
fn fake(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let Some(Ok(first)) = lines.next() else { continue };
            // The requests that come here have no bodies.
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(answer(&first).as_bytes());
        }
    });
    address
}

fn response(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_server_that_is_not_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let loom = Loom::with(WAITS).env("LOOM_SERVER", &format!("http://{free}"));
    for args in [&["list"][..], &["show", "last"], &["run", "w.yaml"], &["cancel", "last"]] {
        let said = loom.loom(args).exits(3).warns("error[L761]").warns(&free.to_string());
        said.warns("loom serve");
    }
    let error = &loom.loom(&["list", "--json"]).exits(3).json()[0];
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("L761")));
    loom.loom(&["explain", "L761"]).exits(0);
    loom.loom(&["list", "--server", "http://no-such-host.invalid"]).exits(3).warns("error[L761]");
}

#[test]
fn pages_without_an_end_are_not_read_for_ever() {
    let page = response("200 OK", "application/json", r#"{"items": [], "next_cursor": "a"}"#);
    let loom = Loom::with(WAITS).env("LOOM_SERVER", &fake(move |_| page.clone()));
    loom.loom(&["list"]).exits(3).warns("error[L762]").warns("the cursor of this one");
}

#[test]
fn something_that_is_no_loomwork_server() {
    for (answer, what) in [
        (response("200 OK", "text/html", "<html>hello</html>"), "error[L762]"),
        (response("200 OK", "application/json", "{\"items\": 3}"), "error[L762]"),
        (response("404 Not Found", "text/html", "<html>nothing</html>"), "error[L762]"),
        (response("502 Bad Gateway", "text/html", "<html>gone</html>"), "error[L761]"),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n".into(),
            "http://elsewhere/",
        ),
        ("nonsense\r\n\r\n".into(), "error[L761]"),
        (String::new(), "error[L761]"),
    ] {
        let shown = answer.clone();
        let address = fake(move |_| answer.clone());
        let said = Loom::new().env("LOOM_SERVER", &address).loom(&["list"]).exits(3);
        assert!(said.err.contains(what), "{shown}: {}", said.err);
    }
    // An error of a server that is newer than its client.
    let document = json!({
        "type": "urn:loomwork:error:L799", "title": "new", "status": 409, "detail": "quite new",
        "code": "L799",
    });
    let address =
        fake(move |_| response("409 Conflict", "application/problem+json", &document.to_string()));
    let said = Loom::new().env("LOOM_SERVER", &address).loom(&["list"]).exits(3);
    said.warns("error[L762]").warns("L799: quite new");
}

#[test]
fn a_server_that_tells_what_cannot_be() {
    let id = "01m7y5qqkx6z346q3qhq2xaxpy";
    let at = "2026-11-21T08:33:20.000120Z";
    let submission = json!({
        "id": id, "namespace": "default", "workflow": "w", "version": "1.0.0", "state": "running",
        "alive": true, "created_at": at, "workers": 1, "base": "/", "last_seq": 2,
        "definition": { "namespace": "default", "name": "w", "version": "1.0.0",
            "tasks": [{ "name": "a", "plugin": "cmd" }] },
        "variables": [],
    });
    let begun = json!({ "run": id, "seq": 1, "at": at, "type": "run.started",
        "namespace": "default", "workflow": "w", "version": "1.0.0" });
    for (event, why) in [
        (json!({ "type": "task.started", "task": "a", "attempt": 1 }), ""),
        (json!({ "type": "task.started", "task": "nobody", "attempt": 1 }), "cannot be"),
        (json!({ "type": "task.started", "task": "a", "attempt": 1, "item": 7 }), "cannot be"),
        (json!({ "type": "task.succeeded", "task": "a", "attempt": 1 }), "cannot be"),
        (json!({ "type": "task.gathered", "task": "a", "failed": 9 }), "cannot be"),
        (
            json!({ "type": "task.resolved", "seq": 7, "task": "a", "by": "", "reason": "" }),
            "cannot be",
        ),
        (json!({ "type": "task.transcended", "task": "a" }), "not understood"),
        (json!([]), "not understood"),
    ] {
        let mut second = json!({ "run": id, "seq": 2, "at": at });
        match event.as_object() {
            Some(fields) => second.as_object_mut().unwrap().extend(fields.clone()),
            None => second = event.clone(),
        }
        let events = format!("data: {begun}\n\ndata: {second}\n\n");
        let submission = submission.to_string();
        let address = fake(move |first| {
            if first.contains("/submission") {
                response("200 OK", "application/json", &submission)
            } else {
                response("200 OK", "text/event-stream", &events)
            }
        });
        let said = Loom::new().env("LOOM_SERVER", &address).loom(&["show", id]);
        if why.is_empty() {
            said.exits(0).says("running");
        } else {
            let said = said.exits(3).warns("error[L762]");
            assert!(said.err.contains(why), "{event}: {}", said.err);
        }
    }
}

#[test]
fn a_token_is_shown_to_nobody_on_the_way() {
    let loom = Loom::new().env("LOOM_TOKEN", "loom_secret");
    let there = "http://loom.invalid:7420";
    let said = loom.loom(&["list", "--server", there]).exits(2).warns("error[L763]");
    assert!(!said.err.contains("loom_secret"), "{}", said.err);
    loom.loom(&["list", "--server", there, "--insecure-token"]).exits(3).warns("error[L761]");
    loom.loom(&["list", "--server", "https://loom.invalid"]).exits(3).warns("error[L761]");
    let said = loom.loom(&["list", "--server", "http://ann:pa55@127.0.0.1:1"]).exits(2);
    assert!(said.err.contains("error[L717]") && !said.err.contains("pa55"), "{}", said.err);
    for wrong in ["127.0.0.1:7420", "ftp://a", "http://"] {
        loom.loom(&["list", "--server", wrong]).exits(2).warns("error[L717]").warns("--server");
    }
}

#[test]
fn a_certificate_of_an_authority_of_ones_own() {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loom-worker/tests/tls");
    let file = |name: &str| tls.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let args = ["--tls-certificate", &certificate, "--tls-key", &key];
    let server = Server::with(Loom::new(), &args);
    std::fs::write(server.loom.path("go"), "").unwrap();
    let url = format!("https://{}", server.address());
    let loom = Loom::with(WAITS).env("LOOM_SERVER", &url).env("LOOM_TOKEN", "not-asked-for");
    loom.loom(&["list"]).exits(3).warns("error[L761]").warns("--ca FILE");
    loom.loom(&["run", "w.yaml", "--ca", &file("authority.pem")]).exits(0).says("succeeded");
    loom.beside().env("LOOM_CA", &file("authority.pem")).loom(&["list"]).exits(0).says("waits");
    loom.beside()
        .env("SSL_CERT_FILE", &file("authority.pem"))
        .loom(&["list"])
        .exits(0)
        .says("waits");
    loom.loom(&["list", "--ca", "nosuch.pem"]).exits(2).warns("error[L717]").warns("nosuch.pem");
    loom.loom(&["list", "--ca", &key]).exits(2).warns("error[L717]").warns("no certificate");
    let plain = format!("http://{}", server.address());
    loom.loom(&["list", "--server", &plain]).exits(3).warns("error[L761]");
}

#[test]
fn the_certificate_of_an_authority_is_none_of_a_server() {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/server/tls");
    let file = |name: &str| tls.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (file("authority.pem"), file("authority.key"));
    let args = ["--tls-certificate", &certificate, "--tls-key", &key];
    let server = Server::with(Loom::new(), &args);
    let url = format!("https://{}", server.address());
    let loom = Loom::new().env("LOOM_SERVER", &url);
    let said = loom.loom(&["list", "--ca", &certificate]).exits(3).warns("error[L761]");
    let said = said.warns("(CA:TRUE)").warns("basicConstraints=critical,CA:FALSE");
    assert!(!said.err.contains("--ca FILE"), "it was given: {}", said.err);
}

#[test]
fn what_has_no_meaning_for_a_server() {
    let loom = Loom::with(WAITS);
    let there = ["--server", "http://127.0.0.1:1"];
    for args in [
        &["prune", "--older-than", "1d"][..],
        &["token", "list"],
        &["validate", "w.yaml"],
        &["graph", "w.yaml"],
        &["serve"],
        &["explain", "L101"],
        &["run", "w.yaml", "--queue", "gpu=1"],
        &["run", "w.yaml", "--limit", "bytes=1"],
        &["retry", "last", "--permissions-url", "http://127.0.0.1:1"],
    ] {
        loom.loom(&[args, &there[..]].concat()).exits(2).warns("error[L764]");
    }
    loom.loom(&["graph", "w.yaml", "--ca", "x"])
        .exits(2)
        .warns("error[L764]")
        .warns("leave --ca out");
    let set = loom.beside().env("LOOM_SERVER", there[1]);
    set.loom(&["prune", "--older-than", "1d"]).exits(2).warns("error[L764]").warns("LOOM_SERVER");
    // A store that is named on the command line is meant.
    set.loom(&["prune", "--older-than", "1d", "--store", "x.db"]).exits(0).says("deleted 0 runs");
    set.loom(&["list", "--store", "x.db"]).exits(0).warns("no store");
    set.loom(&["validate", "w.yaml"]).exits(0);
    set.loom(&["list", "--store", "x.db", there[0], there[1]]).exits(2).warns("error[L605]");
    loom.loom(&["list", "--token-file", "x"]).exits(2).warns("error[L605]").warns("--token-file");
    loom.loom(&["list", "--insecure-token"]).exits(2).warns("error[L605]");
    let said = set.loom(&["config", "--json"]).exits(0).json().remove(0);
    let list = said["settings"].as_array().unwrap();
    let found = |key: &str| list.iter().find(|it| it["key"] == key).unwrap();
    assert_eq!(found("client.server")["origin"], "LOOM_SERVER");
    assert_eq!(found("client.token")["flag"], json!(null));
}

#[test]
fn the_flags_are_in_the_help_and_in_completions() {
    let loom = Loom::new();
    for command in ["run", "list", "logs"] {
        loom.loom(&[command, "--help"]).exits(0).says("--server <URL>").says("--token-file");
        loom.loom(&[command, "--help"]).exits(0).says("loom.example");
    }
    loom.loom(&["completions", "bash"]).exits(0).says("--insecure-token");
}
