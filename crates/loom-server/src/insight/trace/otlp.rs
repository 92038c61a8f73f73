//! The messages of OTLP 1.x that a trace needs, as protocol buffers.
//!
//! Six short messages with fixed field numbers: written out here, they take no code generator.

use std::time::Duration;

/// A span, with the names of `opentelemetry.proto.trace.v1.Span`.
#[derive(Clone, Debug, Default)]
pub(in crate::insight) struct Span {
    pub(super) trace_id: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent_span_id: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) start_time_unix_nano: u64,
    pub(super) end_time_unix_nano: u64,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// What went wrong, if anything did.
    pub(super) error: Option<String>,
}

/// What an attribute says.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(u32),
    Seconds(Duration),
}

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u64 = 1;
/// `STATUS_CODE_OK`.
const OK: u64 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;
/// The W3C flag that says that a trace is recorded.
const SAMPLED: u32 = 1;

/// `ExportTraceServiceRequest` with these spans of this server.
pub(super) fn request(spans: &[Span]) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let service = ["service.name", "service.version"].into_iter().zip(["loomwork", version]);
    let mut request = Message::default();
    request.message(1, |resource_spans| {
        resource_spans.message(1, |resource| {
            service.for_each(|(key, text)| resource.attribute(1, key, &Value::Text(text.into())));
        });
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |scope| {
                scope.bytes(1, b"loomwork");
                scope.bytes(2, version.as_bytes());
            });
            spans.iter().for_each(|span| scope_spans.message(2, |message| put(message, span)));
        });
    });
    request.0
}

fn put(message: &mut Message, span: &Span) {
    message.bytes(1, &span.trace_id);
    message.bytes(2, &span.id);
    if let Some(parent) = &span.parent_span_id {
        message.bytes(4, parent);
    }
    message.bytes(5, span.name.as_bytes());
    message.number(6, INTERNAL);
    message.fixed64(7, span.start_time_unix_nano);
    message.fixed64(8, span.end_time_unix_nano);
    span.attributes.iter().for_each(|(key, value)| message.attribute(9, key, value));
    message.message(15, |status| match &span.error {
        Some(what) => {
            status.bytes(2, what.as_bytes());
            status.number(3, ERROR);
        }
        None => status.number(3, OK),
    });
    message.fixed32(16, SAMPLED);
}

/// A message in the making.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    /// `KeyValue` with an `AnyValue`.
    fn attribute(&mut self, field: u32, key: &str, value: &Value) {
        self.message(field, |pair| {
            pair.bytes(1, key.as_bytes());
            pair.message(2, |any| match value {
                Value::Text(text) => any.bytes(1, text.as_bytes()),
                Value::Number(number) => any.number(3, (*number).into()),
                Value::Seconds(time) => any.fixed64(4, time.as_secs_f64().to_bits()),
            });
        });
    }

    fn number(&mut self, field: u32, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    fn fixed64(&mut self, field: u32, value: u64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u32, value: &[u8]) {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn fixed32(&mut self, field: u32, value: u32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn key(&mut self, field: u32, kind: u32) {
        self.varint((field << 3 | kind).into());
    }

    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_written_as_the_format_says() {
        let mut message = Message::default();
        message.number(1, 150);
        message.bytes(2, b"testing");
        message.message(3, |inner| inner.number(1, 150));
        message.fixed32(16, 1);
        // The first three are the examples of the format's own description.
        let expected = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x85\x01\x01\0\0\0";
        assert_eq!(message.0, expected);
    }
}
