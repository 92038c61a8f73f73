//! Making subscriptions and looking after them.

use super::courier::{self, DEAD_MAX, Office, Trouble};
use super::document::{
    DEAD, PLACES, SUBSCRIPTIONS, Subscription, dead_key, delete, put_place, read,
};
use super::receiver::{Parcel, Receivers, Reply};
use super::retry;
use super::signature::Secret;
use crate::access::{Caller, Permission};
use crate::feed::{Cursor, Follower, Hub};
use crate::ids::new_id;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::shelf::Shelf;
use loom_engine::Clock;
use loom_protocol::api::{
    CreateWebhook, CreatedWebhook, DeadDelivery, DeadDeliveryList, DeliveryResult, WebhookList,
    WebhookPause, WebhookView,
};
use loom_protocol::{ErrorCode, rfc3339};
use loom_store::{Change, Document, Expect, Scan};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// The most subscriptions. Each may hold a thread while its receiver takes its time.
const SUBSCRIPTIONS_MAX: usize = 200;
/// The longest description, and the longest name of a workflow or namespace.
const TEXT_MAX: usize = 256;
/// The most types or namespaces of one subscription.
const NAMES_MAX: usize = 64;
/// How long the server rests before it looks for its subscriptions again.
const REST: Duration = Duration::from_secs(1);

/// The subscriptions.
pub struct Webhooks {
    office: Office,
    couriers: Mutex<HashMap<String, Courier>>,
}

struct Courier {
    task: AbortHandle,
    trouble: Trouble,
}

/// A subscription as it was found.
struct Found {
    subscription: Subscription,
    version: u64,
    secret: String,
}

impl Webhooks {
    /// Starts to deliver. `private` allows receivers in the server's own network.
    pub(crate) fn start(
        hub: Arc<Hub>,
        readers: Readers,
        shelf: Shelf,
        clock: Arc<dyn Clock>,
        private: bool,
    ) -> Arc<Self> {
        let receivers = Receivers::new(private);
        let office = Office { hub, readers, shelf, clock, receivers };
        let webhooks = Arc::new(Self { office, couriers: Mutex::default() });
        let starting = Arc::clone(&webhooks);
        tokio::spawn(async move {
            while let Err(problem) = starting.launch_all().await
                && problem.code != ErrorCode::ServerStopping
            {
                tokio::time::sleep(REST).await;
            }
        });
        webhooks
    }

    /// Makes a subscription to what happens from now on, in namespaces that the caller may see.
    pub async fn create(
        &self,
        caller: &Caller,
        request: CreateWebhook,
    ) -> Result<CreatedWebhook, Problem> {
        let namespaces = granted(caller, request.namespaces.as_deref())?;
        let secret = match request.secret.as_deref() {
            None => Secret::generate()?,
            Some(text) => Secret::parse(text).ok_or_else(|| {
                Problem::argument("`secret` is not `whsec_` and 24 to 64 bytes in base 64")
            })?,
        };
        let now = self.office.clock.now();
        let subscription = Subscription {
            url: request.url,
            types: request.types,
            namespaces,
            workflow: request.workflow,
            description: request.description,
            retry: request.retry,
            created_by: caller.name().to_owned(),
            created_at: rfc3339(now.0),
            paused: None,
        };
        self.check(&subscription)?;
        let scan = Scan { limit: SUBSCRIPTIONS_MAX, ..Scan::default() };
        if self.office.shelf.scan(SUBSCRIPTIONS, scan).await?.documents.len() >= SUBSCRIPTIONS_MAX {
            let most = format!("there are {SUBSCRIPTIONS_MAX} webhooks, which is the most");
            return Err(
                Problem::new(ErrorCode::LimitReached, most).help("delete one that is not used")
            );
        }
        let id = new_id(now)?.to_string();
        let (hub, readers) = (Arc::clone(&self.office.hub), self.office.readers.clone());
        let place = Follower::from_now(hub, readers).place();
        let changes = vec![
            subscription.put(&id, secret.text(), Expect::Absent),
            put_place(&id, place, Expect::Absent),
        ];
        self.office.shelf.write(changes).await?.map_err(|stale| Problem::stale(&stale))?;
        self.launch(&id);
        let webhook = self.view(&id, subscription, place.to_string());
        Ok(CreatedWebhook { webhook, secret: secret.text() })
    }

    /// The subscriptions that the caller may see.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<String>,
        limit: usize,
    ) -> Result<WebhookList, Problem> {
        caller.namespaces(Permission::WebhooksList)?;
        let scan = Scan { after, limit, ..Scan::default() };
        let page = self.office.shelf.scan(SUBSCRIPTIONS, scan).await?;
        let mut items = Vec::new();
        for document in &page.documents {
            let subscription: Subscription = read(document)?;
            if covers(caller, Permission::WebhooksList, &subscription) {
                items.push(self.shown(&document.key, subscription).await?);
            }
        }
        Ok(WebhookList { items, next_cursor: next(&page.documents, page.more) })
    }

    /// One subscription.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
        let found = self.find(caller, Permission::WebhooksList, id).await?;
        self.shown(id, found.subscription).await
    }

    /// Removes a subscription with its dead deliveries.
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<(), Problem> {
        self.find(caller, Permission::WebhooksWrite, id).await?;
        let dead = self.dead_documents(id, None, DEAD_MAX).await?;
        let mut changes: Vec<Change> =
            dead.documents.into_iter().map(|document| delete(DEAD, document.key)).collect();
        changes.push(delete(SUBSCRIPTIONS, id.to_owned()));
        changes.push(delete(PLACES, id.to_owned()));
        self.office.shelf.write(changes).await?.map_err(|stale| Problem::stale(&stale))?;
        self.dismiss(id);
        Ok(())
    }

    /// Stops delivering, until [`resume`](Self::resume).
    pub async fn pause(
        &self,
        caller: &Caller,
        id: &str,
        reason: String,
    ) -> Result<WebhookView, Problem> {
        short("a reason", &reason)?;
        let at = rfc3339(self.office.clock.now().0);
        let pause = WebhookPause { reason, at, by: caller.name().to_owned() };
        let view = self.set_paused(caller, id, Some(pause)).await?;
        self.dismiss(id);
        Ok(view)
    }

    /// Goes on after a pause, with what happened meanwhile.
    pub async fn resume(&self, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
        let view = self.set_paused(caller, id, None).await?;
        self.launch(id);
        Ok(view)
    }

    /// Posts a `webhook.test` now, whether or not the subscription is paused.
    pub async fn test(&self, caller: &Caller, id: &str) -> Result<DeliveryResult, Problem> {
        let found = self.find(caller, Permission::WebhooksWrite, id).await?;
        let now = self.office.clock.now();
        let body = json!({ "type": "webhook.test", "at": rfc3339(now.0), "webhook": id });
        let reply = self.post(&found, format!("test-{}", new_id(now)?), &body).await?;
        Ok(result(&reply))
    }

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
        let items = page.documents.iter().map(read).collect::<Result<_, _>>()?;
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
        let dead: DeadDelivery = read(&document)?;
        let body = dead.body.ok_or_else(|| {
            Problem::new(ErrorCode::NotFound, "the event was too large to be kept for a replay")
        })?;
        let reply = self.post(&found, dead.event, &body).await?;
        if reply.error().is_none() {
            let gone = vec![delete(DEAD, key)];
            self.office.shelf.write(gone).await?.map_err(|stale| Problem::stale(&stale))?;
        }
        Ok(result(&reply))
    }

    async fn post(
        &self,
        found: &Found,
        id: String,
        body: &serde_json::Value,
    ) -> Result<Reply, Problem> {
        let secret = Secret::parse(&found.secret).ok_or_else(|| {
            Problem::new(ErrorCode::StoreCorrupt, "the webhook's secret cannot be read")
        })?;
        let body = serde_json::to_vec(body).expect("its keys are text");
        let parcel = Parcel { url: found.subscription.url.clone(), id, body, secret };
        Ok(self.office.receivers.post(parcel, self.office.clock.now()).await)
    }

    fn check(&self, subscription: &Subscription) -> Result<(), Problem> {
        self.office.receivers.check(&subscription.url)?;
        short("`description`", &subscription.description)?;
        short("`workflow`", subscription.workflow.as_deref().unwrap_or_default())?;
        let namespaces = subscription.namespaces.as_deref().unwrap_or_default();
        if subscription.types.len() > NAMES_MAX || namespaces.len() > NAMES_MAX {
            let most =
                format!("a webhook has at most {NAMES_MAX} types and {NAMES_MAX} namespaces");
            return Err(Problem::argument(most));
        }
        subscription.filter()?;
        retry::check(&subscription.retry)
    }

    /// The subscription, if the caller may do this to it; of others, nothing is told.
    async fn find(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Found, Problem> {
        caller.namespaces(permission)?;
        let missing = || Problem::missing("webhook", id);
        let document = self.office.shelf.document(SUBSCRIPTIONS, id).await?.ok_or_else(missing)?;
        let subscription: Subscription = read(&document)?;
        if !covers(caller, permission, &subscription) {
            return Err(missing());
        }
        let secret = document.secret.unwrap_or_default();
        Ok(Found { subscription, version: document.version, secret })
    }

    async fn set_paused(
        &self,
        caller: &Caller,
        id: &str,
        paused: Option<WebhookPause>,
    ) -> Result<WebhookView, Problem> {
        loop {
            let mut found = self.find(caller, Permission::WebhooksWrite, id).await?;
            found.subscription.paused.clone_from(&paused);
            let expect = Expect::Version(found.version);
            let change = found.subscription.put(id, found.secret, expect);
            // If somebody else was quicker, it is looked at again.
            if self.office.shelf.write(vec![change]).await?.is_ok() {
                return self.shown(id, found.subscription).await;
            }
        }
    }

    async fn dead_documents(
        &self,
        id: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<loom_store::DocumentPage, Problem> {
        let scan = Scan { prefix: format!("{id}/"), after, limit, descending: false };
        self.office.shelf.scan(DEAD, scan).await
    }

    async fn shown(&self, id: &str, subscription: Subscription) -> Result<WebhookView, Problem> {
        let place = self.office.shelf.document(PLACES, id).await?;
        let cursor = place.map(|place| read(&place)).transpose()?.unwrap_or_default();
        Ok(self.view(id, subscription, cursor))
    }

    fn view(&self, id: &str, subscription: Subscription, cursor: String) -> WebhookView {
        let trouble = self.couriers().get(id).map(|courier| Arc::clone(&courier.trouble));
        let failing = trouble
            .and_then(|trouble| trouble.lock().unwrap_or_else(PoisonError::into_inner).clone());
        WebhookView {
            id: id.to_owned(),
            url: subscription.url,
            types: subscription.types,
            namespaces: subscription.namespaces,
            workflow: subscription.workflow,
            description: subscription.description,
            retry: subscription.retry,
            created_by: subscription.created_by,
            created_at: subscription.created_at,
            failing: failing.filter(|_| subscription.paused.is_none()),
            paused: subscription.paused,
            cursor,
        }
    }

    async fn launch_all(&self) -> Result<(), Problem> {
        let scan = Scan { limit: SUBSCRIPTIONS_MAX, ..Scan::default() };
        let page = self.office.shelf.scan(SUBSCRIPTIONS, scan).await?;
        page.documents.iter().for_each(|document| self.launch(&document.key));
        Ok(())
    }

    /// Sends a courier, in the place of one who may be on the way. It looks by itself whether there
    /// is something to do.
    fn launch(&self, id: &str) {
        let mut couriers = self.couriers();
        let trouble = Trouble::default();
        let work = courier::run(self.office.clone(), id.to_owned(), Arc::clone(&trouble));
        let task = tokio::spawn(work).abort_handle();
        if let Some(before) = couriers.insert(id.to_owned(), Courier { task, trouble }) {
            before.task.abort();
        }
    }

    fn dismiss(&self, id: &str) {
        if let Some(courier) = self.couriers().remove(id) {
            courier.task.abort();
        }
    }

    fn couriers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Courier>> {
        self.couriers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The namespaces of a new subscription: those that were asked for, if the caller may write webhooks
/// and read events there, or all in which they may.
fn granted(caller: &Caller, asked: Option<&[String]>) -> Result<Option<Vec<String>>, Problem> {
    if let Some(asked) = asked {
        if asked.is_empty() {
            return Err(Problem::argument("`namespaces` is empty: leave it out for all"));
        }
        for namespace in asked {
            caller.may(Permission::WebhooksWrite, namespace)?;
            caller.may(Permission::EventsRead, namespace)?;
        }
        return Ok(Some(asked.to_vec()));
    }
    let writes = caller.namespaces(Permission::WebhooksWrite)?;
    let reads = caller.namespaces(Permission::EventsRead)?;
    Ok(match (writes, reads) {
        (Some(writes), Some(reads)) => {
            let both: Vec<_> = writes.into_iter().filter(|name| reads.contains(name)).collect();
            if both.is_empty() {
                let what = "the caller may make webhooks in no namespace whose events it may read";
                return Err(Problem::new(ErrorCode::Forbidden, what));
            }
            Some(both)
        }
        (one, None) | (None, one) => one,
    })
}

/// Whether the caller may do this wherever the subscription's events come from.
fn covers(caller: &Caller, permission: Permission, subscription: &Subscription) -> bool {
    match &subscription.namespaces {
        None => caller.may_everywhere(permission).is_ok(),
        Some(names) => names.iter().all(|name| caller.may(permission, name).is_ok()),
    }
}

fn short(what: &str, text: &str) -> Result<(), Problem> {
    if text.chars().count() <= TEXT_MAX && !text.contains(char::is_control) {
        return Ok(());
    }
    let most = format!("{what} has at most {TEXT_MAX} characters, none of them a control");
    Err(Problem::argument(most))
}

fn result(reply: &Reply) -> DeliveryResult {
    let error = reply.error();
    DeliveryResult { delivered: error.is_none(), status: reply.status(), error }
}

/// The cursor of the page behind.
fn next(documents: &[Document], more: bool) -> Option<String> {
    documents.last().filter(|_| more).map(|document| document.key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grant, Scope};

    fn caller(permission: Permission, names: &[&str]) -> Grant {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Grant { permissions: [permission].into_iter().collect(), scope: Scope::Namespaces(names) }
    }

    #[test]
    fn a_subscription_reaches_no_further_than_its_maker() {
        let everywhere = Caller::everything("me");
        assert_eq!(granted(&everywhere, None).unwrap(), None);
        let asked = ["a".to_owned()];
        assert_eq!(granted(&everywhere, Some(&asked)).unwrap(), Some(asked.to_vec()));
        granted(&everywhere, Some(&[])).unwrap_err();

        let writes = caller(Permission::WebhooksWrite, &["a", "b"]);
        let reads = caller(Permission::EventsRead, &["b", "c"]);
        let ann = Caller::new("ann", vec![writes.clone(), reads]);
        assert_eq!(granted(&ann, None).unwrap(), Some(vec!["b".to_owned()]));
        granted(&ann, Some(&asked)).unwrap_err();
        let bob = Caller::new("bob", vec![writes, caller(Permission::EventsRead, &["c"])]);
        granted(&bob, None).unwrap_err();
        granted(&Caller::new("nobody", Vec::new()), None).unwrap_err();
    }
}
