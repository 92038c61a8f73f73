//! What is said about runs: a column of theirs, and two tables to find them by it.

use crate::fault::Fault;
use loom_core::RunId;
use loom_store::record::decode_meta;
use loom_store::{KEY_RUNS_MAX, KeyFilter, KeyPage, RunMeta, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
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

/// The keys of annotations. Each is found by a seek, however many runs have the one before.
pub(crate) fn keys(conn: &Connection, filter: &KeyFilter) -> Result<KeyPage, Fault> {
    const FIRST: &str = "SELECT min(key) FROM run_annotations";
    const BEHIND: &str = "SELECT min(key) FROM run_annotations WHERE key > ?";
    let behind = |after: Option<&str>| -> Result<Option<String>, Fault> {
        let mut select = conn.prepare_cached(if after.is_some() { BEHIND } else { FIRST })?;
        Ok(select.query_row(params_from_iter(after), |row| row.get(0))?)
    };
    filter.page(behind, |key| match &filter.namespaces {
        None => runs_with(conn, key),
        Some(names) => runs_with_in(conn, key, names),
    })
}

/// How many runs have an annotation with this key, as far as that is counted.
fn runs_with(conn: &Connection, key: &str) -> Result<u64, Fault> {
    const COUNT: &str = "SELECT count(*) FROM
        (SELECT 1 FROM run_annotations WHERE key = ? LIMIT ?)";
    let mut select = conn.prepare_cached(COUNT)?;
    let count: i64 = select.query_row(params![key, KEY_RUNS_MAX as i64], |row| row.get(0))?;
    Ok(count as u64)
}

/// The same, of runs in these namespaces. Those elsewhere are passed over one by one.
fn runs_with_in(conn: &Connection, key: &str, namespaces: &[String]) -> Result<u64, Fault> {
    const NAMESPACES: &str = "SELECT namespace FROM run_annotations
        CROSS JOIN runs ON id = run CROSS JOIN definitions ON hash = definition WHERE key = ?";
    let mut select = conn.prepare_cached(NAMESPACES)?;
    let mut rows = select.query([key])?;
    let mut count = 0;
    while count < KEY_RUNS_MAX
        && let Some(row) = rows.next()?
    {
        let found = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        count += u64::from(namespaces.iter().any(|name| name == found));
    }
    Ok(count)
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
