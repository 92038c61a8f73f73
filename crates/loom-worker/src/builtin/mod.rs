//! The plugins that come with the worker.

mod cmd;
mod df;
mod http;
mod instant;
mod touched;

use crate::job::{BadParam, Plugin};
use crate::worker::PluginSource;
use loom_protocol::PluginManifest;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The built-in plugins: `start end df df-h touched cmd http sleep noop`.
pub struct Builtins(BTreeMap<&'static str, Arc<dyn Plugin>>);

impl Default for Builtins {
    fn default() -> Self {
        let df: Arc<dyn Plugin> = Arc::new(df::Df::new());
        Self(BTreeMap::from([
            ("cmd", Arc::new(cmd::Cmd::new()) as Arc<dyn Plugin>),
            ("df", Arc::clone(&df)),
            ("df-h", df),
            ("end", Arc::new(instant::End::new())),
            ("http", Arc::new(http::Http::new())),
            ("noop", Arc::new(instant::Noop::new())),
            ("sleep", Arc::new(instant::Sleep::new())),
            ("start", Arc::new(instant::Start::new())),
            ("touched", Arc::new(touched::Touched::new())),
        ]))
    }
}

impl Builtins {
    /// Every name, in alphabetical order, with what the plugin says of itself.
    pub fn manifests(&self) -> impl Iterator<Item = (&'static str, &PluginManifest)> {
        self.0.iter().map(|(name, plugin)| (*name, plugin.manifest()))
    }
}

impl PluginSource for Builtins {
    fn find(&self, name: &str) -> Option<Arc<dyn Plugin>> {
        self.0.get(name).cloned()
    }
}

fn bad_param(param: &'static str, message: impl Into<String>) -> BadParam {
    BadParam { param, message: message.into() }
}

/// A parameter that is a text.
fn text_param<'a>(
    params: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, BadParam> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            Err(bad_param(name, format!("parameter `{name}` must be a text, but is {other}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_says_what_it_is_and_has_a_schema_that_compiles() {
        for (name, manifest) in Builtins::default().manifests() {
            assert!(!manifest.description.is_empty(), "{name}");
            let schema = manifest.params.as_ref().unwrap();
            assert_eq!(schema["additionalProperties"], Value::Bool(false), "{name}");
            jsonschema::draft202012::new(schema).unwrap();
        }
    }

    #[test]
    fn schemas_refuse_durations_that_are_none() {
        let builtins = Builtins::default();
        let sleep = builtins.find("sleep").unwrap();
        let schema = sleep.manifest().params.as_ref().unwrap();
        let valid = |duration: Value| {
            let params = serde_json::json!({ "duration": duration });
            jsonschema::draft202012::is_valid(schema, &params)
        };
        for duration in ["1.5", "250ms", "2 h", "{{ WAIT }}"] {
            assert!(valid(duration.into()), "{duration}");
        }
        assert!(!valid("10 parsecs".into()) && !valid("".into()) && !valid((-1).into()));
    }
}
