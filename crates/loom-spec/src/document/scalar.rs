//! What a plain scalar is in YAML 1.2's core schema.

use super::Kind;

/// The value of a scalar that was written without quotes; `None` if it is a string.
pub(super) fn plain(text: &str) -> Option<Kind> {
    let word = match text {
        "" | "~" | "null" | "Null" | "NULL" => Some(Kind::Null),
        "true" | "True" | "TRUE" => Some(Kind::Bool(true)),
        "false" | "False" | "FALSE" => Some(Kind::Bool(false)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Kind::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Kind::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => Some(Kind::Float(f64::NAN)),
        _ => None,
    };
    word.or_else(|| number(text))
}

fn number(text: &str) -> Option<Kind> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // A whole number that is too large stays text rather than losing digits.
        return text.parse().ok().map(Kind::Int);
    }
    is_float(digits).then(|| text.parse().ok().map(Kind::Float)).flatten()
}

fn radix(digits: &str, radix: u32) -> Option<Kind> {
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    valid.then(|| i64::from_str_radix(digits, radix).ok().map(Kind::Int)).flatten()
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let number = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !number.is_empty() && digits(number)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, kind) in [
            ("", Kind::Null),
            ("~", Kind::Null),
            ("TRUE", Kind::Bool(true)),
            ("false", Kind::Bool(false)),
            ("12", Kind::Int(12)),
            ("-7", Kind::Int(-7)),
            ("+7", Kind::Int(7)),
            ("0x1F", Kind::Int(31)),
            ("0o17", Kind::Int(15)),
            ("007", Kind::Int(7)),
            ("1.5", Kind::Float(1.5)),
            (".5", Kind::Float(0.5)),
            ("1.", Kind::Float(1.0)),
            ("-1e3", Kind::Float(-1000.0)),
            ("-.inf", Kind::Float(f64::NEG_INFINITY)),
        ] {
            assert_eq!(plain(text), Some(kind), "{text}");
        }
    }

    #[test]
    fn everything_else_is_a_string() {
        for text in [
            "no",
            "yes",
            "on",
            "1_000",
            "0b1",
            "1e",
            "1.5s",
            ".",
            "-",
            "+",
            "e5",
            "0x",
            "1.0.0",
            "infinity",
            "nan",
            "12345678901234567890",
            "2024-01-01",
            "0xg",
        ] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
