//! Contracts: what a task's outputs and its error object must look like, as JSON Schemas (2020-12).
//!
//! A process can only print text, so `PORT=8080` emits the string `"8080"`, and to a process that
//! takes `PORT` a string and a number look the same. A contract that wants a number is therefore
//! also satisfied by an output that is a string whose text is a JSON number, and likewise for
//! booleans, null, objects and lists. This holds for the outputs themselves only: what lies inside
//! an object or a list, and everything in an error object, is checked strictly.

use crate::job::{Ended, failure};
use crate::secrets::Secrets;
use jsonschema::Validator;
use loom_protocol::{AttemptOutput, ErrorCode, json};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// The most violations that one message lists.
const SHOWN: usize = 3;
/// The most characters of one violation that a message holds.
const LONGEST: usize = 300;
/// The most compiled schemas that are kept.
const KEPT: usize = 1024;

/// Checks results against their contracts; keeps the compiled schemas.
#[derive(Debug, Default)]
pub(crate) struct Contracts {
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contracts {
    /// Checks the object of those `outputs` that are `declared` (all, if that is `*`).
    pub(crate) fn check_success(
        &self,
        schema: &Value,
        outputs: &[AttemptOutput],
        declared: &[String],
        secrets: &[String],
    ) -> Result<(), Ended> {
        let validator = self.compile(schema)?;
        let all = declared.iter().any(|name| name == "*");
        let object: Map<String, Value> = outputs
            .iter()
            .filter(|output| all || declared.contains(&output.name))
            .map(|output| (output.name.clone(), output.value.clone()))
            .collect();
        let strict = Value::Object(object);
        if validator.is_valid(&strict) {
            return Ok(());
        }
        let read = reading_strings(&validator, &strict);
        let hidden: Vec<String> = outputs
            .iter()
            .filter(|output| output.secret)
            .map(|output| text_of(&output.value))
            .chain(secrets.iter().cloned())
            .collect();
        match violations(&validator, &read) {
            None => Ok(()),
            Some(found) => Err(violated("the outputs break the task's contract", &found, &hidden)),
        }
    }

    /// Checks the object that a failing attempt emitted as `ERROR`.
    pub(crate) fn check_error(
        &self,
        schema: &Value,
        error: &Value,
        secrets: &[String],
    ) -> Result<(), Ended> {
        match violations(&*self.compile(schema)?, error) {
            None => Ok(()),
            Some(found) => {
                Err(violated("the error object breaks the task's contract", &found, secrets))
            }
        }
    }

    fn compile(&self, schema: &Value) -> Result<Arc<Validator>, Ended> {
        let key = schema.to_string();
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = compiled.get(&key) {
            return Ok(Arc::clone(validator));
        }
        let validator = Arc::new(jsonschema::draft202012::new(schema).map_err(|error| {
            failure(
                ErrorCode::ContractViolation,
                format!("the task's contract is not a usable JSON Schema: {error}"),
                false,
            )
        })?);
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        compiled.insert(key, Arc::clone(&validator));
        Ok(validator)
    }
}

/// The object with those outputs read as JSON that are strings, are not accepted as such, and hold
/// the text of something else.
fn reading_strings(validator: &Validator, strict: &Value) -> Value {
    let refused: Vec<String> = validator
        .iter_errors(strict)
        .map(|error| {
            let pointer = error.instance_path().to_string();
            let name = pointer.trim_start_matches('/').split('/').next();
            name.unwrap_or_default().to_owned()
        })
        .collect();
    let anywhere = refused.iter().any(String::is_empty);
    let mut object = strict.as_object().cloned().unwrap_or_default();
    for (name, value) in &mut object {
        let Value::String(text) = value else { continue };
        if !anywhere && !refused.contains(name) {
            continue;
        }
        match json::read(text.as_bytes()) {
            Ok(Value::String(_)) | Err(_) => {}
            Ok(read) => *value = read,
        }
    }
    let read = Value::Object(object);
    // A refusal of the object as a whole does not say which output is meant; reading them all must
    // not add violations of its own.
    if anywhere && !validator.is_valid(&read) { strict.clone() } else { read }
}

fn violations(validator: &Validator, instance: &Value) -> Option<Vec<String>> {
    let found: Vec<String> = validator
        .iter_errors(instance)
        .map(|error| {
            let pointer = error.instance_path().to_string();
            // The pointer to the whole is empty; `/` would be the key "".
            let place = if pointer.is_empty() { "at the root" } else { "at " };
            format!("{place}{pointer}: {error}")
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

fn violated(what: &str, found: &[String], hidden: &[String]) -> Ended {
    let hidden = Secrets::new(hidden);
    let mut message = what.to_owned();
    for (place, violation) in found.iter().take(SHOWN).enumerate() {
        let separator = if place == 0 { ": " } else { "; " };
        // Masked before it is cut, so that no half of a secret is left at the cut.
        let masked = hidden.mask(violation);
        let mut shown: String = masked.chars().take(LONGEST).collect();
        if shown.len() < masked.len() {
            shown.push('…');
        }
        write!(message, "{separator}{shown}").expect("a string takes everything");
    }
    if found.len() > SHOWN {
        write!(message, "; and {} more", found.len() - SHOWN).expect("a string takes everything");
    }
    failure(ErrorCode::ContractViolation, message, false)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn output(name: &str, value: Value) -> AttemptOutput {
        AttemptOutput { name: name.into(), value, secret: false }
    }

    fn check(schema: &Value, outputs: &[(&str, Value)]) -> Result<(), String> {
        let outputs: Vec<_> =
            outputs.iter().map(|(name, value)| output(name, value.clone())).collect();
        let declared: Vec<_> = outputs.iter().map(|output| output.name.clone()).collect();
        Contracts::default().check_success(schema, &outputs, &declared, &[]).map_err(message)
    }

    fn message(ended: Ended) -> String {
        match ended {
            Ended::Failed(info) => {
                assert_eq!(info.code, ErrorCode::ContractViolation);
                assert!(!info.retryable, "a violation is permanent");
                info.message
            }
            Ended::Stopped => panic!("stopped"),
        }
    }

    #[test]
    fn printed_text_counts_as_the_json_that_it_reads_as() {
        let schema = json!({"properties": {
            "PORT": {"type": "integer", "maximum": 65535},
            "OK": {"type": "boolean"},
            "LIST": {"type": "array", "items": {"type": "integer"}},
            "CODE": {"type": "string"},
        }});
        assert_eq!(check(&schema, &[("PORT", json!("80")), ("CODE", json!("007"))]), Ok(()));
        assert_eq!(check(&schema, &[("OK", json!("true")), ("LIST", json!("[1,2]"))]), Ok(()));
        assert_eq!(check(&schema, &[("CODE", json!("12"))]), Ok(()), "a string stays one");
        assert!(check(&schema, &[("CODE", json!(12))]).is_err(), "a number is no string");
        let inner = check(&schema, &[("LIST", json!(["1"]))]).unwrap_err();
        assert!(inner.contains("at /LIST/0: \"1\" is not of type \"integer\""), "{inner}");
        let large = check(&schema, &[("PORT", json!("70000"))]).unwrap_err();
        assert!(large.contains("at /PORT: 70000 is greater than the maximum of 65535"), "{large}");
        let word = check(&schema, &[("PORT", json!("http"))]).unwrap_err();
        assert!(word.contains("at /PORT: \"http\" is not of type \"integer\""), "{word}");
    }

    #[test]
    fn refusals_of_the_whole_object_read_strings_too() {
        let schema = json!({"anyOf": [
            {"properties": {"N": {"type": "integer"}}, "required": ["N"]},
            {"properties": {"M": {"type": "integer"}}, "required": ["M"]},
        ]});
        assert_eq!(check(&schema, &[("M", json!("3"))]), Ok(()));
        assert!(check(&schema, &[("M", json!("three"))]).is_err());
    }

    #[test]
    fn undeclared_outputs_are_not_part_of_the_object() {
        let schema = json!({"additionalProperties": false, "properties": {"A": {}}});
        let outputs = [output("A", json!(1)), output("B", json!(2))];
        let contracts = Contracts::default();
        assert!(contracts.check_success(&schema, &outputs, &["A".into()], &[]).is_ok());
        let all =
            message(contracts.check_success(&schema, &outputs, &["*".into()], &[]).unwrap_err());
        assert!(all.contains("'B' was unexpected"), "{all}");
    }

    #[test]
    fn an_error_object_is_checked_strictly() {
        let schema = json!({"required": ["code"], "properties": {"code": {"type": "integer"}}});
        let contracts = Contracts::default();
        assert!(contracts.check_error(&schema, &json!({"code": 5}), &[]).is_ok());
        let text = message(contracts.check_error(&schema, &json!({"code": "5"}), &[]).unwrap_err());
        assert!(text.contains("at /code: "), "{text}");
        let missing = message(contracts.check_error(&schema, &json!({}), &[]).unwrap_err());
        assert!(missing.contains("at the root: \"code\" is a required property"), "{missing}");
    }

    #[test]
    fn secrets_stay_out_of_the_message() {
        let schema = json!({"properties": {"A": {"maxLength": 2}, "B": {"maxLength": 2}}});
        let outputs = [
            AttemptOutput { name: "A".into(), value: json!("hidden-a"), secret: true },
            output("B", json!("hidden-b")),
        ];
        let declared = ["A".to_owned(), "B".to_owned()];
        let text = message(
            Contracts::default()
                .check_success(&schema, &outputs, &declared, &["hidden-b".into()])
                .unwrap_err(),
        );
        assert!(!text.contains("hidden"), "{text}");
        assert!(text.contains("at /A") && text.contains("at /B"), "{text}");
    }

    #[test]
    fn schemas_that_refer_elsewhere_fail_without_reaching_out() {
        let schema = json!({"$ref": "http://127.0.0.1:9/schema.json"});
        let text = check(&schema, &[]).unwrap_err();
        assert!(text.contains("not a usable JSON Schema"), "{text}");
    }
}
