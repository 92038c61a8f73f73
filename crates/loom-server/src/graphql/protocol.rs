//! The words of `graphql-transport-ws`, the protocol that GraphQL clients speak over WebSocket.

use super::answer::Answer;
use super::request::Body;
use loom_protocol::ErrorCode;
use loom_protocol::json::read;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The protocol's name.
pub(super) const NAME: &str = "graphql-transport-ws";
/// The longest identity of an operation.
const ID_MAX: usize = 128;
/// The most bytes of the reason that a connection is closed for.
const REASON_MAX: usize = 123;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Request {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Ping {},
    Pong {},
    Subscribe {
        id: String,
        payload: Body,
    },
    Complete {
        id: String,
    },
}

impl Request {
    /// Reads a message.
    pub(super) fn read(text: &str) -> Result<Self, Farewell> {
        let request = read(text.as_bytes())
            .map_err(|error| Farewell::new(4400, format!("{}: {error}", ErrorCode::BadDialogue)))?;
        match &request {
            Self::Subscribe { id, .. } if id.is_empty() || id.len() > ID_MAX => {
                let what = format!("an `id` has 1 to {ID_MAX} bytes");
                Err(Farewell::new(4400, format!("{}: {what}", ErrorCode::BadDialogue)))
            }
            _ => Ok(request),
        }
    }
}

/// The token in what a client says of itself, as in the header: `Bearer TOKEN`.
pub(super) fn authorization(payload: &Map<String, Value>) -> Option<&str> {
    let named = |(name, _): &(&String, &Value)| name.eq_ignore_ascii_case("authorization");
    payload.iter().find(named).and_then(|(_, value)| value.as_str())
}

pub(super) fn acknowledged() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

pub(super) fn pong() -> String {
    json!({ "type": "pong" }).to_string()
}

/// An answer to an operation: one of several, or its end if nothing came of it.
pub(super) fn answer(id: &str, answer: &Answer) -> String {
    if answer.is_refusal() {
        return json!({ "type": "error", "id": id, "payload": answer.errors }).to_string();
    }
    json!({ "type": "next", "id": id, "payload": answer }).to_string()
}

pub(super) fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}

/// Why the server closes a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Farewell {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Farewell {
    pub(super) fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(REASON_MAX));
        Self { code, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<u16> {
        Request::read(text).err().map(|farewell| farewell.code)
    }

    #[test]
    fn what_is_not_of_the_protocol_closes_the_connection() {
        for good in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"type":"connection_init","payload":{"any":[1]}}"#,
            r#"{"type":"ping","payload":{}}"#,
            r#"{"type":"pong"}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#,
            r#"{"type":"complete","id":"1"}"#,
        ] {
            assert_eq!(code(good), None, "{good}");
        }
        let long = "x".repeat(ID_MAX + 1);
        for wrong in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"type":"start"}"#,
            r#"{"type":"connection_init","payload":1}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":[{"query":"{ a }"}]}"#,
            &format!(r#"{{"type":"subscribe","id":"{long}","payload":{{"query":"a"}}}}"#),
        ] {
            assert_eq!(code(wrong), Some(4400), "{wrong}");
        }
    }

    #[test]
    fn a_reason_fits_into_a_closing_frame() {
        assert_eq!(Farewell::new(4400, "ä".repeat(100)).reason, "ä".repeat(61));
        assert_eq!(Farewell::new(4400, "short").reason, "short");
    }

    #[test]
    fn the_token_is_found_in_any_case_of_its_name() {
        let payload = json!({ "Authorization": "Bearer x", "other": 1 });
        assert_eq!(authorization(payload.as_object().unwrap()), Some("Bearer x"));
        assert_eq!(authorization(&Map::new()), None);
    }
}
