//! `start`, `end`, `noop` and `sleep`: what needs no process and no thread.

use super::bad_param;
use crate::job::{BadParam, Ended, Idle, Job, Plugin, output};
use crate::params;
use loom_protocol::{AttemptOutput, AttemptRequest, OutputSpec, PluginManifest};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// `start`: begins a workflow.
pub(crate) struct Start(PluginManifest);
/// `end`: stands at a workflow's end.
pub(crate) struct End(PluginManifest);
/// `noop`: does nothing.
pub(crate) struct Noop(PluginManifest);
/// `sleep`: lets time pass.
pub(crate) struct Sleep(PluginManifest);

/// What a task says that its `outputs` parameter emits, for `noop` and `sleep`.
fn outputs_schema() -> Value {
    json!({
        "description": "Variables to emit, with their values.",
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    })
}

fn no_params() -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": {}})
}

impl Start {
    pub(crate) fn new() -> Self {
        Self(PluginManifest {
            description: "Begins a workflow: emits 1 for each declared output, usually TRUE."
                .to_owned(),
            params: Some(no_params()),
            ..PluginManifest::default()
        })
    }
}

impl End {
    pub(crate) fn new() -> Self {
        Self(PluginManifest {
            description: "Ends a workflow: waits for every task that is not downstream of it."
                .to_owned(),
            params: Some(no_params()),
            ..PluginManifest::default()
        })
    }
}

impl Noop {
    pub(crate) fn new() -> Self {
        Self(PluginManifest {
            description: "Does nothing; emits what `params.outputs` says.".to_owned(),
            params: Some(json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {"outputs": outputs_schema()},
            })),
            ..PluginManifest::default()
        })
    }
}

impl Sleep {
    pub(crate) fn new() -> Self {
        Self(PluginManifest {
            description: "Lets time pass, then emits what `params.outputs` says.".to_owned(),
            params: Some(json!({
                "type": "object",
                "required": ["duration"],
                "additionalProperties": false,
                "properties": {
                    "duration": {
                        "description": "How long: seconds as a number, or a text such as `1.5`, \
                            `250ms`, `10s`, `5m`, `2h`, `1d`.",
                        "anyOf": [
                            {"type": "number", "minimum": 0, "maximum": MAX_SECONDS},
                            {"type": "string", "pattern": DURATION_PATTERN},
                        ],
                    },
                    "outputs": outputs_schema(),
                },
            })),
            ..PluginManifest::default()
        })
    }
}

/// What a duration's text looks like, or holds a reference to fill in.
pub(super) const DURATION_PATTERN: &str =
    r"^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*(ms|s|m|h|d)?\s*$|\{\{";

/// The longest that a task can sleep: a hundred years.
const MAX_SECONDS: f64 = 100.0 * 366.0 * 86400.0;

/// A duration as people write it: seconds, or a number with a unit.
pub(super) fn duration(value: &Value, param: &'static str) -> Result<Duration, BadParam> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => parse_seconds(text.trim()),
        _ => None,
    };
    seconds
        .filter(|seconds| (0.0..=MAX_SECONDS).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| {
            let message = format!(
                "`{param}` is {value}, but must be a duration of at most 100 years: seconds, or a \
                 number with one of the units ms, s, m, h, d"
            );
            bad_param(param, message)
        })
}

fn parse_seconds(text: &str) -> Option<f64> {
    let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    number.trim_end().parse::<f64>().ok().map(|number| number * factor)
}

fn outputs_of(params: &Map<String, Value>) -> Result<Vec<AttemptOutput>, BadParam> {
    match params.get("outputs") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(outputs)) => {
            if let Some(name) = outputs.keys().find(|name| !loom_protocol::is_variable(name)) {
                return Err(bad_output(name));
            }
            Ok(outputs.iter().map(|(name, value)| output(name, value.clone())).collect())
        }
        Some(other) => {
            Err(bad_param("outputs", format!("parameter `outputs` must be a map, but is {other}")))
        }
    }
}

/// The name of an output that is none.
pub(super) fn bad_output(name: &str) -> BadParam {
    bad_param("outputs", format!("output {name:?} is not a variable's name"))
}

/// What is wrong with the length of time that a parameter says, if it is known.
pub(super) fn wrong_duration(params: &Map<String, Value>, name: &'static str) -> Vec<BadParam> {
    params::wrong(params, |known| {
        known.get(name).map_or(Ok(()), |value| duration(value, name).map(drop))
    })
}

macro_rules! idle_plugin {
    ($plugin:ty, $plan:expr $(, lasts: $duration:literal)?) => {
        impl Plugin for $plugin {
            fn manifest(&self) -> &PluginManifest {
                &self.0
            }

            fn idle(
                &self,
                request: &AttemptRequest,
                params: &Map<String, Value>,
            ) -> Option<Result<Idle, Ended>> {
                Some($plan(request, params))
            }
$(
            fn wrong_params(&self, params: &Map<String, Value>) -> Vec<BadParam> {
                wrong_duration(params, $duration)
            }
)?
            fn run(&self, job: &mut Job) -> Result<Vec<AttemptOutput>, Ended> {
                $plan(&job.request, &job.params)?.wait(job)
            }
        }
    };
}

idle_plugin!(Start, start);
idle_plugin!(End, end);
idle_plugin!(Noop, noop);
idle_plugin!(Sleep, sleep, lasts: "duration");

#[expect(clippy::unnecessary_wraps, reason = "one of four that are used alike")]
fn start(request: &AttemptRequest, _: &Map<String, Value>) -> Result<Idle, Ended> {
    let outputs = request.outputs.iter().filter(|name| loom_protocol::is_variable(name));
    Ok(Idle { takes: Duration::ZERO, outputs: outputs.map(|name| output(name, "1")).collect() })
}

#[expect(clippy::unnecessary_wraps, reason = "one of four that are used alike")]
fn end(_: &AttemptRequest, _: &Map<String, Value>) -> Result<Idle, Ended> {
    Ok(Idle { takes: Duration::ZERO, outputs: Vec::new() })
}

fn noop(_: &AttemptRequest, params: &Map<String, Value>) -> Result<Idle, Ended> {
    Ok(Idle { takes: Duration::ZERO, outputs: outputs_of(params)? })
}

fn sleep(_: &AttemptRequest, params: &Map<String, Value>) -> Result<Idle, Ended> {
    let takes = params.get("duration").ok_or_else(|| {
        let message = "parameter `duration` is missing; give seconds or a text such as `10s`";
        bad_param("duration", message)
    })?;
    Ok(Idle { takes: duration(takes, "duration")?, outputs: outputs_of(params)? })
}

/// An output that a plugin may leave out.
pub(super) fn optional(name: &str) -> OutputSpec {
    OutputSpec { name: name.to_owned(), optional: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{job, request};

    #[test]
    fn durations_as_people_write_them() {
        for (value, millis) in [
            (json!(0), 0),
            (json!(1.5), 1500),
            (json!("2"), 2000),
            (json!("250ms"), 250),
            (json!(" 1.5 s"), 1500),
            (json!("2m"), 120_000),
            (json!("1h"), 3_600_000),
            (json!("1d"), 86_400_000),
        ] {
            let found = duration(&value, "duration").unwrap();
            assert_eq!(found, Duration::from_millis(millis), "{value}");
        }
        for value in
            [json!(-1), json!("10 parsecs"), json!("nan"), json!(1e30), json!([]), json!("")]
        {
            assert!(duration(&value, "duration").is_err(), "{value}");
        }
    }

    #[test]
    fn start_emits_what_is_declared() {
        let folder = tempfile::tempdir().unwrap();
        let mut request = request("start", json!({}));
        request.outputs = vec!["TRUE".into(), "READY".into(), "*".into()];
        let mut job = job(request, folder.path());
        let outputs = Start::new().run(&mut job).unwrap();
        assert_eq!(outputs, [output("TRUE", "1"), output("READY", "1")]);
    }

    #[test]
    fn a_sleep_on_a_thread_ends_at_its_timeout_or_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let mut asked = request("sleep", json!({"duration": "1h"}));
        asked.timeout = Some(Duration::ZERO);
        let mut late = job(asked.clone(), folder.path());
        let Err(Ended::Failed(info)) = Sleep::new().run(&mut late) else { panic!("slept") };
        assert_eq!(info.code, loom_protocol::ErrorCode::TaskTimeout);
        asked.timeout = None;
        let mut stopped = job(asked, folder.path());
        stopped.stop.ask(loom_protocol::StopHow::Gently);
        assert!(matches!(Sleep::new().run(&mut stopped), Err(Ended::Stopped)));
    }
}
