//! A reader of server-sent events.

use super::harness::Server;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use ureq::{Agent, Body, BodyReader};

/// One event as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

/// A connection to a stream of events. It knows the last identity that it saw.
pub(crate) struct Reader {
    url: String,
    lines: Option<BufReader<BodyReader<'static>>>,
    pub(crate) last_id: String,
}

impl Reader {
    /// Opens the stream at this path.
    pub(crate) fn open(server: &Server, path: &str) -> Self {
        let mut reader = Self { url: server.url(path), lines: None, last_id: String::new() };
        assert!(reader.connect(), "{path} is no stream");
        // What comes first says where the stream begins.
        reader.frame().unwrap();
        reader
    }

    /// Opens the stream anew, from where it was; whether that was possible.
    pub(crate) fn connect(&mut self) -> bool {
        let agent: Agent = Agent::config_builder().build().new_agent();
        let mut request = agent.get(&self.url);
        if !self.last_id.is_empty() {
            request = request.header("last-event-id", &self.last_id);
        }
        let answer = request.call().map(ureq::http::Response::into_body);
        self.lines = answer.ok().map(|body: Body| BufReader::new(body.into_reader()));
        self.lines.is_some()
    }

    /// The next event; `None` if the stream broke.
    pub(crate) fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(sent) = self.frame()? {
                return Some(sent);
            }
        }
    }

    /// The next event, over as many connections as it takes.
    pub(crate) fn next_for_sure(&mut self) -> Sent {
        loop {
            match self.next() {
                Some(sent) => return sent,
                None => crate::watch::eventually("the stream opens again", || {
                    self.connect().then_some(())
                }),
            }
        }
    }

    /// What stands up to the next empty line: an event, or less.
    #[expect(clippy::option_option, reason = "the stream's end is not a frame without an event")]
    fn frame(&mut self) -> Option<Option<Sent>> {
        let lines = self.lines.as_mut()?;
        let (mut id, mut kind, mut data) = (None, String::new(), String::new());
        loop {
            let mut line = String::new();
            match lines.read_line(&mut line) {
                Ok(read) if read > 0 && line.ends_with('\n') => {}
                _ => return None,
            }
            match line.trim_end().split_once(':') {
                Some(("id", value)) => id = Some(value.trim_start().to_owned()),
                Some(("event", value)) => value.trim_start().clone_into(&mut kind),
                Some(("data", value)) => data.push_str(value.trim_start()),
                Some(_) => {}
                None => break,
            }
        }
        if let Some(id) = id {
            self.last_id = id;
        }
        if data.is_empty() {
            return Some(None);
        }
        let data = serde_json::from_str(&data).unwrap();
        Some(Some(Sent { id: self.last_id.clone(), kind, data }))
    }
}
