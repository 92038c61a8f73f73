//! dotflow's real clients, from the Python package index.

use super::super::access::make;
use super::super::harness::Server;
use super::{OFFLINE, history};
use crate::harness::Loom;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An environment with this version of the client; it is made once, and kept among what is built.
/// `None` for those who say that they are offline.
fn client(version: &str) -> Option<PathBuf> {
    if std::env::var_os(OFFLINE).is_some_and(|value| !value.is_empty()) {
        println!("left out: {OFFLINE} is set");
        return None;
    }
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = built.join(format!("dotflow-{version}"));
    let python = folder.join("bin/python");
    let made = folder.join("made");
    if made.exists() {
        return Some(python);
    }
    let _ = std::fs::remove_dir_all(&folder);
    let advice = format!("with no network, leave this test out by {OFFLINE}=1");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}\n{advice}");
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    let cache = built.join("pip");
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--cache-dir"])
        .arg(cache)
        .arg(format!("dotflow=={version}")));
    std::fs::write(made, "").unwrap();
    Some(python)
}

fn runs(python: &Path, server: &Server, env: &[(&str, &str)], which: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/server/dotflow/client.py");
    let output = Command::new(python)
        .args([script, which])
        .current_dir(server.loom.root())
        .env("HOME", server.loom.root())
        .envs(env.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert!(output.status.success(), "{which}");
    // Whatever goes wrong between the two, the client only logs it.
    assert!(!said.contains("http"), "{which}");
}

fn guarded() -> (Server, String) {
    let mut server = Server::with(Loom::new(), &["--access"]);
    let token = make(&server.loom, "client", &["--role", "operator"]);
    let token = token["token"].as_str().unwrap().to_owned();
    server.set_token(&token);
    (server, token)
}

fn of_tasks(run: &Value) -> Vec<&str> {
    let tasks = run["tasks"].as_array().unwrap().iter();
    tasks.map(|task| task["phase"].as_str().unwrap()).collect()
}

#[test]
fn the_newest_client_reports_its_workflows() {
    let Some(python) = client("1.0.1") else { return };
    let (server, token) = guarded();
    let url = server.url("/dotflow");
    let env = [("SERVER_BASE_URL", url.as_str()), ("SERVER_USER_TOKEN", token.as_str())];
    for which in ["success", "failure", "keep_going", "retries", "parallel"] {
        runs(&python, &server, &env, which);
    }
    let run = server.only_run("success");
    assert_eq!((&run["state"], &run["external"]), (&json!("succeeded"), &json!("dotflow")));
    assert_eq!(of_tasks(&run), ["succeeded"; 3]);
    let id = run["id"].as_str().unwrap();
    let context = |place: usize| {
        let name = run["tasks"][place]["name"].as_str().unwrap();
        let task = server.get(&format!("/api/v1/runs/{id}/tasks/{name}")).expect(200);
        task["outputs"][0]["value"].clone()
    };
    assert_eq!(context(0), json!({ "users": 150 }));
    assert_eq!(context(1), json!({ "active": 120, "who": { "hello": "world" } }));
    assert_eq!(context(2), json!("loaded 120"));
    assert_eq!(history(&server, id).len(), 3 + 1 + 3 * 2 + 1);
    let run = server.only_run("failure");
    assert_eq!(
        (&run["state"], of_tasks(&run)),
        (&json!("failed"), vec!["succeeded", "failed", "cancelled"])
    );
    let failure = &run["tasks"][1]["attempts"][0]["failure"];
    assert_eq!(failure["message"], "ValueError: kaput");
    assert!(failure["tail"].as_array().unwrap().len() > 3);
    let run = server.only_run("keep_going");
    assert_eq!(
        (&run["state"], of_tasks(&run)),
        (&json!("failed"), vec!["succeeded", "failed", "succeeded"])
    );
    let run = server.only_run("retries");
    assert_eq!(run["state"], "succeeded");
    let attempts = run["tasks"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    assert_eq!(attempts[1]["failure"]["message"], "RuntimeError: flaky attempt 2");
    let run = server.only_run("parallel");
    assert_eq!((&run["state"], of_tasks(&run)), (&json!("succeeded"), vec!["succeeded"; 5]));
}

#[test]
fn an_early_client_reports_its_workflows() {
    let Some(python) = client("0.14.1") else { return };
    let (server, token) = guarded();
    let url = server.url("/dotflow");
    let env = [
        ("DOTFLOW_API_ENABLED", "1"),
        ("DOTFLOW_API_URL", url.as_str()),
        ("DOTFLOW_USER_TOKEN", token.as_str()),
    ];
    runs(&python, &server, &env, "success");
    // It tells of nothing but that there is a workflow.
    let run = server.only_run("dotflow");
    assert_eq!((&run["state"], &run["external"]), (&json!("queued"), &json!("dotflow")));
    assert_eq!(run["tasks"], json!([]));
}
