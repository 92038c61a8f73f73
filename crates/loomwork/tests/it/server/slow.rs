//! Clients that take nothing of what is sent to them, or send nothing of what they announce.

use super::h2::{Come, H2};
use super::harness::Server;
use super::raw::Raw;
use crate::harness::Loom;
use crate::watch::eventually;
use serde_json::json;
use std::io::Read;
use std::time::Duration;

/// More than the buffers of a connection hold.
const SIZE: usize = 40_000_000;

/// A server that waits a third of a second for slow readers, and the address of a large log.
fn with_a_large_log() -> (Server, String) {
    let server = Server::with(Loom::new(), &["--limits-write", "300ms"]);
    server.register(&format!(
        "
name: loud
tasks:
  - name: shout
    plugin: cmd
    params: {{ command: 'head -c {SIZE} /dev/zero | tr \"\\0\" x' }}
"
    ));
    let run = server.begin("loud");
    server.until(&run, "succeeded");
    (server, format!("/api/v1/runs/{run}/tasks/shout/attempts/1/log"))
}

#[test]
fn a_reader_that_takes_nothing_is_cut_off() {
    let (server, log) = with_a_large_log();
    let mut slow = Raw::connect(server.address());
    slow.request("GET", &log, &[("host", "localhost")], "");
    // Not a byte is read until the server has closed the connection.
    eventually("the end of the connection", || (!slow.try_send(b" ")).then_some(()));
    assert!(slow.rest() < SIZE);
    // One that reads all the time has as long as it takes.
    let mut whole = Vec::new();
    server.open(&log).read_to_end(&mut whole).unwrap();
    assert_eq!(whole.len(), SIZE);
}

#[test]
fn a_stream_of_http_2_that_takes_nothing_is_cut_off_and_the_others_go_on() {
    let (server, log) = with_a_large_log();
    let mut h2 = H2::connect(server.address(), 1000);
    let large = h2.request("GET", &log, Ok(""));
    assert_eq!(h2.answer(large), Come { bytes: 1000, reset: true });
    // Nothing is read until a window opens; events wait for it in vain.
    let live = h2.request("GET", "/health/live", Ok(""));
    let come = h2.answer(live);
    assert!(come.bytes > 0 && !come.reset, "{come:?}");

    let mut shut = H2::connect(server.address(), 0);
    let events = shut.request("GET", "/api/v1/events", Ok(""));
    assert_eq!(shut.answer(events), Come { bytes: 0, reset: true });
    eventually("the reader is gone", || {
        (server.get("/health/status").expect(200)["streams"] == 0).then_some(())
    });
}

#[test]
fn a_change_does_not_wait_for_its_body_longer_than_its_client_may() {
    let server = Server::with(Loom::new(), &["--limits-request", "300ms"]);
    let mut h2 = H2::connect(server.address(), 1000);
    let stream = h2.request("POST", "/api/v1/runs", Err(()));
    h2.head(stream);
    // The connection stays open, and yet the change has come to an end.
    let found = eventually("the record of the change", || {
        let found = server.get("/api/v1/audit?action=runs:start").expect(200);
        found["items"].get(0).cloned()
    });
    assert_eq!((&found["outcome"], &found["status"]), (&json!("refused"), &json!(408)));
}

#[test]
fn who_sends_byte_by_byte_has_no_longer_than_others() {
    let args = ["--limits-headers", "500ms", "--limits-request", "500ms"];
    let server = Server::with(Loom::new(), &args);
    let head =
        "POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let mut raw = Raw::connect(server.address());
    let sent = drip(&mut raw, head);
    assert!(sent < head.len(), "the headers came whole");

    let mut raw = Raw::connect(server.address());
    raw.send(format!("{head}content-length: 1000\r\n\r\n").as_bytes());
    let sent = drip(&mut raw, &" ".repeat(1000));
    assert!(sent < 1000, "the body came whole");
    server.get("/health/live").expect(200);
}

/// Sends a text slowly; answers with how much of it was sent before the connection was closed.
fn drip(raw: &mut Raw, text: &str) -> usize {
    let mut sent = 0;
    for byte in text.as_bytes() {
        if !raw.try_send(&[*byte]) {
            break;
        }
        sent += 1;
        std::thread::park_timeout(Duration::from_millis(20));
    }
    sent
}
