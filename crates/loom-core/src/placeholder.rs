//! `{{ NAME }}` and `{{ENV:NAME}}` in strings.

use loom_protocol::is_variable;
use std::ops::Range;

/// Whether a variable's name says that its value is a secret, if it comes from the environment.
pub fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["TOKEN", "SECRET", "PASSWORD", "KEY"].iter().any(|ending| name.ends_with(ending))
}

/// Something in braces that stands for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// The name within.
    pub name: &'a str,
    /// Whether it is of the environment of `loom` itself.
    pub host: bool,
    /// Where it stands in the text, braces included.
    pub range: Range<usize>,
}

/// The placeholders of a text. Braces around anything but a name are left alone: they may be meant
/// for another program. After `ENV:` any text counts as a name, so that a wrong one is noticed.
pub fn placeholders(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find("{{")?;
            let Some(end) = text[start..].find("}}").map(|end| start + end + 2) else {
                from = text.len();
                return None;
            };
            let start = start + text[start..end].rfind("{{").unwrap_or(0);
            from = end;
            let inner = text[start + 2..end - 2].trim();
            let (host, name) = match inner.strip_prefix("ENV:") {
                Some(name) => (true, name.trim()),
                None => (false, inner),
            };
            if host || is_variable(name) {
                return Some(Placeholder { name, host, range: start..end });
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_names_are_of_secrets() {
        assert!(names_a_secret("db_password") && !names_a_secret("KEYS"));
    }

    #[test]
    fn placeholders_are_found_and_other_braces_are_not() {
        let found = |text| {
            let found =
                placeholders(text).map(|found| (found.name, found.host, &text[found.range]));
            found.collect::<Vec<_>>()
        };
        assert_eq!(
            found("a {{ X }}{{ENV:Y}} {{.Names}} {{"),
            [("X", false, "{{ X }}"), ("Y", true, "{{ENV:Y}}")]
        );
        assert_eq!(found("{{{{ X }}"), [("X", false, "{{ X }}")]);
        assert_eq!(found("{{ENV:}}"), [("", true, "{{ENV:}}")]);
        assert_eq!(found("}} {{"), []);
    }
}
