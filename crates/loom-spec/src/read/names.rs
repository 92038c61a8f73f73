//! What names may look like.

use loom_core::is_variable;

/// The most characters of a name.
const NAME_MOST: usize = 200;

/// The most characters of an event's name.
pub(crate) const EVENT_NAME_MOST: usize = 100;

/// The most events that one task announces.
pub(crate) const EVENTS_MOST: usize = 32;

/// Why a text is not a name for a workflow, a task, a queue …; `None` if it is one.
pub(crate) fn why_not_name(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is empty")
    } else if text.chars().any(breaks_a_line) {
        Some("it holds a line break or another control character")
    } else if text.chars().count() > NAME_MOST {
        Some("it is longer than 200 characters")
    } else {
        None
    }
}

fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The variable's name that is nearest to a text, if the text holds anything to go by.
pub(crate) fn as_variable(text: &str) -> Option<String> {
    let mut name: String =
        text.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let telling = name.bytes().any(|byte| byte != b'_');
    (telling && is_variable(&name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables() {
        assert_eq!(why_not_name("Disk Monitoring Workflow"), None);
        for text in ["", "  ", "a\nb", "a\u{1b}[0m", "a\u{2028}", &"x".repeat(201)] {
            assert!(why_not_name(text).is_some(), "{text:?}");
        }
        assert_eq!(as_variable("free-space").as_deref(), Some("free_space"));
        assert_eq!(as_variable("--"), None);
    }
}
