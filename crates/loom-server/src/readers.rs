//! Questions to the store, asked on threads of their own.

use crate::parts::Stores;
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_store::{QueryStore, StoreError};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// How many questions may be asked at once; store reads are short, and two cores do no more.
const THREADS: usize = 3;
/// How many questions may wait.
const WAITING_MAX: usize = 4096;

type Job = Box<dyn FnOnce(&mut dyn QueryStore) + Send>;

/// A small pool of connections for looking. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Readers {
    jobs: SyncSender<Job>,
}

impl Readers {
    /// Opens the connections.
    pub(crate) fn start(stores: &dyn Stores) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel::<Job>(WAITING_MAX);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..THREADS {
            let mut store = stores.query()?;
            let queue = Arc::clone(&queue);
            let work = move || {
                while let Some(job) = next(&queue) {
                    job(store.as_mut());
                }
            };
            spawn(&format!("loom-read-{number}"), work)?;
        }
        Ok(Self { jobs })
    }

    /// Asks, and waits for the answer without holding a thread.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn QueryStore) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        let job: Job = Box::new(move |store| {
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

fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// Starts a named thread that lives as long as the server.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop).map_err(
        |error: io::Error| StoreError::Unavailable(format!("no thread could be made: {error}")),
    )
}
