//! Slots: what only so many attempts may have at once, over all owners of the store.
//!
//! A table says what each owner uses, and who waits. Who asks and would change nothing, as one that
//! waits mostly does, only reads it. Slots mean nothing without their living owners, so a change of
//! them is not synced: losing the power ends the owners too.

use crate::SqliteStore;
use crate::fault::Fault;
use crate::query::Living;
use crate::write::begin;
use loom_core::Timestamp;
use loom_store::{Place, SLOT_PATIENCE, Share, SlotAsk};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::time::Duration;

/// How often a place in line is refreshed: rarely enough to let waiting be reading, often enough to
/// keep the place.
const REFRESH: u64 = SLOT_PATIENCE.as_micros() as u64 / 3;

impl SqliteStore {
    pub(crate) fn try_share(
        &mut self,
        asks: &[SlotAsk],
        now: Timestamp,
    ) -> Result<Vec<u32>, Fault> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        self.become_owner()?;
        let Self { conn, owner: Some(owner), files, busy_timeout, .. } = self else {
            unreachable!("it has just become one")
        };
        let asker = Asker { owners: &files.owners(), owner: owner.id(), now };
        let snapshot = conn.transaction()?;
        if asker.at(&snapshot).would_refuse(asks)? {
            return Ok(vec![0; asks.len()]);
        }
        drop(snapshot);
        conn.execute_batch("PRAGMA synchronous=NORMAL")?;
        let answers = answer(conn, *busy_timeout, &asker, asks);
        conn.execute_batch("PRAGMA synchronous=FULL")?;
        answers
    }
}

fn answer(
    conn: &mut Connection,
    timeout: Duration,
    asker: &Asker<'_>,
    asks: &[SlotAsk],
) -> Result<Vec<u32>, Fault> {
    let tx = begin(conn, timeout)?;
    let answers = asker.at(&tx).answer(asks)?;
    tx.commit()?;
    Ok(answers)
}

/// Who asks, and when.
struct Asker<'a> {
    owners: &'a Path,
    owner: &'a str,
    now: Timestamp,
}

impl<'a> Asker<'a> {
    const fn at<'b>(&'b self, conn: &'b Connection) -> Table<'b>
    where
        'a: 'b,
    {
        Table { conn, owners: self.owners, owner: self.owner, now: self.now }
    }
}

/// The table as one owner meets it.
struct Table<'a> {
    conn: &'a Connection,
    owners: &'a Path,
    owner: &'a str,
    now: Timestamp,
}

impl Table<'_> {
    /// Whether every answer is "no more" and leaves the table as it is.
    fn would_refuse(&self, asks: &[SlotAsk]) -> Result<bool, Fault> {
        for ask in asks {
            let (own, next) = self.decide(ask)?;
            let keeps_place = match (own.line, next.line) {
                (Some(before), Some(after)) => {
                    before.since == after.since && before.asked.0.abs_diff(after.asked.0) < REFRESH
                }
                (before, after) => before == after,
            };
            if next.used != ask.used || next.used != own.used || !keeps_place {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn answer(&self, asks: &[SlotAsk]) -> Result<Vec<u32>, Fault> {
        let mut answers = Vec::with_capacity(asks.len());
        for ask in asks {
            self.sweep(&ask.key)?;
            let (_, next) = self.decide(ask)?;
            self.write(&ask.key, next)?;
            answers.push(next.used - ask.used);
        }
        Ok(answers)
    }

    /// The owner's share as it is, and as it will be.
    fn decide(&self, ask: &SlotAsk) -> Result<(Share, Share), Fault> {
        let own = self.own(&ask.key)?;
        let others = self.others(&ask.key)?;
        let others = others.iter().map(|(other, share)| (other.as_str(), *share));
        Ok((own, ask.decide(self.owner, own, others, self.now)))
    }

    fn own(&self, key: &str) -> Result<Share, Fault> {
        let mut select = self.conn.prepare_cached(
            "SELECT used, waits_since, asked_at FROM slots WHERE key = ? AND owner = ?",
        )?;
        let row = select.query_row([key, self.owner], |row| share_at(row, 0)).optional()?;
        Ok(row.unwrap_or_default())
    }

    /// What living owners but this one use and wait for.
    fn others(&self, key: &str) -> Result<Vec<(String, Share)>, Fault> {
        let mut select = self.conn.prepare_cached(
            "SELECT owner, used, waits_since, asked_at FROM slots WHERE key = ? AND owner <> ?",
        )?;
        let mut rows = select.query([key, self.owner])?;
        let mut living = Living::new(self.owners);
        let mut others = Vec::new();
        while let Some(row) = rows.next()? {
            let other: String = row.get(0)?;
            if living.lives(Some(other.clone()))? {
                others.push((other, share_at(row, 1)?));
            }
        }
        Ok(others)
    }

    fn write(&self, key: &str, share: Share) -> Result<(), Fault> {
        if share == Share::default() {
            self.conn
                .prepare_cached("DELETE FROM slots WHERE key = ? AND owner = ?")?
                .execute([key, self.owner])?;
            return Ok(());
        }
        let mut upsert = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO slots (key, owner, used, waits_since, asked_at)
             VALUES (?, ?, ?, ?, ?)",
        )?;
        let since = share.line.map(|line| line.since.0 as i64);
        let asked = share.line.map(|line| line.asked.0 as i64);
        upsert.execute(params![key, self.owner, share.used, since, asked])?;
        Ok(())
    }

    /// Removes the rows of dead owners.
    fn sweep(&self, key: &str) -> Result<(), Fault> {
        let mut select =
            self.conn.prepare_cached("SELECT owner FROM slots WHERE key = ? AND owner <> ?")?;
        let owners: Vec<String> = select
            .query_map([key, self.owner], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut living = Living::new(self.owners);
        for owner in owners {
            if !living.lives(Some(owner.clone()))? {
                self.conn
                    .prepare_cached("DELETE FROM slots WHERE key = ? AND owner = ?")?
                    .execute([key, owner.as_str()])?;
            }
        }
        Ok(())
    }
}

fn share_at(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Share> {
    let since: Option<i64> = row.get(column + 1)?;
    let asked: Option<i64> = row.get(column + 2)?;
    let place = |(since, asked): (i64, i64)| Place {
        since: Timestamp(since as u64),
        asked: Timestamp(asked as u64),
    };
    Ok(Share { used: row.get(column)?, line: since.zip(asked).map(place) })
}
