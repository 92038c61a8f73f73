//! A permission service of one's own.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// A service that says what tokens permit, and remembers which it was asked about.
pub(crate) struct Authority {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Authority {
    /// `answer` gives the status and the body for a token.
    pub(crate) fn start(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/permissions", listener.local_addr().unwrap());
        let asked = Arc::default();
        let this = Self { url, asked: Arc::clone(&asked) };
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let request: Value = serde_json::from_slice(&body(&mut stream)).unwrap();
                let token = request["auth_token"].as_str().unwrap().to_owned();
                let (status, text) = answer(&token);
                asked.lock().unwrap().push(token);
                let head = format!(
                    "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nConnection: close\r\n\
                     Content-Length: {}\r\n\r\n",
                    text.len()
                );
                stream.get_mut().write_all((head + &text).as_bytes()).unwrap();
            }
        });
        this
    }

    /// One that grants the same to every token: a list or a map of permissions.
    pub(crate) fn granting(permissions: &'static str) -> Self {
        Self::start(move |_| (200, format!("{{\"permissions\":{permissions}}}")))
    }

    /// The tokens that it was asked about, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn body(stream: &mut impl BufRead) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    body
}
