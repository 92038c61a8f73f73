//! A catalog of plugins like the built-in ones.

use loom_core::{OutputDecl, TaskKind};
use loom_protocol::ErrorCode;
use loom_spec::{PluginCatalog, PluginFacts, UnusablePlugin};
use serde_json::{Map, Value, json};

pub(crate) struct Catalog;

const NAMES: [&str; 11] =
    ["backup", "broken", "cmd", "df", "end", "http", "locked", "noop", "sleep", "start", "touched"];

impl PluginCatalog for Catalog {
    fn find(&self, name: &str) -> Option<Result<PluginFacts, UnusablePlugin>> {
        let facts = PluginFacts::default();
        Some(Ok(match name {
            "start" => {
                PluginFacts { kind: TaskKind::Instant, outputs: outputs(&["TRUE"]), ..facts }
            }
            "noop" => PluginFacts { kind: TaskKind::Instant, ..facts },
            "end" => PluginFacts { kind: TaskKind::Barrier, ..facts },
            "df" => PluginFacts {
                outputs: outputs(&["MAIN_VOLUME", "FREE_SPACE"]),
                params_schema: Some(object(&json!({ "path": { "type": "string" } }), &[])),
                permissions: vec!["can_view_system".into()],
                ..facts
            },
            "touched" => PluginFacts {
                outputs: outputs(&["TRUE?"]),
                params_schema: Some(object(
                    &json!({
                        "file": { "type": "string" },
                        "timeout": { "type": ["number", "string"] },
                    }),
                    &["file"],
                )),
                ..facts
            },
            "cmd" => PluginFacts {
                params_schema: Some(object(
                    &json!({
                        "command": { "type": ["string", "array"] },
                        "shell": { "enum": ["sh", "strict"] },
                    }),
                    &["command"],
                )),
                permissions: vec!["can_execute_commands".into()],
                ..facts
            },
            "http" => PluginFacts {
                params_schema: Some(object(
                    &json!({
                        "method": { "enum": ["GET", "POST"] },
                        "url": { "type": "string", "description": "The address." },
                        "retries": { "type": "integer", "minimum": 0 },
                        "headers": { "type": "object", "additionalProperties": { "type": "string" } },
                    }),
                    &["url"],
                )),
                ..facts
            },
            "sleep" => PluginFacts {
                params_schema: Some(object(
                    &json!({
                        "duration": {
                            "description": "How long: seconds, or a text such as `10s`.",
                            "anyOf": [
                                { "type": "number", "minimum": 0 },
                                { "type": "string", "pattern": "^[0-9]+s$" },
                            ],
                        },
                        "outputs": { "type": "object" },
                    }),
                    &["duration"],
                )),
                ..facts
            },
            "backup" => PluginFacts {
                inputs: vec!["BACKUP_KEY".into()],
                permissions: vec!["can_backup".into()],
                requires_auth: true,
                ..facts
            },
            "broken" => {
                PluginFacts { params_schema: Some(json!({ "type": "no such type" })), ..facts }
            }
            "locked" => {
                return Some(Err(UnusablePlugin {
                    code: ErrorCode::NotExecutable,
                    what: "plugins/locked: it is not executable".into(),
                    mend: "run chmod +x plugins/locked".into(),
                }));
            }
            _ => return None,
        }))
    }

    fn wrong_params(&self, plugin: &str, params: &Map<String, Value>) -> Vec<(String, String)> {
        let is_wrong = |name: &str| {
            let text = params.get(name).and_then(Value::as_str);
            text.is_some_and(|text| text.starts_with("gopher:"))
        };
        let wrong = |name: &str| (name.to_owned(), format!("parameter `{name}` cannot be used"));
        let names = ["method", "url"].into_iter().filter(|name| plugin == "http" && is_wrong(name));
        names.map(wrong).collect()
    }

    fn names(&self) -> Vec<String> {
        NAMES.map(str::to_owned).into()
    }
}

fn outputs(names: &[&str]) -> Vec<OutputDecl> {
    let decl = |name: &&str| OutputDecl {
        name: name.trim_end_matches('?').into(),
        optional: name.ends_with('?'),
    };
    names.iter().map(decl).collect()
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
