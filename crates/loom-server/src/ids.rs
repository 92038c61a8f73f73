//! New identities.

use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;

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
