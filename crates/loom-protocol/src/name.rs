//! What variables may be called.

/// The longest name of a variable, in bytes.
pub const VARIABLE_NAME_MAX: usize = 200;

/// Whether a text is a variable's name: `[A-Za-z_][A-Za-z0-9_]*`, not too long.
pub fn is_variable(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(is_variable_byte)
        && text.len() <= VARIABLE_NAME_MAX
}

/// Whether a variable's name may go on with this byte.
pub const fn is_variable_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables() {
        assert!(is_variable("_a1") && is_variable("TRUE"));
        assert!(!is_variable("1a") && !is_variable("a-b") && !is_variable(""));
        assert!(is_variable(&"a".repeat(VARIABLE_NAME_MAX)));
        assert!(!is_variable(&"a".repeat(VARIABLE_NAME_MAX + 1)));
    }
}
