//! Outgoing webhooks: events, posted to those who subscribed.
//!
//! Each subscription has a courier of its own: a task that follows the feed from the subscription's
//! durable place, and posts one event after the other. What it could not deliver it tries again for
//! a bounded time; then the event is dead, and the next one's turn has come. Couriers share nothing
//! but the store, so that a receiver that is slow or gone holds up nobody else, and no run.
//!
//! An event is delivered at least once: after a crash, what was delivered since the place was
//! last kept is delivered again, under the same identity.

mod address;
mod courier;
mod dead;
mod document;
mod grant;
mod receiver;
mod retry;
mod service;
mod signature;

pub(crate) use courier::Office;
pub(crate) use receiver::Receivers;
pub(crate) use retry::delay;
pub use service::Webhooks;
