//! The events of a run, over as many connections as it takes.

use super::answer::is_passing;
use super::frames::Frame;
use super::{Client, Redial};
use crate::fault::Fault;
use loom_core::RunId;
use loom_protocol::{ErrorCode, RunEvent};
use std::time::{Duration, Instant};

/// A connection that ends sooner has not been one.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How much of what is told may wait for whoever listens.
pub(crate) const WAITING_MAX: usize = 256;

/// What is told of a run.
#[derive(Debug)]
pub(crate) enum News {
    /// The next event.
    Event(Box<RunEvent>),
    /// The server has gone, for this reason; it is waited for.
    Lost(Fault),
    /// It is there again.
    Found,
    /// Nothing more will be told.
    Over(Fault),
}

/// Tells what happens to a run behind the event of this number, on a thread of its own, without a gap
/// and without a repeat, whatever becomes of the connection or of the server. Ends when `tell` says
/// that nobody listens.
pub(crate) fn follow(
    client: Client,
    run: RunId,
    after: u64,
    tell: impl Fn(News) -> bool + Send + 'static,
) -> Result<(), Fault> {
    let mut follower =
        Follower { client, run, last: after, redial: Redial::new(), hollow: Redial::new(), tell };
    let body = move || while follower.connection() {};
    let spawned = std::thread::Builder::new().name("loom-events".into()).spawn(body);
    spawned.map(drop).map_err(|error| Fault::machine("cannot follow the run", error))
}

struct Follower<T> {
    client: Client,
    run: RunId,
    /// The last event that was told.
    last: u64,
    redial: Redial,
    /// For connections that end at once, with nothing new.
    hollow: Redial,
    tell: T,
}

impl<T: Fn(News) -> bool> Follower<T> {
    /// Takes what comes over one connection; whether there should be another.
    fn connection(&mut self) -> bool {
        let mut frames = match self.client.events(self.run, self.last) {
            Ok(frames) => frames,
            Err(fault) if is_passing(&fault) => return self.lost(fault),
            Err(fault) => return self.over(fault),
        };
        if !self.redial.is_first() && !(self.tell)(News::Found) {
            return false;
        }
        self.redial.reached();
        let opened = Instant::now();
        loop {
            match frames.next() {
                Frame::Event(event) if event.seq <= self.last => {}
                Frame::Event(event) if event.seq == self.last + 1 => {
                    self.hollow.reached();
                    self.last = event.seq;
                    if !(self.tell)(News::Event(event)) {
                        return false;
                    }
                }
                Frame::Event(event) => {
                    let why = format!("event {} follows event {}", event.seq, self.last);
                    return self.strange(&why);
                }
                Frame::Strange(why) => return self.strange(&why),
                Frame::End if opened.elapsed() < AT_ONCE => {
                    let what = "the server, or what is before it, ends streams of events at once";
                    let fault = Fault::new(ErrorCode::ServerUnreachable, what);
                    return self.hollow.wait() || self.over(fault);
                }
                Frame::End => {
                    self.hollow.reached();
                    Redial::breathe();
                    return true;
                }
            }
        }
    }

    fn strange(&self, why: &str) -> bool {
        let path = super::path(&["runs", &self.run.to_string(), "events"]);
        self.over(self.client.bad(&path, why))
    }

    fn lost(&mut self, fault: Fault) -> bool {
        if self.redial.is_first() && !(self.tell)(News::Lost(fault.clone())) {
            return false;
        }
        self.redial.wait() || self.over(fault)
    }

    /// Tells the end; false, for there is nothing to come.
    fn over(&self, fault: Fault) -> bool {
        (self.tell)(News::Over(fault));
        false
    }
}
