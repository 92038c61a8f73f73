//! OTLP's traces as protocol buffers, read strictly: what `opentelemetry/proto` does not have is refused.

use std::collections::BTreeMap;

/// What a field is on the wire.
#[derive(Clone, Copy)]
enum Kind {
    Varint,
    Fixed64,
    Fixed32,
    Text,
    Bytes,
    Message(&'static Schema),
}

/// A message of the protocol: the number, kind and name of each field, and whether it repeats.
struct Schema(&'static [(u64, Kind, &'static str, bool)]);

use Kind::{Bytes, Fixed32, Fixed64, Message, Text, Varint};

const ANY_VALUE: Schema = Schema(&[
    (1, Text, "string_value", false),
    (2, Varint, "bool_value", false),
    (3, Varint, "int_value", false),
    (4, Fixed64, "double_value", false),
    (7, Bytes, "bytes_value", false),
]);
const KEY_VALUE: Schema =
    Schema(&[(1, Text, "key", false), (2, Message(&ANY_VALUE), "value", false)]);
const RESOURCE: Schema = Schema(&[
    (1, Message(&KEY_VALUE), "attributes", true),
    (2, Varint, "dropped_attributes_count", false),
]);
const SCOPE: Schema = Schema(&[
    (1, Text, "name", false),
    (2, Text, "version", false),
    (3, Message(&KEY_VALUE), "attributes", true),
    (4, Varint, "dropped_attributes_count", false),
]);
const STATUS: Schema = Schema(&[(2, Text, "message", false), (3, Varint, "code", false)]);
const SPAN: Schema = Schema(&[
    (1, Bytes, "trace_id", false),
    (2, Bytes, "span_id", false),
    (3, Text, "trace_state", false),
    (4, Bytes, "parent_span_id", false),
    (5, Text, "name", false),
    (6, Varint, "kind", false),
    (7, Fixed64, "start_time_unix_nano", false),
    (8, Fixed64, "end_time_unix_nano", false),
    (9, Message(&KEY_VALUE), "attributes", true),
    (10, Varint, "dropped_attributes_count", false),
    (15, Message(&STATUS), "status", false),
    (16, Fixed32, "flags", false),
]);
const SCOPE_SPANS: Schema = Schema(&[
    (1, Message(&SCOPE), "scope", false),
    (2, Message(&SPAN), "spans", true),
    (3, Text, "schema_url", false),
]);
const RESOURCE_SPANS: Schema = Schema(&[
    (1, Message(&RESOURCE), "resource", false),
    (2, Message(&SCOPE_SPANS), "scope_spans", true),
    (3, Text, "schema_url", false),
]);
const REQUEST: Schema = Schema(&[(1, Message(&RESOURCE_SPANS), "resource_spans", true)]);

/// A span, as far as the tests look at it.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) failed: bool,
}

/// The spans of an `ExportTraceServiceRequest`, or what is wrong with it.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Span>, String> {
    let request = Fields::read(body, &REQUEST)?;
    let mut spans = Vec::new();
    for resource_spans in request.messages("resource_spans") {
        let resource = resource_spans.messages("resource").next().ok_or("there is no resource")?;
        if !attributes(resource)?.contains_key("service.name") {
            return Err("the resource has no service.name".into());
        }
        for scope_spans in resource_spans.messages("scope_spans") {
            for span in scope_spans.messages("spans") {
                spans.push(read_span(span)?);
            }
        }
    }
    if spans.is_empty() { Err("there are no spans".into()) } else { Ok(spans) }
}

fn read_span(span: &Fields) -> Result<Span, String> {
    let id = |name: &str, length: usize| match span.bytes(name) {
        bytes if bytes.len() == length && bytes.iter().any(|byte| *byte != 0) => Ok(hex(bytes)),
        bytes => Err(format!("{name} is {bytes:?}")),
    };
    let parent = if span.bytes("parent_span_id").is_empty() {
        String::new()
    } else {
        id("parent_span_id", 8)?
    };
    let status = span.messages("status").next().ok_or("a span has no status")?;
    let (kind, code) = (span.number("kind"), status.number("code"));
    let (from, to) = (span.number("start_time_unix_nano"), span.number("end_time_unix_nano"));
    if !(1..=5).contains(&kind) || code > 2 || from == 0 || to < from {
        return Err(format!("kind {kind}, status {code}, from {from} to {to}"));
    }
    if code != 2 && !status.bytes("message").is_empty() {
        return Err("only an error has a message".into());
    }
    let name = span.text("name");
    if name.is_empty() {
        return Err("a span has no name".into());
    }
    let (trace, id) = (id("trace_id", 16)?, id("span_id", 8)?);
    let attributes = attributes(span)?;
    Ok(Span { trace, id, parent, name, from, to, attributes, failed: code == 2 })
}

fn attributes(message: &Fields) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    for pair in message.messages("attributes") {
        let (key, value) = (pair.text("key"), pair.messages("value").next());
        let text = match value.map(|value| &value.0[..]) {
            Some([(_, Field::Number(number))]) => number.to_string(),
            Some([(_, Field::Bytes(bytes))]) => String::from_utf8_lossy(bytes).into_owned(),
            _ => return Err(format!("`{key}` has not one value")),
        };
        if key.is_empty() || attributes.insert(key.clone(), text).is_some() {
            return Err(format!("the attribute `{key}` is empty or comes twice"));
        }
    }
    Ok(attributes)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect()
}

/// The fields of a message, in order, by their names.
struct Fields(Vec<(&'static str, Field)>);

enum Field {
    Number(u64),
    Bytes(Vec<u8>),
    Message(Fields),
}

impl Fields {
    fn read(mut rest: &[u8], schema: &Schema) -> Result<Self, String> {
        let mut fields: Vec<(&'static str, Field)> = Vec::new();
        while !rest.is_empty() {
            let key = varint(&mut rest)?;
            let (number, wire) = (key >> 3, key & 7);
            let known = schema.0.iter().find(|(known, ..)| *known == number);
            let (_, kind, name, repeats) = known.ok_or(format!("there is no field {number}"))?;
            if !repeats && fields.iter().any(|(present, _)| present == name) {
                return Err(format!("{name} comes twice"));
            }
            let field = match (kind, wire) {
                (Varint, 0) => Field::Number(varint(&mut rest)?),
                (Fixed64, 1) => {
                    let bytes = take(&mut rest, 8)?;
                    Field::Number(u64::from_le_bytes(bytes.try_into().unwrap()))
                }
                (Fixed32, 5) => {
                    let bytes = take(&mut rest, 4)?;
                    Field::Number(u32::from_le_bytes(bytes.try_into().unwrap()).into())
                }
                (Text | Bytes | Message(_), 2) => {
                    let length = varint(&mut rest)? as usize;
                    let bytes = take(&mut rest, length)?;
                    match kind {
                        Message(schema) => Field::Message(Self::read(bytes, schema)?),
                        Text if std::str::from_utf8(bytes).is_err() => {
                            return Err(format!("{name} is not UTF-8"));
                        }
                        _ => Field::Bytes(bytes.to_vec()),
                    }
                }
                _ => return Err(format!("{name} has the wire type {wire}")),
            };
            fields.push((*name, field));
        }
        Ok(Self(fields))
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, field)| field)
    }

    fn messages<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.of(name).filter_map(|field| match field {
            Field::Message(message) => Some(message),
            _ => None,
        })
    }

    /// Nothing if it is absent, as the format has it.
    fn bytes<'a>(&'a self, name: &'a str) -> &'a [u8] {
        match self.of(name).next() {
            Some(Field::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name).to_vec()).unwrap()
    }

    /// 0 if it is absent, as the format has it.
    fn number(&self, name: &str) -> u64 {
        match self.of(name).next() {
            Some(Field::Number(number)) => *number,
            _ => 0,
        }
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(value);
        }
    }
    Err("a number does not end".into())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (taken, behind) = rest.split_at_checked(length).ok_or("the message is cut off")?;
    *rest = behind;
    Ok(taken)
}

#[test]
fn what_is_not_the_protocol_is_refused() {
    for (body, expected) in [
        (&b""[..], "no spans"),
        (b"\x0a\x05abc", "cut off"),
        (b"\x0a\x00", "no resource"),
        (b"\x08\x01", "wire type 0"),
        (b"\x12\x00", "no field 2"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "does not end"),
        (b"\x0a\x02\x0a\x00", "no service.name"),
        (b"\x0a\x04\x0a\x00\x0a\x00", "resource comes twice"),
        (b"\x0a\x04\x1a\x02\xff\xfe", "not UTF-8"),
    ] {
        let error = read(body).unwrap_err();
        assert!(error.contains(expected), "{body:?}: {error}");
    }
}
