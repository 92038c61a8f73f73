//! The `OpenAPI` document of the routes.

use super::{BASE, api, health, reports};
use crate::app::App;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use bytes::Bytes;
use loom_protocol::api::ProblemDocument;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, RefOr, ResponseBuilder, Schema};

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
        (name = "batch", description = "Many runs in one call"),
        (name = "retention", description = "Rules by which ended runs are deleted"),
        (name = "tasks", description = "The tasks of a run"),
        (name = "schedules", description = "Runs that start by themselves"),
        (name = "triggers", description = "Requests from elsewhere, and files, that start runs"),
        (name = "limits", description = "How many runs and tasks there may be at once"),
        (name = "events", description = "What happens, as it happens"),
        (name = "access", description = "Tokens, roles and the audit log"),
        (name = "analytics", description = "What recorded attempts add up to"),
        (name = "health", description = "How the server is"),
        (name = "reports", description = "Runs that other systems execute"),
        (name = "webhooks", description = "Events, posted to other systems"),
    ),
)]
struct Head;

/// The document without its routes.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = api(false).split_for_parts();
    let (_, open) = health::open_routes(false).split_for_parts();
    let (_, reports) = reports::routes().split_for_parts();
    document.merge(open);
    document.merge(reports);
    complete(&mut document);
    document
}

/// Adds what holds for every route: the ways to be known, and how it fails.
pub(super) fn complete(document: &mut utoipa::openapi::OpenApi) {
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("token", bearer);
    open_parts(components);
    let content = ContentBuilder::new()
        .schema(Some(utoipa::openapi::Ref::from_schema_name("ProblemDocument")))
        .build();
    let problem = ResponseBuilder::new()
        .description("The request failed")
        .content("application/problem+json", content)
        .build();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
            ("patch", &mut item.patch),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(name(method, path));
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), RefOr::T(problem.clone()));
        }
    }
}

/// Lets schemas have more fields that are a part of others: nothing could satisfy both otherwise.
fn open_parts(components: &mut Components) {
    let parts: Vec<String> = components.schemas.values().flat_map(parts_of).collect();
    for part in parts {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&part) {
            object.additional_properties = None;
        }
    }
}

/// The names of the schemas that this one puts together.
fn parts_of(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::T(Schema::OneOf(one)) => one.items.iter().flat_map(parts_of).collect(),
        RefOr::T(Schema::AllOf(all)) => {
            let refs = all.items.iter().filter_map(|item| match item {
                RefOr::Ref(to) => to.ref_location.rsplit('/').next().map(str::to_owned),
                RefOr::T(_) => None,
            });
            refs.collect()
        }
        _ => Vec::new(),
    }
}

/// The name of an operation, which no other has: `get_runs_by_id_why`.
fn name(method: &str, path: &str) -> String {
    let path = path.strip_prefix(BASE).unwrap_or(path);
    let mut name = method.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        name.push('_');
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(parameter) => name.extend(["by_", parameter]),
            None => name.push_str(part),
        }
    }
    name
}

/// Serves the document.
pub(super) fn routes(document: &utoipa::openapi::OpenApi) -> Router<Arc<App>> {
    // Shared by all requests and copies of the route.
    let text = Bytes::from(document.to_json().expect("its keys are text"));
    let serve = move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text) }
    };
    Router::new().route(&format!("{BASE}/openapi.json"), get(serve))
}
