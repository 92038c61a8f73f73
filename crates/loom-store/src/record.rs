//! The stored form: what stores keep as text, and how secrets are kept in it.
//!
//! Everything is compact JSON of the core's own types, which is the journal's stable form. Values
//! marked secret never appear in it: a [`Vault`] seals them on the way in, and on the way out they
//! are opened for the engine or masked for everybody else ([`Secrets`]).

use crate::{DefinitionHash, RunMeta, StoreError};
pub use loom_core::MASK;

use loom_core::json::read_stored;
use loom_core::{Definition, EnvVar, Event, Request, Timestamp, Value, Variable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// Seals secrets. What is sealed is text without quotes and backslashes.
pub trait Vault {
    /// Seals a secret. Fails if there is no key and none can be made.
    fn seal(&self, secret: &[u8]) -> Result<String, StoreError>;

    /// Opens what was sealed. Fails if the key is missing or another one.
    fn open(&self, sealed: &str) -> Result<Vec<u8>, StoreError>;
}

/// What becomes of secrets in something that is read back.
#[derive(Clone, Copy)]
pub enum Secrets<'a> {
    /// They are opened with this vault.
    Open(&'a dyn Vault),
    /// They read as [`MASK`].
    Mask,
}

impl Secrets<'_> {
    fn reveal(self, sealed: &mut Value) -> Result<(), StoreError> {
        *sealed = match self {
            Self::Mask => MASK.into(),
            Self::Open(vault) => {
                let text = sealed
                    .as_str()
                    .ok_or_else(|| StoreError::Corrupt("a secret value is not sealed".into()))?;
                let opened = String::from_utf8(vault.open(text)?);
                let opened = opened
                    .map_err(|error| StoreError::Corrupt(format!("a secret value: {error}")))?;
                from_json(&opened, "a secret value")?
            }
        };
        Ok(())
    }
}

/// Bytes as text: two digits each, letters in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A definition's identity: the SHA-256 of its canonical JSON, which has the fields in the order of
/// their declaration, the keys of maps sorted and no white space.
pub fn definition_hash(definition: &Definition) -> DefinitionHash {
    Sha256::digest(to_json(definition)).into()
}

/// A definition as it is stored: canonical JSON in which secret literals are sealed.
pub fn encode_definition(definition: &Definition, vault: &dyn Vault) -> Result<String, StoreError> {
    if !definition.env.iter().any(|var| holds_secret(var, &definition.secrets)) {
        return Ok(to_json(definition));
    }
    let mut sealed = definition.clone();
    for var in sealed.env.iter_mut().filter(|var| holds_secret(var, &definition.secrets)) {
        seal(&mut var.value, vault)?;
    }
    Ok(to_json(&sealed))
}

/// The reverse of [`encode_definition`].
pub fn decode_definition(text: &str, secrets: Secrets<'_>) -> Result<Definition, StoreError> {
    let mut definition: Definition = from_json(text, "a definition")?;
    let Definition { env, secrets: names, .. } = &mut definition;
    for var in env.iter_mut().filter(|var| holds_secret(var, names)) {
        secrets.reveal(&mut var.value)?;
    }
    Ok(definition)
}

/// The definition as those see it who may not read secrets.
pub fn masked_definition(definition: &Definition) -> Definition {
    let mut masked = definition.clone();
    for var in masked.env.iter_mut().filter(|var| holds_secret(var, &definition.secrets)) {
        var.value = MASK.into();
    }
    masked
}

/// Whether the definition itself holds the secret, rather than saying where the process that
/// submits a run finds it (`{{ENV:NAME}}` and nothing else).
fn holds_secret(var: &EnvVar, secrets: &[String]) -> bool {
    (var.secret || secrets.contains(&var.name)) && !is_reference(&var.value)
}

fn is_reference(value: &Value) -> bool {
    value
        .as_str()
        .and_then(|text| text.trim().strip_prefix("{{")?.strip_suffix("}}"))
        .and_then(|inner| inner.trim().strip_prefix("ENV:"))
        .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// Events as they are stored: a JSON list.
pub fn encode_events(events: &[Event], vault: &dyn Vault) -> Result<String, StoreError> {
    if !events.iter().any(Event::has_secrets) {
        return Ok(to_json(events));
    }
    let mut sealed = events.to_vec();
    for secret in sealed.iter_mut().flat_map(Event::secrets_mut) {
        seal(secret, vault)?;
    }
    Ok(to_json(&sealed))
}

/// The reverse of [`encode_events`].
pub fn decode_events(text: &str, secrets: Secrets<'_>) -> Result<Vec<Event>, StoreError> {
    let mut events: Vec<Event> = from_json(text, "a run's events")?;
    for secret in events.iter_mut().flat_map(Event::secrets_mut) {
        secrets.reveal(secret)?;
    }
    Ok(events)
}

/// How many events [`encode_events`] put into this text.
pub fn count_events(text: &str) -> Result<u64, StoreError> {
    from_json::<Vec<serde::de::IgnoredAny>>(text, "a run's events").map(|list| list.len() as u64)
}

/// The event as those see it who may not read secrets.
pub fn masked_event(event: &Event) -> Event {
    let mut masked = event.clone();
    for secret in masked.secrets_mut() {
        *secret = MASK.into();
    }
    masked
}

/// Variables as they are stored: a JSON list.
pub fn encode_variables(variables: &[Variable], vault: &dyn Vault) -> Result<String, StoreError> {
    let mut sealed = variables.to_vec();
    seal_variables(&mut sealed, vault)?;
    Ok(to_json(&sealed))
}

/// The reverse of [`encode_variables`].
pub fn decode_variables(text: &str, secrets: Secrets<'_>) -> Result<Vec<Variable>, StoreError> {
    let mut variables: Vec<Variable> = from_json(text, "a run's variables")?;
    reveal_variables(&mut variables, secrets)?;
    Ok(variables)
}

/// The variables as those see them who may not read secrets.
pub fn masked_variables(variables: &[Variable]) -> Vec<Variable> {
    let mut masked = variables.to_vec();
    for variable in masked.iter_mut().filter(|variable| variable.secret) {
        variable.value = MASK.into();
    }
    masked
}

/// A request as it is stored.
pub fn encode_request(request: &Request, vault: &dyn Vault) -> Result<String, StoreError> {
    let mut sealed = request.clone();
    seal_variables(sealed.variables_mut(), vault)?;
    Ok(to_json(&sealed))
}

/// The reverse of [`encode_request`].
pub fn decode_request(text: &str, secrets: Secrets<'_>) -> Result<Request, StoreError> {
    let mut request: Request = from_json(text, "a request")?;
    reveal_variables(request.variables_mut(), secrets)?;
    Ok(request)
}

/// A document's body as it is stored: compact JSON.
pub fn encode_body(body: &Value) -> String {
    to_json(body)
}

/// The reverse of [`encode_body`].
pub fn decode_body(text: &str) -> Result<Value, StoreError> {
    from_json(text, "a document")
}

/// What is said about a run as it is stored, if anything is.
pub fn encode_meta(meta: &RunMeta) -> Option<String> {
    (*meta != RunMeta::default()).then(|| to_json(meta))
}

/// The reverse of [`encode_meta`].
pub fn decode_meta(text: Option<&str>) -> Result<RunMeta, StoreError> {
    text.map_or_else(|| Ok(RunMeta::default()), |text| from_json(text, "what is said about a run"))
}

/// When a run first ran, if one of these events says so.
pub fn started_at(events: &[Event]) -> Option<Timestamp> {
    events.iter().find_map(|event| match event {
        Event::RunStarted { at } => Some(*at),
        _ => None,
    })
}

/// Whether a run starts with one of these events.
pub fn starts_run(events: &[Event]) -> bool {
    started_at(events).is_some()
}

/// When a run ended, if it has after these events.
pub fn finished_at(events: &[Event]) -> Option<Timestamp> {
    events.iter().rev().find_map(|event| match event {
        Event::RunFinished { at, .. } => Some(Some(*at)),
        Event::RunReopened { .. } => Some(None),
        _ => None,
    })?
}

fn seal(value: &mut Value, vault: &dyn Vault) -> Result<(), StoreError> {
    *value = vault.seal(to_json(value).as_bytes())?.into();
    Ok(())
}

fn seal_variables(variables: &mut [Variable], vault: &dyn Vault) -> Result<(), StoreError> {
    variables
        .iter_mut()
        .filter(|variable| variable.secret)
        .try_for_each(|variable| seal(&mut variable.value, vault))
}

fn reveal_variables(variables: &mut [Variable], secrets: Secrets<'_>) -> Result<(), StoreError> {
    variables
        .iter_mut()
        .filter(|variable| variable.secret)
        .try_for_each(|variable| secrets.reveal(&mut variable.value))
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("the core's types have text keys and finite numbers only")
}

fn from_json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    read_stored(text).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::{Failure, FailureKind, Output, TaskDef, TaskIx, TaskRef, json};
    use serde_json::json;

    /// Turns bytes around: enough to see what is sealed and what is not.
    struct Backwards;

    impl Vault for Backwards {
        fn seal(&self, secret: &[u8]) -> Result<String, StoreError> {
            Ok(String::from_utf8_lossy(secret).replace('"', "'").chars().rev().collect())
        }

        fn open(&self, sealed: &str) -> Result<Vec<u8>, StoreError> {
            Ok(sealed.replace('\'', "\"").chars().rev().collect::<String>().into_bytes())
        }
    }

    fn env(name: &str, value: impl Into<Value>, secret: bool) -> EnvVar {
        EnvVar { name: name.into(), value: value.into(), secret }
    }

    fn secretive() -> Definition {
        let mut definition = Definition::new("w", vec![TaskDef::new("a", "noop")]);
        definition.env = vec![
            env("API_TOKEN", "{{ENV:API_TOKEN}}", true),
            env("DSN", "pg://me:hunter2@{{ENV:HOST}}", false),
            env("PIN", 9471, true),
            env("MODE", "fast", false),
        ];
        definition.secrets = vec!["DSN".into()];
        definition
    }

    #[test]
    fn a_definitions_secret_literals_are_sealed_and_references_stay_readable() {
        let definition = secretive();
        let text = encode_definition(&definition, &Backwards).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("9471"), "{text}");
        assert!(text.contains("{{ENV:API_TOKEN}}") && text.contains("fast"), "{text}");
        assert_eq!(decode_definition(&text, Secrets::Open(&Backwards)).unwrap(), definition);

        let masked = decode_definition(&text, Secrets::Mask).unwrap();
        let values: Vec<&Value> = masked.env.iter().map(|var| &var.value).collect();
        assert_eq!(values, ["{{ENV:API_TOKEN}}", MASK, MASK, "fast"]);
        assert_eq!(masked, masked_definition(&definition));
    }

    #[test]
    fn only_a_lone_reference_counts_as_one() {
        for text in ["{{ENV:A}}", " {{ ENV:A_1 }} "] {
            assert!(is_reference(&text.into()), "{text}");
        }
        for text in ["x{{ENV:A}}", "{{ENV:A}}{{ENV:B}}", "{{A}}", "ENV:A", "", "{{ENV:A b}}"] {
            assert!(!is_reference(&text.into()), "{text}");
        }
        assert!(!is_reference(&json!(["{{ENV:A}}"])));
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_in_which_parameters_were_written() {
        let with = |pairs: [(&str, u32); 2]| {
            let mut task = TaskDef::new("a", "noop");
            task.params =
                pairs.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
            definition_hash(&Definition::new("w", vec![task]))
        };
        assert_eq!(with([("b", 1), ("a", 2)]), with([("a", 2), ("b", 1)]));
        assert_ne!(with([("b", 1), ("a", 2)]), with([("b", 2), ("a", 1)]));
    }

    #[test]
    fn secret_outputs_are_sealed_and_open_again() {
        let output = |name: &str, secret| Output {
            name: name.into(),
            value: json!({"deep": "hunter2"}),
            declared: true,
            secret,
        };
        let event = |secret| Event::Succeeded {
            at: Timestamp(1),
            task: TaskRef::whole(TaskIx(0)),
            attempt: 1,
            outputs: vec![output("A", secret)],
        };
        let events = vec![event(true)];
        let text = encode_events(&events, &Backwards).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(decode_events(&text, Secrets::Open(&Backwards)).unwrap(), events);
        assert_eq!(decode_events(&text, Secrets::Mask).unwrap(), [masked_event(&events[0])]);
        assert_eq!(count_events(&text).unwrap(), 1);

        let plain = encode_events(&[event(false)], &Backwards).unwrap();
        assert!(plain.contains("hunter2"), "{plain}");
    }

    /// The deepest values that a run takes, in everything that it records of them, and deeper ones, which
    /// were taken while readers of JSON had no limit but their own.
    #[test]
    fn the_deepest_row_that_can_be_written_is_read() {
        let nested = |depth: usize| (0..depth).fold(Value::Null, |inner, _| json!({"a": [inner]}));
        for deep in [nested(json::DEPTH_MAX / 2), nested(63), nested(120)] {
            let (at, task, by) = (Timestamp(1), TaskRef::whole(TaskIx(0)), String::new());
            let output =
                Output { name: "A".into(), value: deep.clone(), declared: true, secret: false };
            let variable = Variable { name: "A".into(), value: deep.clone(), secret: false };
            let failure = Failure {
                error: Some(deep.clone()),
                ..Failure::permanent(FailureKind::Exit, "it failed")
            };
            let mut def = TaskDef::new("t", "noop");
            def.params.insert("A".into(), deep.clone());
            let (name, reason) = (String::new(), String::new());
            let (variables, outputs) = (vec![variable], vec![output]);
            let events = [
                Event::Succeeded { at, task, attempt: 1, outputs: outputs.clone() },
                Event::Failed { at, task, attempt: 1, failure: failure.into(), retry_at: None },
                Event::Fired { at, task, items: Some(vec![deep.clone()]), secret: false },
                Event::Amended {
                    at,
                    task,
                    by: by.clone(),
                    max_attempts: None,
                    inputs: variables.clone(),
                },
                Event::Emitted { at, task, name, payload: variables.clone() },
                Event::Resolved { at, task, by: by.clone(), reason: reason.clone(), outputs },
                Event::Declared { at, task, def: def.clone().into() },
            ];
            let text = encode_events(&events, &Backwards).unwrap();
            assert_eq!(decode_events(&text, Secrets::Mask).unwrap(), events);
            assert_eq!(count_events(&text).unwrap(), 7);
            let text = encode_variables(&variables, &Backwards).unwrap();
            assert_eq!(decode_variables(&text, Secrets::Mask).unwrap(), variables);
            let request = Request::Resolve {
                by,
                task: "t".into(),
                reason,
                outputs: variables,
                without_outputs: false,
            };
            let text = encode_request(&request, &Backwards).unwrap();
            assert_eq!(decode_request(&text, Secrets::Mask).unwrap(), request);
            let definition = Definition::new("w", vec![def]);
            let text = encode_definition(&definition, &Backwards).unwrap();
            assert_eq!(decode_definition(&text, Secrets::Mask).unwrap(), definition);
            assert_eq!(decode_body(&encode_body(&deep)).unwrap(), deep);
        }
    }

    #[test]
    fn what_is_not_the_stored_form_is_corrupt() {
        let open = Secrets::Open(&Backwards);
        let unsealed = r#"[{"name":"A","value":7,"secret":true}]"#;
        assert!(matches!(decode_variables(unsealed, open), Err(StoreError::Corrupt(_))));
        for text in ["", "{", r#"[{"e":"nonsense"}]"#] {
            assert!(matches!(decode_events(text, open), Err(StoreError::Corrupt(_))), "{text}");
            assert!(matches!(decode_definition(text, open), Err(StoreError::Corrupt(_))), "{text}");
            assert!(matches!(decode_request(text, open), Err(StoreError::Corrupt(_))), "{text}");
        }
    }
}
