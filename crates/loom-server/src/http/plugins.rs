//! `/plugins`: what tasks can run.

use super::extract::{Json, PageParams, Params, Path};
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::State;
use loom_protocol::api::{PluginList, PluginProblemView, PluginView};
use loom_spec::{PluginFacts, UnusablePlugin};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// List plugins
#[utoipa::path(get, path = "/api/v1/plugins", tag = "workflows", params(PageParams),
    security(("token" = ["plugins:list"])),
    responses((status = 200, body = PluginList)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<PageParams>,
) -> Result<Json<PluginList>, Problem> {
    caller.namespaces(Permission::PluginsList)?;
    let plugins = Arc::clone(&app.plugins);
    let read = move || {
        let mut names = plugins.names();
        names.sort();
        let view = |name: String| plugins.find(&name).map(|found| view(name, found));
        names.into_iter().filter_map(view).collect()
    };
    // Plugins are looked for in folders.
    let all: Vec<PluginView> =
        tokio::task::spawn_blocking(read).await.map_err(|_| Problem::stopping())?;
    let (items, next_cursor) =
        super::cut(&app, "plugins", all, params, |it| it.name.as_str(), str::to_owned)?;
    Ok(Json(PluginList { items, next_cursor }))
}

/// Read a plugin
#[utoipa::path(get, path = "/api/v1/plugins/{name}", tag = "workflows",
    params(("name" = String, Path)),
    security(("token" = ["plugins:list"])),
    responses((status = 200, body = PluginView)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    caller.namespaces(Permission::PluginsList)?;
    let (plugins, asked) = (Arc::clone(&app.plugins), name.clone());
    // Only names that are listed are looked for: a name is never made part of a path.
    let find = move || plugins.names().contains(&asked).then(|| plugins.find(&asked)).flatten();
    let found = tokio::task::spawn_blocking(find).await.map_err(|_| Problem::stopping())?;
    let found = found.ok_or_else(|| Problem::missing("plugin", &name))?;
    Ok(Json(view(name, found)))
}

fn view(name: String, found: Result<PluginFacts, UnusablePlugin>) -> PluginView {
    let (facts, problem) = match found {
        Ok(facts) => (facts, None),
        Err(UnusablePlugin { code, what, mend }) => {
            let problem = PluginProblemView { code: code.to_string(), message: what, help: mend };
            (PluginFacts::default(), Some(problem))
        }
    };
    let mark = |optional| if optional { "?" } else { "" };
    let outputs = facts.outputs.iter();
    PluginView {
        name,
        problem,
        outputs: outputs.map(|it| format!("{}{}", it.name, mark(it.optional))).collect(),
        inputs: facts.inputs,
        permissions: facts.permissions,
        requires_auth: facts.requires_auth,
        params_schema: facts.params_schema,
    }
}
