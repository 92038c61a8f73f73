//! `loom --server`: the binary as a client of itself.

mod refused;
mod steered;
mod watched;

use super::harness::Server;
use crate::harness::Loom;

/// A task that waits for `go` beside the server, and one behind it.
const WAITS: &str = r#"
name: waits
tasks:
  - name: a
    plugin: cmd
    outputs: [A]
    params: { command: "echo begun; echo a >> ran; until test -e go; do sleep 0.01; done; echo A=1" }
  - { name: b, plugin: cmd, inputs: [A], params: { command: "echo b $A; echo b >> ran" } }
"#;

/// Some of everything: what succeeds, what fails after another try, what is skipped, and a list.
const MIXED: &str = r#"
name: mixed
env: { MODE: fast }
tasks:
  - { name: good, plugin: cmd, outputs: [G], params: { command: "echo out; echo err >&2; echo G=1" } }
  - name: twice
    plugin: cmd
    inputs: [G]
    retry: { max_attempts: 2, initial: 10ms }
    params: { command: "echo try $LOOM_ATTEMPT; exit 1" }
  - { name: after, plugin: cmd, execution: { depends_on: [twice] }, params: { command: "true" } }
  - { name: "e/ ä", plugin: cmd, for_each: [x, y, z], params: { command: "echo for $LOOM_TASK" } }
"#;

/// A folder on another machine, as it were: with the workflow, and without a store.
fn client(server: &Server, workflow: &str) -> Loom {
    Loom::with(workflow).env("LOOM_SERVER", &server.url(""))
}

/// Lets the task of [`WAITS`] go on.
fn go(server: &Server) {
    std::fs::write(server.loom.path("go"), "").unwrap();
}
