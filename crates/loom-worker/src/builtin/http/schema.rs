//! What the parameters may be.

use super::MAX_MAX_BODY;
use serde_json::{Value, json};

/// The schema of the parameters.
pub(super) fn params() -> Value {
    json!({
        "type": "object",
        "required": ["url"],
        "additionalProperties": false,
        "properties": {
            "url": {"type": "string", "description": "The address: http:// or https://."},
            "method": {"type": "string", "description": "GET unless it says otherwise."},
            "headers": {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
                "description": "Header fields to send.",
            },
            "body": {"description": "What to send: a text as it is, anything else as JSON."},
            "json": {"description": "What to send as JSON, even if it is a text."},
            "expected_status": {
                "description": "The statuses of success: a number, a text such as `2xx` or \
                    `200-204`, or a list of these; `2xx` unless it says otherwise.",
                "anyOf": [
                    {"$ref": "#/$defs/status"},
                    {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/status"}},
                ],
            },
            "timeout": {
                "description": "The longest that it may take, 60 s unless it says otherwise.",
                "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}],
            },
            "outputs": {
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
                "additionalProperties": {"type": "string", "pattern": "^(/.*)?$"},
                "description": "Variables to emit, each with the JSON pointer of its value in the \
                    answer. STATUS and BODY are emitted if the task declares them.",
            },
            "max_body": {
                "type": ["integer", "string"], "minimum": 0, "maximum": MAX_MAX_BODY,
                "description": "The most bytes that the answer may have; 1 MiB unless it says \
                    otherwise.",
            },
            "max_redirects": {
                "type": ["integer", "string"], "minimum": 0, "maximum": 20,
                "description": "How many redirects of a GET or HEAD to follow; 5 unless it says \
                    otherwise.",
            },
        },
        "$defs": {"status": {"anyOf": [
            {"type": "integer", "minimum": 100, "maximum": 599},
            {"type": "string", "pattern": "^[1-5]([0-9]{2}(-[1-5][0-9]{2})?|xx)$"},
        ]}},
    })
}
