//! Masking of secrets in text.

/// What stands in a secret's place.
pub const MASK: &str = "***";

/// The text with every occurrence of a secret replaced by [`MASK`]. Longer secrets go first, so
/// that one secret inside another leaves nothing behind. Empty secrets are ignored.
pub fn mask(text: &str, secrets: &[String]) -> String {
    let mut ordered: Vec<&str> = secrets.iter().map(String::as_str).collect();
    ordered.retain(|secret| !secret.is_empty());
    ordered.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut masked = text.to_owned();
    for secret in ordered {
        if masked.contains(secret) {
            masked = masked.replace(secret, MASK);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn every_occurrence_goes_and_the_longest_goes_first() {
        let secrets = ["key".to_owned(), "monkey".to_owned(), String::new()];
        assert_eq!(mask("a monkey, a key, a monkeykey", &secrets), "a ***, a ***, a ******");
        assert_eq!(mask("nothing here", &secrets), "nothing here");
    }
}
