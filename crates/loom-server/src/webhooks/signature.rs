//! Signatures as Standard Webhooks has them: HMAC-SHA256 over identity, time and body.

use crate::ids::random;
use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use loom_core::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::time::Duration;

const PREFIX: &str = "whsec_";

/// What the deliveries of a subscription are signed with.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Secrets {
    current: Secret,
    /// The one before, while receivers may still know that one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<(Secret, Timestamp)>,
}

impl Secrets {
    pub(super) const fn new(current: Secret) -> Self {
        Self { current, old: None }
    }

    /// As they are kept, sealed.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("its keys are text")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The same with a new secret; the one before is good for so much longer.
    pub(super) fn rotate(self, new: Secret, now: Timestamp, overlap: Duration) -> Self {
        let old = (!overlap.is_zero()).then_some((self.current, now + overlap));
        Self { current: new, old }
    }

    /// Until when the secret before the current one is good, if it is.
    pub(super) fn old_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.old.as_ref().map(|(_, until)| *until).filter(|until| now < *until)
    }

    /// The header `webhook-signature`: one for each secret that is good, the newest first. The
    /// header `webhook-timestamp` has the seconds of `now`.
    pub(super) fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let seconds = now.0 / 1_000_000;
        let current = self.current.sign(id, seconds, body);
        match &self.old {
            Some((old, until)) if now < *until => {
                format!("{current} {}", old.sign(id, seconds, body))
            }
            _ => current,
        }
    }
}

/// One secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Secret(Vec<u8>);

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.text()
    }
}

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("it is no secret")
    }
}

impl Secret {
    pub(super) fn generate() -> Result<Self, Problem> {
        Ok(Self(random::<32>()?.to_vec()))
    }

    /// `None` if it is no secret, or one of another length than 24 to 64 bytes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    pub(super) fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key has any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_standards_own_example() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_secrets_sign_while_they_overlap() {
        let (old, new) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let one = |secret: &Secret, seconds| secret.sign("1-0", seconds, b"{}");
        let at = |seconds: u64| Timestamp(seconds * 1_000_000);
        let secrets = Secrets::new(old.clone());
        assert_eq!(secrets.sign("1-0", at(5), b"{}"), one(&old, 5));
        let rotated = secrets.clone().rotate(new.clone(), at(10), Duration::from_secs(5));
        let rotated = Secrets::parse(&rotated.text()).unwrap();
        let both = format!("{} {}", one(&new, 14), one(&old, 14));
        assert_eq!(rotated.sign("1-0", at(14), b"{}"), both);
        assert_eq!(rotated.sign("1-0", at(15), b"{}"), one(&new, 15));
        assert_eq!((rotated.old_until(at(14)), rotated.old_until(at(15))), (Some(at(15)), None));
        let at_once = secrets.rotate(new.clone(), at(10), Duration::ZERO);
        assert_eq!(at_once.sign("1-0", at(10), b"{}"), one(&new, 10));
    }

    #[test]
    fn a_secret_comes_back_as_it_went_and_nothing_else_is_one() {
        let secret = Secret::generate().unwrap();
        assert_eq!(Secret::parse(&secret.text()).unwrap().0, secret.0);
        for wrong in ["", "whsec_", "whsec_!", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}
