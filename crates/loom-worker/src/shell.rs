//! Command lines: which need no shell, and how variables expand inside single quotes.
//!
//! A variable never becomes code. Inside single quotes `$NAME` is rewritten so that the shell itself
//! expands it there, as one word: `'is $X'` becomes `'is '"$X"''`. Where the quoted text is code for
//! another interpreter (`sh -c '…'`, `eval '…'`, `awk '…'`, `ssh host '…'`, or text piped into one),
//! putting a value there would make code of it, so such text is left alone: a shell in there finds
//! the variable in its environment anyway. A command that the scanner does not understand is left
//! alone as a whole.

mod code;
mod scan;

use std::borrow::Cow;

/// The words of a command line that means the same without a shell; `None` if it needs one.
pub(crate) fn plain_words(line: &str) -> Option<Vec<String>> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b" \t_-./:,+@%^".contains(&byte) || byte >= 0x80;
    // `=` is an assignment in front of a command only.
    if !line.bytes().all(|byte| plain(byte) || byte == b'=') {
        return None;
    }
    let words: Vec<String> =
        line.split([' ', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let first = words.first()?;
    (!first.contains('=') && !code::is_shell_word(first)).then_some(words)
}

/// The command line with `$NAME` and `${NAME}` of known variables expanding inside single quotes.
/// A backslash before the dollar sign keeps it as it is.
pub(crate) fn expand_in_single_quotes(
    line: &str,
    is_variable: impl Fn(&str) -> bool,
) -> Cow<'_, str> {
    let candidate = line.split_once('\'').is_some_and(|(_, rest)| rest.contains('$'));
    if !candidate {
        return Cow::Borrowed(line);
    }
    let Some(places) = scan::references(line, &is_variable) else { return Cow::Borrowed(line) };
    if places.is_empty() {
        return Cow::Borrowed(line);
    }
    let mut rewritten = String::with_capacity(line.len() + places.len() * 4);
    let mut done = 0;
    for place in places {
        rewritten.push_str(&line[done..place.start]);
        rewritten.push_str("'\"");
        rewritten.push_str(&line[place.clone()]);
        rewritten.push_str("\"'");
        done = place.end;
    }
    rewritten.push_str(&line[done..]);
    Cow::Owned(rewritten)
}

#[cfg(test)]
mod tests;
