//! Who calls.

use super::permission::{Permission, Permissions};
use crate::problem::Problem;
use loom_protocol::ErrorCode;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whoever makes a request, known by what they showed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    proof: Proof,
    roles: BTreeSet<String>,
    grants: Vec<Grant>,
}

/// How a caller is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// They need none, or act for the server.
    None,
    /// By one of our tokens, of this identity.
    Token(String),
    /// By a JSON Web Token that this issuer signed.
    Issuer(String),
}

/// Permissions within a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What is allowed.
    pub permissions: Permissions,
    /// Where.
    pub scope: Scope,
}

/// The namespaces that a grant is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All, and what belongs to none.
    All,
    /// These alone.
    Namespaces(BTreeSet<String>),
}

impl Caller {
    /// Somebody with these grants.
    pub fn new(name: impl Into<String>, grants: Vec<Grant>) -> Self {
        Self::of_roles(name.into(), Proof::None, BTreeSet::new(), grants)
    }

    /// Whoever is known by a proof. The roles are what the grants come from.
    pub(super) fn of_roles(
        name: String,
        proof: Proof,
        roles: BTreeSet<String>,
        grants: Vec<Grant>,
    ) -> Self {
        Self { inner: Arc::new(Inner { name, proof, roles, grants }) }
    }

    /// Somebody who may do everything: the one user of a server without access control.
    pub fn everything(name: impl Into<String>) -> Self {
        Self::new(name, vec![Grant { permissions: Permissions::all(), scope: Scope::All }])
    }

    /// Something that acts by itself with one permission, which whoever made it had there.
    pub(crate) fn acting(name: String, namespace: &str, permission: Permission) -> Self {
        let scope = Scope::Namespaces([namespace.to_owned()].into());
        let permissions = [permission].into_iter().collect();
        Self::new(name, vec![Grant { permissions, scope }])
    }

    /// The name that is recorded with what they do.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The identity of the token that they showed, if it was one of ours.
    pub fn token(&self) -> Option<&str> {
        match &self.inner.proof {
            Proof::Token(token) => Some(token),
            Proof::None | Proof::Issuer(_) => None,
        }
    }

    /// Who signed the JSON Web Token that they showed, if it was one; empty if that does not say.
    pub fn issuer(&self) -> Option<&str> {
        match &self.inner.proof {
            Proof::Issuer(issuer) => Some(issuer),
            Proof::None | Proof::Token(_) => None,
        }
    }

    /// The names of the roles that they were given.
    pub fn roles(&self) -> &BTreeSet<String> {
        &self.inner.roles
    }

    /// Demands a permission within a namespace.
    pub fn may(&self, permission: Permission, namespace: &str) -> Result<(), Problem> {
        let allows = |scope: &Scope| match scope {
            Scope::All => true,
            Scope::Namespaces(names) => names.contains(namespace),
        };
        if self.granted(permission).any(allows) {
            return Ok(());
        }
        Err(self.refusal(permission, &format!(" in namespace `{namespace}`")))
    }

    /// Demands a permission over what belongs to no namespace.
    pub fn may_everywhere(&self, permission: Permission) -> Result<(), Problem> {
        if self.granted(permission).any(|scope| *scope == Scope::All) {
            return Ok(());
        }
        Err(self.refusal(permission, " in all namespaces"))
    }

    /// Demands a permission somewhere, and answers where: `None` for everywhere.
    pub fn namespaces(&self, permission: Permission) -> Result<Option<Vec<String>>, Problem> {
        let mut found = BTreeSet::new();
        let mut any = false;
        for scope in self.granted(permission) {
            match scope {
                Scope::All => return Ok(None),
                Scope::Namespaces(names) => {
                    any = true;
                    found.extend(names.iter().cloned());
                }
            }
        }
        if any { Ok(Some(found.into_iter().collect())) } else { Err(self.refusal(permission, "")) }
    }

    /// Demands that they may do all of this themselves: nobody hands out more than they have.
    pub fn covers(&self, permissions: Permissions, scope: &Scope) -> Result<(), Problem> {
        permissions.iter().try_for_each(|permission| match scope {
            Scope::All => self.may_everywhere(permission),
            Scope::Namespaces(names) => names.iter().try_for_each(|it| self.may(permission, it)),
        })
    }

    /// As [`Caller::namespaces`], narrowed to one namespace if one is named.
    pub fn within(
        &self,
        permission: Permission,
        namespace: Option<&str>,
    ) -> Result<Option<Vec<String>>, Problem> {
        let Some(namespace) = namespace else { return self.namespaces(permission) };
        self.may(permission, namespace)?;
        Ok(Some(vec![namespace.to_owned()]))
    }

    /// Everything that they were granted.
    pub fn grants(&self) -> &[Grant] {
        &self.inner.grants
    }

    fn granted(&self, permission: Permission) -> impl Iterator<Item = &Scope> {
        let has = move |grant: &&Grant| grant.permissions.has(permission);
        self.inner.grants.iter().filter(has).map(|grant| &grant.scope)
    }

    fn refusal(&self, permission: Permission, place: &str) -> Problem {
        let message = format!("`{}` lacks the permission `{permission}`{place}", self.name());
        Problem::new(ErrorCode::Forbidden, message)
            .help("ask an administrator for a role that has it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoped(names: &[&str]) -> Grant {
        Grant {
            permissions: [Permission::RunsGet].into_iter().collect(),
            scope: Scope::Namespaces(names.iter().map(|&name| name.to_owned()).collect()),
        }
    }

    #[test]
    fn a_grant_holds_within_its_namespaces_alone() {
        let caller = Caller::new("ann", vec![scoped(&["a", "b"]), scoped(&["c"])]);
        assert!(caller.may(Permission::RunsGet, "c").is_ok());
        assert!(caller.may(Permission::RunsGet, "d").is_err());
        assert!(caller.may(Permission::RunsStart, "a").is_err());
        assert!(caller.may_everywhere(Permission::RunsGet).is_err());
        let names = caller.namespaces(Permission::RunsGet).unwrap().unwrap();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(caller.namespaces(Permission::RunsStart).is_err());
    }

    #[test]
    fn nobody_covers_more_than_they_have() {
        let caller = Caller::new("ann", vec![scoped(&["a", "b"])]);
        let get: Permissions = [Permission::RunsGet].into_iter().collect();
        assert!(caller.covers(get, &scoped(&["a", "b"]).scope).is_ok());
        assert!(caller.covers(get, &scoped(&["a", "c"]).scope).is_err());
        assert!(caller.covers(get, &Scope::All).is_err());
        assert!(caller.covers(Permissions::all(), &scoped(&["a"]).scope).is_err());
    }

    #[test]
    fn one_who_may_everything_may_it_everywhere() {
        let caller = Caller::everything("me");
        for &permission in Permission::ALL {
            assert!(caller.may_everywhere(permission).is_ok());
            assert_eq!(caller.namespaces(permission).unwrap(), None);
        }
    }
}
