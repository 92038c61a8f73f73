//! The lines of the conversation with a persistent plugin.

use loom_protocol::json;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The protocol's version.
pub(crate) const PROTOCOL: u32 = 1;
/// The most bytes of one line.
pub(super) const MAX_LINE: usize = 16 << 20;
/// The most requests that one process may ask to have at once.
const MAX_CONCURRENCY: usize = 1024;

/// What a plugin says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// It speaks this protocol, and takes so many requests at once.
    Hello {
        protocol: u32,
        #[serde(default = "one")]
        concurrency: usize,
    },
    /// A piece of an attempt's log.
    Log { id: u64, text: String },
    /// A request went well.
    Result {
        id: u64,
        #[serde(default)]
        outputs: Option<Map<String, Value>>,
        #[serde(default)]
        manifest: Option<Value>,
    },
    /// A request went badly.
    Error {
        id: u64,
        kind: Kind,
        message: String,
        #[serde(default)]
        error: Option<Value>,
        #[serde(default)]
        retry_after: Option<f64>,
    },
}

/// What kind of failure a plugin reports.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A permission is missing.
    PermissionDenied,
    /// Trying again does not help.
    Permanent,
    /// Trying again may help.
    Retryable,
}

/// How a plugin answered a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Well, with these outputs, or with its manifest.
    Result { outputs: Map<String, Value>, manifest: Option<Value> },
    /// Badly.
    Error { kind: Kind, message: String, error: Option<Value>, retry_after: Option<f64> },
}

const fn one() -> usize {
    1
}

/// Reads one line. The message of an error says what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Said, String> {
    let said = json::read(line).map_err(|error| {
        let start: String = String::from_utf8_lossy(&line[..line.len().min(400)]).into_owned();
        let start: String = start.chars().take(80).collect();
        format!("it wrote a line that is not of the protocol ({error}): {start:?}")
    })?;
    match said {
        Said::Hello { protocol, .. } if protocol != PROTOCOL => {
            Err(format!("it speaks protocol {protocol}, and loom speaks {PROTOCOL}"))
        }
        Said::Hello { concurrency, .. } if !(1..=MAX_CONCURRENCY).contains(&concurrency) => {
            Err(format!("its concurrency of {concurrency} is not between 1 and {MAX_CONCURRENCY}"))
        }
        said => Ok(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_or_refused_with_a_reason() {
        for line in [
            r#"{"type":"hello","protocol":1,"concurrency":4,"new":"field"}"#,
            r#"{"type":"hello","protocol":1}"#,
            r#"{"id":1,"type":"log","text":"x"}"#,
            r#"{"id":1,"type":"result"}"#,
            r#"{"id":1,"type":"result","outputs":null}"#,
            r#"{"id":1,"type":"error","kind":"permission_denied","message":"no"}"#,
        ] {
            read(line.as_bytes()).unwrap();
        }
        for (line, why) in [
            (
                "hello there",
                r#"not of the protocol (expected value at line 1 column 1): "hello there""#,
            ),
            (r#"{"id":1,"type":"done"}"#, "unknown variant `done`"),
            (r#"{"type":"result","outputs":{}}"#, "missing field `id`"),
            (r#"{"id":1,"type":"result","outputs":[]}"#, "expected a map"),
            (r#"{"type":"hello","protocol":2}"#, "speaks protocol 2"),
            (r#"{"type":"hello","protocol":1,"concurrency":0}"#, "concurrency of 0"),
            (r#"{"id":1,"type":"error","kind":"odd","message":""}"#, "unknown variant `odd`"),
        ] {
            let error = read(line.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
        assert!(read(b"\xff\xfe").unwrap_err().contains("not of the protocol"));
    }
}
