//! What is looked up in an expression's text, for the language does not tell it.

/// The variables that the expression compares with a literal number, as they are. The language
/// orders any text above any number, so that such a comparison of a text has an answer, but never
/// the one that was meant.
pub(super) fn compared_with_numbers(expression: &str) -> Vec<&str> {
    let words = words(expression);
    let is_comparison = |word: &str| matches!(word, "<" | ">" | "<=" | ">=" | "==" | "!=");
    // A name that something is done with (`NAME|int`, `NAME.x`, `NAME[0]`) is not compared as it is.
    let goes_on =
        |word: Option<&&str>| word.is_some_and(|word| matches!(*word, "|" | "." | "[" | "("));
    let mut found = Vec::new();
    for (at, triple) in words.windows(3).enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).copied();
        let [left, sign, right] = [triple[0], triple[1], triple[2]];
        if !is_comparison(sign) {
            continue;
        }
        if is_name(left) && is_number(right) && !matches!(before, Some("|" | ".")) {
            found.push(left);
        } else if is_number(left) && is_name(right) && !goes_on(words.get(at + 3)) {
            found.push(right);
        }
    }
    found
}

/// The expression's names, numbers and signs; texts in quotes are one word.
fn words(expression: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => quoted(rest, first),
            '<' | '>' | '=' | '!' if rest[1..].starts_with('=') => 2,
            '*' if rest[1..].starts_with('*') => 2,
            _ if first.is_alphanumeric() || first == '_' => rest
                .find(|next: char| !(next.is_alphanumeric() || next == '_'))
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        words.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    words
}

/// How many bytes the text in quotes has that the expression goes on with.
fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if letter == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    rest.len()
}

/// Something that an expression takes from the language by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called<'a> {
    Filter(&'a str),
    Test(&'a str),
    Function(&'a str),
}

impl<'a> Called<'a> {
    pub(super) const fn name(self) -> &'a str {
        match self {
            Self::Filter(name) | Self::Test(name) | Self::Function(name) => name,
        }
    }
}

/// The words of the language itself that a bracket may follow.
const KEYWORDS: [&str; 7] = ["and", "else", "if", "in", "is", "not", "or"];

/// What an expression takes from the language by its name, in order.
pub(super) fn called(expression: &str) -> Vec<Called<'_>> {
    let words = words(expression);
    let mut found = Vec::new();
    for (at, &word) in words.iter().enumerate() {
        if !is_name(word) {
            continue;
        }
        match words[..at] {
            [.., "|"] => {
                found.push(Called::Filter(word));
                if let ["(", argument, ..] = words[at + 1..] {
                    found.extend(called_by(word, argument));
                }
            }
            [.., "."] => {}
            [.., "is"] | [.., "is", "not"] if word != "not" => found.push(Called::Test(word)),
            _ if words.get(at + 1) == Some(&"(") && !KEYWORDS.contains(&word) => {
                found.push(Called::Function(word));
            }
            _ => {}
        }
    }
    found
}

/// What a filter does to each item, by the name in its first argument.
fn called_by<'a>(filter: &str, argument: &'a str) -> Option<Called<'a>> {
    let quote = argument.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let name = argument.strip_prefix(quote)?.strip_suffix(quote)?;
    match filter {
        "map" => Some(Called::Filter(name)),
        "select" | "reject" => Some(Called::Test(name)),
        _ => None,
    }
}

/// The names whose values an expression uses, as often as it does. To count something, or to ask
/// whether it is there, copies nothing of it.
pub(super) fn used(expression: &str) -> Vec<&str> {
    let words = words(expression);
    let uses = words.iter().enumerate().filter(|(at, word)| {
        let is_part = matches!(words[..*at], [.., "." | "|" | "is"] | [.., "is", "not"]);
        let is_counted = match words[at + 1..] {
            ["is", ..] => true,
            ["|", filter, ..] => NUMERIC.contains(&filter),
            _ => false,
        };
        is_name(word) && !KEYWORDS.contains(word) && !is_part && !is_counted
    });
    uses.map(|(_, word)| *word).collect()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Whether `*` might repeat a text or a list, which takes time and memory that the language does not
/// count, rather than multiply numbers.
pub(super) fn may_repeat(expression: &str) -> bool {
    let words = words(expression);
    let mut places = words.iter().enumerate().filter(|(_, word)| **word == "*");
    places.any(|(at, _)| !(ends_in_number(&words[..at]) && begins_with_number(&words[at + 1..])))
}

/// The filters that make a number of whatever they are given.
const NUMERIC: [&str; 4] = ["int", "float", "length", "count"];

fn is_number(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

fn ends_in_number(words: &[&str]) -> bool {
    match words {
        [.., "|", filter] => NUMERIC.contains(filter),
        // A fraction, or the part of a list.
        [.., before, ".", last] => is_number(before) && is_number(last),
        [.., last] => is_number(last),
        [] => false,
    }
}

/// Whether what stands first is a number, or a name whose last filter makes one of it.
fn begins_with_number(words: &[&str]) -> bool {
    let Some((first, mut rest)) = words.split_first() else { return false };
    let mut last = None;
    while let ["|", filter, more @ ..] = rest {
        (last, rest) = (Some(*filter), more);
    }
    let goes_on = matches!(rest.first(), Some(&("(" | "[" | ".")));
    match last {
        Some(filter) => NUMERIC.contains(&filter) && !goes_on,
        // The fraction of a number is a word of its own.
        None => is_number(first),
    }
}

/// Whether the expression asks no more of a variable than whether it is set.
pub(super) fn is_only_asked_for(expression: &str, name: &str) -> bool {
    let words = words(expression);
    let mut places = words.iter().enumerate().filter(|(_, word)| **word == name);
    places.all(|(at, _)| {
        let is_part = at > 0 && matches!(words[at - 1], "." | "|");
        let asks = matches!(
            words[at + 1..],
            ["is", "defined" | "undefined", ..] | ["is", "not", "defined" | "undefined", ..]
        );
        is_part || asks
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Called::{Filter, Function, Test};

    #[test]
    fn a_text_in_quotes_is_one_word() {
        for (expression, expected) in [
            (r"A == 'it\'s | x'", vec!["A", "==", r"'it\'s | x'"]),
            (r#""a\\" ~ "b""#, vec![r#""a\\""#, "~", r#""b""#]),
            ("'ä' ~ 'open", vec!["'ä'", "~", "'open"]),
        ] {
            assert_eq!(words(expression), expected);
        }
    }

    #[test]
    fn what_is_taken_from_the_language_is_found() {
        for (expression, expected) in [
            ("A|int > 3 and B is not defined", vec![Filter("int"), Test("defined")]),
            ("size(A) or not (B)", vec![Function("size")]),
            (
                "A|map('lower')|select(\"odd\")|join(' | x')",
                vec![Filter("map"), Filter("lower"), Filter("select"), Test("odd"), Filter("join")],
            ),
            ("A is divisibleby(3) and A.b(1)", vec![Test("divisibleby")]),
            ("'|x' in A if (B) else (C)", vec![]),
        ] {
            assert_eq!(called(expression), expected, "{expression}");
        }
    }

    #[test]
    fn values_count_as_often_as_they_are_used() {
        assert_eq!(used("A ~ B.c ~ A"), ["A", "B", "A"]);
        assert!(used("A|length > 3 and B is defined and C|int == 'A'").is_empty());
    }
}
