//! Python plugins with a real python3.

use super::*;
use crate::job::{Ended, Plugin};
use crate::testing::{input, job, request};
use loom_protocol::{AttemptRequest, FailureInfo};
use std::collections::BTreeMap;

/// The plugin of source 002, word for word.
const BACKUP: &str = r#"
from task_orchestrator import TaskPlugin

class BackupPlugin(TaskPlugin):
    REQUIRES_AUTH = True
    REQUIRED_PERMISSIONS = ['can_backup', 'can_read_storage']
    
    def check_permissions(self, permissions):
        return all(permissions.get(p, False) for p in self.REQUIRED_PERMISSIONS)
    
    def execute(self, env, params):
        if not self.check_permissions(env.get('_permissions', {})):
            raise PermissionError("Backup not allowed")
        
        # Perform backup...
        return {"BACKUP_STATUS": "success"}
"#;

struct Fixture {
    folder: tempfile::TempDir,
    plugin: Persistent,
}

fn loaded(code: &str) -> Result<Fixture, PluginProblem> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("custom.py");
    std::fs::write(&file, code).unwrap();
    load("custom", &file, None, &[]).map(|plugin| Fixture { folder, plugin })
}

fn fixture(code: &str) -> Fixture {
    loaded(code).unwrap()
}

/// A plugin with this body of `execute`.
fn body(lines: &str) -> Fixture {
    let lines = lines.replace('\n', "\n        ");
    fixture(&format!(
        "import os, sys\nfrom loomwork import TaskPlugin, PermanentError, RetryableError\n\
         class Plugin(TaskPlugin):\n    def execute(self, env, params):\n        {lines}\n"
    ))
}

impl Fixture {
    fn run(
        &self,
        change: impl FnOnce(&mut AttemptRequest),
    ) -> Result<BTreeMap<String, Value>, Ended> {
        let mut request = request("custom", json!({}));
        request.base = self.folder.path().to_owned();
        change(&mut request);
        let outputs = self.plugin.run(&mut job(request, self.folder.path()))?;
        Ok(outputs.into_iter().map(|output| (output.name, output.value)).collect())
    }

    fn outputs(&self) -> Value {
        json!(self.run(|_| {}).unwrap())
    }

    fn fails(&self) -> FailureInfo {
        match self.run(|_| {}) {
            Err(Ended::Failed(info)) => *info,
            other => panic!("{other:?}"),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

#[test]
fn the_sources_plugin_gets_texts_and_its_parameters() {
    let fixture = fixture(
        "from task_orchestrator import TaskPlugin\n\
         class Plugin(TaskPlugin):\n    \
             def execute(self, env, params):\n        \
                 return {'OUTPUT_VAR': int(env['TIMEOUT']) + params['n'], 'LIST': env['LIST']}\n",
    );
    let change = |request: &mut AttemptRequest| {
        input(request, "TIMEOUT", json!(10));
        input(request, "LIST", json!([1, "ä"]));
        request.params.insert("n".into(), json!(2));
    };
    let outputs = fixture.run(change).unwrap();
    assert_eq!(json!(outputs), json!({"OUTPUT_VAR": 12, "LIST": "[1,\"ä\"]"}));
}

#[test]
fn a_file_may_hold_just_the_class_without_the_import() {
    let code = BACKUP.replace("from task_orchestrator import TaskPlugin\n", "");
    assert_ne!(code, BACKUP);
    assert!(loaded(&code).is_ok());
}

#[test]
fn the_sources_backup_plugin_declares_and_enforces_its_permissions() {
    let fixture = fixture(BACKUP);
    let manifest = fixture.plugin.manifest();
    assert!(manifest.requires_auth);
    assert_eq!(manifest.required_permissions, ["can_backup", "can_read_storage"]);
    let grant = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        fixture.run(|request| request.permissions = names)
    };
    let outputs = grant(&["can_backup", "can_read_storage"]).unwrap();
    assert_eq!(json!(outputs), json!({"BACKUP_STATUS": "success"}));
    for names in [&["can_backup"][..], &[]] {
        let Err(Ended::Failed(info)) = grant(names) else { panic!("allowed with {names:?}") };
        assert_eq!(info.code, ErrorCode::PermissionDenied);
        assert!(!info.retryable);
    }
}

#[test]
fn the_context_is_there_and_is_no_variable() {
    let fixture = body("return {'A': env['_context']['TRACEPARENT'], 'B': 'TRACEPARENT' in env}");
    let change = |request: &mut AttemptRequest| {
        request.context = vec![("TRACEPARENT".into(), "00-ab-cd-01".into())];
    };
    assert_eq!(json!(fixture.run(change).unwrap()), json!({"A": "00-ab-cd-01", "B": false}));
}

#[test]
fn a_class_need_not_derive_from_anything_and_none_is_an_empty_result() {
    let plain = fixture("class Plugin:\n    def execute(self, env, params): pass\n");
    assert_eq!(plain.outputs(), json!({}));
    let asynchronous = fixture(
        "import asyncio\nclass Plugin:\n    async def execute(self, env, params):\n        \
         await asyncio.sleep(0)\n        return {'A': None}\n",
    );
    assert_eq!(asynchronous.outputs(), json!({"A": null}));
}

#[test]
fn the_process_and_the_instance_are_kept() {
    let fixture = fixture(
        "import os\nclass Plugin:\n    def __init__(self): self.n = 0\n    \
         def execute(self, env, params):\n        self.n += 1\n        return {'N': self.n}\n",
    );
    assert_eq!(fixture.outputs(), json!({"N": 1}));
    assert_eq!(fixture.outputs(), json!({"N": 2}));
}

#[test]
fn whatever_is_printed_goes_to_the_log_and_nowhere_else() {
    let fixture = body(
        "print('A=printed')\nprint('warned', file=sys.stderr)\nos.write(1, b'raw\\n')\n\
         os.system('echo child; cat')\nreturn {'B': 1}",
    );
    assert_eq!(fixture.outputs(), json!({"B": 1}));
    let log = fixture.log();
    for text in ["A=printed\n", "warned\n", "raw\n", "child\n"] {
        assert!(log.contains(text), "{text:?} in {log}");
    }
}

#[test]
fn exceptions_say_what_kind_of_failure_it_is() {
    let info = body("return {'A': 1 // 0}").fails();
    assert_eq!(
        info.message,
        "plugin `custom`: ZeroDivisionError: integer division or modulo by zero"
    );
    assert!(info.retryable);
    assert!(info.tail.iter().any(|line| line.contains("custom.py\", line 5")), "{:?}", info.tail);
    let info = body("raise PermissionError('Backup not allowed')").fails();
    assert_eq!((info.code, info.retryable), (ErrorCode::PermissionDenied, false));
    assert_eq!(info.message, "plugin `custom`: Backup not allowed");
    let info = body("raise PermanentError('gone', error={'code': 4})").fails();
    assert_eq!((info.code, info.retryable), (ErrorCode::PluginFailed, false));
    assert_eq!(info.error, Some(json!({"code": 4})));
    let info = body("raise RetryableError('busy', retry_after=3)").fails();
    assert!(info.retryable);
    assert_eq!(info.retry_after, Some(Duration::from_secs(3)));
    assert!(body("sys.exit(3)").fails().message.contains("SystemExit: 3"));
}

#[test]
fn results_that_are_no_variables_are_permanent_failures() {
    for (result, what) in [
        ("7", "returned int, not a dict"),
        ("{1: 2}", "the key 1, which is no text"),
        ("{'A': object()}", "JSON cannot hold"),
        ("{'A': float('nan')}", "JSON cannot hold"),
        ("{'A-B': 1}", "not a variable's name"),
    ] {
        let info = body(&format!("return {result}")).fails();
        assert!(info.message.contains(what) && !info.retryable, "{result}: {}", info.message);
    }
}

#[test]
fn a_host_that_dies_is_replaced() {
    let fixture = body(
        "if not os.path.exists('died'):\n    open('died', 'w')\n    os._exit(9)\nreturn {'A': 1}",
    );
    let info = fixture.fails();
    assert!(info.message.contains("exited with status 9"), "{}", info.message);
    assert!(info.retryable);
    assert_eq!(fixture.outputs(), json!({"A": 1}));
}

#[test]
fn class_attributes_make_the_manifest() {
    let fixture = fixture(
        "class Plugin:\n    '''Says hello.\n\n    At length.'''\n    INPUTS = ['NAME']\n    \
         OUTPUTS = ['GREETING', 'NOTE?']\n    PARAMS = {'type': 'object'}\n    \
         def execute(self, env, params): return {}\n",
    );
    let manifest = fixture.plugin.manifest();
    assert_eq!(manifest.description, "Says hello.");
    assert_eq!(manifest.inputs, ["NAME"]);
    assert!(!manifest.outputs[0].optional && manifest.outputs[1].optional);
    assert_eq!(manifest.params, Some(json!({"type": "object"})));
    assert_eq!(manifest.mode, PluginMode::Persistent);
}

#[test]
fn files_without_a_usable_plugin_say_why() {
    let execute = "    def execute(self, env, params): return {}\n";
    let two = format!(
        "from loomwork import TaskPlugin\nclass A(TaskPlugin):\n{execute}class B(TaskPlugin):\n{execute}"
    );
    let inputs = format!("class Plugin:\n    INPUTS = 'A'\n{execute}");
    let outputs = format!("class Plugin:\n    OUTPUTS = ['A B']\n{execute}");
    for (code, what) in [
        ("", "no class Plugin and no subclass of TaskPlugin"),
        ("x = 1\ndef f(:\n", "it cannot be loaded (line 2): SyntaxError"),
        ("\nimport nothing_of_this_name\n", "it cannot be loaded (line 2): ModuleNotFoundError"),
        ("import sys; sys.exit(2)", "SystemExit: 2"),
        ("import os; print('so long'); os._exit(2)", "exited with status 2: so long"),
        ("Plugin = 3", "not a class with a method execute"),
        (&two, "several TaskPlugin classes (A, B)"),
        (&inputs, "INPUTS is not a list of names"),
        (&outputs, "OUTPUTS: \"A B\" is not a variable's name"),
    ] {
        let problem = loaded(code).err().unwrap_or_else(|| panic!("accepted: {code}"));
        assert_eq!(problem.code, ErrorCode::BadManifest);
        assert!(problem.what.contains(what), "{code}: {problem}");
    }
}

#[test]
fn what_a_file_says_is_remembered_until_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (file, cache) = (folder.path().join("p.py"), folder.path().join("cache"));
    let code = "open('loaded', 'a').write('x')\nclass Plugin:\n    DESCRIPTION = 'one'\n    \
                def execute(self, env, params): return {}\n";
    let loads = || std::fs::read_to_string(folder.path().join("loaded")).unwrap().len();
    std::fs::write(&file, code).unwrap();
    for _ in 0..3 {
        let plugin = load("p", &file, Some(&cache), &[]).unwrap();
        assert_eq!(plugin.manifest().description, "one");
        assert_eq!(loads(), 1);
    }
    std::fs::write(&file, code.replace("one", "another")).unwrap();
    assert_eq!(load("p", &file, Some(&cache), &[]).unwrap().manifest().description, "another");
    assert_eq!(loads(), 2);
    assert!(!folder.path().join("__pycache__").exists());
}
