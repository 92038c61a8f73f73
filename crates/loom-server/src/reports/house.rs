//! Ending runs of which nothing is heard any more, and forgetting those that were deleted.

use super::document::{SHOWN, forget, read};
use super::service::{Reports, open_runs};
use crate::problem::Problem;
use loom_core::{Observation, RunId, Timestamp};
use loom_store::{Document, QueryStore, RunCursor, Scan, StoreError};
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
        let _ = reports.forget_deleted(rest).await;
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

    /// Forgets which workflows were shown by runs that are deleted. What is not that old may be shown by a
    /// run that is about to be created.
    async fn forget_deleted(&self, age: Duration) -> Result<(), Problem> {
        let mut after = None;
        loop {
            let scan = Scan { after, limit: PAGE, ..Scan::default() };
            let page = self.shelf.scan(SHOWN, scan).await?;
            after = page.documents.last().map(|document| document.key.clone());
            let before = self.clock.now().before(age);
            let old = page.documents.into_iter().filter(|document| document.written_at <= before);
            for document in self.without_run(old.collect()).await? {
                // Whoever creates a run has the turn of its workflow; here, that is.
                let _turn = self.turn(&document.key).await;
                for document in self.without_run(vec![document]).await? {
                    // One that was written meanwhile stays.
                    let _ = self.shelf.write(vec![forget(&document)]).await?;
                }
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Those of the documents whose runs are not there.
    async fn without_run(&self, documents: Vec<Document>) -> Result<Vec<Document>, Problem> {
        let shown = documents.into_iter().map(|document| Ok((read(&document)?.run, document)));
        let shown = shown.collect::<Result<Vec<_>, Problem>>()?;
        let look = move |store: &mut (dyn QueryStore + 'static)| {
            let mut without = Vec::new();
            for (run, document) in shown {
                match store.run(run) {
                    Ok(_) => {}
                    Err(StoreError::NoRun(_)) => without.push(document),
                    Err(error) => return Err(error),
                }
            }
            Ok(without)
        };
        self.readers.ask(look).await
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
