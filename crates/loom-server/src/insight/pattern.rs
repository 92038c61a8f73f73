//! What messages of failures have in common.

use std::fmt::Write;

/// The longest pattern.
const LENGTH_MAX: usize = 200;
/// From how many hexadecimal digits on a word is an identity.
const HEX_MIN: usize = 8;
/// From how many letters and digits, mixed, on a word is an identity.
const MIXED_MIN: usize = 16;

/// The first line of a message with `<n>`, `<id>` and `<path>` for what differs from time to time.
pub(crate) fn pattern(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    let mut out = String::with_capacity(line.len().min(LENGTH_MAX));
    let mut rest = line;
    while !rest.is_empty() && out.len() < LENGTH_MAX {
        let end = rest.find(|letter: char| !is_word(letter)).unwrap_or(rest.len());
        if end == 0 {
            let first = rest.chars().next().expect("it is not empty");
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            put_word(&mut out, &rest[..end]);
            rest = &rest[end..];
        }
    }
    if out.len() > LENGTH_MAX {
        out.truncate(out.floor_char_boundary(LENGTH_MAX));
    }
    out
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_./\\-@%+~".contains(letter)
}

fn put_word(out: &mut String, word: &str) {
    let core = word.trim_end_matches(['.', '-']);
    if core.len() > 1 && core.contains(['/', '\\']) {
        out.push_str("<path>");
    } else if is_identity(core) {
        out.push_str("<id>");
    } else {
        put_numbers(out, core);
    }
    out.push_str(&word[core.len()..]);
}

fn is_identity(word: &str) -> bool {
    let count = |is: fn(u8) -> bool| word.bytes().filter(|byte| is(*byte)).count();
    let (digits, letters) = (count(|b| b.is_ascii_digit()), count(|b| b.is_ascii_alphabetic()));
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let mixed = digits > 0 && letters > 0;
    mixed && ((hex && digits + letters >= HEX_MIN) || (plain && digits + letters >= MIXED_MIN))
}

/// A run of digits, with what makes it a number, becomes `<n>`.
fn put_numbers(out: &mut String, word: &str) {
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_ascii_digit() {
            let _ = out.write_char(letter);
            continue;
        }
        while letters.next_if(|next| next.is_ascii_digit() || *next == '.').is_some() {}
        out.push_str("<n>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_time_to_time_is_left_out() {
        for (message, expected) in [
            ("exit status 3", "exit status <n>"),
            ("took 12.5s of 10s", "took <n>s of <n>s"),
            ("cannot open /var/lib/x-7/a.txt: denied", "cannot open <path>: denied"),
            ("no row 9f86d081-884c-7d65 in t1", "no row <id> in t<n>"),
            ("run 01m7y5qqkx6z346q3qhq2xaxpy.", "run <id>."),
            ("deadbeef is a word, deadbee7 is not", "deadbeef is a word, <id> is not"),
            ("GET https://a.example/x/7: 503", "GET https:<path>: <n>"),
            ("first\nsecond", "first"),
            ("", ""),
            ("käse 7", "käse <n>"),
        ] {
            assert_eq!(pattern(message), expected);
        }
    }

    #[test]
    fn a_pattern_is_short() {
        let long = pattern(&"ä ".repeat(1000));
        assert!(long.len() <= LENGTH_MAX && long.len() > LENGTH_MAX - 4, "{}", long.len());
    }
}
