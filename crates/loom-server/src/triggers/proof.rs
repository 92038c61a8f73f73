//! Whether a request shows what its trigger asks for. Comparing takes the same time however much of
//! a secret was guessed.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use loom_core::Timestamp;
use loom_protocol::api::Proof;
use sha2::Sha256;

/// What a request proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proven {
    /// Names a request of which its sender said when it was made, so that it is the same only if it
    /// is sent again.
    pub(super) signature: Option<String>,
}

/// Checks a request; `None` if it proves nothing, for whatever reason: who guesses learns nothing.
pub(super) fn check(
    proof: &Proof,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Option<Proven> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    match proof {
        Proof::Token { secret, header } => {
            let given = text(header)?;
            let given = given.strip_prefix("Bearer ").unwrap_or(given);
            // Under a code, texts of all lengths are compared as if they were equally long.
            let expected = code(b"token", &[secret.as_bytes()]).finalize().into_bytes();
            code(b"token", &[given.as_bytes()]).verify_slice(&expected).ok()?;
            Some(Proven { signature: None })
        }
        Proof::Hmac { secret, header, timestamp_header, tolerance_s } => {
            let given = text(header)?;
            let given = given.strip_prefix("sha256=").unwrap_or(given);
            let bytes = unhex(given)?;
            let code = match timestamp_header {
                None => code(secret.as_bytes(), &[body]),
                Some(name) => {
                    let time = text(name)?;
                    let seconds: u64 = time.parse().ok()?;
                    let off = (now.0 / 1_000_000).abs_diff(seconds);
                    if off > u64::from(*tolerance_s) {
                        return None;
                    }
                    code(secret.as_bytes(), &[time.as_bytes(), b".", body])
                }
            };
            code.verify_slice(&bytes).ok()?;
            let dated = timestamp_header.is_some();
            Some(Proven { signature: dated.then(|| given.to_ascii_lowercase()) })
        }
    }
}

fn code(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    parts.iter().for_each(|part| code.update(part));
    code
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    /// GitHub's own example of the secret and the body above.
    const SIGNATURE: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn hmac(timestamp_header: Option<&str>) -> Proof {
        Proof::Hmac {
            secret: SECRET.into(),
            header: "X-Hub-Signature-256".into(),
            timestamp_header: timestamp_header.map(str::to_owned),
            tolerance_s: 300,
        }
    }

    #[test]
    fn a_signature_as_github_writes_it_proves_the_body() {
        let good = headers(&[("x-hub-signature-256", SIGNATURE)]);
        assert!(check(&hmac(None), &good, BODY, NOW).is_some());
        assert!(check(&hmac(None), &good, b"Hello, World?", NOW).is_none());
        for wrong in ["", "sha256=", "sha256=zz", &SIGNATURE[..70], &SIGNATURE.replace('7', "8")] {
            let wrong = headers(&[("x-hub-signature-256", wrong)]);
            assert!(check(&hmac(None), &wrong, BODY, NOW).is_none());
        }
        assert!(check(&hmac(None), &HeaderMap::new(), BODY, NOW).is_none());
    }

    #[test]
    fn a_time_that_is_signed_holds_within_its_tolerance() {
        let proof = hmac(Some("X-Time"));
        // (seconds from now, whether it holds)
        for (off, holds) in [(0i64, true), (300, true), (-300, true), (301, false), (-301, false)] {
            let time = (1_800_000_000 + off).to_string();
            let signed = code(SECRET.as_bytes(), &[time.as_bytes(), b".", BODY]).finalize();
            let signed = signed.into_bytes();
            let hex = loom_store::record::hex(&signed);
            let both = [("x-time", time.as_str()), ("x-hub-signature-256", hex.as_str())];
            let proven = check(&proof, &headers(&both), BODY, NOW);
            let expected = holds.then(|| Proven { signature: Some(hex.clone()) });
            assert_eq!(proven, expected, "{off}");
        }
        let undated = headers(&[("x-hub-signature-256", SIGNATURE), ("x-time", "1800000000")]);
        assert!(check(&proof, &undated, BODY, NOW).is_none());
    }

    #[test]
    fn a_token_is_shown_whole_with_or_without_bearer() {
        let proof = Proof::Token { secret: SECRET.into(), header: "Authorization".into() };
        let shown =
            |text: &str| check(&proof, &headers(&[("authorization", text)]), BODY, NOW).is_some();
        assert!(shown(SECRET) && shown(&format!("Bearer {SECRET}")));
        assert!(!shown("") && !shown("Bearer ") && !shown(&SECRET[1..]) && !shown("x"));
    }
}
