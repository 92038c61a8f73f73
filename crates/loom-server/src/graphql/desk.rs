//! What resolvers need to know of the request that they work on.

use crate::access::{Caller, Deed, Outcome, Permission};
use crate::app::App;
use crate::problem::Problem;
use crate::runs::{Look, StartContext};
use async_graphql::Context;
use loom_store::QueryStore;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many journals are read at once for one request: however many runs it names, others are served
/// too.
const LOOKS_AT_ONCE: usize = 2;

/// Who asks, and whom to ask.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) app: Arc<App>,
    pub(super) caller: Caller,
    /// The token that the caller is known by, where what is asked for may take long.
    pub(super) shown: Option<String>,
    pub(super) origin: Origin,
    /// Who may read a run's journal now.
    turns: Arc<Semaphore>,
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
    pub(super) fn new(
        app: Arc<App>,
        caller: Caller,
        shown: Option<String>,
        origin: Origin,
    ) -> Self {
        Self { app, caller, shown, origin, turns: Arc::new(Semaphore::new(LOOKS_AT_ONCE)) }
    }

    /// What is made of all that is recorded of a run. It is made where the journal is read, so that no
    /// more of it is kept than somebody asked for.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        run: &str,
        view: impl FnOnce(&Look) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let _turn = self.turns.acquire().await.expect("it is never closed");
        let view = |_: &mut dyn QueryStore, look: &Look| view(look);
        self.app.runs.look(&self.caller, run, Permission::RunsGet, view).await
    }

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
        self.change_as(act, |_| Outcome::of(200), change).await
    }

    /// As [`Desk::change`], where REST answers with another status than 200, or something is made.
    pub(super) async fn change_as<T, F>(
        &self,
        act: Act,
        outcome: fn(&T) -> Outcome,
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
            detail: std::collections::BTreeMap::new(),
            status: 0,
        };
        let told = move |answer: &Result<T, Problem>| {
            Some(match answer {
                Ok(done) => outcome(done),
                Err(problem) => Outcome::of(problem.status().as_u16()),
            })
        };
        let change = change(Arc::clone(&self.app), self.caller.clone());
        let access = Arc::clone(&self.app.access);
        access.witness(self.caller.clone(), deed, change, told).await?
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
