//! When two requests to start a run are one.
//!
//! The first request with a key reserves it for the identity of the run that it is about to start;
//! a repeat finds the reservation and answers with that run, whatever became of its workflow, or of
//! the run itself, since. If the server ended between the two, the run never was there: the repeat
//! then starts it, under the reserved identity.
//!
//! Reservations lie in buckets of one window's length, so that old ones can be swept without a look
//! at each. A request looks into its own bucket and the one before.
//!
//! They hold digests of what was asked for, secrets among it. The digests are made with a secret of
//! the store, so that a copy of it does not help to guess them.

use super::service::Runs;
use crate::access::Caller;
use crate::ids::{hex, new_id, random};
use crate::problem::Problem;
use hmac::{Hmac, KeyInit, Mac};
use loom_core::{RunId, Timestamp};
use loom_protocol::ErrorCode;
use loom_protocol::api::{Identity, StartRun};
use loom_store::{Change, Document, Expect, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use std::time::Duration;

/// The collection of reservations. Keys are `WINDOW/BUCKET/HASH`.
pub(super) const COLLECTION: &str = "run-keys";
/// The collection of the secret that digests are made with, and its key.
const SALTS: &str = "run-key-salts";
const SALT: &str = "salt";
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
    /// Of all that was asked for: a repeat asks for the same.
    request: String,
}

/// What a key stands for.
pub(crate) enum Reserved {
    /// A run that is to be started.
    Start(Claim),
    /// A run that was started.
    Repeat(RunId),
}

/// A reservation whose run is to be started.
pub(crate) struct Claim {
    place: String,
    version: u64,
    reservation: Reservation,
}

impl Claim {
    /// The identity that the run gets.
    pub(crate) const fn run(&self) -> RunId {
        self.reservation.run
    }
}

/// A reservation as it is kept.
#[derive(Serialize, Deserialize)]
struct Reservation {
    run: RunId,
    request: String,
    at: Timestamp,
    /// Whether the run was started. If it is not there, it was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begun: bool,
}

impl RunKey {
    fn place(&self, bucket: u128) -> String {
        format!("{}/{bucket:012}/{}", self.window.as_secs(), self.hash)
    }
}

impl Runs {
    /// What makes this request the same as another; `None` if it is new in any case.
    pub(super) async fn key(
        &self,
        caller: &Caller,
        request: &StartRun,
        key: Option<&str>,
    ) -> Result<Option<RunKey>, Problem> {
        let namespace = request.namespace.as_deref().unwrap_or("default");
        let version = request.version.as_deref();
        let variables = serde_json::to_string(&request.variables).expect("its keys are text");
        match (request.identity, key) {
            (Identity::Key {}, None) => Ok(None),
            (Identity::Key {}, Some(key)) => {
                // As it was sent: what the latest version is may have changed since.
                let version = version.unwrap_or("latest");
                let asked = ["run", namespace, &request.workflow, version, &variables];
                self.key_of(caller, namespace, key, &asked).await.map(Some)
            }
            (Identity::Content { .. }, Some(_)) => {
                let what = "an Idempotency-Key and an identity by content exclude each other";
                Err(Problem::argument(what))
            }
            (Identity::Content { window_s }, None) => {
                if window_s == 0 || window_s > WINDOW_MAX {
                    let what = format!("`identity.window_s` is 1 to {WINDOW_MAX}");
                    return Err(Problem::argument(what));
                }
                let prepared = self.workflows.prepared(namespace, &request.workflow, version);
                let definition = hex(&prepared.await?.hash);
                let hash = digest(self.salt().await?, &["content", &definition, &variables]);
                let window = Duration::from_secs(window_s.into());
                Ok(Some(RunKey { window, request: hash.clone(), hash }))
            }
        }
    }

    /// What makes a request the same as another that the caller gave this key. A key is one of its
    /// namespace too: callers of others may have the same name, and are to learn nothing of it.
    async fn key_of(
        &self,
        caller: &Caller,
        namespace: &str,
        key: &str,
        asked: &[&str],
    ) -> Result<RunKey, Problem> {
        if key.is_empty() || key.len() > KEY_MAX {
            let what = format!("an Idempotency-Key has 1 to {KEY_MAX} characters");
            return Err(Problem::argument(what));
        }
        let salt = self.salt().await?;
        let hash = digest(salt, &["key", namespace, caller.name(), key]);
        Ok(RunKey { window: KEY_WINDOW, hash, request: digest(salt, asked) })
    }

    /// Reserves a caller's key for the run that something else is asked to start, or finds the run
    /// that it stands for.
    pub(crate) async fn reserve_for(
        &self,
        caller: &Caller,
        namespace: &str,
        key: &str,
        asked: &[&str],
    ) -> Result<Reserved, Problem> {
        let key = self.key_of(caller, namespace, key, asked).await?;
        match self.reserved(&key).await? {
            Some(reserved) => Ok(reserved),
            None => self.reserve(&key, new_id(self.clock.now())?).await,
        }
    }

    /// What a key stands for, if it is reserved.
    pub(super) async fn reserved(&self, key: &RunKey) -> Result<Option<Reserved>, Problem> {
        let now = self.clock.now();
        let bucket = bucket(key.window, now);
        for bucket in [Some(bucket), bucket.checked_sub(1)].into_iter().flatten() {
            let place = key.place(bucket);
            if let Some(found) = self.shelf.document(COLLECTION, place).await? {
                let claim = claim(found)?;
                if now.since(claim.reservation.at) < key.window {
                    return self.stands_for(key, claim).await.map(Some);
                }
            }
        }
        Ok(None)
    }

    /// Reserves a key for the run of this identity, unless somebody else was quicker.
    pub(super) async fn reserve(&self, key: &RunKey, run: RunId) -> Result<Reserved, Problem> {
        let at = self.clock.now();
        let place = key.place(bucket(key.window, at));
        let reservation = Reservation { run, request: key.request.clone(), at, begun: false };
        let change = put(&place, &reservation, Expect::Absent);
        if let Ok(versions) = self.shelf.write(vec![change]).await? {
            return Ok(Reserved::Start(Claim { place, version: versions[0], reservation }));
        }
        match self.shelf.document(COLLECTION, place).await? {
            Some(found) => self.stands_for(key, claim(found)?).await,
            None => Err(Problem::busy("an idempotency key expired just now")),
        }
    }

    /// Notes that the run of a reservation was started. Nobody waits for that: if a crash prevents
    /// it, the run itself tells as much for as long as it is there.
    pub(crate) fn begun(&self, claim: Claim) {
        let Claim { place, version, reservation } = claim;
        let reservation = Reservation { begun: true, ..reservation };
        self.shelf.note(vec![put(&place, &reservation, Expect::Version(version))]);
    }

    async fn stands_for(&self, key: &RunKey, claim: Claim) -> Result<Reserved, Problem> {
        let Reservation { run, request, begun, .. } = &claim.reservation;
        if *request != key.request {
            let message = "the Idempotency-Key was used for a run of another workflow or with \
                           other variables";
            return Err(Problem::new(ErrorCode::KeyReused, message)
                .help("use a new key for each run that is meant to be another"));
        }
        let run = *run;
        let look = move |store: &mut (dyn loom_store::QueryStore + 'static)| match store.run(run) {
            Ok(_) => Ok(true),
            Err(StoreError::NoRun(_)) => Ok(false),
            Err(error) => Err(error),
        };
        if *begun {
            return Ok(Reserved::Repeat(run));
        }
        if self.readers.ask(look).await? {
            self.begun(claim);
            return Ok(Reserved::Repeat(run));
        }
        Ok(Reserved::Start(claim))
    }

    /// The store's secret for digests, which the first who needs one makes.
    async fn salt(&self) -> Result<&str, Problem> {
        let find = async || -> Result<Option<String>, Problem> {
            let found = self.shelf.document(SALTS, SALT).await?;
            Ok(found.and_then(|document| document.secret))
        };
        let make = async || {
            if let Some(salt) = find().await? {
                return Ok(salt);
            }
            let write = Write::Put { body: json!({}), secret: Some(hex(&random::<32>()?)) };
            let (collection, key) = (SALTS.into(), SALT.into());
            let change = Change { collection, key, expect: Expect::Absent, write };
            // Another server may have been quicker.
            let _ = self.shelf.write(vec![change]).await?;
            let lost = || Problem::new(ErrorCode::StoreCorrupt, "the keys' salt cannot be read");
            find().await?.ok_or_else(lost)
        };
        self.salt.get_or_try_init(make).await.map(String::as_str)
    }
}

/// Which of the windows since 1970 this moment lies in.
pub(super) fn bucket(window: Duration, now: Timestamp) -> u128 {
    u128::from(now.0) / window.as_micros()
}

fn claim(found: Document) -> Result<Claim, Problem> {
    let reservation = serde_json::from_value(found.body)
        .map_err(|_| Problem::new(ErrorCode::StoreCorrupt, "a reserved key cannot be read"))?;
    Ok(Claim { place: found.key, version: found.version, reservation })
}

fn put(place: &str, reservation: &Reservation, expect: Expect) -> Change {
    let write = Write::Put { body: json!(reservation), secret: None };
    Change { collection: COLLECTION.into(), key: place.to_owned(), expect, write }
}

/// A digest of texts, each with its length, so that they cannot run into each other.
fn digest(salt: &str, parts: &[&str]) -> String {
    let mut code =
        Hmac::<Sha256>::new_from_slice(salt.as_bytes()).expect("a key may have any length");
    for part in parts {
        code.update(&(part.len() as u64).to_be_bytes());
        code.update(part.as_bytes());
    }
    hex(&code.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_each_part_and_of_the_salt() {
        let one = digest("s", &["ab", "c"]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, digest("s", &["ab", "c"]));
        for other in [digest("s", &["a", "bc"]), digest("s", &["abc"]), digest("t", &["ab", "c"])] {
            assert_ne!(one, other);
        }
    }
}
