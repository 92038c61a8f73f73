//! Deliveries that were given up: looking at them, and posting them once more.

use super::courier::DEAD_MAX;
use super::document::{DEAD, Dead, dead_key, delete, read};
use super::service::{Webhooks, next, result};
use crate::access::{Caller, Permission};
use crate::feed::Cursor;
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_protocol::api::{DeadDeliveryList, DeliveryResult, ReplayResult};
use loom_store::{DocumentPage, Scan};
use std::time::Duration;
use tokio::time::Instant;

/// How long a replay of all goes on: no request takes for ever.
const REPLAY: Duration = Duration::from_secs(15);

impl Webhooks {
    /// The deliveries that were given up.
    pub async fn dead(
        &self,
        caller: &Caller,
        id: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<DeadDeliveryList, Problem> {
        self.find(caller, Permission::WebhooksList, id).await?;
        let page = self.dead_documents(id, after, limit).await?;
        let items = page.documents.iter().map(|document| read::<Dead>(document)?.view());
        let items = items.collect::<Result<_, _>>()?;
        Ok(DeadDeliveryList { items, next_cursor: next(&page.documents, page.more) })
    }

    /// Posts a dead delivery once more. It is dead no longer if the receiver takes it.
    pub async fn replay(
        &self,
        caller: &Caller,
        id: &str,
        event: &str,
    ) -> Result<DeliveryResult, Problem> {
        let found = self.find(caller, Permission::WebhooksWrite, id).await?;
        let missing = || Problem::missing("dead delivery", event);
        let cursor: Cursor = event.parse().map_err(|_| missing())?;
        let key = dead_key(id, cursor);
        let document = self.office.shelf.document(DEAD, key.clone()).await?.ok_or_else(missing)?;
        let dead: Dead = read(&document)?;
        let body = dead.body.ok_or_else(|| {
            Problem::new(ErrorCode::NotFound, "the event was too large to be kept for a replay")
        })?;
        let reply = self.post(&found, dead.event, dead.correlation_id, body.into()).await;
        if reply.error().is_none() {
            let gone = vec![delete(DEAD, key)];
            self.office.shelf.write(gone).await?.map_err(|stale| Problem::stale(&stale))?;
        }
        Ok(result(&reply))
    }

    /// Posts all dead deliveries once more, the oldest first, until one is not taken or the time is
    /// over. Those that the receiver takes are dead no longer.
    pub async fn replay_all(&self, caller: &Caller, id: &str) -> Result<ReplayResult, Problem> {
        let found = self.find(caller, Permission::WebhooksWrite, id).await?;
        let until = Instant::now() + REPLAY;
        let documents = self.dead_documents(id, None, DEAD_MAX).await?.documents;
        let (all, mut delivered, mut error) = (documents.len() as u64, 0, None);
        for document in documents {
            if Instant::now() >= until {
                break;
            }
            let dead: Dead = read(&document)?;
            // What was too large to be kept stays, for somebody to see that it is missing.
            let Some(body) = dead.body else { continue };
            let reply = self.post(&found, dead.event, dead.correlation_id, body.into()).await;
            error = reply.error();
            if error.is_some() {
                break;
            }
            let gone = vec![delete(DEAD, document.key)];
            self.office.shelf.write(gone).await?.map_err(|stale| Problem::stale(&stale))?;
            delivered += 1;
        }
        Ok(ReplayResult { delivered, left: all - delivered, error })
    }

    pub(super) async fn dead_documents(
        &self,
        id: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<DocumentPage, Problem> {
        let scan = Scan { prefix: format!("{id}/"), after, limit, descending: false };
        self.office.shelf.scan(DEAD, scan).await
    }
}
