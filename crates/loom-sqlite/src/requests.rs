//! Posted requests: those that wait, and the answers to the others.

use crate::SqliteStore;
use crate::fault::Fault;
use crate::query::{read_run_id, state_of};
use crate::upkeep::is_taken;
use crate::vault::Sealing;
use crate::write::begin;
use loom_core::{Request, RunId};
use loom_store::record::{Secrets, decode_request, encode_request};
use loom_store::{Posted, RequestId, RequestState, StoreError, Verdict};
use rusqlite::{Connection, OptionalExtension, params};

impl SqliteStore {
    pub(crate) fn try_post(&mut self, run: RunId, request: &Request) -> Result<RequestId, Fault> {
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        if state_of(&tx, run)?.is_final() {
            return Err(StoreError::Conflict(run).into());
        }
        let body = encode_request(request, &Sealing::new(&tx, &self.files))?;
        tx.prepare_cached("INSERT INTO requests (run, body) VALUES (?, ?)")?
            .execute(params![run.to_bytes(), body])?;
        let id = RequestId(tx.last_insert_rowid() as u64);
        tx.commit()?;
        self.no_requests_at = None;
        Ok(id)
    }

    /// An owner claims a run in a transaction, and reads requests after it: in one in which no living
    /// owner has the run, nobody has read this one.
    pub(crate) fn try_withdraw(&mut self, run: RunId, id: RequestId) -> Result<bool, Fault> {
        let key = params![run.to_bytes(), id.0 as i64];
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        tx.prepare_cached("DELETE FROM answers WHERE run = ? AND request = ?")?.execute(key)?;
        let mut find = tx.prepare_cached("SELECT 1 FROM requests WHERE run = ? AND id = ?")?;
        let waits = find.exists(key)?;
        drop(find);
        let withdrawn = waits && !is_taken(&tx, &self.files.owners(), run)?;
        if withdrawn {
            tx.prepare_cached("DELETE FROM requests WHERE run = ? AND id = ?")?.execute(key)?;
        }
        tx.commit()?;
        Ok(withdrawn)
    }

    pub(crate) fn try_requests(&mut self) -> Result<Vec<Posted>, Fault> {
        let Some(owner) = &self.owner else { return Ok(Vec::new()) };
        // Changes with every commit of another connection, and costs next to nothing.
        let version: i64 =
            self.conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.no_requests_at == Some(version) {
            return Ok(Vec::new());
        }
        let sealing = Sealing::new(&self.conn, &self.files);
        let posted = waiting(&self.conn, owner.id(), Secrets::Open(&sealing))?;
        self.no_requests_at = posted.is_empty().then_some(version);
        Ok(posted)
    }
}

/// The requests for this owner's runs, oldest first.
fn waiting(conn: &Connection, owner: &str, secrets: Secrets<'_>) -> Result<Vec<Posted>, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT requests.id, run, body FROM requests JOIN runs ON runs.id = run
         WHERE owner = ? ORDER BY requests.id",
    )?;
    let mut rows = select.query([owner])?;
    let mut posted = Vec::new();
    while let Some(row) = rows.next()? {
        let id = RequestId(row.get::<_, i64>(0)? as u64);
        let request = match row.get_ref(2)?.as_str() {
            Err(error) => Err(error.to_string()),
            Ok(text) => match decode_request(text, secrets) {
                Ok(request) => Ok(request),
                Err(StoreError::Corrupt(why)) => Err(why),
                Err(error) => return Err(error.into()),
            },
        };
        posted.push(Posted { id, run: read_run_id(row, 1)?, request });
    }
    Ok(posted)
}

/// Whether requests wait for any run.
pub(crate) fn any_wait(conn: &Connection) -> Result<bool, Fault> {
    Ok(conn.prepare_cached("SELECT 1 FROM requests LIMIT 1")?.exists([])?)
}

/// What became of a request: one statement, so that it does not go from one table to the other
/// between two looks.
pub(crate) fn state(conn: &Connection, run: RunId, id: RequestId) -> Result<RequestState, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT 1, NULL FROM requests WHERE run = ?1 AND id = ?2
         UNION ALL SELECT 0, refusal FROM answers WHERE run = ?1 AND request = ?2",
    )?;
    let found = select
        .query_row(params![run.to_bytes(), id.0 as i64], |row| {
            if row.get(0)? {
                return Ok(RequestState::Waits);
            }
            let refusal: Option<String> = row.get(1)?;
            Ok(RequestState::Settled(refusal.map_or(Verdict::Granted, Verdict::Refused)))
        })
        .optional()?;
    Ok(found.unwrap_or(RequestState::Gone))
}

/// Answers a request if it waits for this run.
pub(crate) fn answer(
    conn: &Connection,
    run: RunId,
    id: RequestId,
    verdict: &Verdict,
) -> Result<(), Fault> {
    let waited = conn
        .prepare_cached("DELETE FROM requests WHERE run = ? AND id = ?")?
        .execute(params![run.to_bytes(), id.0 as i64])?;
    if waited > 0 {
        conn.prepare_cached("INSERT INTO answers (run, request, refusal) VALUES (?, ?, ?)")?
            .execute(params![run.to_bytes(), id.0 as i64, verdict.refusal()])?;
    }
    Ok(())
}

/// Refuses what waits for a run that ends.
pub(crate) fn refuse_rest(conn: &Connection, run: RunId) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO answers (run, request, refusal) SELECT run, id, ?2 FROM requests WHERE run = ?1",
    )?
    .execute(params![run.to_bytes(), Verdict::RUN_ENDED])?;
    conn.prepare_cached("DELETE FROM requests WHERE run = ?")?.execute([run.to_bytes()])?;
    Ok(())
}
