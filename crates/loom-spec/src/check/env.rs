//! `workflow.env`: what it takes from the environment, and the variables that a run begins with.

use super::Checker;
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use loom_core::{Definition, Value, Variable, is_variable, placeholders};
use loom_protocol::ErrorCode;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// The variable that carries the credential for permissions; always a secret.
const AUTH_TOKEN: &str = "AUTH_TOKEN";

impl Checker<'_> {
    pub(super) fn env(&mut self) {
        for key in ["secrets", "tags"] {
            if let Some(list) = self.draft.node.get(key) {
                self.repeated(list);
            }
        }
        let Some(env) = self.draft.node.get("env") else { return };
        for entry in env.entries() {
            // What the caller gives replaces the value, so the environment is not asked.
            if !self.context.variables.contains(&*entry.key) {
                self.host_variables(&entry.key, &entry.value);
            }
        }
    }

    fn host_variables(&mut self, name: &str, node: &Node) {
        node.items().iter().for_each(|item| self.host_variables(name, item));
        node.entries().iter().for_each(|entry| self.host_variables(name, &entry.value));
        let text = node.as_str().unwrap_or_default();
        for found in placeholders(text) {
            let host = found.name;
            if !found.host {
                let message = format!("`env` is not filled in: `{{{{ {host} }}}}` stays as it is");
                self.push(
                    Diagnostic::warning(ErrorCode::UnknownVariable, message).at(node.span, "").help(
                        "only `{{ENV:NAME}}` is replaced here; use the variable where it is needed",
                    ),
                );
            } else if !is_variable(host) {
                let message = format!("`{host}` is not the name of an environment variable");
                self.push(
                    Diagnostic::error(ErrorCode::BadValue, message)
                        .at(node.span, "")
                        .help("write `{{ENV:NAME}}`"),
                );
            } else if !(self.context.host)(host) {
                let message = format!("the environment variable `{host}` is not set");
                let problem = Diagnostic::error(ErrorCode::HostVariableUnset, message)
                    .at(node.span, "needed here")
                    .help(format!("set it, `{host}=… loom run …`, or pass `--var {name}=VALUE`"));
                let problem = self.unset(problem);
                self.push(problem);
            }
        }
    }
}

/// An environment variable that `workflow.env` needs and that is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveError {
    /// The variable of the workflow.
    pub variable: String,
    /// The variable of the environment.
    pub host: String,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, host } = self;
        write!(
            f,
            "`{variable}` takes its value from the environment variable `{host}`, which is not set"
        )
    }
}

impl std::error::Error for ResolveError {}

/// The names of a workflow's secret variables: those that `workflow.env` marks so, those that
/// `workflow.secrets` lists, and `AUTH_TOKEN`.
#[derive(Debug)]
pub struct SecretNames<'a>(HashSet<&'a str>);

impl<'a> SecretNames<'a> {
    /// Those of this workflow.
    pub fn of(definition: &'a Definition) -> Self {
        let marked = definition.env.iter().filter(|var| var.secret).map(|var| var.name.as_str());
        let listed = definition.secrets.iter().map(String::as_str);
        Self(marked.chain(listed).chain([AUTH_TOKEN]).collect())
    }

    /// Whether a variable of this name is secret.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// The variables that a run begins with: those of `workflow.env`, `{{ENV:NAME}}` replaced by what
/// `host` knows, and those that the caller `gave`, which go before.
pub fn resolve_env(
    definition: &Definition,
    gave: &BTreeMap<String, Value>,
    host: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Variable>, ResolveError> {
    let secrets = SecretNames::of(definition);
    let mut variables = Vec::with_capacity(definition.env.len() + gave.len());
    for var in &definition.env {
        let value = match gave.get(&var.name) {
            Some(value) => value.clone(),
            None => fill(&var.value, host)
                .map_err(|host| ResolveError { variable: var.name.clone(), host })?,
        };
        let secret = secrets.contains(&var.name);
        variables.push(Variable { name: var.name.clone(), value, secret });
    }
    let env: HashSet<&str> = definition.env.iter().map(|var| var.name.as_str()).collect();
    let more = gave.iter().filter(|(name, _)| !env.contains(name.as_str()));
    variables.extend(more.map(|(name, value)| Variable {
        name: name.clone(),
        value: value.clone(),
        secret: secrets.contains(name),
    }));
    Ok(variables)
}

/// A value with its host variables replaced, or the name of one that is not set.
fn fill(value: &Value, host: &dyn Fn(&str) -> Option<String>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(text, host)?),
        Value::Array(items) => {
            items.iter().map(|item| fill(item, host)).collect::<Result<_, _>>()?
        }
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key.clone(), fill(value, host)?)))
            .collect::<Result<_, String>>()?,
        other => other.clone(),
    })
}

fn fill_text(text: &str, host: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut done = 0;
    for found in placeholders(text).filter(|found| found.host) {
        filled += &text[done..found.range.start];
        filled += &host(found.name).ok_or_else(|| found.name.to_owned())?;
        done = found.range.end;
    }
    Ok(filled + &text[done..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::EnvVar;
    use serde_json::json;

    fn definition() -> Definition {
        let var = |name: &str, value, secret| EnvVar { name: name.into(), value, secret };
        let mut definition = Definition::new("w", Vec::new());
        definition.env = vec![
            var("API_TOKEN", json!("{{ENV:T}}"), true),
            var("HEADERS", json!({ "Authorization": ["Bearer {{ENV:T}}!"] }), true),
            var("N", json!(4), false),
        ];
        definition.secrets = vec!["SESSION".into()];
        definition
    }

    fn host(name: &str) -> Option<String> {
        (name == "T").then(|| "t0p {{ENV:T}}".to_owned())
    }

    #[test]
    fn the_environment_fills_in_once_and_the_caller_goes_before() {
        let gave = BTreeMap::from([("N".to_owned(), json!("9")), ("SESSION".into(), json!("s"))]);
        let variables = resolve_env(&definition(), &gave, &host).unwrap();
        let text = serde_json::to_value(&variables).unwrap();
        assert_eq!(
            text,
            json!([
                { "name": "API_TOKEN", "value": "t0p {{ENV:T}}", "secret": true },
                { "name": "HEADERS", "value": { "Authorization": ["Bearer t0p {{ENV:T}}!"] }, "secret": true },
                { "name": "N", "value": "9" },
                { "name": "SESSION", "value": "s", "secret": true },
            ])
        );
    }

    #[test]
    fn what_is_marked_or_listed_is_secret_and_so_is_the_credential() {
        let definition = definition();
        let secrets = SecretNames::of(&definition);
        let of = ["API_TOKEN", "HEADERS", "SESSION", "AUTH_TOKEN"];
        assert!(of.iter().all(|name| secrets.contains(name)));
        assert!(!secrets.contains("N") && !secrets.contains(""));
    }

    #[test]
    fn what_is_not_set_is_named_unless_the_caller_gives_it() {
        let error = resolve_env(&definition(), &BTreeMap::new(), &|_| None).unwrap_err();
        assert_eq!((error.variable.as_str(), error.host.as_str()), ("API_TOKEN", "T"));
        let gave = ["API_TOKEN", "HEADERS"].map(|name| (name.to_owned(), json!("x"))).into();
        assert!(resolve_env(&definition(), &gave, &|_| None).is_ok());
    }
}
