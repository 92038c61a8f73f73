//! A receiver of webhooks, which does as it is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a receiver does with a delivery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Does {
    /// Answers with this status.
    Answers(u16),
    /// Never answers.
    Hangs,
}

/// A delivery as it came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) body: Value,
    /// The `x-correlation-id` that it came with.
    pub(crate) matter: Option<String>,
    /// By how many secrets it was signed.
    pub(crate) signatures: usize,
    /// Whether it was answered with 200.
    pub(crate) taken: bool,
}

/// A real HTTP server on a port of its own.
pub(crate) struct Receiver {
    state: Arc<Mutex<State>>,
    port: u16,
}

struct State {
    secret: Vec<u8>,
    /// What it does next, and then always.
    script: VecDeque<Does>,
    always: Does,
    deliveries: Vec<Delivery>,
}

impl Receiver {
    /// Takes everything that is signed with this secret.
    pub(crate) fn start(secret: &str) -> Self {
        let state = State {
            secret: STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap(),
            script: VecDeque::new(),
            always: Does::Answers(200),
            deliveries: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || while answer(&stream, &shared).is_some() {});
            }
        });
        Self { state, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?x=1", self.port)
    }

    /// Does these one after the other, and then always the last.
    pub(crate) fn does(&self, script: &[Does]) {
        let mut state = self.state.lock().unwrap();
        state.script = script.iter().copied().collect();
        state.always = *script.last().unwrap();
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.state.lock().unwrap().deliveries.clone()
    }

    /// What was taken, each identity once, in the order of the first time.
    pub(crate) fn taken(&self) -> Vec<Delivery> {
        let mut seen = std::collections::HashSet::new();
        let taken = self.deliveries().into_iter().filter(|delivery| delivery.taken);
        taken.filter(|delivery| seen.insert(delivery.id.clone())).collect()
    }
}

/// Answers one request; `None` at the connection's end.
fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).ok().filter(|read| *read > 0)?;
    assert_eq!(line, "POST /hook?x=1 HTTP/1.1\r\n");
    let mut headers = HashMap::new();
    loop {
        line.clear();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    lines.read_exact(&mut body).ok()?;
    let does = {
        let mut state = state.lock().unwrap();
        check(&state.secret, &headers, &body);
        let does = state.script.pop_front().unwrap_or(state.always);
        state.deliveries.push(Delivery {
            id: headers["webhook-id"].clone(),
            body: serde_json::from_slice(&body).unwrap(),
            matter: headers.get("x-correlation-id").cloned(),
            signatures: headers["webhook-signature"].split(' ').count(),
            taken: does == Does::Answers(200),
        });
        does
    };
    let Does::Answers(status) = does else {
        // Until the other side has had enough.
        let _ = stream.read(&mut [0]);
        return None;
    };
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").ok()
}

/// Asserts that the signature is right, as a receiver would check it.
#[expect(clippy::disallowed_methods, reason = "a receiver has a clock of its own")]
fn check(secret: &[u8], headers: &HashMap<String, String>, body: &[u8]) {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    let (id, time) = (&headers["webhook-id"], &headers["webhook-timestamp"]);
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let mut signatures = headers["webhook-signature"].split(' ');
    assert!(signatures.any(|signature| signature == expected), "{headers:?}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(now.as_secs().abs_diff(time.parse().unwrap()) < 60);
}
