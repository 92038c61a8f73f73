//! `loom serve`, over real HTTP.

mod access;
mod batch;
mod collector;
mod events;
mod graphql;
mod harness;
mod hostile;
mod insight;
mod later;
mod matrix;
mod openapi;
mod page;
mod raw;
mod receiver;
mod runs;
mod schedules;
mod search;
mod settings;
mod sse;
mod tasks;
mod traces;
mod triggers;
mod webhooks;
mod workflows;
