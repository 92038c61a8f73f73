//! Registering, finding and disabling workflows.

use super::cache::Cache;
use super::check::diagnostics;
use super::document::{COLLECTION, Registered, WorkflowKey, read};
use super::prepared::Prepared;
use super::view::{Detail, view};
use crate::access::{Caller, Permission};
use crate::asked::Precondition;
use crate::config::Config;
use crate::ids::hex;
use crate::problem::Problem;
use crate::shelf::Shelf;
use loom_core::Definition;
use loom_engine::Clock;
use loom_protocol::api::{GraphView, StartRun, Validation, WorkflowList, WorkflowView};
use loom_protocol::{ErrorCode, MASK, rfc3339};
use loom_spec::{PluginCatalog, SecretNames, Source};
use loom_store::{Change, Document, Expect, Scan, Write};
use semver::Version;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How many prepared versions are kept at hand.
const PREPARED_MAX: usize = 256;
/// How many documents one look at the store brings.
const SCAN: usize = 500;

/// The registered workflows.
pub struct Workflows {
    shelf: Shelf,
    pub(super) plugins: Arc<dyn PluginCatalog + Send + Sync>,
    clock: Arc<dyn Clock>,
    pub(super) config: Arc<Config>,
    cache: Cache,
    prepared: Mutex<HashMap<WorkflowKey, (u64, Arc<Prepared>)>>,
}

/// A version as it was found, with its entity tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged<T> {
    /// What was found.
    pub value: T,
    /// Changes with every change of it.
    pub version: u64,
}

impl Workflows {
    pub(crate) fn new(
        shelf: Shelf,
        plugins: Arc<dyn PluginCatalog + Send + Sync>,
        clock: Arc<dyn Clock>,
        config: Arc<Config>,
    ) -> Self {
        Self { shelf, plugins, clock, config, cache: Cache::default(), prepared: Mutex::default() }
    }

    /// Registers a version. The same content again is no new version and changes nothing; another
    /// content under a version that is taken is refused. The answer says whether it is new.
    pub async fn register(
        &self,
        caller: &Caller,
        source: String,
    ) -> Result<(Tagged<WorkflowView>, bool), Problem> {
        // Whoever may register nowhere learns nothing about documents.
        caller.namespaces(Permission::WorkflowsRegister)?;
        let definition = self.checked(&source, &BTreeSet::new())?;
        caller.may(Permission::WorkflowsRegister, &definition.namespace)?;
        let key = key_of(&definition)?;
        let registered = Registered {
            hash: hex(&loom_store::definition_hash(&definition)),
            source,
            description: definition.description.clone(),
            tags: definition.tags.clone(),
            tasks: definition.tasks.len() as u32,
            registered_by: caller.name().to_owned(),
            registered_at: rfc3339(self.clock.now().0),
            disabled: false,
        };
        let change = put(&key, &registered, Expect::Absent);
        if let Ok(versions) = self.shelf.write(vec![change]).await? {
            self.cache.forget();
            let view = view(&key, &registered, Detail::Whole(&definition));
            return Ok((Tagged { value: view, version: versions[0] }, true));
        }
        let (present, version) = self.registered(&key).await?;
        if present.hash != registered.hash {
            let message = format!("`{}` is registered with another content", key.text());
            return Err(Problem::new(ErrorCode::AlreadyThere, message)
                .help("give the changed workflow a new `version`"));
        }
        let view = view(&key, &present, Detail::Whole(&definition));
        Ok((Tagged { value: view, version }, false))
    }

    /// Checks a document without registering it.
    pub fn validate(
        &self,
        caller: &Caller,
        source: &str,
        variables: &BTreeSet<String>,
    ) -> Result<Validation, Problem> {
        caller.namespaces(Permission::WorkflowsList)?;
        let source = Source::new("workflow", source);
        let (definition, problems) = self.check(&source, variables);
        Ok(Validation { valid: definition.is_some(), diagnostics: diagnostics(&problems, &source) })
    }

    /// One version, or the latest, with its document.
    pub async fn get(
        &self,
        caller: &Caller,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Tagged<WorkflowView>, Problem> {
        caller.may(Permission::WorkflowsGet, namespace)?;
        let key = self.find(namespace, name, version).await?;
        let (registered, version) = self.registered(&key).await?;
        let definition = self.checked(&registered.source, &BTreeSet::new())?;
        let value = view(&key, &registered, Detail::Whole(&definition));
        Ok(Tagged { value, version })
    }

    /// The graph of one version, or of the latest.
    pub async fn graph(
        &self,
        caller: &Caller,
        namespace: &str,
        name: &str,
        version: &str,
    ) -> Result<GraphView, Problem> {
        caller.may(Permission::WorkflowsGet, namespace)?;
        let prepared = self.prepared(namespace, name, Some(version)).await?;
        let draw = move || loom_spec::draw::view(prepared.plan.definition());
        // Large graphs take a while.
        tokio::task::spawn_blocking(draw).await.map_err(|_| Problem::stopping())
    }

    /// How many workflows each namespace has.
    pub(crate) async fn by_namespace(&self) -> Result<BTreeMap<String, u64>, Problem> {
        let all = self.scan(String::new()).await?;
        let names: BTreeSet<_> =
            all.into_iter().map(|(key, _)| (key.namespace, key.name)).collect();
        let mut counts = BTreeMap::new();
        for (namespace, _) in names {
            *counts.entry(namespace).or_default() += 1;
        }
        Ok(counts)
    }

    /// All versions of a workflow, newest first.
    pub async fn versions(
        &self,
        caller: &Caller,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<WorkflowView>, Problem> {
        caller.may(Permission::WorkflowsGet, namespace)?;
        let mut found = self.scan_versions(namespace, name).await?;
        if found.is_empty() {
            return Err(Problem::missing("workflow", &format!("{namespace}/{name}")));
        }
        found.sort_by(|a, b| b.0.version.cmp(&a.0.version));
        Ok(found.iter().map(|(key, it)| view(key, it, Detail::Head)).collect())
    }

    /// The latest version of each workflow that the caller may see, by namespace and name; only
    /// those that have this text.
    pub async fn list(
        &self,
        caller: &Caller,
        namespace: Option<&str>,
        text: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<WorkflowList, Problem> {
        let allowed = caller.within(Permission::WorkflowsList, namespace)?;
        let mut latest = BTreeMap::<(String, String), (WorkflowKey, Registered)>::new();
        let prefix = namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
        for (key, registered) in self.scan(prefix).await? {
            if allowed.as_ref().is_some_and(|allowed| !allowed.contains(&key.namespace)) {
                continue;
            }
            let place = (key.namespace.clone(), key.name.clone());
            match latest.get(&place) {
                Some((present, _)) if !is_later(&key.version, &present.version) => {}
                _ => drop(latest.insert(place, (key, registered))),
            }
        }
        let after = after.and_then(|after| after.split_once('/'));
        let beyond = |(namespace, name): &(String, String)| {
            after.is_none_or(|after| (namespace.as_str(), name.as_str()) > after)
        };
        let text = text.map(str::to_lowercase);
        let mut rest = latest.into_iter().filter(|(place, (key, it))| {
            beyond(place) && text.as_ref().is_none_or(|text| holds(key, it, text))
        });
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let next_cursor = match (rest.next(), page.last()) {
            (Some(_), Some(((namespace, name), _))) => Some(format!("{namespace}/{name}")),
            _ => None,
        };
        let items = page.iter().map(|(_, (key, it))| view(key, it, Detail::Head)).collect();
        Ok(WorkflowList { items, next_cursor })
    }

    /// Refuses new runs of a version, or allows them again, if it is as the caller saw it.
    pub async fn disable(
        &self,
        caller: &Caller,
        key: (&str, &str, &str),
        disabled: bool,
        when: impl Into<Precondition>,
    ) -> Result<Tagged<WorkflowView>, Problem> {
        let (namespace, name, version) = key;
        caller.may(Permission::WorkflowsDisable, namespace)?;
        let (key, when) = (self.find(namespace, name, Some(version)).await?, when.into());
        loop {
            let (mut registered, version) = self.registered(&key).await?;
            when.check(Some(version), "workflow", COLLECTION, &key.text())?;
            registered.disabled = disabled;
            let change = put(&key, &registered, Expect::Version(version));
            // Where somebody else was quicker, what they wrote is kept.
            if let Ok(versions) = self.shelf.write(vec![change]).await? {
                self.cache.forget();
                let value = view(&key, &registered, Detail::Head);
                return Ok(Tagged { value, version: versions[0] });
            }
        }
    }

    /// What starting a run needs of a version, or of the latest.
    pub(crate) async fn prepared(
        &self,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Arc<Prepared>, Problem> {
        let asked = (namespace.to_owned(), name.to_owned(), version.map(str::to_owned));
        let before = match self.cache.get(&asked, self.clock.now()) {
            Ok(prepared) => return Ok(prepared),
            Err(before) => before,
        };
        let prepared = self.prepare(namespace, name, version).await?;
        self.cache.put(asked, Arc::clone(&prepared), before, self.clock.now());
        Ok(prepared)
    }

    async fn prepare(
        &self,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<Arc<Prepared>, Problem> {
        let key = self.find(namespace, name, version).await?;
        let missing = || Problem::missing("workflow", &key.text());
        let document = self.shelf.document(COLLECTION, key.text()).await?.ok_or_else(missing)?;
        let version = document.version;
        if let Some((of, prepared)) = self.kept().get(&key)
            && *of == version
        {
            return Ok(Arc::clone(prepared));
        }
        let (_, registered, _) = read(&document)?;
        let definition = self.checked(&registered.source, &BTreeSet::new())?;
        let prepared = Arc::new(Prepared::new(definition, registered.disabled));
        let mut kept = self.kept();
        if kept.len() >= PREPARED_MAX {
            kept.clear();
        }
        kept.insert(key, (version, Arc::clone(&prepared)));
        Ok(prepared)
    }

    /// Hides the variables of a run that were `secret` when it was asked for, and those that its
    /// workflow calls so now; all, if that cannot be told.
    pub(crate) async fn mask(&self, run: &mut StartRun, secret: &BTreeSet<String>) {
        if run.variables.is_empty() {
            return;
        }
        let namespace = run.namespace.as_deref().unwrap_or("default");
        let found = self.prepared(namespace, &run.workflow, run.version.as_deref()).await.ok();
        let now = found.as_ref().map(|prepared| SecretNames::of(prepared.plan.definition()));
        for (name, value) in &mut run.variables {
            let shown = now.as_ref().is_some_and(|now| !now.contains(name));
            if !shown || secret.contains(name) {
                *value = MASK.into();
            }
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<WorkflowKey, (u64, Arc<Prepared>)>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a version, or of the latest that is no pre-release if there is one.
    async fn find(
        &self,
        namespace: &str,
        name: &str,
        version: Option<&str>,
    ) -> Result<WorkflowKey, Problem> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        if let Some(version) = version.filter(|version| *version != "latest") {
            let version = version
                .parse()
                .map_err(|error| Problem::argument(format!("version `{version}`: {error}")))?;
            return Ok(WorkflowKey { namespace, name, version });
        }
        let found = self.scan_versions(&namespace, &name).await?;
        let versions = found.into_iter().map(|(key, _)| key.version);
        versions
            .reduce(|latest, version| if is_later(&version, &latest) { version } else { latest })
            .map(|version| WorkflowKey {
                namespace: namespace.clone(),
                name: name.clone(),
                version,
            })
            .ok_or_else(|| Problem::missing("workflow", &format!("{namespace}/{name}")))
    }

    async fn registered(&self, key: &WorkflowKey) -> Result<(Registered, u64), Problem> {
        let found = self.shelf.document(COLLECTION, key.text()).await?;
        let document = found.ok_or_else(|| Problem::missing("workflow", &key.text()))?;
        let (_, registered, version) = read(&document)?;
        Ok((registered, version))
    }

    async fn scan_versions(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Vec<(WorkflowKey, Registered)>, Problem> {
        self.scan(format!("{namespace}/{name}/")).await
    }

    async fn scan(&self, prefix: String) -> Result<Vec<(WorkflowKey, Registered)>, Problem> {
        let mut found = Vec::new();
        let mut scan = Scan { prefix, limit: SCAN, ..Scan::default() };
        loop {
            let page = self.shelf.scan(COLLECTION, scan.clone()).await?;
            scan.after = page.documents.last().map(|document: &Document| document.key.clone());
            for document in page.documents {
                let (key, registered, _) = read(&document)?;
                found.push((key, registered));
            }
            if !page.more {
                return Ok(found);
            }
        }
    }
}

/// Whether a version comes after another: a release after every pre-release.
fn is_later(version: &Version, than: &Version) -> bool {
    let rank = |version: &Version| (version.pre.is_empty(), version.clone());
    rank(version) > rank(than)
}

/// Whether a workflow has this text, which is in lower case, somewhere.
fn holds(key: &WorkflowKey, registered: &Registered, text: &str) -> bool {
    let mut places = [&key.name, &registered.description].into_iter().chain(&registered.tags);
    places.any(|place| place.to_lowercase().contains(text))
}

fn key_of(definition: &Definition) -> Result<WorkflowKey, Problem> {
    let version = definition.version.parse().map_err(|error| {
        Problem::new(ErrorCode::BadValue, format!("version `{}`: {error}", definition.version))
    })?;
    let (namespace, name) = (definition.namespace.clone(), definition.name.clone());
    Ok(WorkflowKey { namespace, name, version })
}

fn put(key: &WorkflowKey, registered: &Registered, expect: Expect) -> Change {
    let write = Write::Put { body: json!(registered), secret: None };
    Change { collection: COLLECTION.into(), key: key.text(), expect, write }
}
