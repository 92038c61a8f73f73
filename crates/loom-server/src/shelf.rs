//! The server's own documents: registered workflows, tokens, schedules and the like.
//!
//! One thread writes. What callers want written while a commit is on its way is gathered into the
//! next, so that many small writes share the disk's sync.

use crate::parts::Stores;
use crate::problem::Problem;
use crate::readers::{outlive, spawn};
use loom_engine::Clock;
use loom_store::{Change, Document, DocumentPage, DocumentStore, Scan, Stale, StoreError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tokio::sync::oneshot;

/// How many calls may wait.
const WAITING_MAX: usize = 8192;
/// How many sets of changes one transaction takes at most.
const GATHER_MAX: usize = 512;

type Written = Result<Result<Vec<u64>, Stale>, StoreError>;

type Question = Box<dyn FnOnce(&mut dyn DocumentStore) + Send>;

enum Job {
    Read(Question),
    Write(Vec<Change>, oneshot::Sender<Written>),
}

/// The way to the documents. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shelf {
    jobs: SyncSender<Job>,
}

impl Shelf {
    pub(crate) fn start(stores: &dyn Stores, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(WAITING_MAX);
        let store = stores.documents()?;
        spawn("loom-documents", move || work(&queue, store, clock.as_ref()))?;
        Ok(Self { jobs })
    }

    /// One document, if it is there.
    pub(crate) async fn document(
        &self,
        collection: &'static str,
        key: impl Into<String>,
    ) -> Result<Option<Document>, Problem> {
        let key = key.into();
        self.read(move |store| store.document(collection, &key)).await
    }

    /// Documents in the order of their keys.
    pub(crate) async fn scan(
        &self,
        collection: &'static str,
        scan: Scan,
    ) -> Result<DocumentPage, Problem> {
        self.read(move |store| store.scan(collection, &scan)).await
    }

    /// Makes all changes or none; the answer comes when they are durable.
    pub(crate) async fn write(
        &self,
        changes: Vec<Change>,
    ) -> Result<Result<Vec<u64>, Stale>, Problem> {
        let (answer, receiver) = oneshot::channel();
        self.send(Job::Write(changes, answer))?;
        let written = receiver.await.map_err(|_| Problem::stopping())?;
        written.map_err(Problem::from)
    }

    /// As [`Shelf::write`], for what nobody waits for. Whoever asks afterwards sees it.
    pub(crate) fn note(&self, changes: Vec<Change>) {
        // Who has too much to do, or is about to end, leaves it.
        let _ = self.send(Job::Write(changes, oneshot::channel().0));
    }

    /// Asks anything of the documents.
    pub(crate) async fn read<T, F>(&self, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn DocumentStore) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        self.send(Job::Read(Box::new(move |store| {
            // The asker may have gone.
            let _ = answer.send(question(store));
        })))?;
        receiver.await.map_err(|_| Problem::stopping())?.map_err(Problem::from)
    }

    fn send(&self, job: Job) -> Result<(), Problem> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Problem::busy("too many requests wait for the store"),
            TrySendError::Disconnected(_) => Problem::stopping(),
        })
    }
}

fn work(queue: &Receiver<Job>, mut store: Box<dyn DocumentStore>, clock: &dyn Clock) {
    let mut kept = None;
    while let Some(job) = kept.take().or_else(|| queue.recv().ok()) {
        match job {
            Job::Read(question) => outlive(|| question(store.as_mut())),
            Job::Write(changes, answer) => {
                let (mut sets, mut answers) = (vec![changes], vec![answer]);
                while sets.len() < GATHER_MAX {
                    match queue.try_recv() {
                        Ok(Job::Write(changes, answer)) => {
                            sets.push(changes);
                            answers.push(answer);
                        }
                        Ok(read) => {
                            kept = Some(read);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                tell(store.write(&sets, clock.now()), answers);
            }
        }
    }
}

fn tell(
    written: Result<Vec<Result<Vec<u64>, Stale>>, StoreError>,
    answers: Vec<oneshot::Sender<Written>>,
) {
    match written {
        Ok(results) => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _ = answer.send(Ok(result));
            }
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}
