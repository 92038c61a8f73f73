//! A server of one's own, and a client to talk to it.

use crate::harness::{Loom, send_signal};
use crate::watch::eventually;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// How long an answer may take: longer than anything but a hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// The file that the server's log goes to.
const LOG: &str = "server.log";

/// A process that serves the store of a folder.
pub(crate) struct Server {
    pub(crate) loom: Loom,
    args: Vec<String>,
    child: Option<Child>,
    address: String,
    /// How many runs the process took up when it started.
    pub(crate) taken_up: u64,
    agent: Agent,
    token: Option<String>,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text))
    }

    /// The body as JSON, of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts that this is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let document = self.expect(status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(document["code"], code, "{document}");
        document
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Loom::new(), &[])
    }

    /// Serves from this folder, with these arguments.
    pub(crate) fn with(loom: Loom, args: &[&str]) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).build();
        let mut server = Self {
            loom,
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            child: None,
            address: String::new(),
            taken_up: 0,
            agent: config.new_agent(),
            token: None,
        };
        server.go("127.0.0.1:0");
        server
    }

    /// Another server on the same store.
    pub(crate) fn beside(&self) -> Self {
        Self::with(self.loom.beside(), &[])
    }

    /// Shows this token from now on.
    pub(crate) fn set_token(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Ends the process as a crash does, and starts another at the same address.
    pub(crate) fn crash_and_restart(&mut self) {
        self.kill();
        let address = self.address.clone();
        self.go(&address);
    }

    /// Asks the process to end, and starts another at the same address.
    pub(crate) fn stop_and_restart(&mut self) {
        self.stop();
        let address = self.address.clone();
        self.go(&address);
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn go(&mut self, address: &str) {
        let mut args = vec!["--json", "serve", "--listen", address];
        args.extend(self.args.iter().map(String::as_str));
        let mut command: Command = self.loom.command(&args);
        let log = File::options().create(true).append(true).open(self.loom.path(LOG)).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("it said {line:?}"));
        said["address"].as_str().unwrap().clone_into(&mut self.address);
        self.taken_up = said["taken_up"].as_u64().unwrap();
        self.child = Some(child);
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        send_signal(&child, libc::SIGTERM);
        assert!(child.wait().unwrap().success());
    }

    /// Ends the process as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], &body.to_string())
    }

    /// Sends anything.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let token = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let shown = token.iter().map(|token| ("authorization", token.as_str()));
        let headers: Vec<(&str, &str)> = shown.chain(headers.iter().copied()).collect();
        self.send_plain(method, path, &headers, body)
    }

    /// Sends anything, without the token.
    pub(crate) fn send_plain(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).unwrap();
        let request = self
            .agent
            .configure_request(request)
            .allow_non_standard_methods(true)
            .timeout_global(Some(PATIENCE))
            .build();
        let mut response = self.agent.run(request).unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string().unwrap(),
        }
    }

    /// Opens an answer that comes piece by piece.
    pub(crate) fn open(&self, path: &str) -> impl Read + use<> {
        let mut request = Request::builder().method("GET").uri(self.url(path));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(()).unwrap();
        let request = self.agent.configure_request(request).timeout_global(Some(PATIENCE)).build();
        let response = self.agent.run(request).unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().into_reader()
    }

    /// Registers a workflow; the text is what is under `workflow:`.
    pub(crate) fn register(&self, workflow: &str) -> Value {
        let lines: Vec<&str> = workflow.trim_matches('\n').lines().collect();
        let text = format!("workflow:\n  {}\n", lines.join("\n  "));
        let answer =
            self.send("POST", "/api/v1/workflows", &[("content-type", "application/yaml")], &text);
        answer.expect(201)
    }

    /// Starts a run of a workflow and answers with its identity.
    pub(crate) fn begin(&self, workflow: &str) -> String {
        let started = self.post("/api/v1/runs", &json!({ "workflow": workflow })).expect(201);
        started["id"].as_str().unwrap().to_owned()
    }

    /// What the server has logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.loom.path(LOG)).unwrap_or_default()
    }

    /// Waits until the run is in this state, and answers with all that is known of it.
    pub(crate) fn until(&self, run: &str, state: &str) -> Value {
        eventually(&format!("run {run} is {state}"), || {
            let found = self.get(&format!("/api/v1/runs/{run}")).expect(200);
            (found["state"] == state).then_some(found)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            println!("the server said:\n{}", self.said());
        }
    }
}
