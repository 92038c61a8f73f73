//! Making, finding and revoking tokens.

use super::caller::Proof;
use super::roles::Roles;
use super::token::{Issued, Record, Shown};
use super::{Caller, Grant, Permission, Scope};
use crate::problem::Problem;
use crate::shelf::Shelf;
use loom_core::Timestamp;
use loom_engine::Clock;
use loom_protocol::ErrorCode;
use loom_protocol::api::{CreateToken, TokenCreated, TokenList, TokenView};
use loom_store::{Change, Document, Expect, Scan, Write};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The collection of tokens. Keys are their identities.
const COLLECTION: &str = "tokens";
/// When each token was last used. Apart from the tokens, so that nothing else ever waits for it.
const USES: &str = "token-uses";
/// How long a look-up is good for. A token that another process revokes is good that much longer.
const LIFE: Duration = Duration::from_secs(5);
/// How many look-ups are kept.
const KEPT_MAX: usize = 4096;
/// The most characters of a token's name.
pub(super) const NAME_MAX: usize = 200;
/// The most roles, and the most namespaces, of a token.
const LIST_MAX: usize = 100;

/// The tokens of a store.
pub struct Tokens {
    shelf: Shelf,
    roles: Arc<Roles>,
    clock: Arc<dyn Clock>,
    kept: Mutex<HashMap<String, Kept>>,
    /// Uses that are yet to be written.
    uses: Mutex<HashMap<String, Timestamp>>,
}

#[derive(Clone)]
struct Kept {
    record: Arc<Record>,
    caller: Caller,
    read_at: Timestamp,
}

impl Tokens {
    pub(super) fn new(shelf: Shelf, roles: Arc<Roles>, clock: Arc<dyn Clock>) -> Self {
        let (kept, uses) = (Mutex::default(), Mutex::default());
        Self { shelf, roles, clock, kept, uses }
    }

    /// Makes a token that may do no more than its maker. The answer alone has its text.
    pub async fn create(
        &self,
        caller: &Caller,
        request: CreateToken,
    ) -> Result<TokenCreated, Problem> {
        caller.may_everywhere(Permission::TokensWrite)?;
        check(&request)?;
        let permissions = self.roles.known(&request.roles).await?;
        let scope = scope(request.namespaces.as_ref());
        caller.covers(permissions, &scope)?;
        let now = self.clock.now();
        let issued = Issued::new(now)?;
        let record = Record {
            name: request.name,
            hash: issued.hash,
            roles: request.roles,
            namespaces: request.namespaces,
            created_by: caller.name().to_owned(),
            created_at: now,
            expires_at: request.expires_in_s.map(|seconds| now + Duration::from_secs(seconds)),
            revoked_at: None,
        };
        self.put(&issued.id, &record, Expect::Absent).await?;
        Ok(TokenCreated { token: issued.text, view: record.view(&issued.id, None) })
    }

    /// Tokens, oldest first, the ended ones included.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<String>,
        limit: usize,
    ) -> Result<TokenList, Problem> {
        caller.may_everywhere(Permission::TokensList)?;
        let page = self.shelf.scan(COLLECTION, Scan { after, limit, ..Scan::default() }).await?;
        let mut items = Vec::with_capacity(page.documents.len());
        for document in &page.documents {
            let used = self.last_use(&document.key).await?;
            items.push(read(document)?.view(&document.key, used));
        }
        let last = items.last().map(|item: &TokenView| item.id.clone());
        Ok(TokenList { items, next_cursor: last.filter(|_| page.more) })
    }

    /// Ends a token for good, in this process at once. No effect if it was revoked before.
    pub async fn revoke(&self, caller: &Caller, id: &str) -> Result<TokenView, Problem> {
        caller.may_everywhere(Permission::TokensWrite)?;
        loop {
            let document = self.shelf.document(COLLECTION, id).await?;
            let document = document.ok_or_else(|| Problem::missing("token", id))?;
            let mut record = read(&document)?;
            if record.revoked_at.is_none() {
                record.revoked_at = Some(self.clock.now());
                match self.put(id, &record, Expect::Version(document.version)).await {
                    Ok(()) => {}
                    // Somebody else was quicker; what they wrote is kept.
                    Err(problem) if problem.code == ErrorCode::PreconditionFailed => continue,
                    Err(problem) => return Err(problem),
                }
            }
            lock(&self.kept).remove(id);
            return Ok(record.view(id, self.last_use(id).await?));
        }
    }

    /// Who shows this token.
    pub(super) async fn caller(&self, text: &str) -> Result<Caller, Problem> {
        let unknown = || Problem::new(ErrorCode::Unauthenticated, "the token is not known");
        let shown = Shown::read(text).ok_or_else(unknown)?;
        let now = self.clock.now();
        let kept = lock(&self.kept).get(&shown.id).cloned();
        let kept = match kept.filter(|kept| now.since(kept.read_at) < LIFE) {
            Some(kept) => kept,
            None => self.look_up(&shown.id, now).await?.ok_or_else(unknown)?,
        };
        if !shown.proves(&kept.record) {
            return Err(unknown());
        }
        if let Some(why) = kept.record.ended(now) {
            return Err(Problem::new(ErrorCode::Unauthenticated, why)
                .help("make another with `loom token create`"));
        }
        lock(&self.uses).insert(shown.id, now);
        Ok(kept.caller)
    }

    /// Writes down when tokens were used. Called once a minute, so that a busy token costs no more
    /// than an idle one.
    pub(super) async fn write_uses(&self) -> Result<(), Problem> {
        let uses = std::mem::take(&mut *lock(&self.uses));
        let change = |(key, at): (String, Timestamp)| Change {
            collection: USES.into(),
            key,
            expect: Expect::Any,
            write: Write::Put { body: json!(at), secret: None },
        };
        if uses.is_empty() {
            return Ok(());
        }
        self.shelf.write(uses.into_iter().map(change).collect()).await.map(drop)
    }

    async fn look_up(&self, id: &str, now: Timestamp) -> Result<Option<Kept>, Problem> {
        let Some(document) = self.shelf.document(COLLECTION, id).await? else { return Ok(None) };
        let record = read(&document)?;
        let permissions = self.roles.granted(&record.roles).await?;
        let scope = scope(record.namespaces.as_ref());
        let (name, roles) = (record.name.clone(), record.roles.clone());
        let grants = vec![Grant { permissions, scope }];
        let caller = Caller::of_roles(name, Proof::Token(id.to_owned()), roles, grants);
        let kept = Kept { record: Arc::new(record), caller, read_at: now };
        let mut all = lock(&self.kept);
        if all.len() >= KEPT_MAX {
            all.clear();
        }
        all.insert(id.to_owned(), kept.clone());
        Ok(Some(kept))
    }

    async fn last_use(&self, id: &str) -> Result<Option<Timestamp>, Problem> {
        if let Some(&at) = lock(&self.uses).get(id) {
            return Ok(Some(at));
        }
        let document = self.shelf.document(USES, id).await?;
        Ok(document.and_then(|document| serde_json::from_value(document.body).ok()))
    }

    async fn put(&self, id: &str, record: &Record, expect: Expect) -> Result<(), Problem> {
        let write = Write::Put { body: json!(record), secret: None };
        let change = Change { collection: COLLECTION.into(), key: id.to_owned(), expect, write };
        self.shelf.write(vec![change]).await?.map(drop).map_err(|stale| Problem::stale(&stale))
    }
}

/// Whether somebody may be called so, in the audit log and in what they made.
pub(super) fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.chars().count()) && !text.contains(char::is_control)
}

fn check(request: &CreateToken) -> Result<(), Problem> {
    if !is_name(&request.name) {
        let message = format!("a token's `name` has 1 to {NAME_MAX} characters, none of control");
        return Err(Problem::argument(message));
    }
    if request.roles.is_empty() {
        return Err(Problem::argument("a token has at least one of `roles`")
            .help("viewer, operator, author and admin are built in"));
    }
    let namespaces = request.namespaces.as_ref();
    if namespaces.is_some_and(std::collections::BTreeSet::is_empty) {
        return Err(Problem::argument("`namespaces` names none; leave it out for all"));
    }
    if request.roles.len() > LIST_MAX || namespaces.is_some_and(|names| names.len() > LIST_MAX) {
        let message = format!("a token has at most {LIST_MAX} roles and namespaces");
        return Err(Problem::argument(message));
    }
    if request.expires_in_s == Some(0) {
        return Err(Problem::argument("`expires_in_s` is at least 1; leave it out for no end"));
    }
    Ok(())
}

pub(super) fn scope(namespaces: Option<&std::collections::BTreeSet<String>>) -> Scope {
    namespaces.map_or(Scope::All, |names| Scope::Namespaces(names.clone()))
}

fn read(document: &Document) -> Result<Record, Problem> {
    serde_json::from_value(document.body.clone()).map_err(|_| {
        let what = format!("the token `{}` cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
