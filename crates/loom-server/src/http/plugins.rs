//! `/plugins`: what tasks can run.

use super::extract::Json;
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::State;
use loom_protocol::api::{PluginList, PluginView};
use loom_spec::PluginFacts;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// List plugins
#[utoipa::path(get, path = "/api/v1/plugins", tag = "workflows",
    security(("token" = ["plugins:list"])),
    responses((status = 200, body = PluginList)))]
async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<PluginList>, Problem> {
    caller.namespaces(Permission::PluginsList)?;
    let plugins = Arc::clone(&app.plugins);
    let read = move || {
        let mut names = plugins.names();
        names.sort();
        let view = |name: String| plugins.find(&name).map(|facts| view(name, facts));
        names.into_iter().filter_map(view).collect()
    };
    // Plugins are looked for in folders.
    let items = tokio::task::spawn_blocking(read).await.map_err(|_| Problem::stopping())?;
    Ok(Json(PluginList { items }))
}

fn view(name: String, facts: PluginFacts) -> PluginView {
    let mark = |optional| if optional { "?" } else { "" };
    let outputs = facts.outputs.iter();
    PluginView {
        name,
        outputs: outputs.map(|it| format!("{}{}", it.name, mark(it.optional))).collect(),
        inputs: facts.inputs,
        permissions: facts.permissions,
        requires_auth: facts.requires_auth,
        params_schema: facts.params_schema,
    }
}
