//! How subscriptions are kept.

use super::signature::Secrets;
use crate::feed::{Cursor, Filter, Types};
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use loom_protocol::api::{DeadDelivery, WebhookPause, WebhookRetry};
use loom_protocol::json::read_stored;
use loom_store::{Change, Document, Expect, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The collection of subscriptions, by their identities. The secret is the signing secret.
pub(super) const SUBSCRIPTIONS: &str = "webhooks";
/// The collection of their places in the feed, by the same identities.
pub(super) const PLACES: &str = "webhook_places";
/// The collection of deliveries that were given up: `SUBSCRIPTION/EVENT`, the event so that keys
/// sort as events do.
pub(super) const DEAD: &str = "webhook_dead";

/// A subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub(super) url: String,
    pub(super) types: Vec<String>,
    pub(super) namespaces: Option<Vec<String>>,
    pub(super) workflow: Option<String>,
    pub(super) description: String,
    pub(super) retry: WebhookRetry,
    pub(super) created_by: String,
    pub(super) created_at: String,
    pub(super) paused: Option<WebhookPause>,
}

impl Subscription {
    /// The events that it wants.
    pub(super) fn filter(&self) -> Result<Filter, Problem> {
        let types = match self.types.as_slice() {
            [] => Types::All,
            names => Types::named(names.iter().map(String::as_str))?,
        };
        Ok(Filter { namespaces: self.namespaces.clone(), workflow: self.workflow.clone(), types })
    }

    pub(super) fn put(&self, id: &str, secrets: &Secrets, expect: Expect) -> Change {
        put(SUBSCRIPTIONS, id.to_owned(), json!(self), Some(secrets.text()), expect)
    }
}

/// The change that keeps a place.
pub(super) fn put_place(id: &str, place: Cursor, expect: Expect) -> Change {
    put(PLACES, id.to_owned(), json!(place.to_string()), None, expect)
}

/// A delivery that was given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dead {
    pub(super) event: String,
    /// Of the event's run; empty in those of before it was kept.
    #[serde(default)]
    pub(super) correlation_id: String,
    pub(super) at: String,
    pub(super) attempts: u32,
    pub(super) error: String,
    /// What was posted, byte by byte, unless it is too large to be kept.
    pub(super) body: Option<String>,
}

impl Dead {
    /// As people see it.
    pub(super) fn view(self) -> Result<DeadDelivery, Problem> {
        let Self { event, correlation_id, at, attempts, error, body } = self;
        let body = body.map(|text| {
            read_stored(&text).map_err(|error| {
                let what = format!("the dead delivery of `{event}` cannot be read: {error}");
                Problem::new(ErrorCode::StoreCorrupt, what)
            })
        });
        Ok(DeadDelivery { body: body.transpose()?, event, correlation_id, at, attempts, error })
    }
}

/// The change that keeps a dead delivery; without its body, if that is more than a document holds.
pub(super) fn put_dead(id: &str, event: Cursor, dead: Dead) -> Change {
    let keep = |dead: &Dead| put(DEAD, dead_key(id, event), json!(dead), None, Expect::Any);
    let change = keep(&dead);
    if change.check().is_ok() { change } else { keep(&Dead { body: None, ..dead }) }
}

/// The key of a dead delivery.
pub(super) fn dead_key(id: &str, event: Cursor) -> String {
    format!("{id}/{:020}-{:010}", event.row.0, event.place)
}

/// The change that removes a document.
pub(super) fn delete(collection: &'static str, key: String) -> Change {
    Change { collection: collection.into(), key, expect: Expect::Any, write: Write::Delete }
}

/// A document's body as what it should be.
pub(super) fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Problem> {
    serde_json::from_value(document.body.clone()).map_err(|error| {
        let what = format!("the document `{}` of a webhook cannot be read: {error}", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}

/// What the deliveries of the subscription in a document are signed with.
pub(super) fn read_secrets(document: &Document) -> Result<Secrets, Problem> {
    document.secret.as_deref().and_then(Secrets::parse).ok_or_else(|| {
        let what = format!("the secret of the webhook {} cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}

/// A place as it was kept.
pub(super) fn read_place(document: &Document) -> Result<Cursor, Problem> {
    let text: String = read(document)?;
    text.parse().map_err(|_| crate::feed::bad_cursor())
}

fn put(
    collection: &'static str,
    key: String,
    body: serde_json::Value,
    secret: Option<String>,
    expect: Expect,
) -> Change {
    Change { collection: collection.into(), key, expect, write: Write::Put { body, secret } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_store::FeedPosition;

    #[test]
    fn a_dead_delivery_can_be_kept_whatever_its_body_is() {
        let kept = |body: String| {
            let dead = Dead {
                correlation_id: "order-66".to_owned(),
                event: "1-0".into(),
                at: String::new(),
                attempts: 1,
                error: "no".into(),
                body: Some(body),
            };
            let at = Cursor { row: FeedPosition(1), place: 0 };
            let change = put_dead("id", at, dead);
            change.check().unwrap();
            let Write::Put { body, .. } = change.write else { panic!("it is put") };
            serde_json::from_value::<Dead>(body).unwrap().view().unwrap().body
        };
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(kept(nested(120)).unwrap().to_string(), nested(120));
        // Each quote takes four bytes in the text of a text.
        assert_eq!(kept(json!("\"".repeat(300_000)).to_string()), None);
    }
}
