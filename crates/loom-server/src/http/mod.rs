//! The HTTP door: routes, JSON, problem documents. No rule lives here.

mod events;
mod extract;
mod guard;
mod openapi;
mod plugins;
mod runs;
mod tasks;
mod workflows;

pub use openapi::document;

use crate::app::App;
use crate::problem::Problem;
use axum::Router;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use loom_protocol::ErrorCode;
use std::sync::Arc;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;

/// Where the API begins.
pub const BASE: &str = "/api/v1";

/// All routes over these services.
pub fn router(app: Arc<App>) -> Router {
    let (api, mut document) = api().split_for_parts();
    openapi::complete(&mut document);
    let limit = app.config.limits.body;
    Router::new()
        .merge(api)
        .merge(openapi::routes(document))
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(RequestBodyLimitLayer::new(limit))
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .with_state(app)
}

/// The documented routes.
fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::head())
        .merge(workflows::routes())
        .merge(plugins::routes())
        .merge(runs::routes())
        .merge(tasks::routes())
        .merge(events::routes())
}

async fn nowhere(uri: Uri) -> impl IntoResponse {
    Problem::new(ErrorCode::NotFound, format!("there is nothing at `{}`", uri.path()))
        .help(format!("{BASE}/openapi.json lists all addresses"))
}

async fn wrong_method(uri: Uri) -> impl IntoResponse {
    let message = format!("`{}` does not take this method", uri.path());
    Problem::new(ErrorCode::MethodNotAllowed, message)
        .help(format!("{BASE}/openapi.json lists all addresses"))
}

/// How many items a page may have: what was asked for, within the limit.
fn page(app: &App, asked: Option<usize>) -> Result<usize, Problem> {
    let most = app.config.limits.page;
    match asked {
        None => Ok(most.min(50)),
        Some(asked) if (1..=most).contains(&asked) => Ok(asked),
        Some(_) => Err(Problem::argument(format!("`limit` is 1 to {most}"))),
    }
}
