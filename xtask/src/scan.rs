//! A scanner for Rust source that knows just enough: where comments, strings and tests are, and
//! where functions begin and end.
//!
//! It works on a *mask* of the source: the same text, byte for byte as long and with the same
//! lines, in which comments and the contents of strings and characters are blank. So a brace in
//! the mask is a brace of the code.

use std::ops::Range;

/// The source with comments and the contents of literals blanked out.
pub(crate) fn mask(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = opaque_end(bytes, at);
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).expect("only whole comments and literals are blanked")
}

/// Where the comment or literal that starts at `at` ends; `at` itself if none starts there.
fn opaque_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment_len(rest);
    }
    match rest[0] {
        b'"' => at + string_len(rest),
        b'\'' => at + char_len(rest),
        b'r' if !in_word => at + raw_string_len(rest),
        b'b' | b'c' if !in_word && rest.get(1) == Some(&b'r') => match raw_string_len(&rest[1..]) {
            0 => at,
            len => at + 1 + len,
        },
        _ => at,
    }
}

fn block_comment_len(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn string_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal; 0 for a lifetime or a label.
fn char_len(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|&byte| byte == b'\'');
        return close.map_or(0, |close| close + 4);
    }
    let text = std::str::from_utf8(&rest[1..rest.len().min(6)]);
    let valid = match &text {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    let first = std::str::from_utf8(&rest[1..=valid]).ok().and_then(|text| text.chars().next());
    first.map_or(0, |letter| {
        let close = 1 + letter.len_utf8();
        if rest.get(close) == Some(&b'\'') { close + 1 } else { 0 }
    })
}

/// The length of a raw string from its `r`; 0 if it is none.
fn raw_string_len(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let from = 2 + hashes;
    let found = rest[from..].windows(close.len()).position(|window| window == close);
    found.map_or(rest.len(), |place| from + place + close.len())
}

pub(crate) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The line of a byte, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// The bytes of the modules and functions that only tests compile: `#[cfg(test)] … { … }`.
pub(crate) fn test_parts(masked: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (at, _) in masked.match_indices("#[cfg(") {
        if parts.last().is_some_and(|last| last.contains(&at)) {
            continue;
        }
        let Some(close) = matching(masked, at + 1) else { continue };
        if !words(&masked[at..close]).any(|(_, word)| word == "test")
            || masked[at..close].contains("not(")
        {
            continue;
        }
        // An item without a body (`mod name;`, a `use`) ends at its semicolon.
        let open = masked[close..].find(['{', ';']).map(|place| close + place);
        if let Some(open) = open.filter(|&open| masked.as_bytes()[open] == b'{') {
            let end = matching(masked, open).map_or(masked.len(), |end| end + 1);
            parts.push(at..end);
        }
    }
    parts
}

/// The names of the modules in files of their own that only tests compile:
/// `#[cfg(test)] mod name;`.
pub(crate) fn test_modules(masked: &str) -> Vec<&str> {
    masked
        .match_indices("#[cfg(test)]")
        .filter_map(|(at, found)| masked[at + found.len()..].split_once(';'))
        .filter_map(|(item, _)| {
            let words: Vec<&str> = words(item).map(|(_, word)| word).collect();
            match words.as_slice() {
                ["mod", name] | ["pub", "mod", name] | ["pub", "crate" | "super", "mod", name]
                    if !item.contains('{') =>
                {
                    Some(*name)
                }
                _ => None,
            }
        })
        .collect()
}

/// The bracket that closes the one at `open`.
pub(crate) fn matching(masked: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, byte) in masked.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

/// The words of a text with their places.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    /// Where its `fn` is.
    pub(crate) at: usize,
    /// How many lines it has, from `fn` to the closing brace.
    pub(crate) lines: usize,
}

/// All functions with a body, nested ones included.
pub(crate) fn functions(masked: &str) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    for (at, _) in words(masked).filter(|&(_, word)| word == "fn") {
        let after = &masked[at + 2..];
        let Some((offset, name)) = words(after).next() else { continue };
        if !after[..offset].trim().is_empty() {
            continue; // a function type, or a macro's `fn $name`
        }
        let Some(open) = body_start(masked, at + 2 + offset) else { continue };
        let Some(close) = matching(masked, open) else { continue };
        let lines = 1 + masked[at..=close].matches('\n').count();
        found.push(Function { name, at, lines });
    }
    found
}

/// The brace that opens the body of the function whose name is at `from`; `None` for a
/// declaration without one.
fn body_start(masked: &str, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, byte) in masked.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(place),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Every path below `std` that the source names, written out (`use std::{fs, io}` is two), with
/// its place.
pub(crate) fn std_paths(masked: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in words(masked).filter(|&(_, word)| word == "std") {
        let rest = &masked[at + 3..];
        if rest.starts_with("::") && !masked[..at].ends_with("::") {
            expand("std", rest, at, &mut found);
        }
    }
    found
}

fn expand(prefix: &str, rest: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let Some(tail) = rest.strip_prefix("::") else {
        found.push((at, prefix.to_owned()));
        return;
    };
    let tail = tail.trim_start();
    if tail.starts_with('{') {
        let close = matching(tail, 0).unwrap_or(tail.len());
        for item in split_top(&tail[1..close]) {
            expand(prefix, &format!("::{item}"), at, found);
        }
        return;
    }
    let len = tail.bytes().take_while(|&byte| is_word(byte)).count();
    if len == 0 {
        found.push((at, prefix.to_owned()));
    } else {
        expand(&format!("{prefix}::{}", &tail[..len]), &tail[len..], at, found);
    }
}

/// The items of a `use` group, split at its own commas.
fn split_top(group: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut from = 0;
    for (place, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                items.push(group[from..place].trim());
                from = place + 1;
            }
            _ => {}
        }
    }
    items.push(group[from..].trim());
    items.retain(|item| !item.is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_blanks_comments_and_literals_and_nothing_else() {
        let cases = [
            ("a // b {\nc", "a c"),
            ("a /* { /* } */ { */ b", "a b"),
            (r#"f("}\"{", x)"#, "f( , x)"),
            (r##"f(r#"}"{"#, x)"##, "f( , x)"),
            (r#"f(br"{", x)"#, "f( , x)"),
            (r"m('{', '\'', '\u{7b}')", "m( , , )"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("'é'; 'x: loop {}", "; 'x: loop {}"),
            ("expr\"{\";", "expr ;"),
        ];
        for (source, expected) in cases {
            let masked = mask(source);
            assert_eq!(masked.len(), source.len(), "{source}");
            assert_eq!(masked.split_whitespace().collect::<Vec<_>>().join(" "), expected);
        }
        assert_eq!(mask("\"a\nb\"").lines().count(), 2);
    }

    #[test]
    fn functions_are_measured_from_fn_to_the_closing_brace() {
        let source = "trait T { fn declared(&self) -> [u8; 4]; }\n\
                      fn one() { let f: fn(u8) = g; }\n\
                      fn three<F: Fn([u8; 2])>(f: F)\nwhere F: Copy {\n}\n\
                      macro_rules! m { () => { fn $name() {} } }\n";
        let masked = mask(source);
        let found: Vec<(&str, usize)> =
            functions(&masked).iter().map(|function| (function.name, function.lines)).collect();
        assert_eq!(found, [("one", 1), ("three", 3)]);
    }

    #[test]
    fn test_modules_are_found_whole() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n  mod inner { }\n  fn b() {}\n}\nfn c() {}\n\
                      #[cfg(test)]\nmod elsewhere;\n#[cfg(not(test))]\nfn d() {}\n\
                      #[cfg(any(test, unix))]\nfn e() {}\n";
        let masked = mask(source);
        let parts: Vec<&str> = test_parts(&masked).into_iter().map(|part| &masked[part]).collect();
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert!(parts[0].starts_with("#[cfg(test)]") && parts[0].ends_with("fn b() {}\n}"));
        assert!(parts[1].ends_with("fn e() {}"));
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_named() {
        let source = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\npub(crate) mod c;\n\
                      #[cfg(test)]\nmod d { use x; }\n#[cfg(unix)]\nmod e;\n";
        assert_eq!(test_modules(&mask(source)), ["b", "c"]);
    }

    #[test]
    fn paths_below_std_are_written_out() {
        let source = "use std::{fmt, time::{Duration, Instant}};\nlet x = std::env::var(y);\nmy::std::fs::x();";
        let paths: Vec<String> =
            std_paths(&mask(source)).into_iter().map(|(_, path)| path).collect();
        assert_eq!(
            paths,
            ["std::fmt", "std::time::Duration", "std::time::Instant", "std::env::var"]
        );
    }
}
