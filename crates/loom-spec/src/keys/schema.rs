//! The JSON Schema of the workflow file, for editors.

use super::{Key, Section, Shape};
use crate::read::{EVENT_NAME_MOST, EVENTS_MOST};
use serde_json::{Map, Value, json};

const META: &str = "https://json-schema.org/draft/2020-12/schema";
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
const OUTPUT: &str = r"^(\*|[A-Za-z_][A-Za-z0-9_]*\??)$";
const NAME: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$";
const EVENT_NAME: &str = r"^(?!(run|task|workflow|loom|system|test)\.)[a-z0-9_-]+(\.[a-z0-9_-]+)+$";
const DURATION: &str = r"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h|d)?$";

/// The JSON Schema (draft 2020-12) of the workflow file.
pub fn schema() -> Value {
    let mut schema = map(Section::Document);
    schema.insert("$schema".into(), META.into());
    schema.insert("title".into(), "Loomwork workflow".into());
    let sections = Section::ALL.into_iter().filter(|&section| section != Section::Document);
    let defs: Map<String, Value> =
        sections.map(|section| (def(section).into(), map(section).into())).collect();
    schema.insert("$defs".into(), defs.into());
    schema.into()
}

const fn def(section: Section) -> &'static str {
    match section {
        Section::Document => "document",
        Section::Workflow => "workflow",
        Section::Task => "task",
        Section::Execution => "execution",
        Section::Retry => "retry",
        Section::Permissions => "permissions",
        Section::Contract => "contract",
        Section::Event => "event",
    }
}

fn map(section: Section) -> Map<String, Value> {
    let properties: Map<String, Value> =
        section.keys().map(|key| (key.name.into(), property(key).into())).collect();
    let required: Vec<&str> =
        section.keys().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema
}

fn property(key: &Key) -> Map<String, Value> {
    let Value::Object(mut schema) = shape(key.shape) else {
        unreachable!("every shape is an object");
    };
    let default = match key.default {
        "" => String::new(),
        default => format!(" Default: {default}."),
    };
    schema.insert("description".into(), format!("{}{default}", key.doc).into());
    schema
}

fn shape(shape: Shape) -> Value {
    let reference = |section| format!("#/$defs/{}", def(section));
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Name => name(),
        Shape::Version => json!({ "type": "string", "examples": ["0.1.0"] }),
        Shape::Expression => json!({ "type": ["string", "boolean"], "minLength": 1 }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Number(least, most) => {
            json!({ "type": "number", "minimum": least, "maximum": most })
        }
        Shape::Duration => json!({
            "oneOf": [
                { "type": "number", "exclusiveMinimum": 0 },
                { "type": "string", "pattern": DURATION },
            ],
        }),
        Shape::OneOf(words) => json!({ "enum": words }),
        Shape::Names => json!({ "type": "array", "items": name(), "uniqueItems": true }),
        // `TRUE` without quotes is a boolean to editors, and a variable's name here.
        Shape::Variables => json!({
            "type": "array",
            "items": { "type": ["string", "boolean"], "pattern": VARIABLE },
            "uniqueItems": true,
        }),
        Shape::Outputs => json!({
            "type": "array",
            "items": { "type": ["string", "boolean"], "pattern": OUTPUT },
            "uniqueItems": true,
        }),
        Shape::Values => json!({ "type": "object", "propertyNames": { "pattern": VARIABLE } }),
        Shape::TextMap => json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
        Shape::Params => json!({ "type": "object" }),
        Shape::ForEach => json!({ "type": ["array", "string"] }),
        Shape::EventName => event_name(),
        Shape::Events => json!({
            "type": "array",
            "items": { "oneOf": [event_name(), { "$ref": reference(Section::Event) }] },
            "maxItems": EVENTS_MOST,
        }),
        Shape::Schema => json!({ "$ref": META }),
        Shape::Map(section) => json!({ "$ref": reference(section) }),
        Shape::List(section) => json!({
            "type": "array",
            "items": { "$ref": reference(section) },
            "minItems": 1,
        }),
    }
}

fn event_name() -> Value {
    json!({ "type": "string", "maxLength": EVENT_NAME_MOST, "pattern": EVENT_NAME })
}

fn name() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": NAME })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_one_and_accepts_a_workflow() {
        let schema = schema();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let task = json!({
            "name": "a", "plugin": "cmd", "inputs": [true], "outputs": ["A", "B?", "*"],
            "events": ["a.b", { "name": "c.d", "on": "always" }],
            "execution": { "timeout": "30s" }, "contract": { "success": { "type": "object" } },
        });
        let good = json!({ "workflow": { "name": "w", "tasks": [task] } });
        assert!(validator.is_valid(&good));
        let bad = json!({ "workflow": { "name": "w", "tasks": [{ "name": "a" }] } });
        assert!(!validator.is_valid(&bad));
    }
}
