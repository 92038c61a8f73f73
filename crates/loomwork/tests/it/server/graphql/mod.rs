//! `/graphql`, over real HTTP and real `WebSocket`s.

mod client;
mod events;
mod fields;
mod limits;
mod matrix;
mod record;
mod schema;
mod socket;
