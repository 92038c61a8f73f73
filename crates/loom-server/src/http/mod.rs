//! The HTTP door: routes, JSON, problem documents. No rule lives here.

mod access;
mod analytics;
mod batch;
mod docs;
mod events;
pub(crate) mod extract;
mod forwarded;
mod gate;
mod graph;
pub(crate) mod guard;
mod health;
mod limits;
mod logs;
mod openapi;
mod origin;
mod pages;
mod parameters;
mod plugins;
mod query;
mod reports;
mod retention;
mod runs;
mod schedules;
mod stream;
mod tasks;
mod track;
mod triggers;
pub(crate) mod warrant;
mod webhooks;
mod workflows;

pub use forwarded::ProxyHeader;
pub use openapi::document;

use crate::app::App;
use crate::cursor;
use crate::graphql;
use crate::problem::Problem;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use extract::PageParams;
use loom_protocol::ErrorCode;
use std::sync::Arc;
use tower_http::limit::RequestBodyLimitLayer;
use utoipa_axum::router::OpenApiRouter;

/// Where the API begins.
pub const BASE: &str = "/api/v1";

/// All routes over these services.
pub fn router(app: Arc<App>) -> Router {
    let (api, mut document) = api(app.config.open_metrics).split_for_parts();
    let (open, open_document) = health::open_routes(app.config.open_metrics).split_for_parts();
    let (reports, reports_document) = reports::routes().split_for_parts();
    document.merge(open_document);
    document.merge(reports_document);
    openapi::complete(&mut document);
    let gate = gate::Gate::new(Arc::clone(&app.access), &document);
    let known = parameters::Known::new(&document);
    let limit = app.config.limits.body;
    let cors = origin::cors(&app.config.origins);
    let router = Router::new()
        .merge(
            api.route_layer(from_fn_with_state(known.clone(), parameters::check))
                .route_layer(from_fn_with_state(gate.clone(), gate::gate)),
        )
        .merge(openapi::routes(&document))
        .merge(open.route_layer(from_fn_with_state(known, parameters::check)))
        .merge(docs::routes())
        .merge(graphql::routes())
        .fallback(pages::serve)
        .method_not_allowed_fallback(wrong_method)
        // The limit is ours alone.
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(limit))
        .merge(limited(
            reports
                .route_layer(from_fn_with_state(gate, gate::gate))
                .method_not_allowed_fallback(wrong_method),
            app.config.limits.report_body,
        ))
        .layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .layer(from_fn_with_state(Arc::clone(&app), track::track))
        .with_state(app);
    // Browsers ask whether they may call before they show who calls.
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// Routes that take bodies of this size.
fn limited(routes: Router<Arc<App>>, body: usize) -> Router<Arc<App>> {
    routes.layer(DefaultBodyLimit::disable()).layer(RequestBodyLimitLayer::new(body))
}

/// The documented routes.
fn api(open_metrics: bool) -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(openapi::head())
        .merge(workflows::routes())
        .merge(plugins::routes())
        .merge(runs::routes())
        .merge(batch::routes())
        .merge(tasks::routes())
        .merge(logs::routes())
        .merge(retention::routes())
        .merge(events::routes())
        .merge(access::routes())
        .merge(schedules::routes())
        .merge(triggers::routes())
        .merge(limits::routes())
        .merge(analytics::routes())
        .merge(health::routes(open_metrics))
        .merge(webhooks::routes())
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
    app.config.limits.page("limit", asked)
}

/// A page of a list that is at hand, and the cursor of the next. Items are in the order of what `key`
/// makes of the place that each has.
fn cut<T, K: Ord>(
    app: &App,
    list: &str,
    items: Vec<T>,
    asked: PageParams,
    place: impl Fn(&T) -> &str,
    key: impl Fn(&str) -> K,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let limit = page(app, asked.limit)?;
    let after = cursor::open(list, asked.cursor)?;
    let (items, next) = cursor::cut(items, after.as_deref(), limit, place, key);
    Ok((items, cursor::seal(list, next)))
}
