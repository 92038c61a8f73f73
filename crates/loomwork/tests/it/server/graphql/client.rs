//! Clients: one that asks, one that holds a WebSocket.

use super::super::harness::{Answer, Server};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// How long an answer may take: longer than anything but a hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends an operation.
pub(super) fn post(server: &Server, query: &str, variables: &Value) -> Answer {
    server.post("/graphql", &json!({ "query": query, "variables": variables }))
}

/// What comes of an operation that goes well.
#[track_caller]
pub(super) fn data(server: &Server, query: &str, variables: &Value) -> Value {
    let answer = post(server, query, variables).expect(200);
    assert!(answer.get("errors").is_none(), "{query}: {answer}");
    answer["data"].clone()
}

/// The code of the first error, and the answer.
#[track_caller]
pub(super) fn refusal(server: &Server, query: &str, variables: &Value) -> (String, Value) {
    let answer = post(server, query, variables).expect(200);
    (code(&answer["errors"]), answer)
}

/// The code of the first of some errors.
#[track_caller]
pub(super) fn code(errors: &Value) -> String {
    let code = errors[0]["extensions"]["code"].as_str();
    code.unwrap_or_else(|| panic!("no code in {errors}")).to_owned()
}

/// Why a connection was closed; nothing if it broke.
pub(super) type Closed = Option<(u16, String)>;

/// A WebSocket.
pub(super) struct Socket(WebSocket<TcpStream>);

impl Socket {
    /// Connects, showing a token in the header if there is one.
    pub(super) fn connect(server: &Server, token: Option<&str>) -> Option<Self> {
        Self::connect_at(server.address(), token)
    }

    fn connect_at(address: &str, token: Option<&str>) -> Option<Self> {
        let headers = token.map(|token| ("authorization", format!("Bearer {token}")));
        let headers: Vec<_> = headers.into_iter().collect();
        Self::with_at(address, "graphql-transport-ws", &headers).ok()
    }

    /// Connects with these headers; the status of the answer if it is no WebSocket.
    pub(super) fn with(
        server: &Server,
        protocol: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, u16> {
        Self::with_at(server.address(), protocol, headers)
    }

    fn with_at(
        address: &str,
        protocol: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        let add = request.headers_mut();
        add.insert("sec-websocket-protocol", protocol.parse().unwrap());
        for (name, value) in headers {
            add.insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(address).map_err(|_| 0_u16)?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(_) => Err(0),
        }
    }

    /// Connects, and introduces itself.
    pub(super) fn open(server: &Server, token: Option<&str>) -> Option<Self> {
        Self::open_at(server.address(), token)
    }

    /// As [`Socket::open`], where the server may be away.
    pub(super) fn open_at(address: &str, token: Option<&str>) -> Option<Self> {
        let mut socket = Self::connect_at(address, token)?;
        socket.say(&json!({ "type": "connection_init" }));
        match socket.hear() {
            Ok(said) if said["type"] == "connection_ack" => Some(socket),
            _ => None,
        }
    }

    pub(super) fn say(&mut self, message: &Value) {
        self.say_text(&message.to_string());
    }

    /// Sends anything. Whether the server still reads it is its own business.
    pub(super) fn say_text(&mut self, text: &str) {
        let _ = self.0.send(Message::text(text));
    }

    pub(super) fn say_bytes(&mut self, bytes: &'static [u8]) {
        let _ = self.0.send(Message::binary(bytes));
    }

    pub(super) fn subscribe(&mut self, id: &str, query: &str, variables: &Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(&json!({ "type": "subscribe", "id": id, "payload": payload }));
    }

    /// The next message. Asked for signs of life, it gives them while it waits.
    pub(super) fn hear(&mut self) -> Result<Value, Closed> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(frame)) => {
                    return Err(frame.map(|it| (it.code.into(), it.reason.to_string())));
                }
                Ok(_) => {}
                Err(_) => return Err(None),
            }
        }
    }

    /// What comes next, of which this is the type and the operation.
    #[track_caller]
    pub(super) fn expect(&mut self, kind: &str, id: &str) -> Value {
        let said = self.hear().unwrap();
        assert_eq!((said["type"].as_str(), said["id"].as_str()), (Some(kind), Some(id)), "{said}");
        said["payload"].clone()
    }

    /// Waits until the server closes the connection.
    #[track_caller]
    pub(super) fn closed(mut self) -> Closed {
        loop {
            if let Err(closed) = self.hear() {
                return closed;
            }
        }
    }

    /// Ends the connection without a word.
    pub(super) fn raw(self) -> TcpStream {
        self.0.get_ref().try_clone().unwrap()
    }
}
