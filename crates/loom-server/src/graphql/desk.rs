//! What resolvers need to know of the request that they work on.

use crate::access::{Caller, Deed, Permission};
use crate::app::App;
use crate::problem::Problem;
use crate::runs::StartContext;
use async_graphql::Context;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks, and whom to ask.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) app: Arc<App>,
    pub(super) caller: Caller,
    /// The token that the caller is known by, where what is asked for may take long.
    pub(super) shown: Option<String>,
    pub(super) origin: Origin,
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) peer: Option<IpAddr>,
    /// By what the caller knows the matter.
    pub(super) correlation_id: String,
    pub(super) traceparent: Option<String>,
}

/// A change that somebody asks for.
pub(super) struct Act {
    permission: Permission,
    field: &'static str,
    target: Vec<(&'static str, String)>,
}

impl Act {
    /// A change that takes this permission, by this field of the schema.
    pub(super) const fn new(permission: Permission, field: &'static str) -> Self {
        Self { permission, field, target: Vec::new() }
    }

    /// What it is done to, by the name that the path has for it in REST.
    pub(super) fn on(mut self, name: &'static str, value: &str) -> Self {
        self.target.push((name, value.to_owned()));
        self
    }
}

impl Desk {
    /// The desk of the request that a resolver works on.
    pub(super) fn of<'a>(context: &Context<'a>) -> &'a Self {
        context.data().expect("every request brings its desk")
    }

    /// Makes a change, whatever becomes of the request, and records it.
    pub(super) async fn change<T, F>(
        &self,
        act: Act,
        change: impl FnOnce(Arc<App>, Caller) -> F,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        self.change_as(act, |_| 200, change).await
    }

    /// As [`Desk::change`], where REST answers with another status than 200.
    pub(super) async fn change_as<T, F>(
        &self,
        act: Act,
        status: fn(&T) -> u16,
        change: impl FnOnce(Arc<App>, Caller) -> F,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let deed = Deed {
            from: self.origin.peer.map_or_else(String::new, |peer| peer.to_string()),
            action: act.permission,
            call: format!("mutation {}", act.field),
            target: act.target.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            status: 0,
        };
        let status = move |answer: &Result<T, Problem>| match answer {
            Ok(done) => status(done),
            Err(problem) => problem.status().as_u16(),
        };
        let change = change(Arc::clone(&self.app), self.caller.clone());
        let access = Arc::clone(&self.app.access);
        access.witness(self.caller.clone(), deed, change, status).await?
    }

    /// What a request to start a run carries beside the run.
    pub(super) fn start(&self, idempotency_key: Option<String>) -> StartContext {
        StartContext {
            idempotency_key,
            correlation_id: self.origin.correlation_id.clone(),
            traceparent: self.origin.traceparent.clone(),
            rerun_of: None,
        }
    }
}
