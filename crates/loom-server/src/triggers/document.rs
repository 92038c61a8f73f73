//! How a trigger is kept.

use crate::problem::Problem;
use loom_core::{Timestamp, Value};
use loom_protocol::ErrorCode;
use loom_protocol::api::{Proof, TriggerSpec};
use loom_store::{Change, Document, Expect, Write};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The collection of triggers. Keys are names.
pub(super) const COLLECTION: &str = "triggers";

/// A trigger as it was asked for. The proof's secret and the variables of its runs are kept apart,
/// sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trigger {
    pub(super) spec: TriggerSpec,
    pub(super) changed_by: String,
    pub(super) changed_at: Timestamp,
    pub(super) paused: bool,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    secret: String,
    variables: BTreeMap<String, Value>,
}

impl Trigger {
    pub(super) fn namespace(&self) -> &str {
        self.spec.run.namespace.as_deref().unwrap_or("default")
    }

    /// The change that keeps it.
    pub(super) fn put(&self, name: &str, expect: Expect) -> Change {
        let mut bare = self.clone();
        let sealed = Sealed {
            secret: std::mem::take(secret(&mut bare.spec.proof)),
            variables: std::mem::take(&mut bare.spec.run.variables),
        };
        let sealed = serde_json::to_string(&sealed).expect("its keys are text");
        change(name, expect, Write::Put { body: json!(bare), secret: Some(sealed) })
    }

    pub(super) fn read(document: Document) -> Result<Self, Problem> {
        let damaged = || {
            let what = format!("the trigger `{}` cannot be read", document.key);
            Problem::new(ErrorCode::StoreCorrupt, what)
        };
        let mut trigger: Self = serde_json::from_value(document.body).map_err(|_| damaged())?;
        let sealed = document.secret.as_deref().ok_or_else(damaged)?;
        let sealed: Sealed = serde_json::from_str(sealed).map_err(|_| damaged())?;
        *secret(&mut trigger.spec.proof) = sealed.secret;
        trigger.spec.run.variables = sealed.variables;
        Ok(trigger)
    }
}

/// The secret of a proof.
pub(super) const fn secret(proof: &mut Proof) -> &mut String {
    match proof {
        Proof::Token { secret, .. } | Proof::Hmac { secret, .. } => secret,
    }
}

pub(super) fn change(name: &str, expect: Expect, write: Write) -> Change {
    Change { collection: COLLECTION.into(), key: name.to_owned(), expect, write }
}
