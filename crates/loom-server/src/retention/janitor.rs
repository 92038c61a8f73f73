//! Deletes what the rules say, from time to time.

use crate::app::App;
use crate::problem::Problem;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long the janitor rests.
const REST: Duration = Duration::from_mins(1);
/// How many runs one transaction deletes.
const AT_ONCE: usize = 100;

/// Works until the services have gone.
pub(crate) async fn tend(app: Weak<App>) {
    loop {
        let changed = {
            let Some(app) = app.upgrade() else { return };
            // What failed now is tried again later: it is deleted late, and nothing is lost.
            let _ = delete_due(&app).await;
            let _ = app.runs.sweep_keys().await;
            Arc::clone(&app.retention.changed)
        };
        tokio::select! {
            () = tokio::time::sleep(REST) => {}
            () = changed.notified() => {}
        }
    }
}

async fn delete_due(app: &App) -> Result<(), Problem> {
    for rule in app.retention.due(app.clock.now()).await? {
        let rule = loom_store::Retention { limit: AT_ONCE, ..rule };
        loop {
            let (rule, logs) = (rule.clone(), Arc::clone(&app.logs));
            let deleted = app
                .keeper
                .ask(move |store| {
                    let runs = store.prune(&rule)?;
                    for &run in &runs {
                        // Logs that stay do no harm; a run without logs is as good as gone.
                        let _ = logs.delete(run);
                    }
                    Ok(runs.len())
                })
                .await?;
            if deleted < AT_ONCE {
                break;
            }
        }
    }
    Ok(())
}
