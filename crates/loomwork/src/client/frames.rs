//! Server-sent events, as they come over one connection.

use super::answer::DOCUMENT_MAX;
use super::{Call, Client, path};
use crate::fault::Fault;
use loom_core::RunId;
use loom_protocol::RunEvent;
use std::io::{BufRead, BufReader, Read};

/// Events of one run.
pub(crate) struct Frames {
    lines: BufReader<Box<dyn Read + Send>>,
}

/// What comes over a connection.
#[derive(Debug)]
pub(crate) enum Frame {
    Event(Box<RunEvent>),
    /// Something that is no event of a run, and why.
    Strange(String),
    /// The connection broke, or its time is over.
    End,
}

impl Client {
    /// The events of a run behind the one of this number. A server takes it from `Last-Event-ID`
    /// where the stream goes on.
    pub(crate) fn events(&self, run: RunId, after: u64) -> Result<Frames, Fault> {
        let path = path(&["runs", &run.to_string(), "events"]);
        let call = Call::get(path).header("last-event-id", after.to_string());
        let body = self.open(call.stream())?;
        Ok(Frames::new(Box::new(body.into_reader())))
    }
}

impl Frames {
    fn new(body: Box<dyn Read + Send>) -> Self {
        Self { lines: BufReader::with_capacity(1 << 16, body) }
    }

    /// The next event; waits for it.
    pub(crate) fn next(&mut self) -> Frame {
        let mut data = Vec::new();
        loop {
            let mut line = Vec::new();
            let left = DOCUMENT_MAX.saturating_sub(data.len() as u64);
            match self.lines.by_ref().take(left).read_until(b'\n', &mut line) {
                Ok(read) if read as u64 == left => {
                    return Frame::Strange(format!("an event has more than {DOCUMENT_MAX} bytes"));
                }
                Ok(read) if read > 0 && line.ends_with(b"\n") => {}
                _ => return Frame::End,
            }
            let line = line.trim_ascii_end();
            if let Some(more) = line.strip_prefix(b"data:") {
                if !data.is_empty() {
                    data.push(b'\n');
                }
                data.extend_from_slice(more.strip_prefix(b" ").unwrap_or(more));
            } else if line.is_empty() && !data.is_empty() {
                return match serde_json::from_slice(&data) {
                    Ok(event) => Frame::Event(Box::new(event)),
                    Err(error) => Frame::Strange(format!("an event is not understood: {error}")),
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut frames = Frames::new(Box::new(std::io::Cursor::new(text.to_owned())));
        let mut seen = Vec::new();
        loop {
            match frames.next() {
                Frame::Event(event) => seen.push(event.seq.to_string()),
                Frame::Strange(why) => seen.push(why),
                Frame::End => return seen,
            }
        }
    }

    #[test]
    fn events_are_told_from_signs_of_life_and_a_cut_off_one_is_none() {
        let event = |seq: u64| {
            format!(
                "id: {seq}\nevent: run.started\ndata: {{\"run\":\"r\",\"seq\":{seq},\"at\":\"t\",\n\
                 data:\"type\":\"run.started\",\"namespace\":\"d\",\"workflow\":\"w\",\"version\":\"1\"}}\n\n"
            )
        };
        let text = format!(": \n\n{}: \n\n{}", event(1), event(2).replace('\n', "\r\n"));
        assert_eq!(read(&text), ["1", "2"]);
        assert_eq!(read(&format!("{}{}", event(1), event(2).trim_end())), ["1"]);
        assert_eq!(read(""), [""; 0]);
        let seen = read("data: {}\n\n");
        assert!(seen.len() == 1 && seen[0].starts_with("an event is not understood"), "{seen:?}");
    }
}
