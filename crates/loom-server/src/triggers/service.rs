//! Triggers, for those who may see and change them.

use super::check::{check, takes};
use super::document::{Trigger, change, secret};
use super::files::{Allowed, Files, Lookout, Office};
use crate::access::{Caller, Permission};
use crate::asked::{self, Precondition};
use crate::feed::Follower;
use crate::kept::{self, Found, Kept};
use crate::parts::Folders;
use crate::problem::Problem;
use crate::readers::Readers;
use crate::runs::{Runs, check_needs};
use crate::shelf::Shelf;
use crate::workflows::{Tagged, Workflows};
use loom_engine::Clock;
use loom_protocol::api::{TriggerList, TriggerSpec, TriggerView};
use loom_protocol::{MASK, rfc3339};
use loom_store::{Change, Expect, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// The triggers.
pub struct Triggers {
    pub(super) shelf: Shelf,
    pub(super) runs: Arc<Runs>,
    pub(super) clock: Arc<dyn Clock>,
    workflows: Arc<Workflows>,
    files: Files,
}

/// What they are made of.
pub(crate) struct TriggerParts<'a> {
    pub(crate) shelf: Shelf,
    pub(crate) readers: Readers,
    pub(crate) runs: Arc<Runs>,
    pub(crate) workflows: Arc<Workflows>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folders: Arc<dyn Folders>,
    /// The folders that may be watched.
    pub(crate) allowed: &'a [PathBuf],
}

impl Triggers {
    pub(crate) fn new(parts: TriggerParts<'_>) -> Self {
        let TriggerParts { shelf, readers, runs, workflows, clock, folders, allowed } = parts;
        let files = Files::new(Office {
            shelf: shelf.clone(),
            readers,
            runs: Arc::clone(&runs),
            clock: Arc::clone(&clock),
            began: clock.now(),
            allowed: Arc::new(Allowed::new(allowed)),
            folders,
            owners: Arc::default(),
        });
        Self { shelf, runs, clock, workflows, files }
    }

    /// Watches files from now on, as long as what it answers is kept. `follower` follows all events.
    pub(crate) fn watch(&self, follower: Follower) -> Lookout {
        self.files.start(follower)
    }

    /// A trigger, with its entity tag.
    pub async fn get(&self, caller: &Caller, name: &str) -> Result<Tagged<TriggerView>, Problem> {
        let permission = Permission::TriggersList;
        self.tagged(kept::visible(&self.shelf, caller, name, permission).await?).await
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
        let (found, more) = kept::page(&self.shelf, allowed, after, limit).await?;
        let mut items = Vec::with_capacity(found.len());
        for found in found {
            items.push(self.tagged(found).await?.value);
        }
        let next_cursor = items.last().filter(|_| more).map(|last| last.name.clone());
        Ok(TriggerList { items, next_cursor })
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
        check(caller, &spec)?;
        if let TriggerSpec::File(file) = &spec {
            self.files.check(file)?;
        }
        let (run, of) = (spec.run(), spec.run().namespace.as_deref().unwrap_or("default"));
        let prepared = self.workflows.prepared(of, &run.workflow, run.version.as_deref()).await?;
        let is_given = |name: &str| run.variables.contains_key(name) || takes(&spec, name);
        check_needs(&prepared, is_given)?;
        let mut trigger = Trigger {
            secrets: prepared.secrets(run),
            spec,
            changed_by: caller.name().to_owned(),
            changed_at: self.clock.now(),
            paused: false,
            salt: None,
        };
        loop {
            let present = kept::find::<Trigger>(&self.shelf, name).await?;
            if let Some(present) = &present {
                let permissions = (Permission::TriggersList, Permission::TriggersWrite);
                let of = present.value.namespace();
                kept::may_replace(caller, permissions, Some(of), name)?;
            }
            let version = present.as_ref().map(|present| present.version);
            when.check(version, Trigger::KIND, Trigger::COLLECTION, name)?;
            match &present {
                Some(present) => trigger.paused = present.value.paused,
                None => kept::room::<Trigger>(&self.shelf).await?,
            }
            let present = present.map(|present| present.value);
            let (salt, more) = self.known(present.as_ref(), &trigger.spec).await?;
            trigger.salt = salt;
            let change = trigger.put(name, version.map_or(Expect::Absent, Expect::Version));
            // Where somebody else was quicker, all is looked at again.
            if let Some(version) = self.write(change, more).await? {
                let found = Found { name: name.to_owned(), value: trigger, version };
                return Ok((self.tagged(found).await?, present.is_none()));
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
        loop {
            let permission = Permission::TriggersWrite;
            let Found { value: trigger, version, .. } =
                kept::visible::<Trigger>(&self.shelf, caller, name, permission).await?;
            let when = Precondition { version: expected, absent: false };
            when.check(Some(version), Trigger::KIND, Trigger::COLLECTION, name)?;
            let more = match &trigger.salt {
                Some(salt) => self.files.end(salt).await?,
                None => Vec::new(),
            };
            let change = change(name, Expect::Version(version), Write::Delete);
            if self.write(change, more).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// Starts nothing any more, or goes on.
    pub async fn pause(
        &self,
        caller: &Caller,
        name: &str,
        paused: bool,
    ) -> Result<Tagged<TriggerView>, Problem> {
        loop {
            let permission = Permission::TriggersWrite;
            let mut found = kept::visible::<Trigger>(&self.shelf, caller, name, permission).await?;
            if found.value.paused == paused {
                return self.tagged(found).await;
            }
            found.value.paused = paused;
            let more = match (&found.value.salt, &found.value.spec) {
                (Some(salt), TriggerSpec::File(spec)) => {
                    self.files.renew(salt, Some(spec).filter(|_| !paused)).await?
                }
                _ => Vec::new(),
            };
            let change = found.value.put(name, Expect::Version(found.version));
            if let Some(version) = self.write(change, more).await? {
                return self.tagged(Found { version, ..found }).await;
            }
        }
    }

    /// What a trigger's known files are kept under, and the changes that go with it: those of other
    /// files are no longer known.
    async fn known(
        &self,
        before: Option<&Trigger>,
        spec: &TriggerSpec,
    ) -> Result<(Option<String>, Vec<Change>), Problem> {
        let old = before.and_then(|before| match (&before.salt, &before.spec) {
            (Some(salt), TriggerSpec::File(old)) => Some((salt, old)),
            _ => None,
        });
        let (new, old) = match (spec, old) {
            (TriggerSpec::File(new), Some((salt, old))) if new.file == old.file => {
                return Ok((Some(salt.clone()), self.files.renew(salt, None).await?));
            }
            (TriggerSpec::File(new), old) => (Some(new), old),
            (TriggerSpec::Request(_), old) => (None, old),
        };
        let mut changes = match old {
            Some((salt, _)) => self.files.end(salt).await?,
            None => Vec::new(),
        };
        let Some(new) = new else { return Ok((None, changes)) };
        let (salt, begin) = self.files.begin(new, old.is_some()).await?;
        changes.extend(begin);
        Ok((Some(salt), changes))
    }

    /// Makes a change of a trigger together with others; answers with its version, or with nothing
    /// if one of them cannot be made.
    async fn write(&self, change: Change, more: Vec<Change>) -> Result<Option<u64>, Problem> {
        let changes = [change].into_iter().chain(more).collect();
        let written = self.shelf.write(changes).await?;
        self.files.changed();
        Ok(written.ok().map(|versions| versions[0]))
    }

    async fn tagged(&self, found: Found<Trigger>) -> Result<Tagged<TriggerView>, Problem> {
        let Found { name, value: trigger, version } = found;
        let mut spec = trigger.spec.clone();
        if let Some(secret) = secret(&mut spec) {
            MASK.clone_into(secret);
        }
        self.workflows.mask(spec.run_mut(), &trigger.secrets).await;
        let state = match &trigger.salt {
            Some(salt) => Some(self.files.state(&name, salt).await?),
            None => None,
        };
        let value = TriggerView {
            path: state.is_none().then(|| format!("/hooks/{name}")),
            namespace: trigger.namespace().to_owned(),
            name,
            spec,
            state,
            changed_by: trigger.changed_by,
            changed_at: rfc3339(trigger.changed_at.0),
            paused: trigger.paused,
        };
        Ok(Tagged { value, version })
    }
}
