//! Ending runs of which nothing is heard any more, and forgetting those that were deleted.

use super::document::{SHOWN, forget, read};
use super::service::{Reports, open_runs};
use crate::problem::Problem;
use loom_core::{Observation, RunId, Timestamp};
use loom_store::{QueryStore, RunCursor, Scan, StoreError};
use std::sync::Weak;
use std::time::Duration;

/// How often it is looked, at most and at least.
const OFTEN: Duration = Duration::from_millis(200);
const SELDOM: Duration = Duration::from_mins(10);
/// How many runs or documents are read at once.
const PAGE: usize = 200;
/// The most events read at once.
const EVENTS: usize = 1000;
/// Who ends runs of which nothing is heard.
const SERVER: &str = "loom serve";

/// Works until the service has gone.
pub(super) async fn tend(reports: Weak<Reports>, silence: Duration) {
    let rest = (silence / 4).clamp(OFTEN, SELDOM);
    loop {
        tokio::time::sleep(rest).await;
        let Some(reports) = reports.upgrade() else { return };
        // What failed now is tried again later.
        let _ = reports.end_silent(silence).await;
        let _ = reports.forget_deleted().await;
    }
}

impl Reports {
    async fn end_silent(&self, silence: Duration) -> Result<(), Problem> {
        let mut filter = loom_store::RunFilter { limit: PAGE, ..open_runs(None) };
        loop {
            let asked = filter.clone();
            let page = self.readers.ask(move |store| store.list(&asked)).await?;
            let next = page.runs.last().map(|run| RunCursor { at: None, run: run.id });
            let before = self.clock.now().before(silence);
            for run in page.runs {
                if run.created_at > before {
                    continue;
                }
                let (id, created) = (run.id, run.created_at);
                let heard = self.readers.ask(move |store| last_heard(store, id, created)).await?;
                if heard < before {
                    let reason = format!("nothing was heard of it for {} s", silence.as_secs());
                    let lost = Observation::Lost { by: SERVER.to_owned(), reason };
                    // A run that another server has is that server's to end.
                    let _ = self.observe(id, vec![lost]).await;
                }
            }
            filter.after = next;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Forgets which workflows were shown by runs that are deleted.
    async fn forget_deleted(&self) -> Result<(), Problem> {
        let mut after = None;
        loop {
            let scan = Scan { after, limit: PAGE, ..Scan::default() };
            let page = self.shelf.scan(SHOWN, scan).await?;
            let runs = page.documents.iter().map(|it| read(it).map(|shown| shown.run));
            let runs = runs.collect::<Result<Vec<RunId>, _>>()?;
            let look = move |store: &mut (dyn QueryStore + 'static)| {
                let gone = |run: &RunId| match store.run(*run) {
                    Ok(_) => Ok(false),
                    Err(StoreError::NoRun(_)) => Ok(true),
                    Err(error) => Err(error),
                };
                runs.iter().map(gone).collect::<Result<Vec<bool>, StoreError>>()
            };
            let gone = self.readers.ask(look).await?;
            let last = page.documents.last().map(|document| document.key.clone());
            for (document, _) in page.documents.iter().zip(gone).filter(|(_, gone)| *gone) {
                // One that was written meanwhile stays.
                let _ = self.shelf.write(vec![forget(document)]).await?;
            }
            after = last;
            if !page.more {
                return Ok(());
            }
        }
    }
}

/// When something was last recorded of a run.
fn last_heard(
    store: &mut (dyn QueryStore + 'static),
    run: RunId,
    created: Timestamp,
) -> Result<Timestamp, StoreError> {
    let (mut heard, mut seq) = (created, 0);
    loop {
        let page = store.journal(run, seq, EVENTS)?;
        let Some(last) = page.events.last() else { return Ok(heard) };
        (heard, seq) = (heard.max(last.event.at()), last.seq);
        if !page.more {
            return Ok(heard);
        }
    }
}
