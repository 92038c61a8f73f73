//! Who calls, and what they may do.
//!
//! A [`Permission`] is a `resource:action` pair. A [`Role`] is a named set of them; administrators
//! define more. A [`Caller`] has permissions, each within all namespaces or some. The guard makes
//! the caller from what a request carries: a token of ours ([`Tokens`]), or a JSON Web Token of
//! somebody else. The services ask the caller. What is changed is recorded in the [`Audit`] log.

mod audit;
mod caller;
mod jwks;
mod jwt;
mod made;
mod permission;
mod role;
mod roles;
mod service;
mod throttle;
mod token;
mod tokens;

pub use audit::{Audit, AuditFilter, Deed};
pub use caller::{Caller, Grant, Scope};
pub use made::{Made, Outcome};
pub use permission::{Permission, Permissions};
pub use role::Role;
pub use roles::Roles;
pub(crate) use service::bearer;
pub use service::{Access, Office};
pub(crate) use throttle::Client;
pub use tokens::Tokens;
