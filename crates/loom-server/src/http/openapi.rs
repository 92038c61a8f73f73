//! The OpenAPI document of the routes.

use super::{BASE, api};
use crate::app::App;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use loom_protocol::api::ProblemDocument;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, RefOr, ResponseBuilder};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Loomwork",
        description = "Durable workflows over HTTP. Errors are RFC 9457 problem documents; `code` names a documented error.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemDocument)),
    tags(
        (name = "workflows", description = "Registering workflows and looking at them"),
        (name = "runs", description = "Starting, finding and steering runs"),
        (name = "tasks", description = "The tasks of a run"),
        (name = "events", description = "What happens, as it happens"),
    ),
)]
struct Head;

/// The document without its routes.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = api().split_for_parts();
    complete(&mut document);
    document
}

/// Adds what holds for every route: the ways to be known, and how it fails.
pub(super) fn complete(document: &mut utoipa::openapi::OpenApi) {
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", bearer);
    let content = ContentBuilder::new()
        .schema(Some(utoipa::openapi::Ref::from_schema_name("ProblemDocument")))
        .build();
    let problem = ResponseBuilder::new()
        .description("The request failed")
        .content("application/problem+json", content)
        .build();
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(problem.clone()));
        }
    }
}

/// Serves the document.
pub(super) fn routes(document: utoipa::openapi::OpenApi) -> Router<Arc<App>> {
    let text = document.to_json().expect("its keys are text");
    let serve = move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text) }
    };
    Router::new().route(&format!("{BASE}/openapi.json"), get(serve))
}
