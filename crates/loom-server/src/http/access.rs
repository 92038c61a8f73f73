//! `/tokens`, `/roles` and `/audit`.

use super::cursor;
use super::extract::{Json, PageParams, Params, Path, tagged, written};
use super::gate::noted;
use crate::access::{AuditFilter, Caller, Made, Permission, Role};
use crate::app::App;
use crate::asked::{Precondition, moment};
use crate::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use loom_core::Timestamp;
use loom_protocol::api::{
    AuditList, AuditOutcome, CreateToken, DefineRole, MayIn, Me, RoleList, RoleView, TokenCreated,
    TokenList, TokenView,
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
        .routes(routes!(list_roles))
        .routes(routes!(get_role, define_role, delete_role))
        .routes(routes!(audit))
}

/// Who calls, and what they may do
///
/// For everybody who is known, so that a client offers nothing that would be refused.
#[utoipa::path(get, path = "/api/v1/me", tag = "access",
    security(("token" = [])),
    responses((status = 200, body = Me)))]
async fn me(State(app): State<Arc<App>>, caller: Caller) -> Json<Me> {
    let held = Permission::ALL.iter().filter_map(|&permission| {
        let namespaces = caller.namespaces(permission).ok()?;
        let namespaces = namespaces.map(|names| names.into_iter().collect());
        Some((permission.name().to_owned(), MayIn { namespaces }))
    });
    Json(Me {
        name: caller.name().to_owned(),
        access_control: app.config.access,
        token: caller.token().map(str::to_owned),
        roles: caller.roles().clone(),
        permissions: held.collect(),
    })
}

/// List tokens, oldest first
///
/// Expired and revoked ones are among them. Their texts are shown to nobody.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "access", params(PageParams),
    security(("token" = ["tokens:list"])),
    responses((status = 200, body = TokenList)))]
async fn list_tokens(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<PageParams>,
) -> Result<Json<TokenList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let place = cursor::open("tokens", params.cursor)?;
    let mut page = app.access.tokens.list(&caller, place, limit).await?;
    page.next_cursor = cursor::seal("tokens", page.next_cursor);
    Ok(Json(page))
}

/// Make a token
///
/// The answer shows its text, this once. Nobody makes a token that may do more than themselves.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "access", request_body = CreateToken,
    security(("token" = ["tokens:write"])),
    responses((status = 201, body = TokenCreated)))]
async fn create_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<CreateToken>,
) -> Result<Response, Problem> {
    let created = app.access.tokens.create(&caller, request).await?;
    let made = vec![Made::from(&created.view)];
    Ok(noted(made, (StatusCode::CREATED, Json(created))))
}

/// Revoke a token for good
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", tag = "access",
    params(("id" = String, Path)),
    security(("token" = ["tokens:write"])),
    responses((status = 200, body = TokenView)))]
async fn revoke_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TokenView>, Problem> {
    app.access.tokens.revoke(&caller, &id).await.map(Json)
}

/// List roles
#[utoipa::path(get, path = "/api/v1/roles", tag = "access", params(PageParams),
    security(("token" = ["tokens:list"])),
    responses((status = 200, body = RoleList)))]
async fn list_roles(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<PageParams>,
) -> Result<Json<RoleList>, Problem> {
    let all = app.access.roles.list(&caller).await?;
    // The built-in ones come first, from the one that may do least.
    let key = |name: &str| {
        let built_in = Role::ALL.iter().position(|role| role.name() == name);
        (built_in.unwrap_or(usize::MAX), name.to_owned())
    };
    let (items, next_cursor) = super::cut(&app, "roles", all, params, |it| it.name.as_str(), key)?;
    Ok(Json(RoleList { items, next_cursor }))
}

/// Read a role
#[utoipa::path(get, path = "/api/v1/roles/{name}", tag = "access",
    params(("name" = String, Path)),
    security(("token" = ["tokens:list"])),
    responses((status = 200, body = RoleView)))]
async fn get_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    app.access.roles.get(&caller, &name).await.map(tagged)
}

/// Define a role, or define it anew
///
/// 201 if it is new. Nobody defines a role that may do more than themselves. Tokens that have it follow
/// within seconds. `If-None-Match: *` only makes, `If-Match` only replaces what the caller saw.
#[utoipa::path(put, path = "/api/v1/roles/{name}", tag = "access", request_body = DefineRole,
    params(("name" = String, Path), ("If-Match" = Option<String>, Header),
        ("If-None-Match" = Option<String>, Header)),
    security(("token" = ["tokens:write"])),
    responses((status = 200, body = RoleView), (status = 201, body = RoleView)))]
async fn define_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
    Json(role): Json<DefineRole>,
) -> Result<Response, Problem> {
    let defined = app.access.roles.define(&caller, &name, role, when).await?;
    let made = vec![Made::from(&defined.0.value)];
    Ok(noted(made, written(defined)))
}

/// Delete a role
#[utoipa::path(delete, path = "/api/v1/roles/{name}", tag = "access",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    security(("token" = ["tokens:write"])),
    responses((status = 204)))]
async fn delete_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    when: Precondition,
) -> Result<StatusCode, Problem> {
    app.access.roles.delete(&caller, &name, when).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditParams {
    /// Only of this caller.
    who: Option<String>,
    /// Only of this permission, such as `runs:cancel`.
    action: Option<String>,
    /// Only with this outcome.
    outcome: Option<AuditOutcome>,
    /// Only about this name or identity.
    target: Option<String>,
    /// Not before (RFC 3339).
    since: Option<String>,
    /// Before (RFC 3339).
    until: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most items: 1 to 200, 50 if absent.
    limit: Option<usize>,
}

/// Read the audit log, newest first
///
/// Every change that was asked for, with what came of it. A page may hold fewer items than its
/// limit and yet have a next one.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", params(AuditParams),
    security(("token" = ["audit:list"])),
    responses((status = 200, body = AuditList)))]
async fn audit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<AuditParams>,
) -> Result<Json<AuditList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let filter = AuditFilter {
        who: params.who,
        action: params.action,
        outcome: params.outcome,
        target: params.target,
        since: time("since", params.since)?,
        until: time("until", params.until)?,
    };
    let list = format!("audit of {filter:?}");
    let place = cursor::open(&list, params.cursor)?;
    let mut page = app.access.audit.list(&caller, &filter, place, limit).await?;
    page.next_cursor = cursor::seal(&list, page.next_cursor);
    Ok(Json(page))
}

fn time(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    text.map(|text| moment(name, &text)).transpose()
}
