//! What callers and the server's own environment cannot do to the processes of tasks.

use super::harness::Server;
use crate::harness::Loom;
use serde_json::json;

const PLAIN: &str = "
name: plain
tasks:
  - { name: say, plugin: cmd, params: { shell: bash, command: 'echo hello' } }
";
const ASKS: &str = "
name: asks
tasks:
  - { name: say, plugin: cmd, inputs: [BASH_ENV], outputs: [X], params: { shell: bash, command: 'echo X=hello' } }
";

#[test]
fn a_variable_that_steers_programs_is_the_workflows_to_ask_for() {
    let server = Server::start();
    server.register(PLAIN);
    server.register(ASKS);
    let start = |workflow: &str, name: &str, value: &str| {
        let run = json!({ "workflow": workflow, "variables": { name: value } });
        server.post("/api/v1/runs", &run)
    };
    let made = server.loom.path("made");
    for name in ["BASH_ENV", "LD_PRELOAD", "PATH", "PYTHONPATH", "LOOM_SERVER"] {
        let value = format!("$(touch {})", made.display());
        let problem = start("plain", name, &value).problem(400, "L605");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(name) && detail.contains("`inputs`"), "{detail}");
    }
    assert!(!made.exists());
    assert_eq!(server.get("/api/v1/runs/counts").expect(200)["total"], 0);
    std::fs::write(server.loom.path("rc"), "true").unwrap();
    let run = start("asks", "BASH_ENV", &server.loom.path("rc").display().to_string());
    server.until(run.expect(201)["id"].as_str().unwrap(), "succeeded");
}

#[test]
fn secrets_of_the_server_reach_no_task() {
    let secrets = ["LOOM_OTLP_HEADERS", "LOOM_REPORT_TOKEN", "LOOM_TOKEN", "DOTFLOW_USER_TOKEN"];
    let loom = Loom::new()
        .env("LOOM_REPORT_TOKEN", "report-token")
        .env("LOOM_TOKEN", "client-token")
        .env("DOTFLOW_USER_TOKEN", "dotflow-token")
        .env("LOOM_OTLP_HEADERS", "authorization=otlp-token")
        .env("PLAIN", "stays")
        .file(
            "plugins/told.py",
            "import os\nopen(f'loaded.{os.getpid()}.env', 'w').write(str(dict(os.environ)))\n\n\n\
             class Plugin:\n    def execute(self, env, params):\n        \
             open('told.env', 'w').write(str(dict(os.environ)))\n        return {}\n",
        );
    let server = Server::with(loom, &[]);
    server.register(
        "
name: env
tasks:
  - { name: command, plugin: cmd, params: { command: 'env > command.env' } }
  - { name: persistent, plugin: told }
",
    );
    let run = server.begin("env");
    server.until(&run, "succeeded");
    let files = std::fs::read_dir(server.loom.root()).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let files: Vec<String> = files.filter(|file| file.contains(".env")).collect();
    assert!(
        files.len() >= 3,
        "the command's, the plugin's when it was loaded and when it ran: {files:?}"
    );
    for file in &files {
        let seen = server.loom.read(file);
        assert!(seen.contains("stays"), "{file}: {seen}");
        for name in secrets {
            assert!(!seen.contains(name), "{file}: {name}");
        }
    }
}
