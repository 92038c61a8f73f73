//! Measuring the text of a query before it is parsed: parsers go as deep as their text does.

use crate::problem::Problem;
use loom_protocol::ErrorCode;

/// The most bytes of a query. Documents and values come as variables.
const BYTES_MAX: usize = 64 << 10;
/// How deep brackets of any kind may stand in each other.
const NESTING_MAX: usize = 64;

/// Refuses a text that is too long or too deep.
pub(super) fn scan(query: &str) -> Result<(), Problem> {
    if query.len() > BYTES_MAX {
        let what = format!("the query has {} bytes; the limit is {BYTES_MAX}", query.len());
        return Err(Problem::new(ErrorCode::QueryTooLarge, what)
            .help("give documents and values as variables"));
    }
    match nesting(query.as_bytes()) {
        Some(depth) if depth <= NESTING_MAX => Ok(()),
        Some(_) => {
            let what = format!("brackets of the query are nested deeper than {NESTING_MAX}");
            Err(Problem::new(ErrorCode::QueryTooLarge, what))
        }
        None => Err(Problem::new(ErrorCode::BadQuery, "a string of the query does not end")),
    }
}

/// How deep brackets stand in each other, outside of strings and comments; `None` if a string does
/// not end, for then nobody can tell what is outside.
fn nesting(mut text: &[u8]) -> Option<usize> {
    let (mut depth, mut deepest) = (0_usize, 0);
    while let [first, rest @ ..] = text {
        text = match first {
            b'"' => behind_string(text)?,
            b'#' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                &rest[end.unwrap_or(rest.len())..]
            }
            _ => rest,
        };
        match first {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    Some(deepest)
}

/// What stands behind the string that a text begins with.
fn behind_string(text: &[u8]) -> Option<&[u8]> {
    if let Some(mut inner) = text.strip_prefix(br#"""""#) {
        loop {
            if let Some(rest) = inner.strip_prefix(br#"""""#) {
                return Some(rest);
            }
            inner = inner.strip_prefix(br#"\""""#).or_else(|| inner.get(1..))?;
        }
    }
    let mut inner = &text[1..];
    loop {
        inner = match inner {
            [b'"', rest @ ..] => return Some(rest),
            [] | [b'\n' | b'\r', ..] => return None,
            [b'\\', _, rest @ ..] | [_, rest @ ..] => rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_where_a_parser_sees_them() {
        for (text, expected) in [
            ("", Some(0)),
            ("{ a(b: [1]) { c } }", Some(3)),
            (r#"{ a(b: "{[(") }"#, Some(2)),
            (r#"{ a(b: "\"{[(") }"#, Some(2)),
            (r#"{ a(b: "") }"#, Some(2)),
            ("{ a # {{{{\n}", Some(1)),
            ("{ a(b: \"\"\"{{ \" \\\"\"\" {{\"\"\") }", Some(2)),
            ("}}}{", Some(1)),
            ("{ a(b: \"x", None),
            ("{ a(b: \"x\n\") }", None),
            ("\"\"\" x\" [[[[", None),
            ("\"\\", None),
        ] {
            assert_eq!(nesting(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_or_too_deep_is_refused() {
        let code = |text: &str| scan(text).map_err(|problem| problem.code);
        assert_eq!(code("{ a }"), Ok(()));
        assert_eq!(code(&" ".repeat(BYTES_MAX)), Ok(()));
        assert_eq!(code(&" ".repeat(BYTES_MAX + 1)), Err(ErrorCode::QueryTooLarge));
        assert_eq!(code(&"[".repeat(NESTING_MAX)), Ok(()));
        assert_eq!(code(&"[".repeat(NESTING_MAX + 1)), Err(ErrorCode::QueryTooLarge));
        assert_eq!(code("\""), Err(ErrorCode::BadQuery));
    }
}
