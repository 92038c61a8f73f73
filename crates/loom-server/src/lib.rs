//! The HTTP API over an engine: workflows, runs, live events, access control.
//!
//! [`Server`] is made of [`Parts`], which the composition root chooses, and a [`Config`]. Requests
//! come in at `http`, which reads and writes JSON and knows no rule; what may be done is decided
//! and done by the services (`workflows`, `runs`, …), each of whose methods takes a
//! [`Caller`](access::Caller) first and asks it for permission. REST and GraphQL are two doors to
//! the same services.
//!
//! Invariants:
//! - Nothing here decides about a run: that is the engine's. A change is answered once the engine
//!   or the store says that it is durable.
//! - No call to a store is made on a thread of the async runtime.
//! - Live events come from the journal, in the order of its commits; the engine only rings the bell.
//! - Every handler is behind the guard, and every service method checks a permission.

pub mod access;
mod app;
pub mod asked;
mod config;
mod cursor;
pub mod feed;
pub mod graphql;
pub mod http;
mod ids;
pub mod insight;
mod kept;
pub mod limits;
mod log;
mod network;
mod parts;
mod plans;
mod problem;
mod readers;
mod reporter;
pub mod reports;
pub mod retention;
pub mod runs;
pub mod schedules;
mod serve;
mod shelf;
mod tls;
pub mod triggers;
pub mod webhooks;
pub mod wire;
pub mod workflows;

pub use app::App;
pub use config::{Config, JwksSource, JwtConfig, JwtKeys, Limits, Tls};
pub use feed::{Bell, Ringer};
pub use http::ProxyHeader;
pub use insight::{CommitMeter, Otlp, Space};
pub use log::{Level, Log, LogConfig, Style};
pub use network::Network;
pub use parts::{Folders, LogFile, Logs, PageFile, Pages, Parts, Stores};
pub use plans::Plans;
pub use problem::Problem;
pub use reporter::{Reporter, Target};
pub use serve::{ServeError, Server};
