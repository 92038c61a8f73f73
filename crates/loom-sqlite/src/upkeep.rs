//! The janitor's calls.

use crate::SqliteStore;
use crate::fault::Fault;
use crate::journal;
use crate::query::{Living, read_run_id};
use crate::write::begin;
use loom_core::{RunId, Timestamp};
use loom_store::{StoreError, UpkeepStore};
use rusqlite::{Connection, params};
use std::path::Path;

impl UpkeepStore for SqliteStore {
    fn prune(&mut self, before: Timestamp, limit: usize) -> Result<Vec<RunId>, StoreError> {
        let result = self.try_prune(before, limit);
        self.told(result)
    }
}

impl SqliteStore {
    fn try_prune(&mut self, before: Timestamp, limit: usize) -> Result<Vec<RunId>, Fault> {
        // Searched for without the lock, which then is held for as long as deleting takes.
        let owners = self.files.owners();
        if old_runs(&self.conn, &owners, before, limit)?.is_empty() {
            return Ok(Vec::new());
        }
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        let runs = old_runs(&tx, &owners, before, limit)?;
        journal::delete(&tx, &runs)?;
        let mut delete = tx.prepare_cached("DELETE FROM runs WHERE id = ?")?;
        for run in &runs {
            delete.execute([run.to_bytes()])?;
        }
        drop(delete);
        tx.execute(
            "DELETE FROM definitions
             WHERE NOT EXISTS (SELECT 1 FROM runs WHERE definition = hash)",
            [],
        )?;
        tx.commit()?;
        Ok(runs)
    }
}

/// Runs that ended before then and that nobody is about to go on with, the oldest first.
fn old_runs(
    conn: &Connection,
    owners: &Path,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<RunId>, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT id, owner FROM runs
         WHERE state IN ('succeeded', 'failed', 'cancelled') AND finished_at < ? ORDER BY id",
    )?;
    let mut rows = select.query(params![before.0 as i64])?;
    let mut living = Living::new(owners);
    let mut runs = Vec::new();
    while runs.len() < limit
        && let Some(row) = rows.next()?
    {
        if !living.lives(row.get(1)?)? {
            runs.push(read_run_id(row, 0)?);
        }
    }
    Ok(runs)
}
