//! Where a page ended, as callers carry it around, of lists that are in the order of a name.
//!
//! The text has a digest of the place and of the list, so that neither a cursor that was changed nor
//! one of another list is taken for a place in this one. It grants nothing: what a caller may see is
//! asked anew for each page.

use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loom_protocol::ErrorCode;
use sha2::{Digest, Sha256};

/// The bytes of the digest that are kept.
const DIGEST: usize = 8;

/// A place as callers get it.
pub(crate) fn sealed(list: &str, place: &str) -> String {
    let digest = digest(list, place.as_bytes());
    URL_SAFE_NO_PAD.encode([&digest[..], place.as_bytes()].concat())
}

/// The same, where there may be no next page.
pub(crate) fn seal(list: &str, place: Option<String>) -> Option<String> {
    place.map(|place| sealed(list, &place))
}

/// The place that callers come back with.
pub(crate) fn open(list: &str, cursor: Option<String>) -> Result<Option<String>, Problem> {
    cursor.map(|text| parse(list, &text).ok_or_else(bad)).transpose()
}

fn parse(list: &str, text: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (found, place) = bytes.split_at_checked(DIGEST)?;
    (digest(list, place) == found).then(|| String::from_utf8(place.to_vec()).ok())?
}

fn digest(list: &str, place: &[u8]) -> [u8; DIGEST] {
    let hash = Sha256::new().chain_update(list).chain_update([0]).chain_update(place).finalize();
    *hash.first_chunk().expect("a digest has 32 bytes")
}

/// The page behind `after` of a list that is at hand, and the place where it ends if there are more.
/// Items are in the order of what `key` makes of the place that each has.
pub(crate) fn cut<T, K: Ord>(
    items: Vec<T>,
    after: Option<&str>,
    limit: usize,
    place: impl Fn(&T) -> &str,
    key: impl Fn(&str) -> K,
) -> (Vec<T>, Option<String>) {
    let after = after.map(&key);
    let is_behind = |item: &T| after.as_ref().is_none_or(|after| key(place(item)) > *after);
    let mut rest = items.into_iter().filter(is_behind);
    let page: Vec<T> = rest.by_ref().take(limit).collect();
    let next = rest.next().and_then(|_| page.last().map(|last| place(last).to_owned()));
    (page, next)
}

/// A cursor that is none of the list.
pub(crate) fn bad() -> Problem {
    Problem::new(ErrorCode::BadCursor, "the `cursor` is not one of this list")
        .help("begin with the first page: leave `cursor` out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        for place in ["", "a", "default/ä b", &"x".repeat(300)] {
            let text = seal("tokens", Some(place.to_owned())).unwrap();
            assert_eq!(open("tokens", Some(text.clone())).unwrap().as_deref(), Some(place));
            let code = |text: String| open("roles", Some(text)).unwrap_err().code;
            assert_eq!(code(text.clone()), ErrorCode::BadCursor);
            for at in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).unwrap();
                assert!(open("tokens", Some(changed)).is_err(), "{text} {at}");
            }
        }
        assert!(open("tokens", Some(String::new())).is_err());
        assert_eq!((seal("tokens", None), open("tokens", None).unwrap()), (None, None));
    }

    #[test]
    fn pages_of_a_list_at_hand_follow_each_other_though_items_come_and_go() {
        let list = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
        let page = |items: &[&str], after: Option<&str>| {
            cut(list(items), after, 2, String::as_str, str::to_owned)
        };
        assert_eq!(page(&["a", "b", "c"], None), (list(&["a", "b"]), Some("b".to_owned())));
        assert_eq!(page(&["a", "aa", "c"], Some("b")), (list(&["c"]), None));
        assert_eq!(page(&["a", "b"], None), (list(&["a", "b"]), None));
        assert_eq!(page(&[], Some("b")), (list(&[]), None));
        let down = |text: &str| std::cmp::Reverse(text.to_owned());
        let (items, next) = cut(list(&["c", "b", "a"]), Some("c"), 1, String::as_str, down);
        assert_eq!((items, next), (list(&["b"]), Some("b".to_owned())));
    }
}
