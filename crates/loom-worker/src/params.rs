//! `{{ NAME }}` in parameters: plain substitution from the attempt's variables.

use crate::environment;
use crate::job::{BadParam, Ended, failure};
use loom_protocol::{AttemptRequest, ErrorCode};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The parameters with every `{{ NAME }}` in their texts replaced. A text that is one reference
/// and nothing else becomes the variable's value, whatever its type; within a longer text, strings
/// are put as they are and other values as compact JSON. What was put in is not looked at again.
/// What is between braces but is no name, such as another program's template, is left alone.
/// The parameter `verbatim` is not touched.
pub(crate) fn fill(
    params: &Map<String, Value>,
    request: &AttemptRequest,
    verbatim: Option<&str>,
) -> Result<Map<String, Value>, Ended> {
    params
        .iter()
        .map(|(name, value)| {
            let filled = if Some(name.as_str()) == verbatim {
                value.clone()
            } else {
                fill_value(value, request, name)?
            };
            Ok((name.clone(), filled))
        })
        .collect()
}

/// What `read` finds wrong with those parameters, and parts of them, that refer to no variable. What
/// is wrong is left out before it reads again, so that one fault does not hide the next.
pub(crate) fn wrong(
    params: &Map<String, Value>,
    read: impl Fn(&Map<String, Value>) -> Result<(), BadParam>,
) -> Vec<BadParam> {
    let mut known = known_fields(params);
    let mut wrong = Vec::new();
    while let Err(bad) = read(&known)
        && known.remove(bad.param).is_some()
    {
        wrong.push(bad);
    }
    wrong
}

fn known_fields(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.iter().filter_map(|(name, value)| Some((name.clone(), known(value)?))).collect()
}

/// A value as far as no variable decides what it is.
fn known(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => (!has_reference(text)).then(|| value.clone()),
        Value::Array(items) => {
            items.iter().map(known).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        Value::Object(fields) => Some(Value::Object(known_fields(fields))),
        other => Some(other.clone()),
    }
}

fn has_reference(text: &str) -> bool {
    text.match_indices("{{").any(|(start, _)| reference(&text[start..]).is_some())
}

fn fill_value(value: &Value, request: &AttemptRequest, param: &str) -> Result<Value, Ended> {
    match value {
        Value::String(text) if text.contains("{{") => fill_text(text, request, param),
        Value::Array(items) => items.iter().map(|item| fill_value(item, request, param)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| Ok((name.clone(), fill_value(field, request, param)?)))
            .collect(),
        other => Ok(other.clone()),
    }
}

fn fill_text(text: &str, request: &AttemptRequest, param: &str) -> Result<Value, Ended> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some((name, after)) = reference(&rest[start..]) else {
            filled.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        let value = environment::variable(request, name).ok_or_else(|| unset(name, param))?;
        if start == 0 && after.is_empty() && filled.is_empty() {
            return Ok(value.into_owned());
        }
        filled.push_str(&rest[..start]);
        filled.push_str(&match &value {
            Cow::Borrowed(value) => environment::text(value),
            Cow::Owned(value) => Cow::Owned(environment::text(value).into_owned()),
        });
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled.into())
}

/// The name and what follows, if the text begins with `{{ NAME }}`.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (inside, after) = text.strip_prefix("{{")?.split_once("}}")?;
    let name = inside.trim();
    loom_protocol::is_variable(name).then_some((name, after))
}

fn unset(name: &str, param: &str) -> Ended {
    failure(
        ErrorCode::ParameterValue,
        format!(
            "parameter `{param}` refers to `{name}`, which this task does not see; add `{name}` to \
             the task's inputs or to the workflow's env"
        ),
        false,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{input, request};
    use serde_json::json;

    fn filled(params: Value) -> Result<Value, String> {
        let mut request = request("http", params);
        input(&mut request, "N", json!(7));
        input(&mut request, "S", json!("{{ N }}"));
        input(&mut request, "L", json!(["a"]));
        request.item = Some(json!({"k": 1}));
        request.id.item = Some(3);
        match fill(&request.params.clone(), &request, Some("raw")) {
            Ok(map) => Ok(map.into()),
            Err(Ended::Failed(info)) => Err(info.message),
            Err(Ended::Stopped) => unreachable!("filling in does not wait"),
        }
    }

    #[test]
    fn references_are_replaced_once() {
        let params = json!({
            "whole": "{{N}}", "list": [" {{ N }}", "{{ L }}"], "deep": {"x": "{{ITEM}}/{{ITEM_INDEX}}"},
            "again": "<{{ S }}>", "other": "{{ a.b }} {{}} {{ x", "raw": "{{ N }}", "n": 1,
        });
        let expected = json!({
            "whole": 7, "list": [" 7", ["a"]], "deep": {"x": "{\"k\":1}/3"},
            "again": "<{{ N }}>", "other": "{{ a.b }} {{}} {{ x", "raw": "{{ N }}", "n": 1,
        });
        assert_eq!(filled(params), Ok(expected));
    }

    #[test]
    fn a_variable_that_is_not_there_is_named() {
        let message = filled(json!({"url": "http://{{ HOST }}/"})).unwrap_err();
        assert!(message.contains("`url`") && message.contains("`HOST`"), "{message}");
    }
}
