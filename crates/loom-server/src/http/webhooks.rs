//! `/webhooks`: subscriptions that send events to other systems.

use super::cursor;
use super::extract::{Json, OptionalJson, PageParams, Params, Path, tagged};
use super::gate::noted;
use crate::access::{Caller, Made};
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use loom_protocol::api::{
    ChangeWebhook, CreateWebhook, CreatedWebhook, DeadDeliveryList, DeliveryResult, Operation,
    ReplayResult, RotateSecret, WebhookList, WebhookView,
};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(test))
        .routes(routes!(dead))
        .routes(routes!(replay))
        .routes(routes!(replay_all))
}

/// List webhooks
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", params(PageParams),
    security(("token" = ["webhooks:list"])),
    responses((status = 200, body = WebhookList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<PageParams>,
) -> Result<Json<WebhookList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let place = cursor::open("webhooks", params.cursor)?;
    let mut page = app.webhooks.list(&caller, place, limit).await?;
    page.next_cursor = cursor::seal("webhooks", page.next_cursor);
    Ok(Json(page))
}

/// Make a webhook
///
/// Events that happen from now on are posted to it, in order, each signed as Standard Webhooks has
/// it. The answer holds the signing secret, which is not shown again.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = CreateWebhook,
    security(("token" = ["webhooks:write", "events:read"])),
    responses((status = 201, body = CreatedWebhook)))]
async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<CreateWebhook>,
) -> Result<Response, Problem> {
    let created = app.webhooks.create(&caller, request).await?;
    let made = vec![Made::one("id", &created.webhook.id)];
    Ok(noted(made, (StatusCode::CREATED, Json(created))))
}

/// Read a webhook
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path)),
    security(("token" = ["webhooks:list"])),
    responses((status = 200, body = WebhookView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    app.webhooks.get(&caller, &id).await.map(tagged)
}

/// Change a webhook
///
/// It is what the request says from now on; what is left out has its default. The secret stays.
/// `If-Match` only changes what the caller saw.
#[utoipa::path(put, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    request_body = ChangeWebhook,
    security(("token" = ["webhooks:write", "events:read"])),
    responses((status = 200, body = WebhookView)))]
async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    when: Precondition,
    Json(request): Json<ChangeWebhook>,
) -> Result<Response, Problem> {
    app.webhooks.change(&caller, &id, request, when).await.map(tagged)
}

/// Replace the signing secret of a webhook
///
/// Deliveries are signed with the old secret too until `overlap_s` is over. The answer holds the
/// new one, which is not shown again.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", tag = "webhooks",
    params(("id" = String, Path)), request_body = Option<RotateSecret>,
    security(("token" = ["webhooks:write"])),
    responses((status = 200, body = CreatedWebhook)))]
async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    OptionalJson(request): OptionalJson<RotateSecret>,
) -> Result<Json<CreatedWebhook>, Problem> {
    app.webhooks.rotate(&caller, &id, request).await.map(Json)
}

/// Delete a webhook with its dead deliveries
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header)),
    security(("token" = ["webhooks:write"])),
    responses((status = 204)))]
async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    when: Precondition,
) -> Result<StatusCode, Problem> {
    app.webhooks.delete(&caller, &id, when).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deliver nothing until it is resumed
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/pause", tag = "webhooks",
    params(("id" = String, Path)), request_body = Option<Operation>,
    security(("token" = ["webhooks:write"])),
    responses((status = 200, body = WebhookView)))]
async fn pause(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    OptionalJson(operation): OptionalJson<Operation>,
) -> Result<Json<WebhookView>, Problem> {
    app.webhooks.pause(&caller, &id, operation.reason).await.map(Json)
}

/// Go on after a pause, with what happened meanwhile
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/resume", tag = "webhooks",
    params(("id" = String, Path)),
    security(("token" = ["webhooks:write"])),
    responses((status = 200, body = WebhookView)))]
async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WebhookView>, Problem> {
    app.webhooks.resume(&caller, &id).await.map(Json)
}

/// Post a test to it now
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks",
    params(("id" = String, Path)),
    security(("token" = ["webhooks:write"])),
    responses((status = 200, body = DeliveryResult)))]
async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<DeliveryResult>, Problem> {
    app.webhooks.test(&caller, &id).await.map(Json)
}

/// List the deliveries that were given up
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/dead", tag = "webhooks",
    params(("id" = String, Path), PageParams),
    security(("token" = ["webhooks:list"])),
    responses((status = 200, body = DeadDeliveryList)))]
async fn dead(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<PageParams>,
) -> Result<Json<DeadDeliveryList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let place = cursor::open(&id, params.cursor)?;
    let mut page = app.webhooks.dead(&caller, &id, place, limit).await?;
    page.next_cursor = cursor::seal(&id, page.next_cursor);
    Ok(Json(page))
}

/// Post a dead delivery once more
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/dead/{event}/replay", tag = "webhooks",
    params(("id" = String, Path), ("event" = String, Path)),
    security(("token" = ["webhooks:write"])),
    responses((status = 200, body = DeliveryResult)))]
async fn replay(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, event)): Path<(String, String)>,
) -> Result<Json<DeliveryResult>, Problem> {
    app.webhooks.replay(&caller, &id, &event).await.map(Json)
}

/// Post all dead deliveries once more
///
/// The oldest first, one after the other, until the receiver does not take one or 15 s are over.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/dead/replay", tag = "webhooks",
    params(("id" = String, Path)),
    security(("token" = ["webhooks:write"])),
    responses((status = 200, body = ReplayResult)))]
async fn replay_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ReplayResult>, Problem> {
    app.webhooks.replay_all(&caller, &id).await.map(Json)
}
