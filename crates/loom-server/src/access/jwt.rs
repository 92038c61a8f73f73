//! JSON Web Tokens that somebody else issues.
//!
//! Which algorithms a key may be used with is decided by the key, never by the token: a public key
//! verifies signatures of its own kind and is never taken for a shared secret, and `none` is no
//! algorithm. Issuer, audience and times are checked against our own clock.

use super::caller::Proof;
use super::jwks::Jwks;
use super::roles::Roles;
use super::{Caller, Grant, tokens};
use crate::config::JwtConfig;
use crate::problem::Problem;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use loom_core::Timestamp;
use loom_engine::Clock;
use loom_protocol::ErrorCode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How far the issuer's clock may differ from ours.
const LEEWAY: Duration = Duration::from_mins(1);
/// How long a checked token is taken without checking its signature and roles again.
const LIFE: Duration = Duration::from_secs(5);
/// How many checked tokens are kept.
const KEPT_MAX: usize = 4096;
/// The most bytes of a token.
const TOKEN_MAX: usize = 16 << 10;

/// Knows callers by the tokens of one issuer.
pub(super) struct Issuer {
    config: JwtConfig,
    keys: Keys,
    roles: Arc<Roles>,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<[u8; 32], Kept>>,
}

enum Keys {
    Secret(Key),
    Public(Jwks),
}

#[derive(Clone)]
struct Kept {
    caller: Caller,
    until: Timestamp,
}

impl Issuer {
    /// Reads the keys that are in files. Says what is wrong with them.
    pub(super) fn new(
        config: JwtConfig,
        roles: Arc<Roles>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let keys = match &config.keys {
            crate::config::JwtKeys::Secret(secret) => Keys::Secret(Key::of_secret(secret)?),
            crate::config::JwtKeys::Jwks(source) => Keys::Public(Jwks::new(source.clone())?),
        };
        Ok(Self { config, keys, roles, clock, kept: Mutex::default() })
    }

    /// Who shows this token.
    pub(super) async fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let now = self.clock.now();
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let kept = self.kept().get(&key).cloned();
        if let Some(kept) = kept.filter(|kept| now < kept.until) {
            return Ok(kept.caller);
        }
        let (claims, end) = self.claims(token, now).await?;
        let caller = self.caller_of(&claims).await?;
        let mut all = self.kept();
        if all.len() >= KEPT_MAX {
            all.clear();
        }
        all.insert(key, Kept { caller: caller.clone(), until: (now + LIFE).min(end) });
        Ok(caller)
    }

    async fn claims(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, Timestamp), Problem> {
        if token.len() > TOKEN_MAX {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(|_| refused("its header cannot be read"))?;
        let claims = match &self.keys {
            Keys::Secret(key) => key.verify(token, header.alg)?,
            Keys::Public(keys) => {
                let key = keys.find(header.kid.as_deref(), now).await?;
                key.ok_or_else(|| refused("its key is not known"))?.verify(token, header.alg)?
            }
        };
        let end = check(&claims, &self.config.issuer, &self.config.audience, now)?;
        Ok((claims, end))
    }

    async fn caller_of(&self, claims: &Map<String, Value>) -> Result<Caller, Problem> {
        let config = &self.config;
        let name = name(claims, &config.name_claim)?;
        let named = names(claims.get(&config.roles_claim));
        let role = |name: String| config.roles.get(&name).cloned().unwrap_or(name);
        let roles: BTreeSet<String> = named.into_iter().map(role).collect();
        let namespaces = match &config.namespaces_claim {
            None => None,
            // A token that was to say where and does not is good nowhere.
            Some(claim) => Some(names(claims.get(claim))).filter(|names| !names.contains("*")),
        };
        let permissions = self.roles.granted(&roles).await?;
        let scope = tokens::scope(namespaces.as_ref());
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let proof = Proof::Issuer(issuer.to_owned());
        Ok(Caller::of_roles(name.to_owned(), proof, roles, vec![Grant { permissions, scope }]))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key, with the algorithms that it is good for.
#[derive(Clone)]
pub(super) struct Key {
    key: DecodingKey,
    algorithms: Vec<Algorithm>,
}

impl Key {
    /// A shared secret.
    fn of_secret(secret: &str) -> Result<Self, String> {
        if secret.len() < 32 {
            return Err("the secret of JSON Web Tokens has fewer than 32 bytes".to_owned());
        }
        let algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        Ok(Self { key: DecodingKey::from_secret(secret.as_bytes()), algorithms })
    }

    /// A public key; `None` for kinds that are not taken, shared secrets among them.
    pub(super) fn of_jwk(jwk: &Jwk) -> Option<Self> {
        use Algorithm::{ES256, ES384, PS256, PS384, PS512, RS256, RS384, RS512};
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => vec![RS256, RS384, RS512, PS256, PS384, PS512],
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => vec![ES256],
                EllipticCurve::P384 => vec![ES384],
                _ => return None,
            },
            _ => return None,
        };
        if let Some(named) = jwk.common.key_algorithm {
            // Both are called as in RFC 7518.
            algorithms.retain(|it| json!(it) == json!(named));
        }
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (!algorithms.is_empty()).then_some(Self { key, algorithms })
    }

    fn verify(&self, token: &str, named: Algorithm) -> Result<Map<String, Value>, Problem> {
        if !self.algorithms.contains(&named) {
            return Err(refused("it is signed by an algorithm that its key is not for"));
        }
        let mut validation = Validation::new(named);
        // Checked below, against our own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let data = decode::<Map<String, Value>>(token, &self.key, &validation);
        data.map(|data| data.claims).map_err(|_| refused("its signature is wrong"))
    }
}

/// Checks what a token says of itself, and answers when it ends.
fn check(
    claims: &Map<String, Value>,
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<Timestamp, Problem> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(refused("it is of another issuer"));
    }
    let is_audience = match claims.get("aud") {
        Some(Value::Array(items)) => items.iter().any(|item| item == audience),
        Some(one) => one == audience,
        None => false,
    };
    if !is_audience {
        return Err(refused("it is for another audience"));
    }
    let time = |name: &str| {
        let wrong = || refused(&format!("its `{name}` is no time"));
        claims.get(name).map(|value| seconds(value).ok_or_else(wrong)).transpose()
    };
    let end = time("exp")?.ok_or_else(|| refused("it has no end"))? + LEEWAY;
    if end <= now {
        return Err(refused("it has expired"));
    }
    if time("nbf")?.is_some_and(|begin| begin > now + LEEWAY) {
        return Err(refused("it is not good yet"));
    }
    Ok(end)
}

fn seconds(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_f64().filter(|seconds| (0.0..1e13).contains(seconds))?;
    Some(Timestamp((seconds * 1e6) as u64))
}

/// What the caller is called: it is recorded with what they do, as the names of our own tokens are.
fn name<'a>(claims: &'a Map<String, Value>, claim: &str) -> Result<&'a str, Problem> {
    let name = claims.get(claim).and_then(Value::as_str);
    let name = name.ok_or_else(|| refused(&format!("it has no `{claim}`")))?;
    if tokens::is_name(name) {
        return Ok(name);
    }
    let most = tokens::NAME_MAX;
    Err(refused(&format!("its `{claim}` has 1 to {most} characters, none of control")))
}

/// The names in a claim: a list, or one text with spaces between them.
fn names(claim: Option<&Value>) -> BTreeSet<String> {
    match claim {
        Some(Value::String(text)) => text.split(' ').map(str::to_owned).collect(),
        Some(Value::Array(items)) => {
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn refused(why: &str) -> Problem {
    Problem::new(ErrorCode::Unauthenticated, format!("the JSON Web Token is refused: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn claims(value: Value) -> Map<String, Value> {
        let Value::Object(claims) = value else { panic!("not an object") };
        claims
    }

    #[track_caller]
    fn verdict(value: Value) -> String {
        match check(&claims(value), "https://id", "loom", NOW) {
            Ok(_) => "good".to_owned(),
            Err(problem) => {
                problem.message.trim_start_matches("the JSON Web Token is refused: ").to_owned()
            }
        }
    }

    #[test]
    fn issuer_audience_and_times_are_checked() {
        let (now, iss, aud) = (NOW.0 / 1_000_000, "https://id", "loom");
        for (value, expected) in [
            (json!({"iss": iss, "aud": aud, "exp": now}), "good"),
            (json!({"iss": iss, "aud": ["x", aud], "exp": now - 59}), "good"),
            (json!({"iss": iss, "aud": aud, "exp": now - 60}), "it has expired"),
            (json!({"iss": iss, "aud": aud}), "it has no end"),
            (json!({"iss": iss, "aud": aud, "exp": "soon"}), "its `exp` is no time"),
            (json!({"iss": iss, "aud": aud, "exp": -1}), "its `exp` is no time"),
            (json!({"iss": iss, "aud": aud, "exp": now, "nbf": now + 60}), "good"),
            (json!({"iss": iss, "aud": aud, "exp": now, "nbf": now + 61}), "it is not good yet"),
            (json!({"iss": iss, "aud": aud, "exp": now, "nbf": null}), "its `nbf` is no time"),
            (json!({"iss": "https://else", "aud": aud, "exp": now}), "it is of another issuer"),
            (json!({"aud": aud, "exp": now}), "it is of another issuer"),
            (json!({"iss": iss, "exp": now}), "it is for another audience"),
            (json!({"iss": iss, "aud": "else loom", "exp": now}), "it is for another audience"),
            (json!({"iss": iss, "aud": "loom2", "exp": now}), "it is for another audience"),
        ] {
            assert_eq!(verdict(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn names_are_short_and_plain() {
        let name = |value: Value| {
            let claims = claims(json!({ "sub": value }));
            super::name(&claims, "sub").map(str::to_owned).map_err(|problem| problem.code)
        };
        let longest = "ü".repeat(200);
        for good in ["ann", "Ann O'Neill", &longest] {
            assert_eq!(name(json!(good)), Ok(good.to_owned()));
        }
        let too_long = "x".repeat(201);
        for bad in ["", &too_long, "a\nb", "a\0"] {
            assert_eq!(name(json!(bad)), Err(ErrorCode::Unauthenticated), "{bad:?}");
        }
        assert_eq!(name(json!(7)), Err(ErrorCode::Unauthenticated));
    }

    #[test]
    fn a_secret_verifies_what_it_signed_and_no_public_key_is_a_secret() {
        use jsonwebtoken::{EncodingKey, Header, encode};
        let secret = "0123456789abcdef0123456789abcdef";
        let key = Key::of_secret(secret).unwrap();
        let sign = |alg, secret: &str| {
            let signer = EncodingKey::from_secret(secret.as_bytes());
            encode(&Header::new(alg), &json!({"sub": "ann"}), &signer).unwrap()
        };
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let token = sign(alg, secret);
            assert_eq!(key.verify(&token, alg).unwrap()["sub"], "ann");
            assert!(key.verify(&sign(alg, "another secret of another one!!!"), alg).is_err());
            // The last character of a signature carries bits that are not part of it.
            let (mut bytes, at) = (token.into_bytes(), 30);
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(key.verify(std::str::from_utf8(&bytes).unwrap(), alg).is_err());
        }
        assert!(key.verify(&sign(Algorithm::HS256, secret), Algorithm::RS256).is_err());
        assert!(Key::of_secret("short").is_err());
    }

    #[test]
    fn a_shared_secret_in_a_set_of_public_keys_is_not_taken() {
        let oct = json!({"kty": "oct", "kid": "1", "alg": "HS256", "k": "c2VjcmV0"});
        assert!(Key::of_jwk(&serde_json::from_value(oct).unwrap()).is_none());
        let rsa = json!({"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"});
        let key = Key::of_jwk(&serde_json::from_value(rsa.clone()).unwrap()).unwrap();
        assert!(!key.algorithms.contains(&Algorithm::HS256));
        let mut bound = rsa;
        bound["alg"] = json!("RS512");
        let key = Key::of_jwk(&serde_json::from_value(bound).unwrap()).unwrap();
        assert_eq!(key.algorithms, [Algorithm::RS512]);
    }
}
