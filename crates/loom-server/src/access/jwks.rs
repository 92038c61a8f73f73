//! The public keys of an issuer: a JWKS document, from a file or a URL, read again as keys change.

use super::jwt::Key;
use crate::config::JwksSource;
use crate::problem::Problem;
use jsonwebtoken::jwk::Jwk;
use loom_core::Timestamp;
use loom_protocol::{ErrorCode, json};
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;

/// How old the keys may get before they are read again.
const AGE_MAX: Duration = Duration::from_hours(1);
/// How long to wait between two readings, whatever keys strangers name.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a reading may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of a document.
const BYTES_MAX: u64 = 1 << 20;
/// The most keys of a document.
const KEYS_MAX: usize = 200;

pub(super) struct Jwks {
    source: JwksSource,
    kept: Arc<RwLock<Kept>>,
    /// When the last reading was tried. Held while one is under way, so that there is one.
    tried: Arc<Mutex<Option<Timestamp>>>,
}

#[derive(Default)]
struct Kept {
    keys: Arc<Vec<(Option<String>, Key)>>,
    read_at: Option<Timestamp>,
}

impl Jwks {
    /// The keys of this source. A file is read at once, so that a mistake is found at the start.
    pub(super) fn new(source: JwksSource) -> Result<Self, String> {
        let keys = match &source {
            JwksSource::File(_) => read(&source)?,
            JwksSource::Url(_) => Vec::new(),
        };
        let kept = Arc::new(RwLock::new(Kept { keys: Arc::new(keys), read_at: None }));
        Ok(Self { source, kept, tried: Arc::default() })
    }

    /// The key of this identity; the only key, if a token names none. A key that is known is good while
    /// the keys are read again, however long the issuer takes; one that is not is waited for.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Key>, Problem> {
        let (found, fresh) = self.look(id, now);
        if found.is_some() {
            if !fresh && let Ok(turn) = Arc::clone(&self.tried).try_lock_owned() {
                // It is told by a look that finds them.
                drop(self.renew(turn, now));
            }
            return Ok(found);
        }
        let turn = Arc::clone(&self.tried).lock_owned().await;
        // Another caller may have waited for the same.
        if let (Some(found), _) = self.look(id, now) {
            return Ok(Some(found));
        }
        if let Some(reading) = self.renew(turn, now) {
            let read = reading.await.map_err(|_| Problem::stopping())?;
            read.map_err(|why| Problem::new(ErrorCode::Unauthenticated, why))?;
        }
        Ok(self.look(id, now).0)
    }

    /// What is known, and whether it is young enough.
    fn look(&self, id: Option<&str>, now: Timestamp) -> (Option<Key>, bool) {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let found = match (id, &kept.keys[..]) {
            (Some(id), keys) => keys.iter().find(|(of, _)| of.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let fresh = kept.read_at.is_some_and(|at| now.since(at) < AGE_MAX);
        (found.map(|(_, key)| key.clone()), fresh)
    }

    /// Reads the keys again, unless that was done just now. Those that are known stay good while the
    /// issuer cannot be reached.
    fn renew(
        &self,
        mut turn: OwnedMutexGuard<Option<Timestamp>>,
        now: Timestamp,
    ) -> Option<JoinHandle<Result<(), String>>> {
        if turn.is_some_and(|at| now.since(at) < PAUSE) {
            return None;
        }
        *turn = Some(now);
        let (source, kept) = (self.source.clone(), Arc::clone(&self.kept));
        Some(tokio::task::spawn_blocking(move || {
            let keys = Arc::new(read(&source)?);
            let read = Kept { keys, read_at: Some(now) };
            *kept.write().unwrap_or_else(PoisonError::into_inner) = read;
            drop(turn);
            Ok(())
        }))
    }
}

/// Reads and understands the document. Not for a thread of the async runtime.
fn read(source: &JwksSource) -> Result<Vec<(Option<String>, Key)>, String> {
    let text = match source {
        JwksSource::File(path) => read_file(path),
        JwksSource::Url(url) => fetch(url),
    };
    let text = text.map_err(|error| format!("the keys of the issuer cannot be read: {error}"))?;
    parse(&text).map_err(|error| format!("the keys of the issuer cannot be understood: {error}"))
}

fn read_file(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let read = file.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text)
}

fn fetch(url: &str) -> Result<String, String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build();
    let mut response = config.new_agent().get(url).call().map_err(|error| error.to_string())?;
    let body = response.body_mut().with_config().limit(BYTES_MAX);
    body.read_to_string().map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The keys that can be used. Others in the document are for others.
fn parse(text: &str) -> Result<Vec<(Option<String>, Key)>, String> {
    let document: Document = json::read(text.as_bytes()).map_err(|error| error.to_string())?;
    if document.keys.len() > KEYS_MAX {
        return Err(format!("there are more than {KEYS_MAX} keys"));
    }
    let usable = document.keys.into_iter().filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        Some((jwk.common.key_id.clone(), Key::of_jwk(&jwk)?))
    });
    let keys: Vec<_> = usable.collect();
    if keys.is_empty() { Err("there is no RSA or EC key among them".to_owned()) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let keys = parse(
            r#"{"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"},
                {"kty": "oct", "kid": "b", "k": "AQAB"}, {"kty": "new", "kid": "c"}, 7]}"#,
        );
        assert_eq!(keys.unwrap()[0].0.as_deref(), Some("a"));
        for wrong in ["", "{}", r#"{"keys": []}"#, r#"{"keys": [{"kty": "oct", "k": "AQAB"}]}"#] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn keys_are_read_again_when_they_change_but_not_for_every_stranger() {
        let path = std::env::temp_dir().join(format!("loom-jwks-{}", std::process::id()));
        let put = |id: &str| {
            let key = format!(
                r#"{{"keys": [{{"kty": "RSA", "kid": "{id}", "n": "AQAB", "e": "AQAB"}}]}}"#
            );
            std::fs::write(&path, key).unwrap();
        };
        put("old");
        let keys = Jwks::new(JwksSource::File(path.clone())).unwrap();
        let find = async |id: Option<&str>, second: u64| {
            let now = Timestamp::from_millis(1000 * (1_000_000 + second));
            keys.find(id, now).await.map(|key| key.is_some()).map_err(|problem| problem.code)
        };
        assert_eq!(find(Some("old"), 0).await, Ok(true));
        settled(&keys).await;
        put("new");
        assert_eq!(find(Some("new"), 9).await, Ok(false));
        assert_eq!(find(Some("new"), 10).await, Ok(true));
        assert_eq!(find(Some("old"), 19).await, Ok(false));
        // The only key needs no name.
        assert_eq!(find(None, 20).await, Ok(true));
        std::fs::remove_file(&path).unwrap();
        // Known keys outlive a source that fails; others are not found out.
        assert_eq!(find(Some("new"), 4000).await, Ok(true));
        settled(&keys).await;
        assert_eq!(find(Some("else"), 4020).await, Err(ErrorCode::Unauthenticated));
        assert_eq!(find(Some("new"), 4021).await, Ok(true));
    }

    /// Waits until no reading is under way.
    async fn settled(keys: &Jwks) {
        drop(keys.tried.lock().await);
    }

    #[tokio::test]
    async fn known_keys_are_good_while_the_issuer_hangs() {
        let issuer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", issuer.local_addr().unwrap());
        let keys = Jwks::new(JwksSource::Url(url)).unwrap();
        let text = r#"{"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}]}"#;
        let (known, first) = (Arc::new(parse(text).unwrap()), Timestamp::from_millis(1));
        *keys.kept.write().unwrap() = Kept { keys: known, read_at: Some(first) };
        let later = first + 2 * AGE_MAX;
        for _ in 0..3 {
            let found = tokio::time::timeout(Duration::from_secs(2), keys.find(Some("a"), later));
            assert!(found.await.unwrap().unwrap().is_some());
        }
        assert!(keys.tried.try_lock().is_err(), "it is being asked");
        let (mut asked, _) = issuer.accept().unwrap();
        let mut first = [0; 3];
        asked.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"GET");
        drop(asked);
        settled(&keys).await;
        assert!(keys.find(Some("a"), later).await.unwrap().is_some());
    }
}
