//! When two requests to start a run are one.
//!
//! The first request with a key reserves it for the identity of the run that it is about to start;
//! a repeat finds the reservation and answers with that run. If the server ended between the two,
//! the reserved run is not there: the repeat then starts it, under the reserved identity.
//!
//! Reservations lie in buckets of one window's length, so that old ones can be swept without a look
//! at each. A request looks into its own bucket and the one before.

use super::service::Runs;
use crate::access::Caller;
use crate::ids::hex;
use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;
use loom_protocol::api::{Identity, StartRun};
use loom_store::{Change, DefinitionHash, Document, Expect, Write};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The collection of reservations. Keys are `WINDOW/BUCKET/HASH`.
pub(super) const COLLECTION: &str = "run-keys";
/// How long an `Idempotency-Key` is remembered.
const KEY_WINDOW: Duration = Duration::from_hours(24);
/// The longest window that a caller may ask for.
const WINDOW_MAX: u32 = 7 * 24 * 60 * 60;
/// The longest `Idempotency-Key`.
const KEY_MAX: usize = 255;

/// What a request is known by.
pub(super) struct RunKey {
    window: Duration,
    /// Of the caller's key, or of the content.
    hash: String,
    /// Of everything that the run is made of.
    content: String,
}

/// What reserving a key came to.
pub(super) enum Reserved {
    /// The run of this identity is to be started.
    Start(RunId),
    /// It is there already.
    Repeat(RunId),
}

impl RunKey {
    /// What makes this request the same as another; `None` if it is new in any case.
    pub(super) fn of(
        caller: &Caller,
        request: &StartRun,
        key: Option<&str>,
        definition: &DefinitionHash,
    ) -> Result<Option<Self>, Problem> {
        let content = content(request, definition);
        let (window, parts) = match (request.identity, key) {
            (Identity::Key, None) => return Ok(None),
            (Identity::Key, Some(key)) => {
                if key.is_empty() || key.len() > KEY_MAX {
                    let what = format!("an Idempotency-Key has 1 to {KEY_MAX} characters");
                    return Err(Problem::argument(what));
                }
                (KEY_WINDOW, ["key", caller.name(), key])
            }
            (Identity::Content { .. }, Some(_)) => {
                let what = "an Idempotency-Key and an identity by content exclude each other";
                return Err(Problem::argument(what));
            }
            (Identity::Content { window_s }, None) => {
                if window_s == 0 || window_s > WINDOW_MAX {
                    let what = format!("`identity.window_s` is 1 to {WINDOW_MAX}");
                    return Err(Problem::argument(what));
                }
                (Duration::from_secs(window_s.into()), ["content", "", content.as_str()])
            }
        };
        let hash = digest(&parts);
        Ok(Some(Self { window, hash, content }))
    }

    fn place(&self, bucket: u128) -> String {
        format!("{}/{bucket:012}/{}", self.window.as_secs(), self.hash)
    }
}

impl Runs {
    /// Reserves a key for the run of this identity, or finds the run that it stands for.
    pub(super) async fn reserve(&self, key: &RunKey, new: RunId) -> Result<Reserved, Problem> {
        let now = self.clock.now();
        let bucket = bucket(key.window, now);
        if let Some(before) = bucket.checked_sub(1)
            && let Some(found) = self.shelf.document(COLLECTION, key.place(before)).await?
            && now.since(found.written_at) < key.window
        {
            return self.reserved(key, &found).await;
        }
        let place = key.place(bucket);
        let body = json!({ "run": new.to_string(), "content": key.content });
        let write = Write::Put { body, secret: None };
        let collection = COLLECTION.into();
        let change = Change { collection, key: place.clone(), expect: Expect::Absent, write };
        if self.shelf.write(vec![change]).await?.is_ok() {
            return Ok(Reserved::Start(new));
        }
        match self.shelf.document(COLLECTION, place).await? {
            Some(found) => self.reserved(key, &found).await,
            None => Err(Problem::busy("an idempotency key expired just now")),
        }
    }

    async fn reserved(&self, key: &RunKey, found: &Document) -> Result<Reserved, Problem> {
        let text = |name: &str| found.body.get(name).and_then(|value| value.as_str());
        let run = text("run").and_then(|text| text.parse::<RunId>().ok()).ok_or_else(|| {
            Problem::new(ErrorCode::StoreCorrupt, "a reserved key cannot be read")
        })?;
        if text("content") != Some(key.content.as_str()) {
            let message = "the Idempotency-Key was used for a run of another workflow or with \
                           other variables";
            return Err(Problem::new(ErrorCode::KeyReused, message)
                .help("use a new key for each run that is meant to be another"));
        }
        let is_there = self.readers.ask(move |store| Ok(store.run(run).is_ok())).await?;
        Ok(if is_there { Reserved::Repeat(run) } else { Reserved::Start(run) })
    }
}

/// Which of the windows since 1970 this moment lies in.
pub(super) fn bucket(window: Duration, now: Timestamp) -> u128 {
    u128::from(now.0) / window.as_micros()
}

/// A digest of what the run is made of.
fn content(request: &StartRun, definition: &DefinitionHash) -> String {
    let variables = serde_json::to_string(&request.variables).expect("its keys are text");
    digest(&[&hex(definition), &variables])
}

/// A digest of texts, each with its length, so that they cannot run into each other.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}
