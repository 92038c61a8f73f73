//! The engine's calls.

use crate::SqliteStore;
use crate::commit::{Batch, Staged, owner_of};
use crate::fault::Fault;
use crate::journal;
use crate::meta::read_meta;
use crate::owner::{Owner, is_alive};
use crate::vault::Sealing;
use crate::write::begin;
use loom_core::{RunId, Timestamp};
use loom_store::record::{Secrets, decode_definition, decode_variables};
use loom_store::{Claim, NewRun, Posted, RunCommit, RunStore, SlotAsk, StoreError, StoredRun};
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::Arc;

impl RunStore for SqliteStore {
    fn commit(&mut self, commits: &[RunCommit]) -> Result<(), StoreError> {
        let result = self.try_commit(commits);
        self.told(result)
    }

    fn load(&mut self, run: RunId) -> Result<StoredRun, StoreError> {
        let result = self.try_load(run);
        self.told(result)
    }

    fn claim(&mut self, run: RunId) -> Result<Claim, StoreError> {
        let result = self.try_claim(run);
        self.told(result)
    }

    fn release(&mut self, run: RunId) -> Result<(), StoreError> {
        let result = self.try_release(run);
        self.told(result)
    }

    fn requests(&mut self) -> Result<Vec<Posted>, StoreError> {
        let result = self.try_requests();
        self.told(result)
    }

    fn share(&mut self, asks: &[SlotAsk], now: Timestamp) -> Result<Vec<u32>, StoreError> {
        let result = self.try_share(asks, now);
        self.told(result)
    }
}

impl SqliteStore {
    fn try_commit(&mut self, commits: &[RunCommit]) -> Result<(), Fault> {
        if commits.is_empty() {
            return Ok(());
        }
        self.become_owner()?;
        let Self { conn, files, owner: Some(owner), next_seq, log, busy_timeout, .. } = self else {
            unreachable!("it has just become one")
        };
        let tx = begin(conn, *busy_timeout)?;
        log.committing(&files.log());
        let mut batch = Batch::new(&tx, files, owner.id(), next_seq, commits.len())?;
        for commit in commits {
            batch.record(commit)?;
        }
        let staged = batch.finish()?;
        tx.commit()?;
        self.remember(staged);
        Ok(())
    }

    fn remember(&mut self, staged: HashMap<RunId, Staged>) {
        for (run, Staged { next_seq, ended }) in staged {
            if ended {
                self.next_seq.remove(&run);
            } else {
                self.next_seq.insert(run, next_seq);
            }
        }
    }

    pub(crate) fn become_owner(&mut self) -> Result<(), Fault> {
        if self.owner.is_none() {
            self.owner = Some(Owner::begin(&self.files.owners())?);
        }
        Ok(())
    }

    fn try_load(&mut self, run: RunId) -> Result<StoredRun, Fault> {
        let tx = self.conn.transaction()?;
        let sealing = Sealing::new(&tx, &self.files);
        let secrets = Secrets::Open(&sealing);
        let new = read_new_run(&tx, run, secrets)?;
        let mut events = Vec::new();
        journal::read(&tx, run, 1, secrets, |seq, row| {
            if seq != events.len() as u64 + 1 {
                let what = format!("run {run} lacks its event {}", events.len() + 1);
                return Err(StoreError::Corrupt(what).into());
            }
            events.extend(row);
            Ok(true)
        })?;
        Ok(StoredRun { new, events })
    }

    fn try_claim(&mut self, run: RunId) -> Result<Claim, Fault> {
        owner_of(&self.conn, run)?;
        self.become_owner()?;
        let Some(owner) = &self.owner else { unreachable!("it has just become one") };
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        match owner_of(&tx, run)? {
            Some(holder) if holder == owner.id() => return Ok(Claim::Claimed),
            Some(holder) if is_alive(&self.files.owners(), &holder)? => {
                return Ok(Claim::OwnedBy(holder));
            }
            _ => {}
        }
        tx.prepare_cached("UPDATE runs SET owner = ?2 WHERE id = ?1")?
            .execute(params![run.to_bytes(), owner.id()])?;
        // Whoever claims one run of a dead owner will want the others too, without a search each.
        journal::index_tail(&tx)?;
        tx.commit()?;
        self.no_requests_at = None;
        Ok(Claim::Claimed)
    }

    fn try_release(&mut self, run: RunId) -> Result<(), Fault> {
        if let Some(owner) = &self.owner {
            let tx = begin(&mut self.conn, self.busy_timeout)?;
            tx.prepare_cached("UPDATE runs SET owner = NULL WHERE id = ? AND owner = ?")?
                .execute(params![run.to_bytes(), owner.id()])?;
            tx.commit()?;
            self.next_seq.remove(&run);
        }
        Ok(())
    }
}

fn read_new_run(conn: &Connection, run: RunId, secrets: Secrets<'_>) -> Result<NewRun, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT hash, body, variables, workers, base, created_at, meta
         FROM runs JOIN definitions ON hash = definition WHERE id = ?",
    )?;
    let mut rows = select.query([run.to_bytes()])?;
    let row = rows.next()?.ok_or(StoreError::NoRun(run))?;
    let text = |column| row.get::<_, String>(column);
    Ok(NewRun {
        hash: row.get(0)?,
        definition: Arc::new(decode_definition(&text(1)?, secrets)?),
        variables: Arc::new(decode_variables(&text(2)?, secrets)?),
        workers: row.get(3)?,
        base: text(4)?,
        created_at: Timestamp(row.get::<_, i64>(5)? as u64),
        meta: read_meta(row, 6)?,
    })
}
