//! HTTP as bytes: for what a well-behaved client does not do.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer, or the end of a connection, may take: longer than anything but a hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection.
pub(crate) struct Raw(BufReader<TcpStream>);

/// The head of an answer, and its body if its length was announced.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Raw {
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends bytes. Whether the server still reads them is its own business.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Sends bytes; whether the connection took them.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.0.get_mut().write_all(bytes).is_ok()
    }

    /// How many bytes there still are, up to the end of the connection.
    pub(crate) fn rest(mut self) -> usize {
        let mut rest = Vec::new();
        // A connection that was reset has an end too.
        let _ = self.0.read_to_end(&mut rest);
        rest.len()
    }

    /// Sends a request with this body.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let mut text = format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        self.send(format!("{text}\r\n{body}").as_bytes());
    }

    /// Reads an answer; `None` if the connection ends first.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).unwrap_or(0) == 0 {
                return None;
            }
        }
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.to_ascii_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").and_then(|length| length.parse().ok())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).ok()?;
        Some(Reply { status, head, body: String::from_utf8(body).unwrap() })
    }

    /// Reads up to a line that holds this text.
    pub(crate) fn line(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "ended without `{text}`");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Whether nothing comes for so long.
    pub(crate) fn silent_for(&mut self, time: Duration) -> bool {
        self.0.get_ref().set_read_timeout(Some(time)).unwrap();
        let silent = self.0.fill_buf().is_err();
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }

    /// Waits until the server has closed the connection, without a word.
    pub(crate) fn ends(mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest)),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }
}

/// Sends one request on a connection of its own, and reads what comes first of the answer.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut raw = Raw::connect(address);
    let host = [("host", address), ("connection", "close")];
    raw.request(method, path, &[&host, headers].concat(), body);
    raw.reply().unwrap_or_else(|| panic!("no answer to {method} {path}"))
}
