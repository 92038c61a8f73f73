//! What is looked up in an expression's text, for the language does not tell it.

/// The variables that the expression compares with a literal number, as they are. The language
/// orders any text above any number, so that such a comparison of a text has an answer, but never
/// the one that was meant.
pub(super) fn compared_with_numbers(expression: &str) -> Vec<&str> {
    let words = words(expression);
    let is_comparison = |word: &str| matches!(word, "<" | ">" | "<=" | ">=" | "==" | "!=");
    let is_name =
        |word: &str| word.starts_with(|first: char| first.is_alphabetic() || first == '_');
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
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |place| place + 2),
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
