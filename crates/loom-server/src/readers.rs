//! Questions to the store, asked on threads of their own.

use crate::parts::Stores;
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_store::{QueryStore, StoreError, UpkeepStore};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// How many questions may be asked at once; store reads are short, and two cores do no more.
const THREADS: usize = 3;
/// How many questions may wait.
const WAITING_MAX: usize = 4096;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// A small pool of connections. Cheap to clone; its threads end with the last clone.
pub(crate) struct Connections<S: ?Sized> {
    jobs: SyncSender<Job<S>>,
}

/// Connections for looking.
pub(crate) type Readers = Connections<dyn QueryStore>;

/// The janitor's connection.
pub(crate) type Keeper = Connections<dyn UpkeepStore>;

impl<S: ?Sized> Clone for Connections<S> {
    fn clone(&self) -> Self {
        Self { jobs: self.jobs.clone() }
    }
}

impl Readers {
    /// Opens the connections.
    pub(crate) fn start(stores: &dyn Stores) -> Result<Self, StoreError> {
        let connections = (0..THREADS).map(|_| stores.query()).collect::<Result<_, _>>()?;
        Self::serve("loom-read", connections)
    }
}

impl Keeper {
    /// Opens the connection.
    pub(crate) fn start(stores: &dyn Stores) -> Result<Self, StoreError> {
        Self::serve("loom-keep", vec![stores.upkeep()?])
    }
}

impl<S: ?Sized + Send + 'static> Connections<S> {
    fn serve(name: &str, connections: Vec<Box<S>>) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel::<Job<S>>(WAITING_MAX);
        let queue = Arc::new(Mutex::new(queue));
        for (number, mut store) in connections.into_iter().enumerate() {
            let queue = Arc::clone(&queue);
            let work = move || {
                while let Some(job) = next(&queue) {
                    outlive(|| job(store.as_mut()));
                }
            };
            spawn(&format!("{name}-{number}"), work)?;
        }
        Ok(Self { jobs })
    }

    /// Asks, and waits for the answer without holding a thread.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut S) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let job: Job<S> = Box::new(move |store| {
            // The asker may have gone.
            let _ = answer.send(question(store));
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Problem::busy("too many requests wait for the store"),
            TrySendError::Disconnected(_) => Problem::stopping(),
        })?;
        match receiver.await {
            Ok(answer) => answer.map_err(Problem::from),
            Err(_) => Err(Problem::new(
                ErrorCode::MachineFailed,
                "a question to the store ended without an answer",
            )),
        }
    }
}

fn next<S: ?Sized>(queue: &Mutex<Receiver<Job<S>>>) -> Option<Job<S>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Does something for somebody. A panic is a bug in it, has been told, and ends it alone: the thread
/// works for all the others too. Who waits for an answer sees that none will come.
pub(crate) fn outlive(job: impl FnOnce()) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
}

/// Starts a named thread that lives as long as the server.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(
        |error: io::Error| StoreError::Unavailable(format!("no thread could be made: {error}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_store::MemoryStore;

    #[tokio::test]
    async fn a_question_that_panics_takes_nobody_with_it() {
        let store: Box<dyn QueryStore> = Box::new(MemoryStore::new());
        let readers = Readers::serve("test", vec![store]).unwrap();
        for _ in 0..3 {
            let panics = readers.ask(|_| -> Result<(), StoreError> { panic!("as it is meant to") });
            assert_eq!(panics.await.unwrap_err().code, ErrorCode::MachineFailed);
        }
        readers.ask(QueryStore::feed_end).await.unwrap();
    }
}
