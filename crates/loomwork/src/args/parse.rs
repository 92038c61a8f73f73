//! Values of arguments.

use loom_core::{VARIABLE_NAME_MAX, Value, is_variable, json};
use std::time::Duration;

pub(super) fn variable(text: &str) -> Result<(String, Value), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no value; write {text}=VALUE"))?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = json::read_unique(value.as_bytes()).map_err(|error| {
                format!("what follows `{name}:=` is no JSON that can be taken: {error}")
            })?;
            (name, value)
        }
        None => (name, Value::from(value)),
    };
    check_name(name)?;
    Ok((name.to_owned(), value))
}

/// Whether this may be a variable's name.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if is_variable(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(60).collect();
    Err(format!(
        "`{shown}` is not a variable's name: letters, digits and _, no digit first, at most \
         {VARIABLE_NAME_MAX}"
    ))
}

pub(super) fn queue(text: &str) -> Result<(String, u32), String> {
    let wrong = || format!("`{text}` is not NAME=N with N at least 1");
    let (name, most) = text.split_once('=').ok_or_else(wrong)?;
    let most = most.parse().ok().filter(|&most| most > 0).ok_or_else(wrong)?;
    Ok((name.to_owned(), most))
}

/// The address of a service that is spoken to over HTTP.
pub(crate) fn endpoint(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_address = |rest: &str| {
        !rest.is_empty()
            && !rest.starts_with(['/', ':'])
            && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
    };
    if rest.is_some_and(is_address) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is no address; write http://HOST:PORT or https://HOST"))
}

/// A header of a request.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    // The value may be a secret: it is not repeated.
    let wrong = || "a header is NAME=VALUE, in visible ASCII".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_value = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if is_name && is_value { Ok((name.to_owned(), value.to_owned())) } else { Err(wrong()) }
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
    fn addresses_and_headers_are_checked() {
        for good in ["http://127.0.0.1:4318", "https://a.example/otlp"] {
            assert_eq!(endpoint(good), Ok(good.to_owned()));
        }
        for bad in ["", "127.0.0.1:4318", "ftp://a", "http://", "http:///v1", "http://a b"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
        assert_eq!(header("a-key=b=c d"), Ok(("a-key".into(), "b=c d".into())));
        for bad in ["", "a", "=b", "a b=c", "a=b\n", "a:=c"] {
            assert!(header(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables_are_texts_or_json() {
        assert_eq!(variable("A=1=2"), Ok(("A".into(), json!("1=2"))));
        assert_eq!(variable("A:=[1, 2]"), Ok(("A".into(), json!([1, 2]))));
        assert_eq!(variable("A="), Ok(("A".into(), json!(""))));
        for wrong in [
            &*format!("{}=1", "A".repeat(201)),
            r#"A:={"a":1,"a":2}"#,
            "A",
            "=1",
            "1A=2",
            "A B=2",
            "A:=nope",
            "A-B=1",
        ] {
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
