//! Deletes what the rules say, from time to time.

use crate::app::App;
use crate::problem::Problem;
use loom_store::Retention;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long the janitor rests: what ends by the thousands is not let to pile up, and a look at rules
/// that nothing is due by is a short read each.
const REST: Duration = Duration::from_secs(5);
/// How many runs one transaction deletes.
const AT_ONCE: usize = 100;

/// Works until the services have gone.
pub(crate) async fn tend(app: Weak<App>) {
    loop {
        let changed = {
            let Some(app) = app.upgrade() else { return };
            // What failed now is tried again later: it is deleted late, and nothing is lost.
            let _ = delete_due(&app).await;
            Arc::clone(&app.retention.changed)
        };
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = changed.notified() => {}
        }
    }
}

async fn delete_due(app: &App) -> Result<(), Problem> {
    let mut any = false;
    for rule in app.retention.due(app.clock.now()).await? {
        let rule = Retention { limit: AT_ONCE, ..rule };
        loop {
            let deleted = app.eraser.prune(rule.clone()).await?;
            any |= deleted > 0;
            if deleted < AT_ONCE {
                break;
            }
        }
    }
    if any {
        app.eraser.settle().await?;
    }
    Ok(())
}
