//! dotflow's protocol: runs that others report, and our own that are reported.

mod clients;
mod hostile;
mod reported;
mod reporting;

use super::harness::{Answer, Server};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

/// Where reports come in.
const BASE: &str = "/dotflow";
/// What says that the network is out of reach, and that tests which need it are to be left out.
const OFFLINE: &str = "LOOM_TEST_OFFLINE";

const JSON: (&str, &str) = ("content-type", "application/json");

impl Server {
    fn report(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, &format!("{BASE}{path}"), &[JSON], &body.to_string())
    }

    /// The run that shows what is reported so.
    #[track_caller]
    fn reported(&self, method: &str, path: &str, body: &Value) -> String {
        let status = if method == "POST" { 201 } else { 200 };
        let answer = self.report(method, path, body).expect(status);
        answer["run"].as_str().unwrap().to_owned()
    }

    fn run(&self, run: &str) -> Value {
        self.get(&format!("/api/v1/runs/{run}")).expect(200)
    }

    /// The one run of this workflow.
    #[track_caller]
    fn only_run(&self, workflow: &str) -> Value {
        let list = self.get(&format!("/api/v1/runs?workflow={workflow}")).expect(200);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{list}");
        self.run(items[0]["id"].as_str().unwrap())
    }
}

/// The phases of a run's tasks, by name, in order.
fn phases(run: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tasks = run["tasks"].as_array().unwrap().iter();
    tasks.map(|task| (text(&task["name"]), text(&task["phase"]))).collect()
}

/// The types of all events of a run, with the task where there is one.
fn history(server: &Server, run: &str) -> Vec<String> {
    let stream = BufReader::new(server.open(&format!("/api/v1/runs/{run}/events")));
    let texts = stream.lines().map(Result::unwrap);
    let events = texts.filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok());
    let mut lines = Vec::new();
    for event in events.filter(|event: &Value| event["run"] == run) {
        let kind = event["type"].as_str().unwrap().to_owned();
        let over = kind == "run.finished";
        let mut line = vec![kind];
        for of in [&event["task"], &event["attempt"]].into_iter().filter(|it| !it.is_null()) {
            line.push(of.to_string().trim_matches('"').to_owned());
        }
        lines.push(line.join(" "));
        if over {
            break;
        }
    }
    lines
}

/// A task as the newest clients report it.
fn full(workflow: &str, task: &str, status: &str) -> Value {
    json!({
        "task_id": task, "workflow_id": workflow, "status": status, "duration": null,
        "initial_context": null, "current_context": null, "previous_context": null,
        "group_name": "default", "retry_count": 0, "created_at": "2026-11-20T23:55:47.241624",
        "started_at": null, "finished_at": null, "errors": [], "id": task, "error": null,
    })
}

fn with(mut task: Value, fields: &Value) -> Value {
    let fields = fields.as_object().unwrap().clone();
    task.as_object_mut().unwrap().extend(fields);
    task
}
