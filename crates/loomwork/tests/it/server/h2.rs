//! HTTP/2 as frames: for what a well-behaved client does not do.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a frame may take: longer than anything but a hang.
const PATIENCE: Duration = Duration::from_mins(1);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `SETTINGS_INITIAL_WINDOW_SIZE`.
const WINDOW: u16 = 4;

/// A connection that opens no more windows than it begins with.
pub(crate) struct H2 {
    stream: TcpStream,
    next: u32,
}

/// How an answer came, as far as it did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Come {
    /// The bytes of its body.
    pub(crate) bytes: usize,
    /// Whether the server broke it off.
    pub(crate) reset: bool,
}

impl H2 {
    /// Each answer may have so many bytes before the client takes more, which it never does.
    pub(crate) fn connect(address: &str, window: u32) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut h2 = Self { stream, next: 1 };
        let setting = [&WINDOW.to_be_bytes()[..], &window.to_be_bytes()].concat();
        h2.send(SETTINGS, 0, 0, &setting);
        h2
    }

    /// Sends the head of a request, and its body if it has one; answers with its stream. A body that
    /// is announced and does not come is `Err`.
    pub(crate) fn request(&mut self, method: &str, path: &str, body: Result<&str, ()>) -> u32 {
        let stream = self.next;
        self.next += 2;
        let headers = [
            (":method", method),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/json"),
        ];
        let block: Vec<u8> =
            headers.iter().flat_map(|(name, value)| literal(name, value)).collect();
        let is_whole = body == Ok("");
        let flags = END_HEADERS | if is_whole { END_STREAM } else { 0 };
        self.send(HEADERS, flags, stream, &block);
        if let Ok(body) = body.map(str::as_bytes)
            && !is_whole
        {
            self.send(DATA, END_STREAM, stream, body);
        }
        stream
    }

    /// Waits until the head of the answer on a stream has come.
    pub(crate) fn head(&mut self, stream: u32) {
        while self.frame() != (HEADERS, stream, 0, false) {}
    }

    /// Reads an answer, from its head on, until it ends or is broken off.
    pub(crate) fn answer(&mut self, stream: u32) -> Come {
        let mut bytes = 0;
        loop {
            let (kind, of, length, ends) = self.frame();
            if of != stream {
                continue;
            }
            bytes += length;
            if kind == RESET || ends {
                return Come { bytes, reset: kind == RESET };
            }
        }
    }

    /// The next frame: its kind, its stream, the bytes of data in it, and whether its stream ends.
    fn frame(&mut self) -> (u8, u32, usize, bool) {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).expect("the connection goes on");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        if matches!(kind, SETTINGS | PING) && flags & ACK == 0 {
            let echo = if kind == PING { payload } else { Vec::new() };
            self.send(kind, ACK, 0, &echo);
        }
        let data = if kind == DATA { length } else { 0 };
        let ends = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        (kind, stream, data, ends)
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.stream.write_all(&frame).unwrap();
    }
}

/// A header that neither side remembers.
fn literal(name: &str, value: &str) -> Vec<u8> {
    assert!(name.len() < 127 && value.len() < 127, "longer texts have another form");
    let texts = [name, value].map(|text| [&[text.len() as u8], text.as_bytes()].concat());
    [&[0], &texts.concat()[..]].concat()
}
