//! Values of arguments.

use loom_core::Value;
use std::time::Duration;

pub(super) fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no value; write {text}=VALUE"))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value)
                .map_err(|error| format!("what follows `{name}:=` is not JSON: {error}"))?;
            (name, value)
        }
        None => (name, Value::from(value)),
    };
    check_name(name)?;
    Ok((name.to_owned(), value))
}

/// Whether this may be a variable's name.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(());
    }
    Err(format!("`{name}` is not a variable's name: letters, digits and _, no digit first"))
}

pub(super) fn queue(text: &str) -> Result<(String, u32), String> {
    let wrong = || format!("`{text}` is not NAME=N with N at least 1");
    let (name, most) = text.split_once('=').ok_or_else(wrong)?;
    let most = most.parse().ok().filter(|&most| most > 0).ok_or_else(wrong)?;
    Ok((name.to_owned(), most))
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is not a whole number from 1 up");
    text.parse().ok().filter(|&count| count > 0).ok_or_else(wrong)
}

pub(super) fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not an age: write a number and d, h, m or s, such as 30d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        'd' => 86_400,
        'h' => 3600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_are_texts_or_json() {
        assert_eq!(variable("A=1=2"), Ok(("A".into(), json!("1=2"))));
        assert_eq!(variable("A:=[1, 2]"), Ok(("A".into(), json!([1, 2]))));
        assert_eq!(variable("A="), Ok(("A".into(), json!(""))));
        for wrong in ["A", "=1", "1A=2", "A B=2", "A:=nope", "A-B=1"] {
            assert!(variable(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages_have_a_unit() {
        assert_eq!(age("30d"), Ok(Duration::from_hours(720)));
        assert_eq!(age("90m"), Ok(Duration::from_mins(90)));
        for wrong in ["", "30", "d", "-1d", "1y", "99999999999999999999d", "1é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
