//! Which texts must not be shown, by the values of a run's secret variables.

use crate::definition::{Definition, EnvVar};
use crate::event::Variable;
use crate::placeholder::{names_a_secret, placeholders};
use serde_json::Value;

/// What stands in place of a secret wherever it is shown.
pub const MASK: &str = "***";

/// The fewest characters of a number in a list or an object that is taken for a secret by itself:
/// shorter ones would hide half of every log.
const NUMBER_MIN: usize = 4;

/// The texts by which the secrets among a run's first variables can be told.
pub(crate) fn of_variables(definition: &Definition, variables: &[Variable]) -> Vec<String> {
    let mut found = Vec::new();
    for variable in variables.iter().filter(|variable| variable.secret) {
        found.extend(of_value(&variable.value));
        let env = definition.env.iter().find(|env| env.name == variable.name);
        if let Some(env) = env.filter(|env| env.value != variable.value) {
            let whole = names_a_secret(&env.name) || definition.secrets.contains(&env.name);
            of_environment(env, whole, &variable.value, &mut found);
        }
    }
    found
}

/// The texts by which a secret value can be told: itself, as it stands in a process's environment;
/// and what is in it, if it is a list or an object.
pub(crate) fn of_value(value: &Value) -> Vec<String> {
    let mut found = vec![match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }];
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, &mut found)),
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, &mut found)),
        _ => {}
    }
    found
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => {
            found.extend(Some(number.to_string()).filter(|digits| digits.len() >= NUMBER_MIN));
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// What came from the environment into this variable: of `Bearer {{ENV:API_TOKEN}}` the token alone is
/// as secret as the whole. With `all`, whatever came from there; else what its name tells to be one.
fn of_environment(env: &EnvVar, all: bool, value: &Value, found: &mut Vec<String>) {
    walk(&env.value, value, &mut |template, text| {
        found.extend(parts(template, text, &|name| all || names_a_secret(name)));
    });
}

/// Calls `take` with each text of a template and what has become of it.
fn walk(template: &Value, value: &Value, take: &mut impl FnMut(&str, &str)) {
    match (template, value) {
        (Value::String(template), Value::String(text)) => take(template, text),
        (Value::Array(templates), Value::Array(values)) => {
            templates.iter().zip(values).for_each(|(template, value)| walk(template, value, take));
        }
        (Value::Object(templates), Value::Object(values)) => {
            for (name, template) in templates {
                values.get(name).into_iter().for_each(|value| walk(template, value, take));
            }
        }
        _ => {}
    }
}

/// What stands in `text` where the template has `{{ENV:NAME}}` with a wanted name. What is between two
/// of them may be part of either, too: then the text is divided at its first place and at its last.
fn parts(template: &str, text: &str, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let (mut literals, mut holes) = (Vec::new(), Vec::new());
    let mut from = 0;
    for hole in placeholders(template).filter(|hole| hole.host) {
        let literal = &template[from..hole.range.start];
        match holes.last_mut() {
            // Nothing divides them.
            Some(last) if literal.is_empty() => *last |= wanted(hole.name),
            _ => {
                literals.push(literal);
                holes.push(wanted(hole.name));
            }
        }
        from = hole.range.end;
    }
    let Some((first, between)) = literals.split_first() else { return Vec::new() };
    let inner = text.strip_prefix(first).and_then(|text| text.strip_suffix(&template[from..]));
    let Some(inner) = inner else { return Vec::new() };
    let mut found = Vec::new();
    let mut keep = |wanted: bool, part: &str| {
        if wanted && !part.is_empty() && !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    };
    let mut rest = inner;
    for (hole, literal) in holes.iter().zip(between) {
        let Some((part, behind)) = rest.split_once(literal) else { return found };
        keep(*hole, part);
        rest = behind;
    }
    keep(*holes.last().unwrap_or(&false), rest);
    let mut rest = inner;
    for (hole, literal) in holes.iter().skip(1).zip(between).rev() {
        let Some((before, part)) = rest.rsplit_once(literal) else { return found };
        keep(*hole, part);
        rest = before;
    }
    keep(holes[0], rest);
    found
}

/// A message without these texts.
pub(crate) fn mask(message: &str, secrets: &[String]) -> String {
    let mut secrets: Vec<&String> = secrets.iter().filter(|secret| !secret.is_empty()).collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let hide = |message: String, secret: &String| message.replace(secret.as_str(), MASK);
    secrets.into_iter().fold(message.to_owned(), hide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_is_in_a_list_or_an_object_is_secret_too() {
        assert_eq!(of_value(&json!("a b")), ["a b"]);
        assert_eq!(of_value(&json!(7)), ["7"]);
        let value = json!({"k": ["s1", {"pin": 4711, "port": 80}], "on": true});
        let found = of_value(&value);
        assert_eq!(found, [value.to_string().as_str(), "s1", "4711"]);
    }

    #[test]
    fn what_came_from_the_environment_is_secret_by_itself() {
        let all = |template, text| parts(template, text, &|_| true);
        assert_eq!(all("Bearer {{ENV:T}}", "Bearer abc"), ["abc"]);
        assert_eq!(all("{{ENV:T}}", "abc"), ["abc"]);
        assert_eq!(all("{{ENV:U}}:{{ENV:P}}@h", "me:abc@h"), ["me", "abc"]);
        assert_eq!(all("{{ENV:U}}:{{ENV:P}}", "me:a:c"), ["me", "a:c", "c", "me:a"]);
        assert_eq!(all("{{ENV:A}}{{ENV:B}}!", "xy!"), ["xy"]);
        assert_eq!(all("plain", "plain"), Vec::<String>::new());
        assert_eq!(all("Bearer {{ENV:T}}", "given by the caller"), Vec::<String>::new());
        let password = parts("{{ENV:DB_USER}}:{{ENV:DB_PASSWORD}}", "me:abc", &names_a_secret);
        assert_eq!(password, ["abc"]);
    }

    #[test]
    fn a_message_loses_the_longest_first() {
        let secrets = ["abc", "", "abcdef"].map(str::to_owned);
        assert_eq!(mask("abcdef and abc", &secrets), "*** and ***");
    }

    proptest! {
        #[test]
        fn nothing_that_one_place_divides_is_missed(
            first in "[a-c]{1,6}", second in "[a-c]{1,6}", around in "[a-c]{0,3}",
        ) {
            let template = format!("{around}{{{{ENV:A}}}}:{{{{ENV:B}}}}{around}");
            let text = format!("{around}{first}:{second}{around}");
            let found = parts(&template, &text, &|_| true);
            prop_assert!(found.contains(&first) && found.contains(&second), "{found:?}");
        }
    }
}
