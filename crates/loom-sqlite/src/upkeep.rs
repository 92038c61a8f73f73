//! The janitor's calls.

use crate::SqliteStore;
use crate::commit::owner_of;
use crate::fault::Fault;
use crate::journal;
use crate::meta;
use crate::owner::is_alive;
use crate::query::state_of;
use crate::search::Search;
use crate::write::begin;
use loom_core::RunId;
use loom_store::{DefinitionHash, Retention, RunFilter, StoreError, UpkeepStore};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;
use std::path::Path;

impl UpkeepStore for SqliteStore {
    fn prune(&mut self, retention: &Retention) -> Result<Vec<RunId>, StoreError> {
        let result = self.try_prune(retention);
        self.told(result)
    }

    fn delete(&mut self, run: RunId) -> Result<(), StoreError> {
        let result = self.try_delete(run);
        self.told(result)
    }
}

impl SqliteStore {
    fn try_prune(&mut self, retention: &Retention) -> Result<Vec<RunId>, Fault> {
        let Some(filter) = retention.filter() else { return Ok(Vec::new()) };
        // Searched for without the lock first, because mostly there is nothing to delete.
        let read = self.conn.transaction()?;
        if Search::new(&read, &filter).page()?.0.is_empty() {
            return Ok(Vec::new());
        }
        drop(read);
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        let owners = self.files.owners();
        let runs = untaken(&tx, &owners, filter)?;
        remove(&tx, &runs)?;
        tx.commit()?;
        Ok(runs)
    }

    fn try_delete(&mut self, run: RunId) -> Result<(), Fault> {
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        let ended = state_of(&tx, run)?.is_final();
        if !ended || is_taken(&tx, &self.files.owners(), run)? {
            return Err(StoreError::NotEnded(run).into());
        }
        remove(&tx, &[run])?;
        tx.commit()?;
        Ok(())
    }
}

/// As many runs as the filter allows, without those that a living owner has.
fn untaken(conn: &Connection, owners: &Path, mut filter: RunFilter) -> Result<Vec<RunId>, Fault> {
    let most = filter.page_size();
    loop {
        let (found, more) = Search::new(conn, &filter).page()?;
        let mut runs = Vec::new();
        for run in found {
            if runs.len() < most && !is_taken(conn, owners, run)? {
                runs.push(run);
            }
        }
        if runs.len() == most || !more {
            return Ok(runs);
        }
        filter.limit = 2 * filter.page_size();
    }
}

/// Whether a living owner has the run.
pub(crate) fn is_taken(conn: &Connection, owners: &Path, run: RunId) -> Result<bool, Fault> {
    owner_of(conn, run)?.map_or(Ok(false), |owner| is_alive(owners, &owner))
}

/// Deletes these runs with all that is kept of them, and the definitions that only they used.
fn remove(conn: &Connection, runs: &[RunId]) -> Result<(), Fault> {
    journal::delete(conn, runs)?;
    let mut definitions = BTreeSet::new();
    for run in runs {
        meta::leave(conn, *run)?;
        let definition: Option<DefinitionHash> = conn
            .prepare_cached("DELETE FROM runs WHERE id = ? RETURNING definition")?
            .query_row([run.to_bytes()], |row| row.get(0))
            .optional()?;
        definitions.extend(definition);
    }
    for definition in definitions {
        conn.prepare_cached(
            "DELETE FROM definitions
             WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE definition = ?1)",
        )?
        .execute([definition])?;
    }
    Ok(())
}
