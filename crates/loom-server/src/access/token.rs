//! Tokens as texts and as records.
//!
//! A token reads `loom_ID_SECRET`: the identity finds its record, the secret proves it. The secret
//! is 256 random bits, and only its SHA-256 is kept. A fast hash is right here: slow, salted ones
//! make up for passwords that can be guessed, and nobody guesses 256 random bits, however fast they
//! try; a slow hash would only make every request slow, and the server easy to overload.

use crate::ids::{hex, new_id, random};
use crate::problem::Problem;
use loom_core::{RunId, Timestamp};
use loom_protocol::api::TokenView;
use loom_protocol::rfc3339;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use subtle::ConstantTimeEq;

/// What every token starts with, so that people and scanners of secrets know one.
pub(super) const PREFIX: &str = "loom_";
/// The characters of a secret.
const SECRET_LEN: usize = 64;

/// A token that was just made.
pub(super) struct Issued {
    pub(super) id: String,
    /// What its owner keeps.
    pub(super) text: String,
    /// What the server keeps.
    pub(super) hash: String,
}

impl Issued {
    pub(super) fn new(now: Timestamp) -> Result<Self, Problem> {
        let id = new_id(now)?.to_string();
        let secret = hex(&random::<32>()?);
        Ok(Self { text: format!("{PREFIX}{id}_{secret}"), hash: hash(&secret), id })
    }
}

/// A token that somebody shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) id: String,
    hash: String,
}

impl Shown {
    /// The parts of a text, if it has the form of a token.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = id.parse::<RunId>().ok()?.to_string();
        let is_secret = secret.len() == SECRET_LEN
            && secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_secret.then(|| Self { id, hash: hash(secret) })
    }

    /// Whether this is the record's token. How long it takes says nothing about how much is right.
    pub(super) fn proves(&self, record: &Record) -> bool {
        self.hash.as_bytes().ct_eq(record.hash.as_bytes()).into()
    }
}

fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// What is kept of a token, under its identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) roles: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) namespaces: Option<BTreeSet<String>>,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revoked_at: Option<Timestamp>,
}

impl Record {
    /// Why the token is not good any more.
    pub(super) fn ended(&self, now: Timestamp) -> Option<&'static str> {
        if self.revoked_at.is_some() {
            return Some("the token was revoked");
        }
        self.expires_at.is_some_and(|end| end <= now).then_some("the token has expired")
    }

    pub(super) fn view(&self, id: &str, used: Option<Timestamp>) -> TokenView {
        let time = |at: Timestamp| rfc3339(at.0);
        TokenView {
            id: id.to_owned(),
            name: self.name.clone(),
            roles: self.roles.clone(),
            namespaces: self.namespaces.clone(),
            created_by: self.created_by.clone(),
            created_at: time(self.created_at),
            expires_at: self.expires_at.map(time),
            revoked_at: self.revoked_at.map(time),
            last_used_at: used.map(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn record(issued: &Issued) -> Record {
        Record {
            name: "ci".into(),
            hash: issued.hash.clone(),
            roles: BTreeSet::new(),
            namespaces: None,
            created_by: "me".into(),
            created_at: Timestamp(0),
            expires_at: Some(Timestamp::from_millis(1000)),
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_proves_its_own_record_alone() {
        let (one, other) = (Issued::new(Timestamp(0)).unwrap(), Issued::new(Timestamp(0)).unwrap());
        let shown = Shown::read(&one.text).unwrap();
        assert_eq!(shown.id, one.id);
        assert!(shown.proves(&record(&one)));
        assert!(!shown.proves(&record(&other)));
        assert!(!one.text.contains(&one.hash));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        let text = Issued::new(Timestamp(0)).unwrap().text;
        let upper = text.to_uppercase();
        for wrong in ["", "loom_", "loom__", &text[..text.len() - 1], &text[5..], &upper] {
            assert_eq!(Shown::read(wrong), None, "{wrong}");
        }
        assert_eq!(Shown::read(&format!("{text}0")), None);
    }

    #[test]
    fn a_token_ends_at_its_time_or_when_it_is_revoked() {
        let mut record = record(&Issued::new(Timestamp(0)).unwrap());
        let end = Timestamp(0) + Duration::from_secs(1);
        assert_eq!(record.ended(Timestamp(999_999)), None);
        assert_eq!(record.ended(end), Some("the token has expired"));
        record.revoked_at = Some(Timestamp(1));
        assert_eq!(record.ended(Timestamp(2)), Some("the token was revoked"));
    }
}
