//! Making subscriptions and looking after them.

use super::courier::{self, DEAD_MAX, Office, STAND_BY, Trouble};
use super::document::{
    DEAD, PLACES, SUBSCRIPTIONS, Subscription, delete, put_place, read, read_place, read_secrets,
};
use super::grant::{covers, granted};
use super::receiver::{Parcel, Receivers, Reply};
use super::retry;
use super::signature::{Secret, Secrets};
use crate::access::{Caller, Permission};
use crate::asked::{Precondition, within};
use crate::feed::{Follower, Hub};
use crate::ids::new_id;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::shelf::Shelf;
use crate::workflows::Tagged;
use loom_core::Timestamp;
use loom_engine::Clock;
use loom_protocol::api::{
    ChangeWebhook, CreateWebhook, CreatedWebhook, DeliveryResult, RotateSecret, WebhookList,
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
/// For how many seconds two secrets overlap at most: a week.
const OVERLAP_MAX: u32 = 7 * 24 * 60 * 60;
/// How long the server rests before it looks for its subscriptions again.
const REST: Duration = Duration::from_secs(1);

/// The subscriptions.
pub struct Webhooks {
    pub(super) office: Office,
    couriers: Mutex<HashMap<String, Courier>>,
}

struct Courier {
    task: AbortHandle,
    trouble: Trouble,
}

/// A subscription as it was found.
pub(super) struct Found {
    subscription: Subscription,
    version: u64,
    secrets: Secrets,
}

impl Found {
    fn read(document: &Document) -> Result<Self, Problem> {
        let (subscription, secrets) = (read(document)?, read_secrets(document)?);
        Ok(Self { subscription, version: document.version, secrets })
    }
}

impl Webhooks {
    /// Starts to deliver.
    pub(crate) fn start(
        hub: Arc<Hub>,
        readers: Readers,
        shelf: Shelf,
        clock: Arc<dyn Clock>,
        receivers: Receivers,
    ) -> Arc<Self> {
        let office = Office { hub, readers, shelf, clock, receivers };
        let webhooks = Arc::new(Self { office, couriers: Mutex::default() });
        let tended = Arc::downgrade(&webhooks);
        tokio::spawn(async move {
            while let Some(webhooks) = tended.upgrade() {
                let launched = webhooks.launch_missing().await;
                drop(webhooks);
                let rest = match launched {
                    // Another server on the store may have made more.
                    Ok(()) => STAND_BY,
                    Err(problem) if problem.code == ErrorCode::ServerStopping => return,
                    Err(_) => REST,
                };
                tokio::time::sleep(rest).await;
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
        let secret = secret(request.secret.as_deref())?;
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
            subscription.put(&id, &Secrets::new(secret.clone()), Expect::Absent),
            put_place(&id, place, Expect::Absent),
        ];
        self.office.shelf.write(changes).await?.map_err(|stale| Problem::stale(&stale))?;
        self.launch(&id);
        let webhook = self.view(&id, subscription, None, place.to_string());
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
            let found = Found::read(document)?;
            if covers(caller, Permission::WebhooksList, &found.subscription) {
                items.push(self.shown(&document.key, found).await?.value);
            }
        }
        Ok(WebhookList { items, next_cursor: next(&page.documents, page.more) })
    }

    /// One subscription, with its entity tag.
    pub async fn get(&self, caller: &Caller, id: &str) -> Result<Tagged<WebhookView>, Problem> {
        let found = self.find(caller, Permission::WebhooksList, id).await?;
        self.shown(id, found).await
    }

    /// Replaces what a subscription says, but not its secret. It reaches no further than the caller
    /// from now on. What is being delivered is delivered again.
    pub async fn change(
        &self,
        caller: &Caller,
        id: &str,
        request: ChangeWebhook,
        when: Precondition,
    ) -> Result<Tagged<WebhookView>, Problem> {
        let namespaces = granted(caller, request.namespaces.as_deref())?;
        let changed = self.edit(caller, id, |found| {
            when.check(Some(found.version), "webhook", SUBSCRIPTIONS, id)?;
            let ChangeWebhook { url, types, workflow, description, retry, .. } = request.clone();
            let (namespaces, before) = (namespaces.clone(), found.subscription.clone());
            found.subscription =
                Subscription { url, types, namespaces, workflow, description, retry, ..before };
            self.check(&found.subscription)
        });
        self.shown(id, changed.await?).await
    }

    /// Replaces the secret. Deliveries are signed with the old one too for a while.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: &str,
        request: RotateSecret,
    ) -> Result<CreatedWebhook, Problem> {
        within("`overlap_s`", request.overlap_s, 0, OVERLAP_MAX)?;
        let new = secret(request.secret.as_deref())?;
        let overlap = Duration::from_secs(request.overlap_s.into());
        let now = self.office.clock.now();
        let changed = self.edit(caller, id, |found| {
            found.secrets = found.secrets.clone().rotate(new.clone(), now, overlap);
            Ok(())
        });
        let webhook = self.shown(id, changed.await?).await?.value;
        Ok(CreatedWebhook { webhook, secret: new.text() })
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
        self.set_paused(caller, id, Some(pause)).await
    }

    /// Goes on after a pause, with what happened meanwhile.
    pub async fn resume(&self, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
        self.set_paused(caller, id, None).await
    }

    /// Posts a `webhook.test` now, whether or not the subscription is paused.
    pub async fn test(&self, caller: &Caller, id: &str) -> Result<DeliveryResult, Problem> {
        let found = self.find(caller, Permission::WebhooksWrite, id).await?;
        let now = self.office.clock.now();
        let body = json!({ "type": "webhook.test", "at": rfc3339(now.0), "webhook": id });
        let reply = self.post(&found, format!("test-{}", new_id(now)?), &body).await?;
        Ok(result(&reply))
    }

    pub(super) async fn post(
        &self,
        found: &Found,
        id: String,
        body: &serde_json::Value,
    ) -> Result<Reply, Problem> {
        let body = serde_json::to_vec(body).expect("its keys are text");
        let (url, secrets) = (found.subscription.url.clone(), found.secrets.clone());
        let parcel = Parcel { url, id, body, secrets };
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
        if subscription.workflow.as_deref() == Some("") {
            return Err(Problem::argument("`workflow` is empty: no run is of such a workflow")
                .help("leave it out for the runs of all workflows"));
        }
        subscription.filter()?;
        retry::check(&subscription.retry)
    }

    /// The subscription, if the caller may do this to it; of others, nothing is told.
    pub(super) async fn find(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Found, Problem> {
        caller.namespaces(permission)?;
        let missing = || Problem::missing("webhook", id);
        let document = self.office.shelf.document(SUBSCRIPTIONS, id).await?.ok_or_else(missing)?;
        let found = Found::read(&document)?;
        if covers(caller, permission, &found.subscription) { Ok(found) } else { Err(missing()) }
    }

    async fn set_paused(
        &self,
        caller: &Caller,
        id: &str,
        paused: Option<WebhookPause>,
    ) -> Result<WebhookView, Problem> {
        let changed = self.edit(caller, id, |found| {
            found.subscription.paused.clone_from(&paused);
            Ok(())
        });
        Ok(self.shown(id, changed.await?).await?.value)
    }

    /// Changes a subscription, and sends a courier who knows it as it is now. Its place is written
    /// too, so that a courier of another server, who does not, finds that he is not the only one.
    async fn edit(
        &self,
        caller: &Caller,
        id: &str,
        edit: impl Fn(&mut Found) -> Result<(), Problem>,
    ) -> Result<Found, Problem> {
        loop {
            let mut found = self.find(caller, Permission::WebhooksWrite, id).await?;
            edit(&mut found)?;
            let missing = || Problem::missing("webhook", id);
            let place = self.office.shelf.document(PLACES, id).await?.ok_or_else(missing)?;
            let changes = vec![
                found.subscription.put(id, &found.secrets, Expect::Version(found.version)),
                put_place(id, read_place(&place)?, Expect::Version(place.version)),
            ];
            // If somebody else was quicker, it is looked at again.
            if let Ok(versions) = self.office.shelf.write(changes).await? {
                self.launch(id);
                found.version = versions[0];
                return Ok(found);
            }
        }
    }

    async fn shown(&self, id: &str, found: Found) -> Result<Tagged<WebhookView>, Problem> {
        let place = self.office.shelf.document(PLACES, id).await?;
        let cursor = place.map(|place| read(&place)).transpose()?.unwrap_or_default();
        let old_until = found.secrets.old_until(self.office.clock.now());
        let value = self.view(id, found.subscription, old_until, cursor);
        Ok(Tagged { value, version: found.version })
    }

    fn view(
        &self,
        id: &str,
        subscription: Subscription,
        old_secret_until: Option<Timestamp>,
        cursor: String,
    ) -> WebhookView {
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
            old_secret_until: old_secret_until.map(|until| rfc3339(until.0)),
            failing: failing.filter(|_| subscription.paused.is_none()),
            paused: subscription.paused,
            cursor,
        }
    }

    /// Sends couriers for subscriptions that have none.
    async fn launch_missing(&self) -> Result<(), Problem> {
        let scan = Scan { limit: SUBSCRIPTIONS_MAX, ..Scan::default() };
        let page = self.office.shelf.scan(SUBSCRIPTIONS, scan).await?;
        for document in &page.documents {
            let under_way =
                self.couriers().get(&document.key).is_some_and(|it| !it.task.is_finished());
            if !under_way {
                self.launch(&document.key);
            }
        }
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

/// The secret that was given, or a new one.
fn secret(given: Option<&str>) -> Result<Secret, Problem> {
    let wrong = || Problem::argument("`secret` is not `whsec_` and 24 to 64 bytes in base 64");
    match given {
        None => Secret::generate(),
        Some(text) => Secret::parse(text).ok_or_else(wrong),
    }
}

fn short(what: &str, text: &str) -> Result<(), Problem> {
    if text.chars().count() <= TEXT_MAX && !text.contains(char::is_control) {
        return Ok(());
    }
    let most = format!("{what} has at most {TEXT_MAX} characters, none of them a control");
    Err(Problem::argument(most))
}

pub(super) fn result(reply: &Reply) -> DeliveryResult {
    let error = reply.error();
    DeliveryResult { delivered: error.is_none(), status: reply.status(), error }
}

/// The cursor of the page behind.
pub(super) fn next(documents: &[Document], more: bool) -> Option<String> {
    documents.last().filter(|_| more).map(|document| document.key.clone())
}
