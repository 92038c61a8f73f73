//! The streams of HTTP/2: each is cut by itself if its client takes nothing of its answer.
//!
//! Such a client keeps its window shut while the connection, and what else runs over it, goes on. It
//! shows in that nobody asks the answer's body for more, so the body notes when it handed something
//! over, and the task that serves the stream is dropped if that was too long ago. Bodies are handed
//! over in small pieces: the library holds no more than one of them for a client that waits.

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The most bytes handed over at once: a frame's, unless the client wants others.
const PIECE: usize = 16 << 10;

tokio::task_local! {
    /// Of the stream that the task serves.
    static WATCH: Arc<Watch>;
}

/// Starts the tasks that serve streams.
#[derive(Clone, Copy)]
pub(super) struct Streams {
    pub(super) patience: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (watch, patience) = (Arc::<Watch>::default(), self.patience);
        tokio::spawn(async move {
            let served = WATCH.scope(Arc::clone(&watch), stream);
            tokio::select! {
                _ = served => {}
                // To drop it resets the stream.
                () = watch.stalled(patience) => {}
            }
        });
    }
}

/// Has the stream's task watch how the answer is taken. Answers of HTTP/1 have a connection of their
/// own, and are watched there.
pub(super) fn watched(answer: Response<Body>) -> Response<Body> {
    match WATCH.try_with(Arc::clone) {
        Ok(watch) => answer.map(|body| Body::new(Watched::new(body, watch))),
        Err(_) => answer,
    }
}

/// Since when a piece of the answer waits for its client.
#[derive(Default)]
struct Watch {
    handed_over: Mutex<Option<Instant>>,
    changed: Notify,
}

impl Watch {
    fn set(&self, handed_over: Option<Instant>) {
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) = handed_over;
        self.changed.notify_one();
    }

    fn get(&self) -> Option<Instant> {
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Done when the same piece has waited for so long.
    async fn stalled(&self, patience: Duration) {
        loop {
            let Some(since) = self.get() else {
                self.changed.notified().await;
                continue;
            };
            sleep_until(since + patience).await;
            if self.get() == Some(since) {
                return;
            }
        }
    }
}

/// An answer's body, in pieces.
struct Watched {
    body: Body,
    /// Read from the body, and not handed over yet.
    rest: Bytes,
    watch: Arc<Watch>,
}

impl Watched {
    fn new(body: Body, watch: Arc<Watch>) -> Self {
        Self { body, rest: Bytes::new(), watch }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // What was handed over before was taken.
        self.watch.set(None);
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.watch.set(Some(Instant::now()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, of_body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use futures_util::future::poll_fn;
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_body_comes_whole_in_pieces() {
        let text = "x".repeat(3 * PIECE + 1);
        let body = Watched::new(Body::from(text.clone()), Arc::default());
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
        let pieces: Vec<_> = Body::new(body).into_data_stream().collect().await;
        let pieces: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [PIECE, PIECE, PIECE, 1]);
        assert_eq!(pieces.concat(), text.as_bytes());
    }

    #[tokio::test]
    async fn only_a_piece_that_nobody_takes_is_a_stall() {
        const SHORT: Duration = Duration::from_millis(20);
        let watch = Arc::<Watch>::default();
        let stalls = async |patience| timeout(4 * SHORT, watch.stalled(patience)).await.is_ok();
        let mut body = Watched::new(Body::from(vec![7; 2 * PIECE]), Arc::clone(&watch));
        assert!(!stalls(SHORT).await, "nothing was handed over");
        for _ in 0..2 {
            poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.unwrap().unwrap();
            assert!(!stalls(Duration::from_mins(1)).await);
        }
        assert!(stalls(SHORT).await);
        assert!(poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.is_none());
        assert!(!stalls(SHORT).await, "it was taken");
    }
}
