//! Parameters that are plainly right, seen without compiling a JSON Schema: the compiler first
//! compiles the schema of schemas, which takes longer than everything else in a small check.

use serde_json::{Map, Value};

/// Whether `params` satisfy `schema` for certain. `false` only means that it takes a real validator
/// to tell: any keyword that is not understood here leads there.
pub(super) fn plainly_valid(schema: &Value, params: &Map<String, Value>) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    let empty = Map::new();
    let mut properties = &empty;
    for (keyword, value) in schema {
        let fits = match keyword.as_str() {
            "properties" => value.as_object().inspect(|known| properties = known).is_some(),
            "type" => value == "object",
            "required" => value.as_array().is_some_and(|names| {
                names.iter().all(|name| name.as_str().is_some_and(|name| params.contains_key(name)))
            }),
            "additionalProperties" => value == &Value::Bool(false),
            other => is_annotation(other),
        };
        if !fits {
            return false;
        }
    }
    params
        .iter()
        .all(|(name, value)| properties.get(name).is_some_and(|schema| fits(schema, value)))
}

fn fits(schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return false };
    schema.iter().all(|(keyword, wanted)| match keyword.as_str() {
        "type" => wanted.as_str().is_some_and(|wanted| has_type(wanted, value)),
        "enum" => wanted.as_array().is_some_and(|allowed| allowed.contains(value)),
        "minLength" => wanted == 1 && value.as_str().is_some_and(|text| !text.is_empty()),
        "minItems" => wanted == 1 && value.as_array().is_some_and(|items| !items.is_empty()),
        "items" => {
            value.as_array().is_some_and(|items| items.iter().all(|item| fits(wanted, item)))
        }
        "anyOf" => wanted.as_array().is_some_and(|any| any.iter().any(|one| fits(one, value))),
        other => is_annotation(other),
    })
}

fn has_type(wanted: &str, value: &Value) -> bool {
    match wanted {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "description" | "title" | "default" | "examples" | "$schema")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_plainly_valid_is_valid() {
        let schema = json!({
            "type": "object",
            "required": ["a"],
            "additionalProperties": false,
            "properties": {
                "a": {"anyOf": [{"type": "string", "minLength": 1},
                                {"type": "array", "items": {"type": "integer"}, "minItems": 1}]},
                "b": {"enum": ["x", 1]},
                "c": {"type": "string", "pattern": "^z$"},
            },
        });
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let values =
            [json!("x"), json!(""), json!([1]), json!([]), json!(["s"]), json!(1), json!(null)];
        let mut plain = 0;
        for a in &values {
            for b in values.iter().map(Some).chain([None]) {
                for name in ["b", "c", "d"] {
                    let mut params = Map::from_iter([("a".to_owned(), a.clone())]);
                    params.extend(b.map(|b| (name.to_owned(), b.clone())));
                    if plainly_valid(&schema, &params) {
                        plain += 1;
                        assert!(validator.is_valid(&Value::Object(params)));
                    }
                }
            }
        }
        assert!(plain > 5, "only {plain}");
        assert!(!plainly_valid(&schema, &Map::new()));
    }
}
