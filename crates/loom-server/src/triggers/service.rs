//! Triggers, for those who may see and change them, and what they do.

use super::document::{COLLECTION, Trigger, change, secret};
use super::{proof, take};
use crate::access::{Caller, Grant, Permission, Scope};
use crate::asked::{self, Precondition};
use crate::problem::Problem;
use crate::runs::{Runs, StartContext};
use crate::shelf::Shelf;
use crate::workflows::{Tagged, Workflows};
use axum::http::{HeaderMap, HeaderName};
use loom_engine::Clock;
use loom_protocol::api::{Proof, Started, Taken, TriggerList, TriggerSpec, TriggerView};
use loom_protocol::{ErrorCode, MASK, rfc3339};
use loom_store::record::hex;
use loom_store::{Expect, Scan, Stale, Write};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The most triggers.
const TRIGGERS_MAX: usize = 2000;
/// The most variables that are taken from a request.
const TAKEN_MAX: usize = 64;
/// The longest pointer into a body.
const POINTER_MAX: usize = 1024;
/// The most bytes of a request to a trigger.
const BODY_BYTES: usize = 1 << 20;

/// The triggers.
pub struct Triggers {
    shelf: Shelf,
    runs: Arc<Runs>,
    workflows: Arc<Workflows>,
    clock: Arc<dyn Clock>,
}

impl Triggers {
    pub(crate) fn new(
        shelf: Shelf,
        runs: Arc<Runs>,
        workflows: Arc<Workflows>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { shelf, runs, workflows, clock }
    }

    /// Starts the run that a request asks for, or answers with the one that an earlier delivery of
    /// it started. Who proves nothing is not told whether there is such a trigger.
    pub async fn receive(
        &self,
        name: &str,
        headers: &HeaderMap,
        body: &[u8],
        correlation_id: String,
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
        let (trigger, _) = self.present(name).await?.ok_or_else(unproven)?;
        let proven = proof::check(&trigger.spec.proof, headers, body, self.clock.now());
        let proven = proven.ok_or_else(unproven)?;
        if trigger.paused {
            let what = format!("the trigger `{name}` is paused");
            return Err(Problem::new(ErrorCode::Refused, what).help("resume it, and send again"));
        }
        let mut request = trigger.spec.run.clone();
        request.variables.extend(take::take(&trigger.spec.variables, headers, body)?);
        let acting = acting(name, &trigger);
        request.initiator = Some(acting.name().to_owned());
        let delivery = headers.get(&trigger.spec.delivery_header).map(|id| id.as_bytes().to_vec());
        let delivery = proven.signature.map(String::into_bytes).or(delivery);
        let context = StartContext {
            idempotency_key: delivery.map(|id| key(&id)),
            correlation_id,
            ..StartContext::default()
        };
        self.runs.start(&acting, request, context).await
    }

    /// A trigger, with its entity tag.
    pub async fn get(&self, caller: &Caller, name: &str) -> Result<Tagged<TriggerView>, Problem> {
        let (trigger, version) = self.visible(caller, name, Permission::TriggersList).await?;
        Ok(self.tagged(name, &trigger, version).await)
    }

    /// Triggers by name, from behind the one named `after`.
    pub async fn list(
        &self,
        caller: &Caller,
        namespace: Option<&str>,
        after: Option<String>,
        limit: usize,
    ) -> Result<TriggerList, Problem> {
        let allowed = caller.within(Permission::TriggersList, namespace)?;
        let mut items: Vec<TriggerView> = Vec::new();
        let mut scan = Scan { after, limit, ..Scan::default() };
        loop {
            let page = self.shelf.scan(COLLECTION, scan.clone()).await?;
            scan.after = page.documents.last().map(|document| document.key.clone());
            for document in page.documents {
                let name = document.key.clone();
                let trigger = Trigger::read(document)?;
                let of = trigger.namespace();
                if allowed.as_ref().is_some_and(|allowed| !allowed.iter().any(|it| it == of)) {
                    continue;
                }
                if items.len() == limit {
                    let next_cursor = items.last().map(|item| item.name.clone());
                    return Ok(TriggerList { items, next_cursor });
                }
                items.push(self.tagged(&name, &trigger, 0).await.value);
            }
            if !page.more {
                return Ok(TriggerList { items, next_cursor: None });
            }
        }
    }

    /// Makes or replaces a trigger; the answer says whether it is new.
    pub async fn put(
        &self,
        caller: &Caller,
        name: &str,
        spec: TriggerSpec,
        when: Precondition,
    ) -> Result<(Tagged<TriggerView>, bool), Problem> {
        asked::name(name)?;
        check(caller, spec.clone())?;
        let (run, of) = (&spec.run, spec.run.namespace.as_deref().unwrap_or("default"));
        self.workflows.prepared(of, &run.workflow, run.version.as_deref()).await?;
        let mut trigger = Trigger {
            spec,
            changed_by: caller.name().to_owned(),
            changed_at: self.clock.now(),
            paused: false,
        };
        loop {
            let present = self.present(name).await?;
            let version = present.as_ref().map(|(_, version)| *version);
            when.check(version, "trigger", COLLECTION, name)?;
            match &present {
                Some((present, _)) => {
                    caller.may(Permission::TriggersWrite, present.namespace())?;
                    trigger.paused = present.paused;
                }
                None => self.room().await?,
            }
            let change = trigger.put(name, version.map_or(Expect::Absent, Expect::Version));
            // Where somebody else was quicker, all is looked at again.
            if let Ok(versions) = self.shelf.write(vec![change]).await? {
                return Ok((self.tagged(name, &trigger, versions[0]).await, version.is_none()));
            }
        }
    }

    /// Deletes a trigger.
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &str,
        expected: Option<u64>,
    ) -> Result<(), Problem> {
        let (_, version) = self.visible(caller, name, Permission::TriggersWrite).await?;
        let expect = Expect::Version(expected.unwrap_or(version));
        let written = self.shelf.write(vec![change(name, expect, Write::Delete)]).await?;
        written.map(drop).map_err(|stale: Stale| Problem::stale(&stale))
    }

    /// Refuses requests, or takes them again.
    pub async fn pause(
        &self,
        caller: &Caller,
        name: &str,
        paused: bool,
    ) -> Result<Tagged<TriggerView>, Problem> {
        loop {
            let (mut trigger, version) =
                self.visible(caller, name, Permission::TriggersWrite).await?;
            trigger.paused = paused;
            let change = trigger.put(name, Expect::Version(version));
            if let Ok(versions) = self.shelf.write(vec![change]).await? {
                return Ok(self.tagged(name, &trigger, versions[0]).await);
            }
        }
    }

    async fn present(&self, name: &str) -> Result<Option<(Trigger, u64)>, Problem> {
        let Some(document) = self.shelf.document(COLLECTION, name).await? else { return Ok(None) };
        let version = document.version;
        Ok(Some((Trigger::read(document)?, version)))
    }

    async fn visible(
        &self,
        caller: &Caller,
        name: &str,
        permission: Permission,
    ) -> Result<(Trigger, u64), Problem> {
        let visible = caller.namespaces(permission)?;
        let seen = |(trigger, _): &(Trigger, u64)| {
            visible
                .as_ref()
                .is_none_or(|names| names.iter().any(|name| name == trigger.namespace()))
        };
        let present = self.present(name).await?.filter(seen);
        present.ok_or_else(|| Problem::missing("trigger", name))
    }

    async fn room(&self) -> Result<(), Problem> {
        let scan = Scan { limit: TRIGGERS_MAX, ..Scan::default() };
        if self.shelf.scan(COLLECTION, scan).await?.documents.len() < TRIGGERS_MAX {
            return Ok(());
        }
        Err(Problem::argument(format!("there are {TRIGGERS_MAX} triggers already"))
            .help("delete triggers that nobody uses"))
    }

    async fn tagged(&self, name: &str, trigger: &Trigger, version: u64) -> Tagged<TriggerView> {
        let mut spec = trigger.spec.clone();
        MASK.clone_into(secret(&mut spec.proof));
        self.workflows.mask(&mut spec.run).await;
        let value = TriggerView {
            name: name.to_owned(),
            namespace: trigger.namespace().to_owned(),
            spec,
            path: format!("/hooks/{name}"),
            changed_by: trigger.changed_by.clone(),
            changed_at: rfc3339(trigger.changed_at.0),
            paused: trigger.paused,
        };
        Tagged { value, version }
    }
}

/// Refuses what could not work, or what the caller may not do themselves.
fn check(caller: &Caller, mut spec: TriggerSpec) -> Result<(), Problem> {
    let namespace = spec.run.namespace.as_deref().unwrap_or("default");
    caller.may(Permission::TriggersWrite, namespace)?;
    caller.may(Permission::RunsStart, namespace)?;
    asked::run(&spec.run)?;
    asked::size(&spec, &spec.description)?;
    header("delivery_header", &spec.delivery_header)?;
    match &spec.proof {
        Proof::Token { header: name, .. } => header("proof.header", name)?,
        Proof::Hmac { header: name, timestamp_header, tolerance_s, .. } => {
            header("proof.header", name)?;
            timestamp_header.iter().try_for_each(|name| header("proof.timestamp_header", name))?;
            asked::within("`proof.tolerance_s`", *tolerance_s, 1, 3600)?;
        }
    }
    let length = secret(&mut spec.proof).chars().count();
    if !(16..=1024).contains(&length) {
        let what = "the proof's `secret` has 16 to 1,024 characters";
        return Err(Problem::argument(what)
            .help("`***` stands for a secret that is not shown; give the secret again"));
    }
    if spec.variables.len() > TAKEN_MAX {
        let what = format!("at most {TAKEN_MAX} variables are taken from a request");
        return Err(Problem::argument(what));
    }
    spec.variables.values().try_for_each(|taken| match taken {
        Taken::Header { name, .. } => header("variables.….name", name),
        Taken::Body { pointer, .. } if pointer.len() > POINTER_MAX => {
            Err(Problem::argument(format!("a pointer has at most {POINTER_MAX} bytes")))
        }
        Taken::Body { pointer, .. } if pointer.is_empty() || pointer.starts_with('/') => Ok(()),
        Taken::Body { pointer, .. } => {
            Err(Problem::argument(format!("`{pointer}` is no JSON pointer"))
                .help("a pointer is empty or begins with `/`"))
        }
    })
}

fn header(field: &str, name: &str) -> Result<(), Problem> {
    let good = name.parse::<HeaderName>();
    good.map(drop).map_err(|_| Problem::argument(format!("`{field}`: `{name}` is no header")))
}

/// Acts for whoever made the trigger, who could start its runs then.
fn acting(name: &str, trigger: &Trigger) -> Caller {
    let grant = Grant {
        permissions: [Permission::RunsStart].into_iter().collect(),
        scope: Scope::Namespaces([trigger.namespace().to_owned()].into()),
    };
    Caller::new(format!("trigger:{name}"), vec![grant])
}

/// A key of a length that is taken, whatever the sender names its deliveries.
fn key(delivery: &[u8]) -> String {
    hex(&Sha256::digest(delivery))
}
