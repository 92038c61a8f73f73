//! Numbers that are none in JSON, and that Python writes all the same.

use std::borrow::Cow;

/// What Python's `json` writes for numbers that JSON does not have.
const WORDS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];

/// A body with `null` in the place of such numbers: one of them in a context is no reason to lose a
/// report.
pub(super) fn without_nan(body: &[u8]) -> Cow<'_, [u8]> {
    let mut read = Vec::new();
    // How much of the body is in `read`.
    let (mut taken, mut at, mut is_text) = (0, 0, false);
    while let Some(&byte) = body.get(at) {
        match byte {
            b'"' => is_text = !is_text,
            // Whatever is escaped ends no text.
            b'\\' if is_text => at += 1,
            b'N' | b'I' | b'-' if !is_text => {
                if let Some(word) = WORDS.iter().find(|word| body[at..].starts_with(word)) {
                    read.extend_from_slice(&body[taken..at]);
                    read.extend_from_slice(b"null");
                    at += word.len();
                    taken = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if taken == 0 {
        return Cow::Borrowed(body);
    }
    read.extend_from_slice(&body[taken..]);
    Cow::Owned(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_null_and_texts_stay() {
        for (body, expected) in [
            (r#"{"a": NaN, "b": [-Infinity,Infinity]}"#, r#"{"a": null, "b": [null,null]}"#),
            (
                r#"{"NaN": "\"NaN", "b": "\\", "c": NaN}"#,
                r#"{"NaN": "\"NaN", "b": "\\", "c": null}"#,
            ),
            (r#"{"a": -1, "b": "Infinity"}"#, r#"{"a": -1, "b": "Infinity"}"#),
            (r#"{"a": nan"#, r#"{"a": nan"#),
            (r#"""#, r#"""#),
            (r#""\"#, r#""\"#),
            ("NaN", "null"),
        ] {
            let read = without_nan(body.as_bytes());
            assert_eq!(std::str::from_utf8(&read).unwrap(), expected);
            assert_eq!(matches!(read, Cow::Borrowed(_)), body == expected, "{body}");
        }
    }
}
