//! `loom prune`: delete old runs with their journals and logs.

use crate::args::{Global, PruneArgs};
use crate::fault::Outcome;
use crate::place::{logs_of, logs_of_all};
use crate::render::words::counted;
use crate::session::now;
use crate::store;
use crate::ui::{Ui, Voice};
use loom_core::{RunId, Timestamp};
use loom_protocol::ExitCode;
use loom_sqlite::SqliteStore;
use loom_store::{QueryStore, Retention, StoreError, UpkeepStore};
use serde_json::json;
use std::path::Path;

/// How many runs one transaction deletes.
const AT_ONCE: usize = 100;

pub(crate) fn prune(args: &PruneArgs, global: &Global, ui: &mut Ui) -> Outcome {
    let path = store::locate(global.store.as_deref())?;
    let age = u64::try_from(args.older_than.as_micros()).unwrap_or(u64::MAX);
    let before = Timestamp(now().0.saturating_sub(age));
    let retention = Retention { before, limit: AT_ONCE, ..Retention::default() };
    let mut deleted = 0;
    if let Some(mut store) = store::open_existing(&path)? {
        loop {
            let runs = store.prune(&retention)?;
            for &run in &runs {
                // Logs that stay do no harm; a run without logs is as good as gone.
                let _ = std::fs::remove_dir_all(logs_of(&path, run));
            }
            deleted += runs.len();
            if runs.len() < AT_ONCE {
                break;
            }
        }
        sweep(&mut store, &logs_of_all(&path))?;
    }
    match ui.voice {
        Voice::Human => ui.print(&format!("deleted {}\n", counted(deleted, "run")))?,
        Voice::Json => ui.json(&json!({ "deleted": deleted }))?,
        Voice::Quiet => {}
    }
    Ok(ExitCode::Success)
}

/// Removes logs whose runs are gone: whoever deleted these came to an end before their logs were.
fn sweep(store: &mut SqliteStore, logs: &Path) -> Result<(), StoreError> {
    let Ok(folders) = std::fs::read_dir(logs) else { return Ok(()) };
    for folder in folders.flatten() {
        let name = folder.file_name();
        let Some(run) = name.to_str().and_then(|name| name.parse::<RunId>().ok()) else { continue };
        match store.run(run) {
            Err(StoreError::NoRun(_)) => {
                let _ = std::fs::remove_dir_all(folder.path());
            }
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(())
}
