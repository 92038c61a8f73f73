//! What is said about runs: a column of theirs, and two tables to find them by it.

use crate::fault::Fault;
use loom_core::RunId;
use loom_store::record::decode_meta;
use loom_store::{RunMeta, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// Makes the run one that is found by what is said about it.
pub(crate) fn enter(conn: &Connection, run: RunId, meta: &RunMeta) -> Result<(), Fault> {
    let tags = "INSERT INTO run_tags (tag, run) VALUES (?, ?)";
    let annotations = "INSERT INTO run_annotations (key, value, run) VALUES (?, ?, ?)";
    for_each_row(conn, run, meta, [tags, annotations])
}

/// The reverse of [`enter`], for a run that still has its row.
pub(crate) fn leave(conn: &Connection, run: RunId) -> Result<(), Fault> {
    let Some(text) = text(conn, run)? else { return Ok(()) };
    let tags = "DELETE FROM run_tags WHERE tag = ? AND run = ?";
    let annotations = "DELETE FROM run_annotations WHERE key = ? AND value = ? AND run = ?";
    for_each_row(conn, run, &decode_meta(Some(&text))?, [tags, annotations])
}

/// What is said about the run.
pub(crate) fn of(conn: &Connection, run: RunId) -> Result<RunMeta, Fault> {
    Ok(decode_meta(text(conn, run)?.as_deref())?)
}

/// The column of the run's row.
fn text(conn: &Connection, run: RunId) -> Result<Option<String>, Fault> {
    let mut select = conn.prepare_cached("SELECT meta FROM runs WHERE id = ?")?;
    let found = select.query_row([run.to_bytes()], |row| row.get(0)).optional()?;
    Ok(found.ok_or(StoreError::NoRun(run))?)
}

/// Executes one statement for each tag, and one for each annotation.
fn for_each_row(
    conn: &Connection,
    run: RunId,
    meta: &RunMeta,
    [tags, annotations]: [&str; 2],
) -> Result<(), Fault> {
    for tag in &meta.tags {
        conn.prepare_cached(tags)?.execute(params![tag, run.to_bytes()])?;
    }
    for (key, value) in &meta.annotations {
        conn.prepare_cached(annotations)?.execute(params![key, value, run.to_bytes()])?;
    }
    Ok(())
}

/// Reads the column `meta`.
pub(crate) fn read_meta(row: &Row<'_>, column: usize) -> Result<Arc<RunMeta>, Fault> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(Arc::default()),
        text => Ok(Arc::new(decode_meta(Some(text.as_str().map_err(rusqlite::Error::from)?))?)),
    }
}
