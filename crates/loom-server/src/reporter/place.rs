//! Where reports go, up to where they went, and who reports.

use crate::feed::Cursor;
use loom_core::{RunId, Timestamp};
use loom_store::{Change, DocumentStore, Expect, FeedPosition, QueryStore, StoreError, Write};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;

/// The collection of places, by the far side's address.
const PLACES: &str = "reporter";
/// How long a reporter that says nothing keeps the others from reporting. Longer than a call takes.
const LEASE: Duration = Duration::from_secs(15);
/// How much of it has to be left for another call.
const SPARE: Duration = Duration::from_secs(8);
/// How many runs may be set aside.
const ASIDE_MAX: usize = 1000;

/// Where reports go.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    url: String,
    token: Option<String>,
}

impl Target {
    /// A far side at this address, to which a token is shown. Says what is wrong with them.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, String> {
        let uri: ureq::http::Uri = url.parse().map_err(|error| format!("it is no URL: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("it begins with neither http:// nor https://".to_owned());
        }
        if uri.query().is_some() || uri.authority().is_none_or(|it| it.as_str().contains('@')) {
            return Err("it is more than a scheme, a host and a path".to_owned());
        }
        let is_plain = |token: &String| token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.as_ref().is_some_and(|token| !is_plain(token)) {
            return Err("the token has characters that no header has".to_owned());
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), token })
    }

    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn key(&self) -> String {
        crate::ids::hex(&Sha256::digest(&self.url)[..16])
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is nobody's business.
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The place up to which all is delivered, while it is this reporter's to move.
pub(super) struct Place {
    key: String,
    holder: String,
    /// Up to here all is delivered or given up.
    pub(super) at: Cursor,
    /// Runs that the far side fails at: nothing more is told of them.
    aside: BTreeSet<RunId>,
    kept: Cursor,
    version: u64,
    until: Timestamp,
}

impl Place {
    /// Sees to it that there is a place: that of earlier reports, or else the journal's present end.
    pub(super) fn prepare(
        target: &Target,
        query: &mut dyn QueryStore,
        documents: &mut dyn DocumentStore,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = target.key();
        if documents.document(PLACES, &key)?.is_some() {
            return Ok(());
        }
        let at = Cursor { row: query.feed_end()?, place: u32::MAX };
        let change = put(key, at, &BTreeSet::new(), None, now, Expect::Absent);
        // If somebody else was first, theirs is as good.
        documents.write(&[vec![change]], now).map(drop)
    }

    /// Takes the place over, unless another living reporter has it.
    pub(super) fn take(
        target: &Target,
        holder: &str,
        documents: &mut dyn DocumentStore,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let key = target.key();
        let Some(found) = documents.document(PLACES, &key)? else { return Ok(None) };
        let body = &found.body;
        let other = body["holder"].as_str().filter(|other| *other != holder);
        let until = Timestamp(body["until"].as_u64().unwrap_or_default());
        if other.is_some() && until > now {
            return Ok(None);
        }
        let at = body["at"].as_str().and_then(|at| at.parse().ok());
        let at: Cursor = at.ok_or_else(|| {
            StoreError::Corrupt(format!("the document `{key}` of `{PLACES}` names no place"))
        })?;
        let (holder, version) = (holder.to_owned(), found.version);
        let aside = body["aside"].as_array().into_iter().flatten();
        let aside = aside.filter_map(|run| run.as_str()?.parse().ok()).collect();
        let mut place = Self { key, holder, at, aside, kept: at, version, until };
        Ok(place.keep(documents, now)?.then_some(place))
    }

    /// Tells nothing more of a run. Of very many, the oldest may be told of again.
    pub(super) fn set_aside(&mut self, run: RunId) {
        self.aside.insert(run);
        if self.aside.len() > ASIDE_MAX {
            self.aside.pop_first();
        }
    }

    /// Whether nothing is told of a run. Behind its end it is forgotten.
    pub(super) fn is_aside(&mut self, run: RunId, ends: bool) -> bool {
        if ends { self.aside.remove(&run) } else { self.aside.contains(&run) }
    }

    /// Whether there is something to keep.
    pub(super) fn has_moved(&self) -> bool {
        self.at != self.kept
    }

    /// Whether the lease may end before a call does.
    pub(super) fn runs_out(&self, now: Timestamp) -> bool {
        self.until.since(now) < SPARE
    }

    /// Keeps the place and the lease; false if somebody else has taken it.
    pub(super) fn keep(
        &mut self,
        documents: &mut dyn DocumentStore,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(documents, Some(now + LEASE), now)
    }

    /// Keeps the place, and lets others go on at once.
    pub(super) fn leave(
        mut self,
        documents: &mut dyn DocumentStore,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(documents, None, now).map(drop)
    }

    fn write(
        &mut self,
        documents: &mut dyn DocumentStore,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let lease = until.map(|until| (self.holder.as_str(), until));
        let expect = Expect::Version(self.version);
        let change = put(self.key.clone(), self.at, &self.aside, lease, now, expect);
        match documents.write(&[vec![change]], now)?.pop() {
            Some(Ok(versions)) => {
                self.version = versions.last().copied().unwrap_or_default();
                self.kept = self.at;
                self.until = until.unwrap_or(now);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Behind which row to read on.
    pub(super) fn after(&self) -> FeedPosition {
        match self.at.place {
            u32::MAX => self.at.row,
            // The rest of that row is due.
            _ => FeedPosition(self.at.row.0.saturating_sub(1)),
        }
    }
}

fn put(
    key: String,
    at: Cursor,
    aside: &BTreeSet<RunId>,
    lease: Option<(&str, Timestamp)>,
    now: Timestamp,
    expect: Expect,
) -> Change {
    let (holder, until) = lease.unwrap_or(("", now));
    let aside: Vec<String> = aside.iter().map(RunId::to_string).collect();
    let body = json!({ "at": at.to_string(), "aside": aside, "holder": holder, "until": until.0 });
    Change { collection: PLACES.into(), key, expect, write: Write::Put { body, secret: None } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_store::MemoryStore;

    #[test]
    fn addresses_are_checked() {
        for right in ["http://127.0.0.1:7420/dotflow/", "https://example.org"] {
            Target::new(right, Some("loom_x".into())).unwrap();
        }
        for wrong in ["", "example.org", "ftp://x/", "http://a:b@x/", "http://x/?y=1", "/dotflow"] {
            assert!(Target::new(wrong, None).is_err(), "{wrong}");
        }
        assert!(Target::new("http://x/", Some("a\nb".into())).is_err());
        let target = Target::new("http://x/y/", Some("secret".into())).unwrap();
        assert_eq!(target.at("/tasks/1"), "http://x/y/tasks/1");
        assert!(!format!("{target:?}").contains("secret"));
    }

    #[test]
    fn one_reports_at_a_time_and_the_next_goes_on_where_it_stopped() {
        let target = Target::new("http://x/", None).unwrap();
        let (mut store, mut query) = (MemoryStore::new(), MemoryStore::new());
        let now = Timestamp(1_000_000_000);
        assert!(Place::take(&target, "a", &mut store, now).unwrap().is_none());
        for _ in 0..2 {
            Place::prepare(&target, &mut query, &mut store, now).unwrap();
        }
        let mut first = Place::take(&target, "a", &mut store, now).unwrap().unwrap();
        assert!(Place::take(&target, "b", &mut store, now).unwrap().is_none());
        first.at = Cursor { row: FeedPosition(7), place: 2 };
        assert!(first.has_moved() && first.keep(&mut store, now).unwrap() && !first.has_moved());
        first.set_aside(RunId::new(1, 1));
        assert!(first.keep(&mut store, now).unwrap());
        let later = now + LEASE;
        let mut second = Place::take(&target, "b", &mut store, later).unwrap().unwrap();
        assert_eq!(second.at, first.at);
        assert!(
            second.is_aside(RunId::new(1, 1), false) && !second.is_aside(RunId::new(1, 2), false)
        );
        assert!(
            second.is_aside(RunId::new(1, 1), true) && !second.is_aside(RunId::new(1, 1), true)
        );
        assert!(!first.keep(&mut store, later).unwrap(), "it has lost the place");
        second.leave(&mut store, later).unwrap();
        assert!(Place::take(&target, "c", &mut store, later).unwrap().is_some());
    }
}
