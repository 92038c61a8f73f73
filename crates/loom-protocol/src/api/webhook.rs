//! Subscriptions that send events to other systems.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Makes a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where events are posted: `http` or `https`.
    pub url: String,
    /// Only these types: `run.finished`, or `task.*`. All, if it is empty.
    #[serde(default)]
    pub types: Vec<String>,
    /// Only of these namespaces. All that the caller may see, if it is left out.
    #[serde(default)]
    pub namespaces: Option<Vec<String>>,
    /// Only of this workflow.
    #[serde(default)]
    pub workflow: Option<String>,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// What deliveries are signed with: `whsec_` and 24 to 64 bytes in base 64. One is made if it is
    /// left out.
    #[serde(default)]
    pub secret: Option<String>,
    /// How often and when a delivery that failed is tried again.
    #[serde(default)]
    pub retry: WebhookRetry,
}

/// Changes a subscription: it is this from now on. Its secret stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeWebhook {
    /// Where events are posted: `http` or `https`.
    pub url: String,
    /// Only these types: `run.finished`, or `task.*`. All, if it is empty.
    #[serde(default)]
    pub types: Vec<String>,
    /// Only of these namespaces. All that the caller may see, if it is left out.
    #[serde(default)]
    pub namespaces: Option<Vec<String>>,
    /// Only of this workflow.
    #[serde(default)]
    pub workflow: Option<String>,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// How often and when a delivery that failed is tried again.
    #[serde(default)]
    pub retry: WebhookRetry,
}

/// Replaces the secret of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RotateSecret {
    /// The new one: `whsec_` and 24 to 64 bytes in base 64. One is made if it is left out.
    pub secret: Option<String>,
    /// For how long deliveries are signed with the old one too, in seconds: 0 to 604,800.
    pub overlap_s: u32,
}

impl Default for RotateSecret {
    fn default() -> Self {
        Self { secret: None, overlap_s: 24 * 60 * 60 }
    }
}

/// How often and when a delivery that failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WebhookRetry {
    /// The most tries, the first one counted: 1 to 20.
    pub max_attempts: u32,
    /// The wait before the second try, in seconds; each later one is twice as long. 0.1 to 60.
    pub initial_s: f64,
    /// The longest wait, in seconds: up to 3,600.
    pub max_s: f64,
}

impl Default for WebhookRetry {
    fn default() -> Self {
        Self { max_attempts: 12, initial_s: 1.0, max_s: 600.0 }
    }
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookView {
    /// Its identity.
    pub id: String,
    /// Where events are posted.
    pub url: String,
    /// Only these types; all, if it is empty.
    pub types: Vec<String>,
    /// Only of these namespaces; absent if of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<Vec<String>>,
    /// Only of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// For people.
    pub description: String,
    /// How often and when a delivery that failed is tried again.
    pub retry: WebhookRetry,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: String,
    /// Until when deliveries are signed with the secret before, too; absent if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_secret_until: Option<String>,
    /// Why nothing is delivered; absent while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<WebhookPause>,
    /// The delivery that is being tried again; absent while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<WebhookFailing>,
    /// The event up to which all was delivered, or given up.
    pub cursor: String,
}

/// A subscription that was made, or has a new secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedWebhook {
    /// The subscription.
    pub webhook: WebhookView,
    /// What deliveries are signed with. It is shown this once.
    pub secret: String,
}

/// Why nothing is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookPause {
    /// One sentence.
    pub reason: String,
    /// Since when.
    pub at: String,
    /// Who paused it; `loom serve` if the server did.
    pub by: String,
}

/// A delivery that is being tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookFailing {
    /// The event.
    pub event: String,
    /// How often it was tried since the server started.
    pub attempts: u32,
    /// Why it failed last.
    pub error: String,
    /// When it is tried again.
    pub next_at: String,
}

/// A page of subscriptions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookList {
    /// In the order in which they were made. A page may hold fewer than were asked for.
    pub items: Vec<WebhookView>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadDelivery {
    /// The event's identity, as `webhook-id` had it.
    pub event: String,
    /// That of its run, as `x-correlation-id` had it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub correlation_id: String,
    /// When it was given up.
    pub at: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed last.
    pub error: String,
    /// What was sent; absent if it is too large to be kept, and then it cannot be replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// A page of deliveries that were given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeadDeliveryList {
    /// The oldest event first.
    pub items: Vec<DeadDelivery>,
    /// Gives the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// How one try to deliver went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryResult {
    /// Whether the receiver took it, with a status from 200 to 299.
    pub delivered: bool,
    /// The receiver's status, if it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it was not delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How far a replay of all dead deliveries came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayResult {
    /// How many the receiver took; they are dead no longer.
    pub delivered: u64,
    /// How many are dead still: those that were too large to be kept, the one that `error` is
    /// about and all behind it, or those for which there was no time.
    pub left: u64,
    /// Why the first that failed was not delivered; nothing behind it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
