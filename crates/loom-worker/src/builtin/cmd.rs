//! `cmd`: runs a command.

use super::{bad_param, text_param};
use crate::environment;
use crate::job::{BadParam, Ended, Job, Plugin};
use crate::process::{self, Launch};
use crate::shell;
use loom_protocol::{AttemptOutput, PluginManifest};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs a command line, in a shell where it needs one, or a program with arguments.
pub(crate) struct Cmd(PluginManifest);

impl Cmd {
    pub(crate) fn new() -> Self {
        let params = json!({
            "type": "object",
            "required": ["command"],
            "additionalProperties": false,
            "properties": {
                "command": {
                    "description": "A command line for the shell; or a program and its arguments as \
                        a list, which no shell touches. Variables reach it as environment variables.",
                    "anyOf": [
                        {"type": "string", "minLength": 1},
                        {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    ],
                },
                "shell": {
                    "description": "`sh` (the default) and `bash` also expand $NAME of the task's \
                        variables inside single quotes; `strict` is `sh` without that.",
                    "enum": ["sh", "bash", "strict"],
                },
                "cwd": {
                    "description": "The folder to run in; a relative path starts from the \
                        workflow's folder.",
                    "type": "string",
                    "minLength": 1,
                },
                "env": {
                    "description": "More environment variables.",
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
                "stdin": {
                    "description": "What the command reads on standard input.",
                    "type": "string",
                },
            },
        });
        Self(PluginManifest {
            description: "Runs a shell command; NAME=value lines on its standard output set \
                variables."
                .to_owned(),
            params: Some(params),
            required_permissions: vec!["can_execute_commands".to_owned()],
            ..PluginManifest::default()
        })
    }
}

impl Plugin for Cmd {
    fn manifest(&self) -> &PluginManifest {
        &self.0
    }

    fn verbatim_param(&self) -> Option<&'static str> {
        Some("command")
    }

    fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
        let (program, args) = command(job)?;
        let cwd: PathBuf = match text_param(&job.params, "cwd")? {
            Some(folder) => job.request.base.join(folder),
            None => job.request.base.clone(),
        };
        let stdin = text_param(&job.params, "stdin")?.map(|text| text.as_bytes().to_vec());
        let env = more_variables(&job.params)?;
        process::run(job, Launch { program, args, cwd, env, stdin })
    }
}

/// The program and its arguments.
fn command(job: &Job) -> Result<(OsString, Vec<OsString>), BadParam> {
    let mode = text_param(&job.params, "shell")?;
    match job.params.get("command") {
        Some(Value::String(line)) => {
            if line.contains('\0') {
                return Err(bad_param("command", "parameter `command` holds a NUL character"));
            }
            command_line(job, line, mode)
        }
        Some(Value::Array(words)) => {
            let mut words = words.iter().map(argument);
            let program = words.next().unwrap_or_else(|| {
                let message = "parameter `command` is an empty list; name a program";
                Err(bad_param("command", message))
            })?;
            Ok((program, words.collect::<Result<_, _>>()?))
        }
        _ => Err(bad_param(
            "command",
            "parameter `command` is missing; give a command line or a list",
        )),
    }
}

/// One text of a command that is a list.
fn argument(word: &Value) -> Result<OsString, BadParam> {
    match word {
        Value::String(word) if !word.contains('\0') => Ok(OsString::from(word)),
        other => {
            let message = format!(
                "parameter `command` as a list must hold texts without NUL, but holds {other}"
            );
            Err(bad_param("command", message))
        }
    }
}

fn command_line(
    job: &Job,
    line: &str,
    mode: Option<&str>,
) -> Result<(OsString, Vec<OsString>), BadParam> {
    let shell = match mode {
        None | Some("sh" | "strict") => "/bin/sh",
        Some("bash") => "bash",
        Some(other) => {
            return Err(bad_param(
                "shell",
                format!("parameter `shell` is `{other}`, but must be `sh`, `bash` or `strict`"),
            ));
        }
    };
    if let Some(mut words) = shell::plain_words(line) {
        let program = words.remove(0);
        return Ok((program.into(), words.into_iter().map(OsString::from).collect()));
    }
    let line = if mode == Some("strict") {
        line.into()
    } else {
        shell::expand_in_single_quotes(line, |name| {
            environment::names(&job.request).any(|other| other == name)
        })
    };
    Ok((shell.into(), vec!["-c".into(), line.into_owned().into()]))
}

fn more_variables(params: &Map<String, Value>) -> Result<Vec<(String, String)>, Ended> {
    let Some(Value::Object(env)) = params.get("env") else { return Ok(Vec::new()) };
    env.iter()
        .map(|(name, value)| {
            if !loom_protocol::is_variable(name) {
                let message = format!("`{name}` in `env` is not a variable's name");
                return Err(bad_param("env", message).into());
            }
            let value = environment::text(value).into_owned();
            environment::check(name, &value)?;
            Ok((name.clone(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{input, job, request};

    fn run(params: Value, prepare: impl FnOnce(&mut Job)) -> Result<Vec<AttemptOutput>, Ended> {
        let folder = tempfile::tempdir().unwrap();
        let mut request = request("cmd", params);
        request.base = folder.path().to_owned();
        input(&mut request, "X", json!("a'b \"$(echo no)\" `c`;\nd"));
        let mut job = job(request, folder.path());
        prepare(&mut job);
        Cmd::new().run(&mut job)
    }

    fn value(result: Result<Vec<AttemptOutput>, Ended>, name: &str) -> Value {
        let outputs = result.unwrap();
        outputs.into_iter().find(|output| output.name == name).unwrap().value
    }

    #[test]
    fn a_list_is_run_without_a_shell() {
        let params = json!({"command": ["printf", "A=%s|%s", "$X", "*"]});
        assert_eq!(value(run(params, |_| ()), "A"), json!("$X|*"));
    }

    #[test]
    fn single_quotes_expand_unless_strict() {
        let line = r#"{ printf 'A<<E\n'; printf '%s\n' 'x $X'; echo E; } > "$LOOM_OUTPUT""#;
        let expanded = run(json!({"command": line}), |_| ());
        assert_eq!(value(expanded, "A"), json!("x a'b \"$(echo no)\" `c`;\nd"));
        let strict = run(json!({"command": line, "shell": "strict"}), |_| ());
        assert_eq!(value(strict, "A"), json!("x $X"));
    }

    #[test]
    fn folder_environment_and_standard_input_are_given() {
        let params = json!({
            "command": "cat; echo \"B=$B\"; echo \"C=$(basename \"$PWD\")\"",
            "cwd": "sub", "env": {"B": 7}, "stdin": "A=in\n",
        });
        let result = run(params, |job| {
            std::fs::create_dir(job.request.base.join("sub")).unwrap();
        });
        let outputs = result.unwrap();
        let values: Vec<_> = outputs.iter().map(|output| output.value.clone()).collect();
        assert_eq!(values, [json!("in"), json!("7"), json!("sub")]);
    }

    #[test]
    fn bad_parameters_are_named() {
        for (params, part) in [
            (json!({}), "`command` is missing"),
            (json!({"command": []}), "empty list"),
            (json!({"command": "a", "shell": "zsh"}), "`zsh`"),
            (json!({"command": "a", "env": {"a b": 1}}), "`a b`"),
            (json!({"command": "a\0b"}), "NUL"),
        ] {
            let Err(Ended::Failed(info)) = run(params, |_| ()) else { panic!("{part}") };
            assert!(info.message.contains(part) && !info.retryable, "{}", info.message);
        }
    }
}
