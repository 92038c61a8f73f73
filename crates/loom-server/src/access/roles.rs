//! Roles: the built-in ones, and those that administrators define.

use super::{Caller, Permission, Permissions, Role, Scope};
use crate::asked::Precondition;
use crate::problem::Problem;
use crate::shelf::Shelf;
use crate::workflows::Tagged;
use loom_protocol::ErrorCode;
use loom_protocol::api::{DefineRole, RoleView};
use loom_store::{Change, Document, Expect, Scan, Write};
use serde_json::json;
use std::collections::BTreeSet;

/// The collection of roles. Keys are their names.
const COLLECTION: &str = "roles";
/// What a role is called.
const KIND: &str = "role";
/// The most roles beside the built-in ones.
const ROLES_MAX: usize = 500;
/// The most characters of a role's name, and of its description.
const NAME_MAX: usize = 64;
const DESCRIPTION_MAX: usize = 1000;

/// The roles of a store.
pub struct Roles {
    shelf: Shelf,
}

impl Roles {
    pub(super) const fn new(shelf: Shelf) -> Self {
        Self { shelf }
    }

    /// All roles, the built-in ones first.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<RoleView>, Problem> {
        caller.may_everywhere(Permission::TokensList)?;
        let limit = ROLES_MAX;
        let page = self.shelf.scan(COLLECTION, Scan { limit, ..Scan::default() }).await?;
        let defined = page.documents.into_iter().map(|document| {
            let role = read(&document)?;
            Ok(view(document.key, role))
        });
        let mut items = Vec::from(Role::ALL.map(built_in));
        items.extend(defined.collect::<Result<Vec<_>, Problem>>()?);
        Ok(items)
    }

    /// One role, with its entity tag.
    pub async fn get(&self, caller: &Caller, name: &str) -> Result<Tagged<RoleView>, Problem> {
        caller.may_everywhere(Permission::TokensList)?;
        if let Some(role) = Role::from_name(name) {
            return Ok(Tagged { value: built_in(role), version: 0 });
        }
        let document = self.shelf.document(COLLECTION, name).await?;
        let document = document.ok_or_else(|| Problem::missing(KIND, name))?;
        let value = view(name.to_owned(), read(&document)?);
        Ok(Tagged { value, version: document.version })
    }

    /// Defines a role, or defines it anew for all that have it; the answer says whether it is new. It may
    /// allow no more than the caller may.
    pub async fn define(
        &self,
        caller: &Caller,
        name: &str,
        role: DefineRole,
        when: Precondition,
    ) -> Result<(Tagged<RoleView>, bool), Problem> {
        caller.may_everywhere(Permission::TokensWrite)?;
        check_name(name)?;
        if role.description.chars().count() > DESCRIPTION_MAX {
            let message = format!("a `description` has at most {DESCRIPTION_MAX} characters");
            return Err(Problem::argument(message));
        }
        let patterns = role.permissions.iter().map(String::as_str);
        let permissions = Permissions::parse(patterns).map_err(|unknown| {
            Problem::argument(format!("`{}` names no permission", unknown.0))
                .help("write `resource:action`, `resource:*` or `*`; GET /api/v1/roles shows them")
        })?;
        caller.covers(permissions, &Scope::All)?;
        loop {
            let limit = ROLES_MAX;
            let present = self.shelf.scan(COLLECTION, Scan { limit, ..Scan::default() }).await?;
            let before = present.documents.iter().find(|document| document.key == name);
            let before = before.map(|document| document.version);
            when.check(before, KIND, COLLECTION, name)?;
            if before.is_none() && present.documents.len() >= ROLES_MAX {
                return Err(Problem::argument(format!("there are {ROLES_MAX} roles already")));
            }
            let expect = before.map_or(Expect::Absent, Expect::Version);
            let write = Write::Put { body: json!(role), secret: None };
            // Where somebody else was quicker, all is looked at again.
            if let Ok(versions) = self.shelf.write(vec![change(name, write, expect)]).await? {
                let value = view(name.to_owned(), role);
                return Ok((Tagged { value, version: versions[0] }, before.is_none()));
            }
        }
    }

    /// Deletes a role. Tokens that have it keep their others.
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &str,
        when: Precondition,
    ) -> Result<(), Problem> {
        caller.may_everywhere(Permission::TokensWrite)?;
        check_name(name)?;
        loop {
            let missing = || Problem::missing(KIND, name);
            let document = self.shelf.document(COLLECTION, name).await?.ok_or_else(missing)?;
            when.check(Some(document.version), KIND, COLLECTION, name)?;
            let change = change(name, Write::Delete, Expect::Version(document.version));
            if self.shelf.write(vec![change]).await?.is_ok() {
                return Ok(());
            }
        }
    }

    /// What these roles allow together; all of them have to exist.
    pub(super) async fn known(&self, names: &BTreeSet<String>) -> Result<Permissions, Problem> {
        let mut all = Permissions::default();
        for name in names {
            let Some(permissions) = self.permissions(name).await? else {
                return Err(Problem::argument(format!("there is no role `{name}`"))
                    .help("viewer, operator, author and admin are built in"));
            };
            all = all.union(permissions);
        }
        Ok(all)
    }

    /// What these roles allow together; what is gone allows nothing.
    pub(super) async fn granted(&self, names: &BTreeSet<String>) -> Result<Permissions, Problem> {
        let mut all = Permissions::default();
        for name in names {
            all = all.union(self.permissions(name).await?.unwrap_or_default());
        }
        Ok(all)
    }

    async fn permissions(&self, name: &str) -> Result<Option<Permissions>, Problem> {
        if let Some(role) = Role::from_name(name) {
            return Ok(Some(role.permissions()));
        }
        if check_name(name).is_err() {
            return Ok(None);
        }
        let Some(document) = self.shelf.document(COLLECTION, name).await? else { return Ok(None) };
        let role = read(&document)?;
        // A pattern that a later version no longer knows allows nothing.
        let sets = role.permissions.iter().map(|it| Permissions::parse([it.as_str()]));
        let all = sets.filter_map(Result::ok).fold(Permissions::default(), Permissions::union);
        Ok(Some(all))
    }
}

fn change(name: &str, write: Write, expect: Expect) -> Change {
    Change { collection: COLLECTION.into(), key: name.to_owned(), expect, write }
}

fn check_name(name: &str) -> Result<(), Problem> {
    if Role::from_name(name).is_some() {
        return Err(Problem::new(
            ErrorCode::AlreadyThere,
            format!("the role `{name}` is built in and does not change"),
        ));
    }
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    let rule = format!("1 to {NAME_MAX} of a-z, 0-9, - and _");
    Err(Problem::argument(format!("`{name}` is not a role's name: {rule}")))
}

fn read(document: &Document) -> Result<DefineRole, Problem> {
    serde_json::from_value(document.body.clone()).map_err(|_| {
        let what = format!("the role `{}` cannot be read", document.key);
        Problem::new(ErrorCode::StoreCorrupt, what)
    })
}

fn built_in(role: Role) -> RoleView {
    RoleView {
        name: role.name().to_owned(),
        built_in: true,
        description: role.what().to_owned(),
        permissions: role.permissions().iter().map(|it| it.name().to_owned()).collect(),
    }
}

fn view(name: String, role: DefineRole) -> RoleView {
    let DefineRole { permissions, description } = role;
    RoleView { name, built_in: false, description, permissions }
}
