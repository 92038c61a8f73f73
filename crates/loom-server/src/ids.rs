//! New identities.

use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;

/// The longest text that says what a request belongs to.
const CORRELATION_MAX: usize = 100;

/// Random bits from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let what = format!("the system gives no random numbers: {error}");
        Problem::new(ErrorCode::MachineFailed, what)
    })?;
    Ok(bytes)
}

/// An identity for something made now. Identities sort by age.
pub(crate) fn new_id(now: Timestamp) -> Result<RunId, Problem> {
    Ok(RunId::new(now.as_millis(), u128::from_ne_bytes(random()?)))
}

/// A hash as people write it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a text may say what a request belongs to: it goes into headers, variables and logs.
pub(crate) fn is_correlation_id(id: &[u8]) -> bool {
    (1..=CORRELATION_MAX).contains(&id.len())
        && id[0].is_ascii_alphanumeric()
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_requests_belong_to_is_short_and_plain() {
        for good in ["a", "7-b_C", &"x".repeat(100)] {
            assert!(is_correlation_id(good.as_bytes()), "{good}");
        }
        for bad in ["", "-a", "_", "a b", "a\tb", "ä", "a;b", &"x".repeat(101)] {
            assert!(!is_correlation_id(bad.as_bytes()), "{bad}");
        }
    }
}
