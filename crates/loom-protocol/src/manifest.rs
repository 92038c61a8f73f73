//! What a plugin says of itself.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A plugin's manifest: `plugin.yaml`, or what a built-in plugin declares in code.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginManifest {
    /// For people, one sentence.
    #[serde(default)]
    pub description: String,
    /// Variables that it needs among a task's inputs.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// Variables that it emits.
    #[serde(default)]
    pub outputs: Vec<OutputSpec>,
    /// JSON Schema (2020-12) of its parameters; absent if anything goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// Whether every task that uses it needs its permissions, even without `requires_auth`.
    #[serde(default)]
    pub requires_auth: bool,
    /// Permissions that it needs when a task asks for authorisation.
    #[serde(default)]
    pub required_permissions: Vec<String>,
    /// The command and its arguments; relative paths start from the plugin's folder.
    #[serde(default)]
    pub command: Vec<String>,
    /// One process an attempt, or one for many.
    #[serde(default)]
    pub mode: PluginMode,
}

/// One variable that a plugin emits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OutputText", into = "String")]
pub struct OutputSpec {
    /// The variable's name.
    pub name: String,
    /// Whether it may succeed without emitting it; written `NAME?`.
    pub optional: bool,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct OutputText(String);

impl From<OutputText> for OutputSpec {
    fn from(OutputText(text): OutputText) -> Self {
        match text.strip_suffix('?') {
            Some(name) => Self { name: name.to_owned(), optional: true },
            None => Self { name: text, optional: false },
        }
    }
}

impl From<OutputSpec> for String {
    fn from(output: OutputSpec) -> Self {
        if output.optional { output.name + "?" } else { output.name }
    }
}

/// How a plugin's processes are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginMode {
    /// One process for each attempt.
    #[default]
    Oneshot,
    /// One process for many attempts, talking JSON lines.
    Persistent,
}
