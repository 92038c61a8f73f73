//! JSON Schemas: those of plugins' parameters, and contracts.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use loom_core::Value;
use std::collections::HashMap;

/// The schemas of plugins' parameters, each compiled once.
#[derive(Default)]
pub(super) struct Compiled(HashMap<String, Option<Validator>>);

impl Compiled {
    /// The compiled schema of a plugin's parameters; `None` if it is not a JSON Schema.
    pub(super) fn of(&mut self, plugin: &str, schema: &Value) -> Option<&Validator> {
        if !self.0.contains_key(plugin) {
            self.0.insert(plugin.to_owned(), jsonschema::draft202012::new(schema).ok());
        }
        self.0.get(plugin).and_then(Option::as_ref)
    }
}

/// Where and why a value is not a JSON Schema of draft 2020-12; `None` if it is one.
pub(super) fn why_not_schema(schema: &Value) -> Option<(String, String)> {
    if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
        return Some((error.instance_path().to_string(), error.to_string()));
    }
    let error = jsonschema::draft202012::new(schema).err()?;
    let reason = match error.kind() {
        ValidationErrorKind::Referencing(_) => {
            "it has a `$ref` that leads nowhere within it; other documents are not fetched".into()
        }
        _ => error.to_string(),
    };
    Some((String::new(), reason))
}
