//! `/graphql`: a second door to the services that REST leads to.
//!
//! Resolvers call the services with the caller whom the guard knows, so that what somebody may do
//! is decided where it is decided for REST, and a change is recorded as it is for REST. What is
//! decided here is how much one query may ask for: the text is measured before it is parsed
//! (`scan`), the document before it is expanded (`weigh`), the query before it is executed
//! (`cost`).

mod answer;
mod cost;
mod desk;
mod door;
mod mutation;
mod page;
mod protocol;
mod query;
mod request;
mod run;
mod scan;
mod session;
mod subscription;
mod task;
mod weigh;
mod workflow;

pub(crate) use door::{routes, says_who_later};

use async_graphql::Schema;

/// Where operations are sent.
const PATH: &str = "/graphql";
/// Where the schema is read.
const SCHEMA_PATH: &str = "/graphql/schema";

/// What can be asked, done and followed.
type Service = Schema<query::Query, mutation::Mutation, subscription::Subscription>;

fn service() -> Service {
    Schema::build(query::Query, mutation::Mutation, subscription::Subscription)
        .extension(cost::Limit)
        .finish()
}
