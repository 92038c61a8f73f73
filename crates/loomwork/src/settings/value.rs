//! Values of settings, read from texts and from TOML.

use super::table::Kind;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;

/// A value of its setting's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Secret(String),
    Path(PathBuf),
    Address(SocketAddr),
    Switch(bool),
    Count(u64),
    Time(Duration),
    List(Vec<String>),
    Map(BTreeMap<String, String>),
    /// Texts by name that are shown to nobody.
    Secrets(BTreeMap<String, String>),
}

/// Reads a value from a variable or a flag. Says what is wrong with it.
pub(crate) fn parse(kind: Kind, text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    match kind {
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Secret => Ok(Value::Secret(text.to_owned())),
        Kind::Path => Ok(Value::Path(text.into())),
        Kind::Address => text
            .parse()
            .map(Value::Address)
            .map_err(|_| "it is no address and port, such as 127.0.0.1:7420".to_owned()),
        Kind::Switch => text
            .parse()
            .map(Value::Switch)
            .map_err(|_| "it is neither `true` nor `false`".to_owned()),
        Kind::Count(least) => count(text.parse().ok(), least),
        Kind::Time => time(text).map(Value::Time),
        Kind::List => Ok(Value::List(text.split(',').map(|it| it.trim().to_owned()).collect())),
        Kind::Secrets => parse(Kind::Map, text).map(hidden),
        Kind::Map => {
            let pairs = text.split(',').map(|pair| {
                let (name, value) = pair.split_once('=').ok_or("it is not NAME=VALUE")?;
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            });
            pairs.collect::<Result<_, String>>().map(Value::Map)
        }
    }
}

/// Reads a value from a file in this folder.
pub(crate) fn parse_toml(kind: Kind, value: &DeValue<'_>, folder: &Path) -> Result<Value, String> {
    let wanted = |what: &str| format!("it is {} and has to be {what}", article(value));
    match (kind, value) {
        (Kind::Path, DeValue::String(text)) => Ok(Value::Path(from_folder(text, folder)?)),
        (Kind::Text | Kind::Secret | Kind::Address | Kind::Time, DeValue::String(text)) => {
            parse(kind, text)
        }
        (Kind::Text | Kind::Secret | Kind::Path | Kind::Address | Kind::Time, _) => {
            Err(wanted("a text"))
        }
        (Kind::Switch, DeValue::Boolean(on)) => Ok(Value::Switch(*on)),
        (Kind::Switch, _) => Err(wanted("true or false")),
        (Kind::Count(least), DeValue::Integer(number)) => {
            count(u64::from_str_radix(number.as_str(), number.radix()).ok(), least)
        }
        (Kind::Count(_), _) => Err(wanted("a whole number")),
        (Kind::List, DeValue::Array(items)) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Value::List).ok_or_else(|| wanted("a list of texts"))
        }
        (Kind::List, _) => Err(wanted("a list of texts")),
        (Kind::Secrets, value) => parse_toml(Kind::Map, value, folder).map(hidden),
        (Kind::Map, DeValue::Table(entries)) => {
            let pairs = entries.iter().map(|(name, value)| {
                let value = match value.get_ref() {
                    DeValue::String(text) => text.to_string(),
                    DeValue::Integer(number) => number.as_str().to_owned(),
                    _ => {
                        return Err(format!("`{}` is neither a text nor a number", name.get_ref()));
                    }
                };
                Ok((name.get_ref().to_string(), value))
            });
            pairs.collect::<Result<_, String>>().map(Value::Map)
        }
        (Kind::Map, _) => Err(wanted("a table")),
    }
}

/// The same texts, shown to nobody.
fn hidden(value: Value) -> Value {
    match value {
        Value::Map(entries) => Value::Secrets(entries),
        value => value,
    }
}

fn article(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// A path, or a URL as it is, or the path behind `sqlite:`.
fn from_folder(text: &str, folder: &Path) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.contains("://") {
        return Ok(text.into());
    }
    Ok(match text.strip_prefix("sqlite:") {
        Some(path) => format!("sqlite:{}", folder.join(path).display()).into(),
        None => folder.join(text),
    })
}

fn count(number: Option<u64>, least: u64) -> Result<Value, String> {
    let number = number.filter(|number| (least..=u64::from(u32::MAX)).contains(number));
    number.map(Value::Count).ok_or_else(|| format!("it is no whole number from {least} on"))
}

/// A time with its unit.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || "it is no time with a unit, such as 500ms, 30s, 5m or 1h".to_owned();
    let digits = text.find(|char: char| !char.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number = number.parse::<u32>().ok().filter(|&number| number > 0).ok_or_else(wrong)?;
    Ok(Duration::from_millis(u64::from(number) * millis))
}

impl Value {
    /// The value with that of another flag of the same setting.
    pub(crate) fn and(self, more: Self) -> Self {
        match (self, more) {
            (Self::List(mut items), Self::List(more)) => {
                items.extend(more);
                Self::List(items)
            }
            (Self::Map(mut entries), Self::Map(more)) => {
                entries.extend(more);
                Self::Map(entries)
            }
            (_, last) => last,
        }
    }

    /// The value as anybody may see it.
    pub(crate) fn shown(&self) -> Json {
        match self {
            Self::Text(text) => json!(without_login(text)),
            Self::Secret(_) => json!(loom_protocol::MASK),
            Self::Path(path) => json!(path),
            Self::Address(address) => json!(address.to_string()),
            Self::Switch(on) => json!(on),
            Self::Count(number) => json!(number),
            Self::Time(time) => json!(format!("{}ms", time.as_millis()).replace("000ms", "s")),
            Self::List(items) => json!(items),
            Self::Map(entries) => json!(entries),
            Self::Secrets(entries) => {
                let masked = entries.keys().map(|name| (name, loom_protocol::MASK));
                json!(masked.collect::<BTreeMap<_, _>>())
            }
        }
    }
}

/// A text without the name and password that an address in it may have.
fn without_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}{}", loom_protocol::MASK, &rest[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (text, shown) in [
            ("http://ann:hunter2@x:1/a@b?c@d", "http://***@x:1/a@b?c@d"),
            ("https://a@b:c@x", "https://***@x"),
            ("https://x/a@b", "https://x/a@b"),
            ("ann@x", "ann@x"),
        ] {
            assert_eq!(Value::Text(text.to_owned()).shown(), json!(shown));
        }
    }

    #[test]
    fn texts_are_read_by_their_kind() {
        let list = |items: &[&str]| Value::List(items.iter().map(|&it| it.to_owned()).collect());
        for (kind, text, expected) in [
            (Kind::Time, "1500ms", Some(Value::Time(Duration::from_millis(1500)))),
            (Kind::Time, "5m", Some(Value::Time(Duration::from_mins(5)))),
            (Kind::Time, "5", None),
            (Kind::Time, "0s", None),
            (Kind::Time, "-1s", None),
            (Kind::Count(1), "0", None),
            (Kind::Count(0), "0", Some(Value::Count(0))),
            (Kind::Count(0), "99999999999", None),
            (Kind::Switch, "yes", None),
            (Kind::Address, "localhost:1", None),
            (Kind::List, "a, b", Some(list(&["a", "b"]))),
            (Kind::Map, "a", None),
            (Kind::Text, "", None),
        ] {
            assert_eq!(parse(kind, text).ok(), expected, "{kind:?} {text}");
        }
    }

    #[test]
    fn times_are_shown_as_they_are_written() {
        for (text, shown) in [("30s", "30s"), ("1500ms", "1500ms"), ("2m", "120s")] {
            assert_eq!(parse(Kind::Time, text).unwrap().shown(), shown);
        }
    }

    #[test]
    fn paths_of_a_file_start_from_its_folder_and_addresses_from_nowhere() {
        for (text, expected) in [
            ("a/b", "/etc/loom/a/b"),
            ("/a/b", "/a/b"),
            ("sqlite:x.db", "sqlite:/etc/loom/x.db"),
            ("https://id.example/keys", "https://id.example/keys"),
        ] {
            let found = from_folder(text, Path::new("/etc/loom")).unwrap();
            assert_eq!(found, Path::new(expected));
        }
    }
}
