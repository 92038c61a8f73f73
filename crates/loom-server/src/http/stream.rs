//! A stream of server-sent events to one reader.
//!
//! A task of its own reads ahead of the reader, but only a little: what waits for one reader is
//! bounded, and one that takes nothing for too long is sent away. It comes back with the last
//! identity that it saw, and misses nothing.

use super::warrant::Warrant;
use crate::feed::{AllEvents, Heard, RunEvents};
use crate::problem::Problem;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, sleep_until};

/// How often a silent stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many events wait for a reader.
const WAITING_MAX: usize = 16;

/// How patient the two sides of a stream are.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How often a silent stream says that it lives.
    heartbeat: Duration,
    /// How long a reader may take nothing while something waits for it.
    patience: Duration,
}

/// Where a stream's events come from.
pub(super) trait Feed: Send + 'static {
    /// What comes next. Cut off while it waits, it has lost nothing.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Event>, Problem>> + Send;

    /// Says that the stream lives, and how far it has come, if the reader does not know.
    fn heartbeat(&self) -> Event;
}

/// The answer that a reader of events gets, which may take nothing of it for so long. The permit is
/// given back at the stream's end.
pub(super) fn respond(
    feed: impl Feed,
    permit: OwnedSemaphorePermit,
    warrant: Warrant,
    patience: Duration,
) -> Response {
    let (reader, events) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        pump(feed, &reader, warrant, Pace { heartbeat: HEARTBEAT, patience }).await;
        drop(permit);
    });
    let events = stream::unfold(events, |mut events| async move {
        let event: Event = events.recv().await?;
        Some((Ok::<_, Infallible>(event), events))
    });
    Sse::new(events).into_response()
}

async fn pump(mut feed: impl Feed, reader: &mpsc::Sender<Event>, mut warrant: Warrant, pace: Pace) {
    // At once, so that one whose stream breaks before its first event knows where to go on.
    let mut ready = vec![feed.heartbeat()];
    let mut beat_at = Instant::now();
    loop {
        if warrant.is_over().await {
            return;
        }
        if !ready.is_empty() {
            beat_at = Instant::now() + pace.heartbeat;
        }
        for event in ready {
            if reader.send_timeout(event, pace.patience).await.is_err() {
                return;
            }
        }
        ready = tokio::select! {
            next = feed.next() => match next {
                Ok(events) => events,
                Err(_) => return,
            },
            () = sleep_until(beat_at) => vec![feed.heartbeat()],
            () = sleep_until(warrant.next_at()) => Vec::new(),
            () = reader.closed() => return,
        };
    }
}

impl Feed for AllEvents {
    async fn next(&mut self) -> Result<Vec<Event>, Problem> {
        Self::next(self).await.map(frames)
    }

    fn heartbeat(&self) -> Event {
        // An identity without data: a reader that wants little still moves on in the feed.
        let beat = Event::default().comment("");
        match self.place() {
            Some(place) => beat.id(place),
            None => beat,
        }
    }
}

impl Feed for RunEvents {
    async fn next(&mut self) -> Result<Vec<Event>, Problem> {
        Self::next(self).await.map(frames)
    }

    fn heartbeat(&self) -> Event {
        Event::default().comment("")
    }
}

/// Events as they go out.
fn frames(heard: Vec<Heard>) -> Vec<Event> {
    let frame = |Heard { place, event }: Heard| {
        let json = serde_json::to_string(&event).expect("its keys are text");
        Event::default().id(place).event(event.what.type_name()).data(json)
    };
    heard.into_iter().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_mins(1);

    /// So many events, and then none.
    struct Some(usize);

    impl Feed for Some {
        async fn next(&mut self) -> Result<Vec<Event>, Problem> {
            if self.0 == 0 {
                return std::future::pending().await;
            }
            self.0 -= 1;
            Ok(vec![Event::default().data("x")])
        }

        fn heartbeat(&self) -> Event {
            Event::default().comment("")
        }
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
    }

    #[test]
    fn a_reader_that_takes_nothing_is_sent_away() {
        let (reader, mut events) = mpsc::channel(WAITING_MAX);
        let pace = Pace { heartbeat: LONG, patience: SHORT };
        run(async { pump(Some(1000), &reader, Warrant::for_good(), pace).await });
        drop(reader);
        let mut waited = 0;
        while events.try_recv().is_ok() {
            waited += 1;
        }
        assert_eq!(waited, WAITING_MAX);
    }

    #[test]
    fn a_silent_stream_says_that_it_lives() {
        let (reader, mut events) = mpsc::channel(WAITING_MAX);
        let pace = Pace { heartbeat: SHORT, patience: LONG };
        run(async {
            let pumped = pump(Some(0), &reader, Warrant::for_good(), pace);
            let taken = async {
                for _ in 0..3 {
                    assert!(events.recv().await.is_some());
                }
                drop(events);
            };
            tokio::join!(pumped, taken);
        });
    }

    #[test]
    fn a_stream_ends_when_its_reader_has_gone() {
        let (reader, events) = mpsc::channel(WAITING_MAX);
        drop(events);
        let pace = Pace { heartbeat: LONG, patience: LONG };
        run(async { pump(Some(0), &reader, Warrant::for_good(), pace).await });
    }
}
