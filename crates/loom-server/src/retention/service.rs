//! Writing and reading the rules.

use crate::access::{Caller, Permission};
use crate::asked::{self, Precondition};
use crate::kept;
use crate::problem::Problem;
use crate::runs::state;
use crate::shelf::Shelf;
use crate::workflows::Tagged;
use loom_core::Timestamp;
use loom_protocol::api::{RetentionRule, RetentionView};
use loom_protocol::{ErrorCode, rfc3339};
use loom_store::{Change, Document, Expect, Scan, Write};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Notify;

/// The collection of rules, under their names.
const COLLECTION: &str = "retention";
/// What a rule is called.
const KIND: &str = "retention rule";
/// The most rules: the janitor goes through all of them each time.
const RULES_MAX: usize = 200;

/// The rules.
pub struct Retention {
    shelf: Shelf,
    /// Rung when a rule was written.
    pub(super) changed: Arc<Notify>,
}

impl Retention {
    pub(crate) fn new(shelf: Shelf) -> Self {
        Self { shelf, changed: Arc::default() }
    }

    /// The rules that the caller may see, by name.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<RetentionView>, Problem> {
        let visible = caller.namespaces(Permission::RunsList)?;
        let mut items = Vec::new();
        for document in self.documents().await? {
            let view = view(&document)?;
            let seen = match (&visible, &view.rule.namespace) {
                (None, _) => true,
                (Some(names), Some(namespace)) => names.contains(namespace),
                (Some(_), None) => false,
            };
            if seen {
                items.push(view);
            }
        }
        Ok(items)
    }

    /// One rule.
    pub async fn get(&self, caller: &Caller, name: &str) -> Result<Tagged<RetentionView>, Problem> {
        self.visible(caller, name, Permission::RunsList).await
    }

    /// Writes a rule; the answer says whether it is new.
    pub async fn put(
        &self,
        caller: &Caller,
        name: &str,
        rule: RetentionRule,
        when: Precondition,
    ) -> Result<(Tagged<RetentionView>, bool), Problem> {
        asked::name(name)?;
        allowed(caller, Permission::RunsDelete, &rule)?;
        if let Some(wrong) = rule.status.iter().find(|it| !state(**it).is_final()) {
            let what = format!("`status`: a run that is {} has not ended", state(*wrong));
            return Err(Problem::argument(what));
        }
        let present = self.shelf.document(COLLECTION, name).await?;
        if let Some(present) = &present {
            // Nobody takes a rule away from a namespace that is not theirs.
            let permissions = (Permission::RunsList, Permission::RunsDelete);
            let of = view(present)?.rule.namespace;
            kept::may_replace(caller, permissions, of.as_deref(), name)?;
        } else if self.documents().await?.len() >= RULES_MAX {
            return Err(Problem::argument(format!(
                "there are {RULES_MAX} rules, which is the most"
            ))
            .help("delete one first"));
        }
        let version = present.as_ref().map(|present| present.version);
        when.check(version, KIND, COLLECTION, name)?;
        let expect = version.map_or(Expect::Absent, Expect::Version);
        let write = Write::Put { body: json!(rule), secret: None };
        let collection = COLLECTION.into();
        let change = Change { collection, key: name.to_owned(), expect, write };
        let written = self.shelf.write(vec![change]).await?;
        written.map_err(|stale| Problem::stale(&stale))?;
        self.changed.notify_one();
        Ok((self.find(name).await?, present.is_none()))
    }

    /// Takes a rule away.
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &str,
        when: Precondition,
    ) -> Result<(), Problem> {
        loop {
            let found = self.visible(caller, name, Permission::RunsDelete).await?;
            when.check(Some(found.version), KIND, COLLECTION, name)?;
            let expect = Expect::Version(found.version);
            let (collection, key) = (COLLECTION.into(), name.to_owned());
            let change = Change { collection, key, expect, write: Write::Delete };
            // Where somebody else was quicker, all is looked at again.
            if self.shelf.write(vec![change]).await?.is_ok() {
                return Ok(());
            }
        }
    }

    /// What is to be deleted now, by each rule. A rule that cannot be read deletes nothing.
    pub(super) async fn due(&self, now: Timestamp) -> Result<Vec<loom_store::Retention>, Problem> {
        let documents = self.documents().await?;
        let rules = documents.iter().filter_map(|document| view(document).ok());
        Ok(rules.map(|view| due(view.rule, now)).collect())
    }

    /// The rule, if the caller may do this to it. Of others not even that they are there is told.
    async fn visible(
        &self,
        caller: &Caller,
        name: &str,
        permission: Permission,
    ) -> Result<Tagged<RetentionView>, Problem> {
        caller.namespaces(permission)?;
        let found = self.find(name).await?;
        let may = allowed(caller, permission, &found.value.rule);
        may.map(|()| found).map_err(|_| Problem::missing(KIND, name))
    }

    async fn find(&self, name: &str) -> Result<Tagged<RetentionView>, Problem> {
        let missing = || Problem::missing(KIND, name);
        let document = self.shelf.document(COLLECTION, name).await?.ok_or_else(missing)?;
        Ok(Tagged { version: document.version, value: view(&document)? })
    }

    async fn documents(&self) -> Result<Vec<Document>, Problem> {
        let scan = Scan { limit: RULES_MAX, ..Scan::default() };
        Ok(self.shelf.scan(COLLECTION, scan).await?.documents)
    }
}

fn due(rule: RetentionRule, now: Timestamp) -> loom_store::Retention {
    let age = rule.keep_s.saturating_mul(1_000_000);
    loom_store::Retention {
        before: Timestamp(now.0.saturating_sub(age)),
        namespaces: rule.namespace.map(|namespace| vec![namespace]),
        workflow: rule.workflow,
        states: rule.status.into_iter().map(state).collect(),
        limit: 0,
    }
}

/// A rule without a namespace is about all of them.
fn allowed(caller: &Caller, permission: Permission, rule: &RetentionRule) -> Result<(), Problem> {
    match &rule.namespace {
        Some(namespace) => caller.may(permission, namespace),
        None => caller.may_everywhere(permission),
    }
}

fn view(document: &Document) -> Result<RetentionView, Problem> {
    let rule = serde_json::from_value(document.body.clone()).map_err(|_| {
        let what = format!("the retention rule `{}` cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })?;
    Ok(RetentionView {
        name: document.key.clone(),
        rule,
        written_at: rfc3339(document.written_at.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom_core::RunState;
    use loom_protocol::api::RunState as WireState;

    #[test]
    fn a_rule_deletes_what_ended_so_long_ago() {
        let rule = RetentionRule {
            namespace: Some("a".into()),
            workflow: None,
            status: vec![WireState::Failed],
            keep_s: 10,
        };
        let due = due(rule.clone(), Timestamp(15_000_000));
        assert_eq!(due.before, Timestamp(5_000_000));
        assert_eq!((due.namespaces, due.states), (Some(vec!["a".into()]), vec![RunState::Failed]));
        let forever = RetentionRule { keep_s: u64::MAX, ..rule };
        assert_eq!(super::due(forever, Timestamp(15_000_000)).before, Timestamp(0));
    }
}
