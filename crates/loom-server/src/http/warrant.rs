//! What a stream goes on by: its reader may still be shown it.
//!
//! A token is revoked or expires, or a role is changed, while streams are open that it let in.

use crate::access::{Caller, Permission, bearer};
use crate::app::App;
use crate::problem::Problem;
use axum::http::{HeaderMap, header};
use loom_protocol::ErrorCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often is asked.
const CHECK: Duration = Duration::from_secs(5);

/// Asked now and then.
pub(crate) struct Warrant {
    shown: Option<Shown>,
    next_at: Instant,
}

/// What somebody showed, and what it was worth then.
struct Shown {
    app: Arc<App>,
    token: String,
    permission: Permission,
    namespaces: Option<Vec<String>>,
}

impl Warrant {
    /// For a caller who was let in to do this by what these headers show.
    pub(super) fn new(
        app: &Arc<App>,
        caller: &Caller,
        headers: &HeaderMap,
        permission: Permission,
    ) -> Result<Self, Problem> {
        let text = headers.get(header::AUTHORIZATION).filter(|_| app.config.access);
        let token = text.and_then(|text| text.to_str().ok()).map(bearer).transpose()?;
        Self::by(app, caller, token, permission)
    }

    /// For a caller who was let in to do this by this token, if one was asked for.
    pub(crate) fn by(
        app: &Arc<App>,
        caller: &Caller,
        token: Option<&str>,
        permission: Permission,
    ) -> Result<Self, Problem> {
        let namespaces = caller.namespaces(permission)?;
        let shown = token.map(|token| Shown {
            app: Arc::clone(app),
            token: token.to_owned(),
            permission,
            namespaces,
        });
        Ok(Self { shown, next_at: Instant::now() + CHECK })
    }

    /// When it is to be asked again.
    pub(crate) const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// Whether the stream has to end. Asks only if it is time to.
    pub(crate) async fn is_over(&mut self) -> bool {
        if Instant::now() < self.next_at {
            return false;
        }
        self.next_at = Instant::now() + CHECK;
        let Some(shown) = &self.shown else { return false };
        match shown.app.access.caller(&shown.token).await {
            Ok(caller) => {
                caller.namespaces(shown.permission).ok() != Some(shown.namespaces.clone())
            }
            // A store that cannot be read now says nothing about a token.
            Err(problem) => problem.code == ErrorCode::Unauthenticated,
        }
    }
}

#[cfg(test)]
impl Warrant {
    /// One that nothing ends.
    pub(super) fn for_good() -> Self {
        Self { shown: None, next_at: Instant::now() + CHECK }
    }
}
