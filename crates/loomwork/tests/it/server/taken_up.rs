//! Runs that a server that was killed has left.

use super::harness::Server;
use crate::harness::Lock;
use crate::watch::eventually;
use std::fs;

#[test]
fn a_server_takes_up_what_its_crash_left_when_the_store_is_free_again() {
    let mut server = Server::start();
    server.register(
        r#"
name: locked
tasks:
  - { name: a, plugin: cmd, outputs: [A], params: { command: "echo a >> ran; until test -e go; do sleep 0.01; done; echo A=1" } }
"#,
    );
    let run = server.begin("locked");
    server.loom.until_file("ran", "a\n");
    server.kill();
    let lock = Lock::hold(&server.loom);
    server.go_on();
    assert_eq!(server.taken_up, 1);
    eventually("the store is found locked", || {
        server.said().contains("is taken up later").then_some(())
    });
    drop(lock);
    server.loom.until_file("ran", "a\na\n");
    fs::write(server.loom.path("go"), "").unwrap();
    server.until(&run, "succeeded");
}
