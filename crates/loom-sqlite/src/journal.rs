//! The journal: rows of events, appended, and the index that follows behind.
//!
//! Rows up to a certain one are in `journal_index`; the younger ones, its tail, are few enough to be
//! searched through. All of a run's rows in the index are older than its rows in the tail.
//!
//! A row's key is its position among the events of all runs, for good: the next row has the number
//! behind the last, so the last row is never deleted, only emptied.

use crate::fault::Fault;
use crate::meta::read_meta;
use loom_core::{Event, RunId};
use loom_store::record::{Secrets, Vault, count_events, decode_events, encode_events, starts_run};
use loom_store::{FeedPage, FeedPosition, FeedRow, StoreError};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};

/// The most events that share a row: what a reader of one event has to decode.
const ROW_EVENTS: usize = 256;

/// How long the tail may grow. A longer one makes entering it into the index cheaper by the row,
/// because more entries share a page, and the commit that does it and the search through it slower.
const TAIL_ROWS: i64 = 8000;

/// The run of a row whose own was pruned: none.
const NOBODY: &[u8] = &[];

/// Appends to the journal within one transaction.
pub(crate) struct Appender<'a> {
    conn: &'a Connection,
    insert: CachedStatement<'a>,
}

impl<'a> Appender<'a> {
    pub(crate) fn new(conn: &'a Connection) -> Result<Self, Fault> {
        let insert =
            conn.prepare_cached("INSERT INTO journal (run, seq, at, events) VALUES (?, ?, ?, ?)")?;
        Ok(Self { conn, insert })
    }

    /// Appends a run's events, of which the first has this number.
    pub(crate) fn append(
        &mut self,
        run: RunId,
        first_seq: u64,
        events: &[Event],
        vault: &dyn Vault,
    ) -> Result<(), Fault> {
        let mut seq = first_seq;
        for chunk in events.chunks(ROW_EVENTS) {
            let text = encode_events(chunk, vault)?;
            self.insert.execute(params![
                run.to_bytes(),
                seq as i64,
                chunk[0].at().0 as i64,
                text
            ])?;
            seq += chunk.len() as u64;
        }
        Ok(())
    }

    /// Enters the tail into the index if it has grown long.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        let tail: i64 = self
            .conn
            .prepare_cached(
                "SELECT ifnull((SELECT max(id) FROM journal), 0) - upto FROM journal_indexed",
            )?
            .query_row([], |row| row.get(0))?;
        if tail > TAIL_ROWS { index_tail(self.conn) } else { Ok(()) }
    }
}

/// Enters the tail into the index, sorted, so that each page is visited once.
pub(crate) fn index_tail(conn: &Connection) -> Result<(), Fault> {
    conn.prepare_cached(
        "INSERT INTO journal_index (run, seq, id)
         SELECT run, seq, id FROM journal WHERE id > (SELECT upto FROM journal_indexed)
         ORDER BY run, seq, id",
    )?
    .execute([])?;
    mark_indexed(conn)
}

fn mark_indexed(conn: &Connection) -> Result<(), Fault> {
    conn.prepare_cached(
        "UPDATE journal_indexed SET upto = ifnull((SELECT max(id) FROM journal), 0)",
    )?
    .execute([])?;
    Ok(())
}

/// Deletes everything of these runs.
pub(crate) fn delete(conn: &Connection, runs: &[RunId]) -> Result<(), Fault> {
    index_tail(conn)?;
    let last = last_row(conn)?;
    let mut rows = conn.prepare_cached(
        "DELETE FROM journal
         WHERE id IN (SELECT id FROM journal_index WHERE run = ?1) AND id <> ?2",
    )?;
    let mut empty = conn
        .prepare_cached("UPDATE journal SET run = ?1, events = '[]' WHERE id = ?2 AND run = ?3")?;
    let mut entries = conn.prepare_cached("DELETE FROM journal_index WHERE run = ?")?;
    let runs = runs.iter().map(|run| run.to_bytes().to_vec());
    // What an earlier call has emptied is deleted as soon as it is not the last any more.
    for run in runs.chain([NOBODY.to_vec()]) {
        rows.execute(params![run, last])?;
        empty.execute(params![NOBODY, last, run])?;
        entries.execute([run])?;
    }
    conn.prepare_cached(
        "INSERT INTO journal_index (run, seq, id)
         SELECT run, seq, id FROM journal WHERE id = ? AND run = ?",
    )?
    .execute(params![last, NOBODY])?;
    Ok(())
}

/// The last row's number; 0 if there never was one.
pub(crate) fn last_row(conn: &Connection) -> Result<i64, Fault> {
    let mut select = conn.prepare_cached("SELECT ifnull(max(id), 0) FROM journal")?;
    Ok(select.query_row([], |row| row.get(0))?)
}

/// The rows behind this one, until `limit` events are read.
pub(crate) fn feed(
    conn: &Connection,
    after: FeedPosition,
    limit: usize,
) -> Result<FeedPage, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT journal.id, run, seq, events, definition, meta
         FROM journal CROSS JOIN runs ON runs.id = run
         WHERE journal.id > ? AND run <> ? ORDER BY journal.id",
    )?;
    let after = i64::try_from(after.0).unwrap_or(i64::MAX);
    let mut rows = select.query(params![after, NOBODY])?;
    let mut page = FeedPage { rows: Vec::new(), more: false };
    let mut taken = 0;
    while let Some(row) = rows.next()? {
        if taken >= limit {
            page.more = true;
            break;
        }
        let text = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
        let (events, damage) = match decode_events(text, Secrets::Mask) {
            Ok(events) => (events, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        taken += events.len().max(1);
        let starts = starts_run(&events);
        let correlation_id =
            if starts { read_meta(row, 5)?.correlation_id.clone() } else { String::new() };
        page.rows.push(FeedRow {
            position: FeedPosition(row.get::<_, i64>(0)? as u64),
            run: RunId::from_bytes(row.get(1)?),
            first_seq: row.get::<_, i64>(2)? as u64,
            definition: row.get(4)?,
            correlation_id,
            events,
            damage,
        });
    }
    Ok(page)
}

/// The number that the run's next event will have.
pub(crate) fn next_seq(conn: &Connection, run: RunId) -> Result<u64, Fault> {
    const TAIL: &str = "SELECT seq, events FROM journal
        WHERE id > (SELECT upto FROM journal_indexed) AND run = ? ORDER BY id DESC LIMIT 1";
    const INDEXED: &str = "SELECT journal.seq, events FROM journal_index JOIN journal USING (id)
        WHERE journal_index.run = ? ORDER BY journal_index.seq DESC LIMIT 1";
    for sql in [TAIL, INDEXED] {
        let last: Option<(i64, String)> = conn
            .prepare_cached(sql)?
            .query_row([run.to_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((seq, events)) = last {
            return Ok(seq as u64 + count_events(&events)?);
        }
    }
    Ok(1)
}

/// Calls `take` with each of the run's rows from the one that holds event `from` on (its first
/// number, its events) until it answers `false`. Needs a transaction around it.
pub(crate) fn read(
    conn: &Connection,
    run: RunId,
    from: u64,
    secrets: Secrets<'_>,
    mut take: impl FnMut(u64, Vec<Event>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    const INDEXED: &str = "SELECT journal.run, journal.seq, events
        FROM journal_index JOIN journal USING (id)
        WHERE journal_index.run = ?1 AND journal_index.seq >=
            ifnull((SELECT max(seq) FROM journal_index WHERE run = ?1 AND seq <= ?2), 0)
        ORDER BY journal_index.seq";
    const TAIL: &str = "SELECT run, seq, events FROM journal
        WHERE id > (SELECT upto FROM journal_indexed) AND run = ?1 ORDER BY id";
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let mut go_on = true;
    let mut drain = |sql, values: &[&dyn ToSql]| -> Result<(), Fault> {
        let mut select = conn.prepare_cached(sql)?;
        let mut rows = select.query(values)?;
        while go_on && let Some(row) = rows.next()? {
            if row.get::<_, [u8; 16]>(0)? != run.to_bytes() {
                let what = format!("the index of run {run} leads to another run");
                return Err(StoreError::Corrupt(what).into());
            }
            let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            go_on = take(row.get::<_, i64>(1)? as u64, decode_events(text, secrets)?)?;
        }
        Ok(())
    };
    drain(INDEXED, &[&run.to_bytes(), &from])?;
    drain(TAIL, &[&run.to_bytes()])
}
