//! The same chain in Restate: its server and SDK from the npm registry, in the project's `target`.
//!
//! Three steps that do nothing, each recorded, in a handler of a service; the client's request is
//! answered when the last has ended.

use super::client::{Client, storm};
use super::figures::{rate, spread};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ALONE: usize = 1000;
const MANY: usize = 10_000;
const CONNECTIONS: usize = 64;
const PATIENCE: Duration = Duration::from_mins(2);

/// Versions that were looked at.
const PACKAGES: &str = r#"{"private": true, "type": "module", "dependencies":
    {"@restatedev/restate-server": "1.7.12", "@restatedev/restate-sdk": "1.17.2"}}"#;

const SERVER: &str = "node_modules/@restatedev/restate-server-linux-x64/bin/restate-server";

const SERVICE: &str = r#"
// The SDK is of Node.js 22; this is all that 20 has not.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
};
const restate = await import("@restatedev/restate-sdk");
const chain = async (ctx) => {
  for (const step of ["t0", "t1", "t2"]) await ctx.run(step, () => null);
};
restate.serve({ services: [restate.service({ name: "bench", handlers: { chain } })],
                port: Number(process.argv[2]) });
"#;

/// Ends its process with itself.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn chains() {
    let folder = install();
    let store = tempfile::tempdir().unwrap();
    let [ingress, admin, node, service] = ports();
    let _service = start(Command::new("node").arg("service.mjs").arg(service.to_string()), &folder);
    let _server = start(
        // Itself, not the script that starts it: that one leaves it behind when it is killed.
        Command::new(folder.join(SERVER))
            .args(["--base-dir", store.path().to_str().unwrap(), "--log-filter", "error"])
            .env("RESTATE_INGRESS__BIND_ADDRESS", format!("127.0.0.1:{ingress}"))
            .env("RESTATE_ADMIN__BIND_ADDRESS", format!("127.0.0.1:{admin}"))
            .env("RESTATE_BIND_ADDRESS", format!("127.0.0.1:{node}")),
        &folder,
    );
    let host = |port| SocketAddr::from(([127, 0, 0, 1], port));
    until_open(host(admin));
    until_open(host(service));
    let endpoint = format!(r#"{{"uri": "http://127.0.0.1:{service}"}}"#);
    Client::connect(host(admin)).send("POST", "/deployments", &endpoint);
    until_open(host(ingress));
    let call = |client: &mut Client, _| drop(client.send("POST", "/bench/chain", "null"));
    storm(host(ingress), 1, ALONE / 10, call);
    let (times, _) = storm(host(ingress), 1, ALONE, call);
    println!("Restate, 3 steps in a handler, request to answer: {}", spread(times));
    let (_, took) = storm(host(ingress), CONNECTIONS, MANY, call);
    println!("Restate, such calls, {CONNECTIONS} connections: {}", rate(MANY, took));
}

/// Puts the packages below `target`, once.
fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("restate");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("package.json"), PACKAGES).unwrap();
    std::fs::write(folder.join("service.mjs"), SERVICE).unwrap();
    let npm = Command::new("npm").args(["install", "--silent"]).current_dir(&folder).status();
    assert!(npm.unwrap().success(), "npm did not install Restate");
    folder
}

fn start(command: &mut Command, folder: &Path) -> Process {
    Process(command.current_dir(folder).stdout(Stdio::null()).spawn().unwrap())
}

/// Ports that are free now.
fn ports<const N: usize>() -> [u16; N] {
    let free = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    free.map(|listener| listener.local_addr().unwrap().port())
}

fn until_open(host: SocketAddr) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(host).is_err() {
        assert!(begun.elapsed() < PATIENCE, "nothing listens on {host}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
