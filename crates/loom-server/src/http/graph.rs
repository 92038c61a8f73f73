//! Graphs as data or as a picture, as the caller likes.

use super::extract::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a graph is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GraphFormat {
    /// Data, with both pictures as texts.
    #[default]
    Json,
    /// The Mermaid text alone.
    Mermaid,
    /// The DOT text alone.
    Dot,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GraphParams {
    /// `json` if absent; `mermaid` and `dot` answer with that text alone.
    #[param(inline)]
    pub(super) format: Option<GraphFormat>,
}

impl GraphParams {
    /// The answer; `texts` takes Mermaid and DOT out of the view.
    pub(super) fn answer<T: Serialize>(
        &self,
        view: T,
        texts: impl FnOnce(T) -> (String, String),
    ) -> Response {
        let typed = |kind: &'static str, text: String| {
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        };
        match self.format.unwrap_or_default() {
            GraphFormat::Json => Json(view).into_response(),
            GraphFormat::Mermaid => typed("text/vnd.mermaid; charset=utf-8", texts(view).0),
            GraphFormat::Dot => typed("text/vnd.graphviz; charset=utf-8", texts(view).1),
        }
    }
}
