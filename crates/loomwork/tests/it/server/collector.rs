//! A collector of traces: takes OTLP over HTTP and reads the protocol's own bytes.

use super::otlp::{self, Span};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A collector that answers so many times that it is overloaded before it takes anything. What is not
/// as the protocol has it, field by field, it refuses with 400.
pub(crate) struct Collector {
    pub(crate) address: String,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    refusals: u32,
    spans: Vec<Span>,
    tokens: Vec<String>,
    wrong: Vec<String>,
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

    /// Takes everything from now on.
    pub(crate) fn recover(&self) {
        self.taken.lock().unwrap().refusals = 0;
    }

    /// Every span that was taken.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let taken = self.taken.lock().unwrap();
        assert!(taken.wrong.is_empty(), "what came is no OTLP: {:?}", taken.wrong);
        taken.spans.clone()
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
            match otlp::read(&body) {
                Ok(spans) => {
                    taken.spans.extend(spans);
                    "200 OK"
                }
                Err(why) => {
                    taken.wrong.push(why);
                    "400 Bad Request"
                }
            }
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
