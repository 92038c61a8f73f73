//! Plugins that are one process an attempt: inputs in the environment and a JSON request on standard
//! input, outputs as for any command.

use super::command::{PLUGIN_DIR, PluginCommand};
use super::request;
use crate::job::{Ended, Job, Plugin};
use crate::process;
use loom_protocol::{AttemptOutput, PluginManifest};
use serde_json::Value;

/// The variable that lists the permissions granted, separated by commas.
const PERMISSIONS: &str = "LOOM_PERMISSIONS";

/// An executable, with a manifest or without.
pub(super) struct Oneshot {
    pub(super) manifest: PluginManifest,
    pub(super) command: PluginCommand,
}

impl Plugin for Oneshot {
    fn manifest(&self) -> &PluginManifest {
        &self.manifest
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let mut line = Value::Object(request::of(job)).to_string().into_bytes();
        line.push(b'\n');
        let granted: Vec<&str> = job.granted.iter().map(String::as_str).collect();
        let launch = process::Launch {
            program: self.command.program.clone().into_os_string(),
            args: self.command.args.clone(),
            cwd: job.request.base.clone(),
            env: vec![
                (PERMISSIONS.to_owned(), granted.join(",")),
                (PLUGIN_DIR.to_owned(), self.command.folder.to_string_lossy().into_owned()),
            ],
            stdin: Some(line),
        };
        process::run(job, launch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{input, job, request};
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn plugin(folder: &Path, script: &str) -> Oneshot {
        let program = folder.join("plugin");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let command = PluginCommand { program, args: Vec::new(), folder: folder.to_owned() };
        Oneshot { manifest: PluginManifest::default(), command }
    }

    #[test]
    fn it_gets_its_inputs_both_ways_and_emits_as_a_command_does() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo \"REQUEST=$(cat)\"; echo FILE=\"$NAME\" >> \"$LOOM_OUTPUT\"\n\
                      echo \"ENV=$NAME $LIST $LOOM_PERMISSIONS $LOOM_PLUGIN_DIR $TRACEPARENT\"";
        let plugin = plugin(folder.path(), script);
        let mut request = request("plugin", json!({"deep": {"n": 1}, "name": "{{ NAME }}"}));
        input(&mut request, "NAME", json!("it's"));
        input(&mut request, "LIST", json!([1, 2]));
        request.permissions = vec!["can_b".into(), "can_a".into()];
        request.context = vec![("TRACEPARENT".into(), "00-ab-cd-01".into())];
        let outputs = plugin.run(&mut job(request, folder.path())).unwrap();
        let value = |name| &outputs.iter().find(|output| output.name == name).unwrap().value;
        assert_eq!(value("FILE"), "it's");
        let expected = format!("it's [1,2] can_a,can_b {} 00-ab-cd-01", folder.path().display());
        assert_eq!(value("ENV"), &json!(expected));
        let request: Value = serde_json::from_str(value("REQUEST").as_str().unwrap()).unwrap();
        assert_eq!(
            request,
            json!({"protocol": 1, "run": "run1", "workflow": "flow", "task": "task1", "attempt": 1,
                "idempotency_key": "key1", "env": {"NAME": "it's", "LIST": [1, 2]},
                "params": {"deep": {"n": 1}, "name": "it's"}, "outputs": [],
                "permissions": ["can_a", "can_b"], "item": null,
                "context": {"TRACEPARENT": "00-ab-cd-01"}})
        );
    }

    #[test]
    fn one_that_does_not_read_its_request_works_too() {
        let folder = tempfile::tempdir().unwrap();
        let plugin = plugin(folder.path(), "exec <&-; echo A=1");
        let mut request = request("plugin", json!({"big": "x".repeat(1 << 20)}));
        request.outputs = vec!["A".into()];
        let outputs = plugin.run(&mut job(request, folder.path())).unwrap();
        assert_eq!(outputs[0].value, "1");
    }

    #[test]
    fn its_failure_is_that_of_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let plugin = plugin(folder.path(), "echo 'ERROR={\"code\":7}'; echo why >&2; exit 3");
        let ended = plugin.run(&mut job(request("plugin", json!({})), folder.path())).unwrap_err();
        let Ended::Failed(info) = ended else { panic!("stopped") };
        assert_eq!(info.exit_status, Some(3));
        assert_eq!(info.error, Some(json!({"code": 7})));
        assert!(info.tail.contains(&"why".to_owned()), "{:?}", info.tail);
    }
}
