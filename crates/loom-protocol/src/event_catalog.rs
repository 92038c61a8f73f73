//! Every type of event with its meaning, its JSON Schema and an example, from the types themselves.

use crate::event_example::examples;
use crate::{RunEvent, RunEventKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

/// Every type of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventCatalog {
    /// The types, those of runs first.
    pub types: Vec<EventTypeView>,
}

/// A type of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventTypeView {
    /// What `type` says.
    #[serde(rename = "type")]
    pub name: String,
    /// What happened.
    pub description: String,
    /// The JSON Schema of the whole event; it refers to nothing outside.
    pub schema: Value,
    /// One event of the type.
    pub example: RunEvent,
}

/// The catalogue of this version.
pub fn event_catalog() -> EventCatalog {
    let variants = variants();
    let types = examples().into_iter().map(|example| {
        let name = example.what.type_name();
        let variant = variants.iter().find(|variant| type_of(variant) == Some(name));
        let variant = variant.expect("each type has a schema");
        EventTypeView {
            name: name.to_owned(),
            description: text(variant, "description"),
            schema: whole(variant),
            example,
        }
    });
    EventCatalog { types: types.collect() }
}

/// The schemas of the types, without references.
fn variants() -> Vec<Value> {
    let mut named = Vec::new();
    RunEventKind::schemas(&mut named);
    let named: Map<String, Value> =
        named.into_iter().map(|(name, schema)| (name, plain(&schema))).collect();
    let mut schema = plain(&RunEventKind::schema());
    inline(&mut schema, &named);
    match schema["oneOf"].take() {
        Value::Array(variants) => variants.into_iter().map(merged).collect(),
        other => unreachable!("the schema of an enum is a list of variants, not {other}"),
    }
}

fn plain(schema: &impl Serialize) -> Value {
    serde_json::to_value(schema).expect("its keys are text")
}

/// Puts the schemas themselves in the place of references to them.
fn inline(schema: &mut Value, named: &Map<String, Value>) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        let mut found = named.get(name).cloned().expect("each reference has its schema");
        inline(&mut found, named);
        *schema = found;
        return;
    }
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, named)),
        Value::Object(fields) => fields.values_mut().for_each(|field| inline(field, named)),
        _ => {}
    }
}

/// The parts of an `allOf`, which a flattened field makes, as one object.
fn merged(mut schema: Value) -> Value {
    let Value::Array(parts) = schema["allOf"].take() else {
        schema.as_object_mut().expect("a schema is a map").remove("allOf");
        return schema;
    };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts.into_iter().map(merged) {
        if let Value::Object(fields) = &part["properties"] {
            properties.extend(fields.clone());
        }
        if let Value::Array(names) = &part["required"] {
            required.extend(names.iter().cloned());
        }
    }
    let description = text(&schema, "description");
    json!({
        "type": "object", "description": description,
        "properties": properties, "required": required,
    })
}

/// The schema of a whole event: what all have, and then what its type has.
fn whole(variant: &Value) -> Value {
    let mut properties = Map::new();
    for (name, kind, what) in [
        ("run", "string", "The run's identity."),
        ("seq", "integer", "Counts from 1 within the run, without a gap."),
        ("at", "string", "When it happened: RFC 3339, UTC, in microseconds."),
    ] {
        properties.insert(name.into(), json!({ "type": kind, "description": what }));
    }
    let mut required = vec![json!("run"), json!("seq"), json!("at")];
    if let Value::Object(own) = &variant["properties"] {
        properties.extend(own.clone());
    }
    if let Value::Array(own) = &variant["required"] {
        required.extend(own.iter().cloned());
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "properties": properties, "required": required,
    })
}

fn type_of(variant: &Value) -> Option<&str> {
    let of = &variant["properties"]["type"];
    of["const"].as_str().or_else(|| of["enum"][0].as_str())
}

fn text(schema: &Value, key: &str) -> String {
    schema[key].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_described_and_has_an_example_that_its_schema_fits() {
        let catalog = event_catalog();
        let names: Vec<&str> = catalog.types.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, RunEventKind::TYPES);
        for it in &catalog.types {
            assert!(!it.description.is_empty(), "{}", it.name);
            let example = serde_json::to_value(&it.example).unwrap();
            assert_eq!(example["type"], it.name);
            let validator = jsonschema::validator_for(&it.schema).unwrap();
            assert!(validator.is_valid(&example), "{example} against {}", it.schema);
            let fields = it.schema["properties"].as_object().unwrap();
            for key in example.as_object().unwrap().keys() {
                assert!(fields.contains_key(key), "{} lacks `{key}`", it.name);
            }
            assert!(!it.schema.to_string().contains("$ref"), "{}", it.name);
            for field in it.schema["required"].as_array().unwrap() {
                let mut without = example.clone();
                without.as_object_mut().unwrap().remove(field.as_str().unwrap());
                assert!(!validator.is_valid(&without), "{} without {field}", it.name);
            }
        }
    }
}
