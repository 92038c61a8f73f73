//! What a workflow's check must know of plugins; whoever finds plugins answers.

use loom_core::{OutputDecl, TaskKind, Value};
use loom_protocol::ErrorCode;
use serde_json::Map;

/// The plugins that a workflow may use.
pub trait PluginCatalog {
    /// What is known of the plugin of this name, if there is one; or why it cannot be used.
    fn find(&self, name: &str) -> Option<Result<PluginFacts, UnusablePlugin>>;

    /// What a plugin finds wrong with a task's parameters beyond what their schema says: the name of
    /// each and what is wrong with it. Values that refer to variables are not known yet, and nothing
    /// is said of them.
    fn wrong_params(&self, _plugin: &str, _params: &Map<String, Value>) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The names of all plugins.
    fn names(&self) -> Vec<String>;
}

/// Why a plugin that is there cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusablePlugin {
    /// The error's code.
    pub code: ErrorCode,
    /// The file and what is wrong with it.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// What is known of a plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginFacts {
    /// How its tasks take part in scheduling.
    pub kind: TaskKind,
    /// Variables that it emits; those that are optional may be absent from a success.
    pub outputs: Vec<OutputDecl>,
    /// Variables that it needs.
    pub inputs: Vec<String>,
    /// JSON Schema (2020-12) of its parameters; absent if anything goes.
    pub params_schema: Option<Value>,
    /// Permissions that it needs when a task, or the plugin itself, asks for authorisation.
    pub permissions: Vec<String>,
    /// Whether every task that uses it needs its permissions.
    pub requires_auth: bool,
}
