//! Custom plugins, permissions and contracts through a whole worker.

use super::*;
use crate::testing::{input, request};
use crate::testserver::{Reply, Server};
use crate::worker::{Immediate, Reporter, Worker, WorkerOptions};
use loom_protocol::{
    AttemptNews, AttemptOutput, AttemptReport, AttemptRequest, ErrorCode, FailureInfo,
};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const SECRET: &str = "tok-4711-secret";
const BACKUP: &str = "from task_orchestrator import TaskPlugin\n\
    class BackupPlugin(TaskPlugin):\n    \
        REQUIRES_AUTH = True\n    \
        REQUIRED_PERMISSIONS = ['can_backup', 'can_read_storage']\n    \
        def execute(self, env, params):\n        \
            if not self.check_permissions(env.get('_permissions', {})):\n            \
                raise PermissionError('Backup not allowed')\n        \
            print('token', env['AUTH_TOKEN'])\n        \
            open('ran', 'w').close()\n        \
            return {'BACKUP_STATUS': 'success'}\n";

struct Ends(Mutex<mpsc::Sender<AttemptReport>>);

impl Reporter for Ends {
    fn report(&self, reports: Vec<AttemptReport>) {
        for report in reports {
            self.0.lock().unwrap().send(report).unwrap();
        }
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    worker: Worker,
}

fn fixture(permissions_url: Option<String>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    put(&plugins.join("backup.py"), BACKUP, 0o644);
    put(&plugins.join("shell"), "#!/bin/sh\n: > ran\necho \"PORT=$PORT\"\necho \"N=$N\"\n", 0o755);
    put(&plugins.join("fails"), "#!/bin/sh\necho 'ERROR={\"code\":\"5\"}'\nexit 1\n", 0o755);
    put(&plugins.join("flat"), "#!/bin/sh\n", 0o644);
    let source = PluginSet::in_folders(&[(PluginPlace::Workflow, plugins)], None);
    let options = WorkerOptions {
        temporary: folder.path().to_owned(),
        permissions_url,
        permissions_timeout: Duration::from_secs(20),
        ..WorkerOptions::default()
    };
    Fixture { worker: Worker::new(options, Arc::new(source)).unwrap(), folder }
}

fn put(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

impl Fixture {
    fn run(&self, plugin: &str, change: impl FnOnce(&mut AttemptRequest)) -> AttemptNews {
        let mut request = request(plugin, json!({}));
        request.base = self.folder.path().to_owned();
        request.log = self.folder.path().join("log");
        request.secrets = Arc::new(vec![SECRET.to_owned()]);
        change(&mut request);
        let (sender, ends) = mpsc::channel();
        match self.worker.start(request, Arc::new(Ends(Mutex::new(sender)))) {
            Immediate::Finished(news) => news,
            Immediate::Running => ends.recv_timeout(Duration::from_mins(1)).unwrap().news,
        }
    }

    fn fails(&self, plugin: &str, change: impl FnOnce(&mut AttemptRequest)) -> FailureInfo {
        match self.run(plugin, change) {
            AttemptNews::Failed(info) => info,
            other => panic!("{other:?}"),
        }
    }

    fn ran(&self) -> bool {
        self.folder.path().join("ran").exists()
    }
}

fn token(request: &mut AttemptRequest) {
    let value = AttemptOutput { name: "AUTH_TOKEN".into(), value: SECRET.into(), secret: true };
    request.shared = Arc::new(vec![value]);
}

#[test]
fn a_backup_runs_with_its_permissions_and_its_token_is_not_in_the_log() {
    let server = Server::start(|_| {
        let body = r#"{"permissions": {"can_backup": true, "can_read_storage": true}}"#;
        Reply::Answer(200, "", body.into())
    });
    let fixture = fixture(Some(server.url("/permissions")));
    for _ in 0..2 {
        let AttemptNews::Succeeded(outputs) = fixture.run("backup", token) else {
            panic!("failed")
        };
        assert_eq!(outputs[0].value, "success");
    }
    assert_eq!(server.received().len(), 1, "asked once for the run");
    let log = std::fs::read_to_string(fixture.folder.path().join("log")).unwrap();
    assert!(log.contains("token ***") && !log.contains(SECRET), "{log}");
}

#[test]
fn without_a_permission_nothing_starts() {
    let server =
        Server::start(|_| Reply::Answer(200, "", r#"{"permissions": ["can_backup"]}"#.into()));
    let fixture = fixture(Some(server.url("/permissions")));
    let info = fixture.fails("backup", token);
    assert_eq!((info.code, info.retryable), (ErrorCode::PermissionDenied, false));
    assert!(info.message.contains("`can_read_storage`"), "{}", info.message);
    let info = fixture.fails("backup", |_| {});
    assert!(info.message.contains("sees no AUTH_TOKEN"), "{}", info.message);
    for plugin in ["shell", "noop"] {
        let info = fixture.fails(plugin, |request| {
            token(request);
            request.permissions = vec!["can_fly".into()];
        });
        assert_eq!(info.code, ErrorCode::PermissionDenied);
        assert!(!info.message.contains(SECRET), "{}", info.message);
    }
    assert!(!fixture.ran());
}

#[test]
fn outputs_that_break_the_contract_fail_the_attempt_for_good() {
    let fixture = fixture(None);
    let contract = json!({"properties": {"PORT": {"type": "integer"}}, "required": ["PORT"]});
    let run = |port: &str| {
        fixture.run("shell", |request| {
            input(request, "PORT", json!(port));
            request.outputs = vec!["PORT".into()];
            request.contract_success = Some(contract.clone());
        })
    };
    assert!(matches!(run("8080"), AttemptNews::Succeeded(_)));
    let AttemptNews::Failed(info) = run(SECRET) else { panic!("accepted") };
    assert_eq!((info.code, info.retryable), (ErrorCode::ContractViolation, false));
    assert_eq!(
        info.message,
        "the outputs break the task's contract: at /PORT: \"***\" is not of type \"integer\""
    );
    // What needs no thread has its contract checked too.
    let info = fixture.fails("noop", |request| request.contract_success = Some(contract.clone()));
    assert_eq!(info.code, ErrorCode::ContractViolation);
}

#[test]
fn an_error_object_that_breaks_its_contract_makes_the_failure_permanent() {
    let fixture = fixture(None);
    let fails =
        |schema: Value| fixture.fails("fails", |request| request.contract_error = Some(schema));
    let info = fails(json!({"properties": {"code": {"type": "integer"}}}));
    assert_eq!((info.code, info.retryable), (ErrorCode::ContractViolation, false));
    assert!(
        info.message.contains("at /code: \"5\" is not of type \"integer\""),
        "{}",
        info.message
    );
    assert!(info.message.contains("the failure itself: "), "{}", info.message);
    assert_eq!(info.error, Some(json!({"code": "5"})));
    let info = fails(json!({"required": ["code"]}));
    assert_eq!((info.code, info.retryable), (ErrorCode::TaskExit, true));
}

#[test]
fn a_plugin_with_a_problem_fails_with_it() {
    let info = fixture(None).fails("flat", |_| {});
    assert!(info.message.contains("L302") && info.message.contains("chmod +x"), "{}", info.message);
    assert!(!info.retryable);
}
