//! Requests from elsewhere.

use super::document::Trigger;
use super::service::Triggers;
use super::{proof, take};
use crate::access::{Caller, Permission};
use crate::ids::hex;
use crate::kept::{self, Kept};
use crate::problem::Problem;
use crate::runs::StartContext;
use axum::http::HeaderMap;
use loom_protocol::ErrorCode;
use loom_protocol::api::{Started, TriggerSpec};
use sha2::{Digest, Sha256};

/// The most bytes of a request to a trigger.
const BODY_BYTES: usize = 1 << 20;

impl Triggers {
    /// Starts the run that a request asks for, or answers with the one that an earlier delivery of
    /// it started. Who proves nothing is not told whether there is such a trigger.
    pub async fn receive(
        &self,
        name: &str,
        headers: &HeaderMap,
        body: &[u8],
        context: StartContext,
    ) -> Result<Started, Problem> {
        if body.len() > BODY_BYTES {
            let what = format!("a request to a trigger has at most {BODY_BYTES} bytes");
            return Err(Problem::new(ErrorCode::BodyTooLarge, what));
        }
        let unproven = || {
            let what = format!("the request does not prove that it may use `{name}`");
            Problem::new(ErrorCode::Unauthenticated, what)
                .help("check the name, the secret, and what is signed")
        };
        let trigger = kept::find::<Trigger>(&self.shelf, name).await?.ok_or_else(unproven)?.value;
        let TriggerSpec::Request(spec) = &trigger.spec else { return Err(unproven()) };
        let proven = proof::check(&spec.proof, headers, body, self.clock.now());
        let proven = proven.ok_or_else(unproven)?;
        if trigger.paused {
            let what = format!("the trigger `{name}` is paused");
            return Err(Problem::new(ErrorCode::Refused, what).help("resume it, and send again"));
        }
        let mut request = spec.run.clone();
        request.variables.extend(take::take(&spec.variables, headers, body)?);
        let acting = acting(name, trigger.namespace());
        request.initiator = Some(acting.name().to_owned());
        let delivery = headers.get(&spec.delivery_header).map(|id| id.as_bytes().to_vec());
        let delivery = proven.signature.map(String::into_bytes).or(delivery);
        let context = StartContext { idempotency_key: delivery.map(|id| key(&id)), ..context };
        self.runs.start(&acting, request, context).await
    }
}

/// Acts for whoever made the trigger, who could start its runs then.
pub(super) fn acting(name: &str, namespace: &str) -> Caller {
    Caller::acting(format!("trigger:{name}"), namespace, Permission::RunsStart)
}

/// A key of a length that is taken, whatever the sender names its deliveries.
fn key(delivery: &[u8]) -> String {
    hex(&Sha256::digest(delivery))
}
