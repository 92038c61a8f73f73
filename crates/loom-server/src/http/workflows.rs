//! `/workflows`: registering, finding and disabling them.

use super::cursor;
use super::extract::{Json, PageParams, Params, Path, body, is_json, tagged, written};
use super::gate::noted;
use super::graph::GraphParams;
use crate::access::{Caller, Made};
use crate::app::App;
use crate::asked::Precondition;
use crate::problem::Problem;
use crate::workflows::{newest_first, version_list, workflow_list};
use axum::extract::{Request, State};
use axum::response::Response;
use loom_protocol::api::{
    GraphView, NamespaceList, RegisterWorkflow, ValidateWorkflow, Validation, VersionList,
    WorkflowList, WorkflowView,
};
use loom_protocol::json::read;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, register))
        .routes(routes!(validate))
        .routes(routes!(versions))
        .routes(routes!(get))
        .routes(routes!(graph))
        .routes(routes!(namespaces))
        .routes(routes!(disable))
        .routes(routes!(enable))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListParams {
    /// Only of this namespace.
    namespace: Option<String>,
    /// With this text, in any case, in the name, the description or a tag of the latest version.
    text: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most items: 1 to 200, 50 if absent.
    limit: Option<usize>,
}

/// List workflows, the latest version of each
#[utoipa::path(get, path = "/api/v1/workflows", tag = "workflows", params(ListParams),
    security(("token" = ["workflows:list"])),
    responses((status = 200, body = WorkflowList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Json<WorkflowList>, Problem> {
    let limit = super::page(&app, params.limit)?;
    let (namespace, text) = (params.namespace.as_deref(), params.text.as_deref());
    let list = workflow_list(namespace, text);
    let place = cursor::open(&list, params.cursor)?;
    let mut page = app.workflows.list(&caller, namespace, text, place.as_deref(), limit).await?;
    page.next_cursor = cursor::seal(&list, page.next_cursor);
    Ok(Json(page))
}

/// Register a version of a workflow
///
/// The body is the workflow document itself (YAML or JSON), or `{"source": "…"}`. The same content
/// again is no new version: the answer is 200 rather than 201.
#[utoipa::path(post, path = "/api/v1/workflows", tag = "workflows",
    request_body(content(
        (String = "application/yaml"),
        (RegisterWorkflow = "application/json"),
    )),
    security(("token" = ["workflows:register"])),
    responses((status = 201, body = WorkflowView), (status = 200, body = WorkflowView)))]
async fn register(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let json = is_json(request.headers());
    let body = body(request, &app).await?;
    let source = source(&body, json)?;
    let registered = app.workflows.register(&caller, source).await?;
    let made = vec![Made::from(&registered.0.value)];
    Ok(noted(made, written(registered)))
}

/// The document in a body: wrapped as `source` in JSON, or the body itself.
fn source(body: &[u8], json: bool) -> Result<String, Problem> {
    if json && let Ok(wrapped) = read::<RegisterWorkflow>(body) {
        return Ok(wrapped.source);
    }
    let text = std::str::from_utf8(body);
    text.map(str::to_owned).map_err(|_| Problem::argument("the document is not UTF-8"))
}

/// Check a workflow without registering it
#[utoipa::path(post, path = "/api/v1/workflows/validate", tag = "workflows",
    request_body = ValidateWorkflow,
    security(("token" = ["workflows:list"])),
    responses((status = 200, body = Validation)))]
async fn validate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(request): Json<ValidateWorkflow>,
) -> Result<Json<Validation>, Problem> {
    let variables = request.variables.into_iter().collect();
    app.workflows.validate(&caller, &request.source, &variables).map(Json)
}

/// List the versions of a workflow
#[utoipa::path(get, path = "/api/v1/workflows/{namespace}/{name}", tag = "workflows",
    params(("namespace" = String, Path), ("name" = String, Path), PageParams),
    security(("token" = ["workflows:get"])),
    responses((status = 200, body = VersionList)))]
async fn versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((namespace, name)): Path<(String, String)>,
    Params(params): Params<PageParams>,
) -> Result<Json<VersionList>, Problem> {
    let all = app.workflows.versions(&caller, &namespace, &name).await?;
    let list = version_list(&namespace, &name);
    let (items, next_cursor) =
        super::cut(&app, &list, all, params, |it| it.version.as_str(), newest_first)?;
    Ok(Json(VersionList { items, next_cursor }))
}

/// Read a version of a workflow
///
/// `latest` names the greatest version that is no pre-release, if there is one.
#[utoipa::path(get, path = "/api/v1/workflows/{namespace}/{name}/{version}", tag = "workflows",
    params(("namespace" = String, Path), ("name" = String, Path), ("version" = String, Path)),
    security(("token" = ["workflows:get"])),
    responses((status = 200, body = WorkflowView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((namespace, name, version)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    app.workflows.get(&caller, &namespace, &name, Some(&version)).await.map(tagged)
}

/// Read the graph of a version
///
/// Nodes, edges and levels as data, and the picture as Mermaid and DOT.
#[utoipa::path(get, path = "/api/v1/workflows/{namespace}/{name}/{version}/graph",
    tag = "workflows",
    params(("namespace" = String, Path), ("name" = String, Path), ("version" = String, Path),
        GraphParams),
    security(("token" = ["workflows:get"])),
    responses((status = 200, content((GraphView = "application/json"),
        (String = "text/vnd.mermaid"), (String = "text/vnd.graphviz")))))]
async fn graph(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((namespace, name, version)): Path<(String, String, String)>,
    Params(params): Params<GraphParams>,
) -> Result<Response, Problem> {
    let view = app.workflows.graph(&caller, &namespace, &name, &version).await?;
    Ok(params.answer(view, |view| (view.mermaid, view.dot)))
}

/// List namespaces with how much is in them
#[utoipa::path(get, path = "/api/v1/namespaces", tag = "workflows", params(PageParams),
    security(("token" = ["workflows:list"])),
    responses((status = 200, body = NamespaceList)))]
async fn namespaces(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<PageParams>,
) -> Result<Json<NamespaceList>, Problem> {
    let all = app.runs.namespaces(&caller).await?;
    let (items, next_cursor) =
        super::cut(&app, "namespaces", all, params, |it| it.name.as_str(), str::to_owned)?;
    Ok(Json(NamespaceList { items, next_cursor }))
}

/// Refuse new runs of a version
#[utoipa::path(post, path = "/api/v1/workflows/{namespace}/{name}/{version}/disable",
    tag = "workflows",
    params(("namespace" = String, Path), ("name" = String, Path), ("version" = String, Path),
        ("If-Match" = Option<String>, Header)),
    security(("token" = ["workflows:disable"])),
    responses((status = 200, body = WorkflowView)))]
async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((namespace, name, version)): Path<(String, String, String)>,
    when: Precondition,
) -> Result<Response, Problem> {
    let key = (namespace.as_str(), name.as_str(), version.as_str());
    app.workflows.disable(&caller, key, true, when).await.map(tagged)
}

/// Allow new runs of a version again
#[utoipa::path(post, path = "/api/v1/workflows/{namespace}/{name}/{version}/enable",
    tag = "workflows",
    params(("namespace" = String, Path), ("name" = String, Path), ("version" = String, Path),
        ("If-Match" = Option<String>, Header)),
    security(("token" = ["workflows:disable"])),
    responses((status = 200, body = WorkflowView)))]
async fn enable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((namespace, name, version)): Path<(String, String, String)>,
    when: Precondition,
) -> Result<Response, Problem> {
    let key = (namespace.as_str(), name.as_str(), version.as_str());
    app.workflows.disable(&caller, key, false, when).await.map(tagged)
}
