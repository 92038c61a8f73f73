//! A collector of traces: takes OTLP over HTTP and reads the protocol's own bytes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A collector that answers so many times that it is overloaded before it takes anything.
pub(crate) struct Collector {
    pub(crate) address: String,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    refusals: u32,
    spans: Vec<Span>,
    tokens: Vec<String>,
}

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

impl Collector {
    pub(crate) fn start(refusals: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let taken = Arc::new(Mutex::new(Taken { refusals, ..Taken::default() }));
        let shared = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, taken }
    }

    /// Every span that was taken.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.taken.lock().unwrap().spans.clone()
    }

    /// What requests carried as `x-token`.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.taken.lock().unwrap().tokens.clone()
    }
}

fn serve(stream: TcpStream, taken: &Mutex<Taken>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        assert_eq!(line.trim(), "POST /v1/traces HTTP/1.1");
        let headers = headers(&mut reader);
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let mut taken = taken.lock().unwrap();
        taken.tokens.push(headers.get("x-token").cloned().unwrap_or_default());
        let status = if taken.refusals > 0 {
            taken.refusals -= 1;
            "503 Service Unavailable"
        } else {
            taken.spans.extend(request(&body));
            "200 OK"
        };
        drop(taken);
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").unwrap();
        line.clear();
    }
}

fn headers(reader: &mut impl BufRead) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { return headers };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

/// `ExportTraceServiceRequest`: the spans of all resources and scopes.
fn request(body: &[u8]) -> Vec<Span> {
    let resources = Message::read(body);
    let scopes =
        resources.messages(1).flat_map(|resource| resource.messages(2).collect::<Vec<_>>());
    scopes
        .flat_map(|scope| scope.messages(2).map(|span| read_span(&span)).collect::<Vec<_>>())
        .collect()
}

fn read_span(span: &Message) -> Span {
    let hex = |field| hex(span.bytes(field));
    let attributes = span.messages(9).map(|pair| {
        let value = pair.messages(2).next().expect("a pair has a value");
        let text = match (value.number(3), value.bytes(1)) {
            (Some(number), _) => number.to_string(),
            (None, text) => String::from_utf8(text.to_vec()).unwrap(),
        };
        (String::from_utf8(pair.bytes(1).to_vec()).unwrap(), text)
    });
    let status = span.messages(15).next().expect("a span has a status");
    assert_eq!((span.bytes(1).len(), span.bytes(2).len()), (16, 8));
    Span {
        trace: hex(1),
        id: hex(2),
        parent: hex(4),
        name: String::from_utf8(span.bytes(5).to_vec()).unwrap(),
        from: span.number(7).unwrap(),
        to: span.number(8).unwrap(),
        attributes: attributes.collect(),
        failed: status.number(3) == Some(2),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect()
}

/// The fields of a protobuf message, in order.
struct Message(Vec<(u64, Field)>);

enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Message {
    fn read(mut rest: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let key = varint(&mut rest);
            let field = match key & 7 {
                0 => Field::Number(varint(&mut rest)),
                1 => Field::Number(u64::from_le_bytes(take(&mut rest, 8).try_into().unwrap())),
                2 => {
                    let length = varint(&mut rest) as usize;
                    Field::Bytes(take(&mut rest, length).to_vec())
                }
                5 => {
                    let bytes = take(&mut rest, 4).try_into().unwrap();
                    Field::Number(u32::from_le_bytes(bytes).into())
                }
                kind => panic!("there is no wire type {kind}"),
            };
            fields.push((key >> 3, field));
        }
        Self(fields)
    }

    fn messages(&self, number: u64) -> impl Iterator<Item = Self> {
        self.0.iter().filter_map(move |(found, field)| match field {
            Field::Bytes(bytes) if *found == number => Some(Self::read(bytes)),
            _ => None,
        })
    }

    fn bytes(&self, number: u64) -> &[u8] {
        let found = self.0.iter().find_map(|(found, field)| match field {
            Field::Bytes(bytes) if *found == number => Some(bytes.as_slice()),
            _ => None,
        });
        found.unwrap_or_default()
    }

    fn number(&self, number: u64) -> Option<u64> {
        self.0.iter().find_map(|(found, field)| match field {
            Field::Number(value) if *found == number => Some(*value),
            _ => None,
        })
    }
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)[0];
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return value;
        }
    }
    panic!("a number does not end")
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, behind) = rest.split_at(length);
    *rest = behind;
    taken
}
