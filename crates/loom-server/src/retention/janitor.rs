//! Deletes what the rules say, from time to time.

use crate::app::App;
use crate::problem::Problem;
use loom_store::Retention;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long the janitor rests.
const REST: Duration = Duration::from_mins(1);
/// How long, where there was much to do: what ends by the thousands is not let to pile up.
const SHORT_REST: Duration = Duration::from_secs(3);
/// How many runs one transaction deletes.
const AT_ONCE: usize = 100;
/// How many deleted runs are much.
const MUCH: usize = 10 * AT_ONCE;

/// Works until the services have gone.
pub(crate) async fn tend(app: Weak<App>) {
    loop {
        let (changed, deleted) = {
            let Some(app) = app.upgrade() else { return };
            // What failed now is tried again later: it is deleted late, and nothing is lost.
            let deleted = delete_due(&app).await.unwrap_or(0);
            let _ = app.runs.sweep_keys().await;
            (Arc::clone(&app.retention.changed), deleted)
        };
        let rest = if deleted >= MUCH { SHORT_REST } else { REST };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = changed.notified() => {}
        }
    }
}

/// Deletes what is due, and answers how much that was.
async fn delete_due(app: &App) -> Result<usize, Problem> {
    let mut all = 0;
    for rule in app.retention.due(app.clock.now()).await? {
        let rule = Retention { limit: AT_ONCE, ..rule };
        loop {
            let deleted = app.eraser.prune(rule.clone()).await?;
            all += deleted;
            if deleted < AT_ONCE {
                break;
            }
        }
    }
    if all > 0 {
        app.eraser.settle().await?;
    }
    Ok(all)
}
