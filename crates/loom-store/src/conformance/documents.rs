//! Documents: versions that never repeat, sets of changes that are whole, scans in order.

use super::Fixture;
use super::samples::{SECRET, at};
use crate::documents::{DOCUMENT_BYTES, DOCUMENT_DEPTH, DOCUMENT_KEY_BYTES};
use crate::{
    Change, Document, DocumentStore, Expect, Scan, Stale, StoreError, Write, assert_refused,
};
use loom_core::Value;
use serde_json::json;

fn put(key: &str, expect: Expect, body: impl Into<Value>) -> Change {
    let write = Write::Put { body: body.into(), secret: None };
    Change { collection: "things".into(), key: key.into(), expect, write }
}

fn delete(key: &str, expect: Expect) -> Change {
    Change { write: Write::Delete, ..put(key, expect, 0) }
}

/// Makes one set of changes that must hold.
fn make(store: &mut impl DocumentStore, set: Vec<Change>) -> Vec<u64> {
    store.write(&[set], at(1)).unwrap().remove(0).unwrap()
}

fn body(store: &mut impl DocumentStore, key: &str) -> Option<Value> {
    store.document("things", key).unwrap().map(|document| document.body)
}

fn stale<T>(key: &str) -> Result<T, Stale> {
    Err(Stale { collection: "things".into(), key: key.into() })
}

/// Everything that was written is read, by every session.
pub fn come_back_as_they_were_written(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let text = "Grüße 🚀 \u{0} \" ' \u{10ffff}";
    let content = json!({"b": [1, -2.5, null, true, u64::MAX], "a": text, "": {}});
    let write = Write::Put { body: content.clone(), secret: Some(text.into()) };
    let change = Change { key: text.into(), write, ..put("", Expect::Any, 0) };
    let versions = store.write(&[vec![change]], at(7)).unwrap().remove(0).unwrap();
    let expected = Document {
        key: text.into(),
        version: versions[0],
        body: content,
        secret: Some(text.into()),
        written_at: at(7),
    };
    for mut session in [store, fixture.session()] {
        assert_eq!(session.document("things", text).unwrap().as_ref(), Some(&expected));
        let all = session.scan("things", &Scan::default()).unwrap().documents;
        assert_eq!(all, std::slice::from_ref(&expected));
        assert_eq!(session.document("things", "other").unwrap(), None);
        assert_eq!(session.document("others", text).unwrap(), None);
        assert!(session.scan("others", &Scan::default()).unwrap().documents.is_empty());
    }
}

/// Each content has a version of its own, greater than all before it, also after a delete.
pub fn have_versions_that_never_repeat(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(make(&mut store, vec![put("a", Expect::Any, 1), put("b", Expect::Any, 1)]));
        assert_eq!(make(&mut store, vec![delete("a", Expect::Any)]), [0]);
        assert_eq!(make(&mut store, vec![delete("b", Expect::Any)]), [0]);
        drop(store);
        store = fixture.session();
    }
    assert!(seen[0] > 0 && seen.is_sorted_by(|one, next| one < next), "{seen:?}");
}

/// What a change expects decides whether it is made.
pub fn are_changed_only_as_expected(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let first = make(&mut store, vec![put("a", Expect::Absent, 1)])[0];
    let refused = [
        put("a", Expect::Absent, 2),
        put("a", Expect::Version(first + 1), 2),
        delete("a", Expect::Absent),
        delete("a", Expect::Version(0)),
        put("b", Expect::Version(first), 2),
        delete("b", Expect::Version(first)),
    ];
    for change in refused {
        let expected = stale(&change.key);
        let answer = store.write(&[vec![change.clone()]], at(2)).unwrap();
        assert_eq!(answer, [expected], "{change:?}");
    }
    let unchanged = store.document("things", "a").unwrap().unwrap();
    assert_eq!((unchanged.version, unchanged.body, unchanged.written_at), (first, 1.into(), at(1)));
    assert_eq!(body(&mut store, "b"), None);

    let second = make(&mut store, vec![put("a", Expect::Version(first), 2)])[0];
    assert_eq!(
        store.write(&[vec![delete("a", Expect::Version(first))]], at(2)).unwrap(),
        [stale("a")]
    );
    assert_eq!(make(&mut store, vec![delete("a", Expect::Version(second))]), [0]);
    assert_eq!(body(&mut store, "a"), None);
    let gone = store.write(&[vec![put("a", Expect::Version(second), 3)]], at(2)).unwrap();
    assert_eq!(gone, [stale("a")]);
    assert_eq!(make(&mut store, vec![delete("a", Expect::Absent)]), [0]);
}

/// A set of which one change does not hold changes nothing; the sets beside it are made.
pub fn are_changed_in_whole_sets(fixture: &impl Fixture) {
    let mut store = fixture.session();
    make(&mut store, vec![put("a", Expect::Any, 0), put("b", Expect::Any, 0)]);
    let sets = [
        vec![put("c", Expect::Absent, 1)],
        vec![put("a", Expect::Any, 2), delete("b", Expect::Any), put("c", Expect::Absent, 2)],
        vec![delete("b", Expect::Any), put("d", Expect::Any, 3)],
        vec![],
    ];
    let answers = store.write(&sets, at(3)).unwrap();
    assert_eq!(answers[1], stale("c"));
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[3], Ok(vec![]));
    let all = fixture.session().scan("things", &Scan::default()).unwrap().documents;
    let all: Vec<_> = all.iter().map(|it| (it.key.as_str(), it.body.as_i64().unwrap())).collect();
    assert_eq!(all, [("a", 0), ("c", 1), ("d", 3)]);
}

/// A change sees what those before it in the same call did, in its set and in earlier ones.
pub fn changes_see_those_before_them(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let version = make(&mut store, vec![put("a", Expect::Any, 1)])[0];
    let sets = [
        vec![put("a", Expect::Version(version), 2), put("b", Expect::Absent, 2)],
        vec![put("a", Expect::Version(version), 3)],
        vec![delete("b", Expect::Any), put("b", Expect::Absent, 4), put("b", Expect::Any, 5)],
        vec![delete("b", Expect::Any), delete("b", Expect::Version(version))],
        vec![put("b", Expect::Absent, 6)],
    ];
    let answers = store.write(&sets, at(1)).unwrap();
    let held: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(held, [true, false, true, false, false]);
    assert_eq!((body(&mut store, "a"), body(&mut store, "b")), (Some(2.into()), Some(5.into())));
}

/// Two sessions that change what they have read do not undo one another.
pub fn are_not_lost_between_sessions(fixture: &impl Fixture) {
    let mut sessions: Vec<_> = (0..4).map(|_| fixture.session()).collect();
    make(&mut sessions[0], vec![put("count", Expect::Absent, 0)]);
    let each = 20;
    std::thread::scope(|scope| {
        for session in &mut sessions {
            scope.spawn(move || {
                let mut made = 0;
                while made < each {
                    let read = session.document("things", "count").unwrap().unwrap();
                    let next = read.body.as_i64().unwrap() + 1;
                    let change = put("count", Expect::Version(read.version), next);
                    made += u64::from(session.write(&[vec![change]], at(1)).unwrap()[0].is_ok());
                }
            });
        }
    });
    assert_eq!(body(&mut sessions[0], "count"), Some((4 * each).into()));
}

/// Scans go by the bytes of the keys, in either direction, page by page.
pub fn are_scanned_in_order_and_in_pages(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let keys =
        ["a", "", "a/1", "a/10", "a/2", "B", "a0", "ä", "a/\u{10ffff}", "a/\u{10ffff}z", "z"];
    make(&mut store, keys.map(|key| put(key, Expect::Any, key)).into());
    let other = Change { collection: "other".into(), ..put("a/5", Expect::Any, 0) };
    make(&mut store, vec![other]);
    for prefix in ["", "a", "a/", "a/1", "ä", "\u{10ffff}", "zz"] {
        for descending in [false, true] {
            let mut expected: Vec<&str> =
                keys.into_iter().filter(|key| key.starts_with(prefix)).collect();
            expected.sort_unstable();
            if descending {
                expected.reverse();
            }
            for limit in [1, 2, 3, 10, 11, 12] {
                let mut scan = Scan { prefix: prefix.into(), after: None, descending, limit };
                let mut read = Vec::new();
                loop {
                    let page = store.scan("things", &scan).unwrap();
                    assert!(page.documents.len() <= limit);
                    read.extend(page.documents.into_iter().map(|document| document.key));
                    if !page.more {
                        break;
                    }
                    scan.after = read.last().cloned();
                }
                assert_eq!(read, expected, "{scan:?}");
            }
        }
    }
    let behind = Scan { prefix: "a/".into(), after: Some("a/11".into()), ..Scan::default() };
    assert_eq!(store.scan("things", &behind).unwrap().documents[0].key, "a/2");
}

/// Without a limit a page holds at most 1,000.
pub fn are_scanned_with_a_limit(fixture: &impl Fixture) {
    let mut store = fixture.session();
    make(&mut store, (0..1001).map(|n| put(&n.to_string(), Expect::Any, n)).collect());
    let page = store.scan("things", &Scan::default()).unwrap();
    assert_eq!((page.documents.len(), page.more), (1000, true));
    let page = store.scan("things", &Scan { limit: 1001, ..Scan::default() }).unwrap();
    assert_eq!((page.documents.len(), page.more), (1001, false));
}

/// What exceeds a limit refuses the call, whatever else is in it; what reaches it does not.
pub fn have_limits(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let nested = |depth| (0..depth).fold(Value::Null, |inner, _| json!([inner]));
    let secret = |length: usize| Change {
        write: Write::Put { body: Value::Null, secret: Some("x".repeat(length)) },
        ..put("secret", Expect::Any, 0)
    };
    let pairs = [
        // The quotes of a text, and the letters of `null`, count too.
        [DOCUMENT_BYTES - 2, DOCUMENT_BYTES - 1].map(|n| put("a", Expect::Any, "x".repeat(n))),
        [DOCUMENT_BYTES - 4, DOCUMENT_BYTES - 3].map(secret),
        [DOCUMENT_KEY_BYTES, DOCUMENT_KEY_BYTES + 1].map(|n| put(&"k".repeat(n), Expect::Any, 1)),
        [DOCUMENT_DEPTH, DOCUMENT_DEPTH + 1].map(|n| put("deep", Expect::Any, nested(n))),
    ];
    for [fits, exceeds] in pairs {
        let refused = store.write(&[vec![put("b", Expect::Any, 1)], vec![exceeds]], at(1));
        assert_refused!(refused, StoreError::TooLarge(why) if why.contains("limit"));
        assert_eq!(body(&mut store, "b"), None);
        make(&mut store, vec![fits.clone()]);
        let Write::Put { body, secret } = fits.write else { panic!("all are put") };
        let read = store.document("things", &fits.key).unwrap().unwrap();
        assert!(read.body == body && read.secret == secret);
    }
}

/// A document's secret is for its readers, and nobody finds it in what is kept or in messages.
pub fn keep_their_secret_sealed(fixture: &impl Fixture) {
    let mut store = fixture.session();
    let write = Write::Put { body: "readable".into(), secret: Some(SECRET.into()) };
    let change = Change { write, ..put("a", Expect::Any, 0) };
    assert!(!format!("{change:?}").contains(SECRET));
    make(&mut store, vec![change]);
    let read = fixture.session().document("things", "a").unwrap().unwrap();
    assert_eq!(read.secret.as_deref(), Some(SECRET));
    assert!(!format!("{read:?}").contains(SECRET));
    let Some(kept) = fixture.readable() else { return };
    let holds = |text: &str| kept.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("readable"), "the test does not see what is kept");
    assert!(!holds(SECRET) && !holds(&SECRET[8..]));
}
