//! The server under measurement.

use super::client::Client;
use serde_json::Value;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A run of one `noop` task.
pub(crate) const ONE: &str = r#"{"workflow": "one"}"#;
/// A run of three in a chain.
pub(crate) const THREE: &str = r#"{"workflow": "three"}"#;
/// A run that takes forty seconds in steps of two.
pub(crate) const SLOW: &str = r#"{"workflow": "slow", "workers": 1}"#;

/// A server of its own on a new store.
pub(crate) struct Daemon {
    pub(crate) host: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_loom"))
            .args(["--json", "serve", "--listen", "127.0.0.1:0"])
            .arg("--store")
            .arg(folder.path().join("loom.db"))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            // A line a request, as by default.
            .stderr(File::create(folder.path().join("server.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let host = said["address"].as_str().unwrap().parse().unwrap();
        let daemon = Self { host, child, _folder: folder };
        daemon.register("one", "noop, params: {}", 1);
        daemon.register("three", "noop, params: {}", 3);
        daemon.register("slow", "sleep, params: {duration: 2s}", 20);
        daemon
    }

    /// Registers a chain of so many tasks.
    fn register(&self, name: &str, plugin: &str, tasks: usize) {
        let mut text = format!("workflow:\n  name: {name}\n  version: 1.0.0\n  tasks:\n");
        for nth in 0..tasks {
            let after = if nth > 0 { format!("t{}", nth - 1) } else { String::new() };
            let _ = writeln!(
                text,
                "    - {{name: t{nth}, plugin: {plugin}, execution: {{depends_on: [{after}]}}}}"
            );
        }
        self.client().send_as("POST", "/api/v1/workflows", "application/yaml", &text);
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.host)
    }

    /// Starts a run and answers with its identity.
    pub(crate) fn begin(client: &mut Client, request: &str) -> String {
        let started = client.send("POST", "/api/v1/runs", request);
        let started: Value = serde_json::from_slice(&started).unwrap();
        started["id"].as_str().unwrap().to_owned()
    }

    /// How much memory the process holds, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Daemon {
    /// How much time of processors the process has used.
    pub(crate) fn spent(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, behind_name) = stat.rsplit_once(')').unwrap();
        let ticks = behind_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap()).sum();
        // Linux counts in hundredths of a second for everyone.
        Duration::from_millis(10 * ticks)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The folder goes too: nothing is worth a farewell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
