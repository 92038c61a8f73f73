//! Whether the server can do its work: tried, not assumed.

use super::disk::Space;
use crate::feed::Damage;
use crate::parts::Stores;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::shelf::Shelf;
use loom_engine::{Clock, Handle, Input};
use loom_protocol::api::{Check, Readiness};
use loom_protocol::rfc3339;
use loom_store::{Change, Expect, Write};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, oneshot};

/// How long a check may take before what it tries counts as not working.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long an answer holds: whoever asks more often causes no more work.
const HOLDS: Duration = Duration::from_secs(1);
/// Below this much room the disk counts as full.
const ROOM_MIN: u64 = 64 << 20;

/// What is tried.
pub(super) struct Health {
    pub(super) engine: Handle,
    pub(super) readers: Readers,
    pub(super) shelf: Shelf,
    pub(super) stores: Arc<dyn Stores>,
    pub(super) damage: Damage,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) last: Mutex<Option<(Instant, Readiness)>>,
}

impl Health {
    /// The last answer, or a new one. One at a time is made.
    pub(super) async fn ready(&self) -> Readiness {
        let mut last = self.last.lock().await;
        if let Some((_, readiness)) = last.as_ref().filter(|(at, _)| at.elapsed() < HOLDS) {
            return readiness.clone();
        }
        let feed = async { self.damage.state() };
        let (store, disk, engine, feed) = tokio::join!(
            timed(self.store()),
            timed(self.disk()),
            timed(self.engine()),
            timed(feed)
        );
        let checks = [("store", store), ("disk", disk), ("engine", engine), ("feed", feed)];
        let readiness = Readiness {
            ready: checks.iter().all(|(_, check)| check.healthy),
            checks: checks.map(|(name, check)| (name.to_owned(), check)).into_iter().collect(),
            at: rfc3339(self.clock.now().0),
        };
        *last = Some((Instant::now(), readiness.clone()));
        readiness
    }

    async fn store(&self) -> Result<String, String> {
        let problem = |problem: Problem| problem.message;
        self.readers.ask(loom_store::QueryStore::feed_end).await.map_err(problem)?;
        let body = serde_json::json!({ "at": rfc3339(self.clock.now().0) });
        let probe = Change {
            collection: "health".into(),
            key: "probe".to_owned(),
            expect: Expect::Any,
            write: Write::Put { body, secret: None },
        };
        match self.shelf.write(vec![probe]).await.map_err(problem)? {
            Ok(_) => Ok("reads and writes".to_owned()),
            Err(stale) => Err(format!("`{}` cannot be overwritten", stale.key)),
        }
    }

    async fn disk(&self) -> Result<String, String> {
        let stores = Arc::clone(&self.stores);
        let found = tokio::task::spawn_blocking(move || stores.space()).await;
        match found.map_err(|error| error.to_string())? {
            Ok(Some(Space { available, .. })) => {
                let message = format!("{} MiB are free", available >> 20);
                if available < ROOM_MIN { Err(message) } else { Ok(message) }
            }
            Ok(None) => Ok("the store is on no disk of this machine".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn engine(&self) -> Result<String, String> {
        let (answer, receiver) = oneshot::channel();
        self.engine.send(Input::Ping(Box::new(move |result| {
            // The asker may have gone.
            let _ = answer.send(result);
        })));
        match receiver.await {
            Ok(Ok(())) => Ok("answers".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the engine has stopped".to_owned()),
        }
    }
}

async fn timed(check: impl Future<Output = Result<String, String>>) -> Check {
    let begun = Instant::now();
    let result = tokio::time::timeout(PATIENCE, check).await;
    let result =
        result.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
    let took_s = begun.elapsed().as_secs_f64();
    match result {
        Ok(message) => Check { healthy: true, message, took_s },
        Err(message) => Check { healthy: false, message, took_s },
    }
}
