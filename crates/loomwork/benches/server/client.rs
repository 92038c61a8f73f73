//! A client of HTTP/1.1 that costs little beside the server that it measures.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One connection that is kept.
pub(crate) struct Client {
    host: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(host: SocketAddr) -> Self {
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        // Longer than anything but a hang.
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        Self { host, stream: BufReader::new(stream) }
    }

    /// Sends a request and answers with the body of a good answer.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &str) -> Vec<u8> {
        self.send_as(method, path, "application/json", body)
    }

    pub(crate) fn send_as(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Vec<u8> {
        let (host, length) = (self.host, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {kind}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (status, length) = self.head();
        let mut body = vec![0; length.unwrap_or(0)];
        self.stream.read_exact(&mut body).unwrap();
        assert!(status < 300, "{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        body
    }

    /// The status, and the length of the body if it is known.
    fn head(&mut self) -> (u16, Option<usize>) {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_default().parse().unwrap();
        let mut length = None;
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.split_once(':') else { return (status, length) };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse().unwrap());
            }
        }
    }

    /// Opens a stream of events. It is open when this returns.
    pub(crate) fn follow(mut self, path: &str) -> Follow {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host);
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        assert_eq!(self.head().0, 200);
        Follow { stream: self.stream, line: String::new() }
    }
}

/// A stream of server-sent events.
pub(crate) struct Follow {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Follow {
    /// The next event's data; nothing once the stream has ended, or was silent for that long.
    pub(crate) fn next(&mut self, patience: Duration) -> Option<Value> {
        self.stream.get_ref().set_read_timeout(Some(patience)).unwrap();
        loop {
            self.line.clear();
            if self.stream.read_line(&mut self.line).ok()? == 0 {
                return None;
            }
            // The server sends each event as one chunk: other lines are not cut through either.
            if let Some(data) = self.line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

/// Sends so many requests over so many connections, each of them one at a time; answers with how long
/// each took, and all.
pub(crate) fn storm(
    host: SocketAddr,
    connections: usize,
    requests: usize,
    send: impl Fn(&mut Client, usize) + Sync,
) -> (Vec<Duration>, Duration) {
    let begun = Instant::now();
    let times = std::thread::scope(|scope| {
        let work = |first: usize| {
            let mut client = Client::connect(host);
            let numbers = (first..requests).step_by(connections);
            let timed = numbers.map(|nth| {
                let begun = Instant::now();
                send(&mut client, nth);
                begun.elapsed()
            });
            timed.collect::<Vec<_>>()
        };
        let threads: Vec<_> =
            (0..connections).map(|first| scope.spawn(move || work(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    (times, begun.elapsed())
}
