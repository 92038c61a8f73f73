//! Where a page of runs ended, as callers carry it around.
//!
//! The text names the place and has a digest of it and of the question, so that neither a cursor
//! that was changed nor one of another list is taken for a place in this one. It grants nothing:
//! what a caller may see is asked anew for each page.

use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;
use loom_store::RunCursor;
use sha2::{Digest, Sha256};
use std::fmt::Write;

// Digits of the time, characters of the run, digits of the digest.
const TIME: usize = 16;
const RUN: usize = 26;
const DIGEST: usize = 16;

/// The cursor as text; `question` is what the list was asked.
pub(super) fn write(place: RunCursor, question: &str) -> String {
    let mut text = format!("{:016x}{}", place.at.map_or(u64::MAX, |at| at.0), place.run);
    let digest = digest(&text, question);
    text.push_str(&digest);
    text
}

/// The reverse of [`write()`].
pub(super) fn read(text: &str, question: &str) -> Result<RunCursor, Problem> {
    parse(text, question).ok_or_else(|| {
        Problem::new(ErrorCode::BadCursor, "the cursor is not one of this list")
            .help("begin with the first page: leave `cursor` out")
            .help("keep filters and order the same from page to page")
    })
}

fn parse(text: &str, question: &str) -> Option<RunCursor> {
    if text.len() != TIME + RUN + DIGEST || !text.is_ascii() {
        return None;
    }
    let (place, found) = text.split_at(TIME + RUN);
    if digest(place, question) != found {
        return None;
    }
    let at = u64::from_str_radix(&place[..TIME], 16).ok()?;
    let run: RunId = place[TIME..].parse().ok()?;
    Some(RunCursor { at: (at != u64::MAX).then_some(Timestamp(at)), run })
}

fn digest(place: &str, question: &str) -> String {
    let hash = Sha256::new().chain_update(place).chain_update([0]).chain_update(question);
    hash.finalize().iter().take(DIGEST / 2).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        for at in [None, Some(Timestamp(1_700_000_000_000_000))] {
            let place = RunCursor { at, run: RunId::new(1_700_000_000_000, 7) };
            let text = write(place, "q");
            assert_eq!(read(&text, "q").unwrap(), place);
            assert_eq!(read(&text, "other").unwrap_err().code, ErrorCode::BadCursor);
            for at in 0..text.len() {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(bytes).unwrap();
                assert!(read(&changed, "q").is_err(), "{changed}");
            }
        }
        for wrong in ["", "x", "ö", &"0".repeat(58)] {
            assert!(read(wrong, "q").is_err(), "{wrong}");
        }
    }
}
