//! Who calls, and what they may do.
//!
//! A [`Permission`] is a `resource:action` pair. A [`Role`] is a named set of them. A [`Caller`] has
//! roles, each within all namespaces or some. The guard makes the caller from what a request
//! carries; the services ask it.

mod caller;
mod permission;
mod role;

pub use caller::{Caller, Grant, Scope};
pub use permission::{Permission, Permissions};
pub use role::Role;
