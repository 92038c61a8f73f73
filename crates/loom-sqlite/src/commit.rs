//! Recording commits within a transaction.

use crate::fault::{Fault, is_taken};
use crate::files::Files;
use crate::journal::{Appender, next_seq};
use crate::meta;
use crate::requests;
use crate::vault::Sealing;
use loom_core::RunId;
use loom_store::record::{
    encode_definition, encode_meta, encode_variables, finished_at, started_at,
};
use loom_store::{DefinitionHash, NewRun, RunCommit, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

/// The commits of one transaction.
pub(crate) struct Batch<'a> {
    conn: &'a Connection,
    sealing: Sealing<'a>,
    owner: &'a str,
    /// What is known of this owner's runs from before the transaction.
    next_seq: &'a HashMap<RunId, u64>,
    journal: Appender<'a>,
    /// Where the runs of this transaction stand after it.
    staged: HashMap<RunId, Staged>,
    /// The definition that was last seen to be there. Runs often come in series of one workflow.
    defined: Option<DefinitionHash>,
    /// Whether requests wait for any run, once that is known: mostly there are none.
    has_requests: Option<bool>,
}

/// Where a run stands after a transaction.
pub(crate) struct Staged {
    pub(crate) next_seq: u64,
    pub(crate) ended: bool,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        conn: &'a Connection,
        files: &'a Files,
        owner: &'a str,
        next_seq: &'a HashMap<RunId, u64>,
        size: usize,
    ) -> Result<Self, Fault> {
        let journal = Appender::new(conn)?;
        let staged = HashMap::with_capacity(size);
        Ok(Self {
            conn,
            sealing: Sealing::new(conn, files),
            owner,
            next_seq,
            journal,
            staged,
            defined: None,
            has_requests: None,
        })
    }

    /// Records one commit, or says why not; then the transaction must not be committed.
    pub(crate) fn record(&mut self, commit: &RunCommit) -> Result<(), Fault> {
        let run = commit.run;
        let expected = match &commit.new {
            Some(new) => {
                self.create(commit, new)?;
                1
            }
            None => self.expected_seq(run)?,
        };
        if commit.first_seq != expected {
            return Err(StoreError::Conflict(run).into());
        }
        self.journal.append(run, expected, &commit.events, &self.sealing)?;
        let ended = commit.state.is_final();
        if commit.new.is_none() && commit.state_changed {
            self.update(commit)?;
        } else if commit.new.is_none() && ended {
            self.give_up(run)?;
        }
        self.settle(commit)?;
        let next_seq = expected + commit.events.len() as u64;
        self.staged.insert(run, Staged { next_seq, ended });
        Ok(())
    }

    /// Ends the batch. The answer is what the session has to remember once the transaction is
    /// committed.
    pub(crate) fn finish(self) -> Result<HashMap<RunId, Staged>, Fault> {
        self.journal.finish()?;
        Ok(self.staged)
    }

    fn expected_seq(&self, run: RunId) -> Result<u64, Fault> {
        match self.staged.get(&run) {
            Some(Staged { ended: true, .. }) => return Err(StoreError::Conflict(run).into()),
            Some(staged) => return Ok(staged.next_seq),
            None => {}
        }
        if let Some(next) = self.next_seq.get(&run) {
            return Ok(*next);
        }
        if owner_of(self.conn, run)?.as_deref() == Some(self.owner) {
            next_seq(self.conn, run)
        } else {
            Err(StoreError::Conflict(run).into())
        }
    }

    fn create(&mut self, commit: &RunCommit, new: &NewRun) -> Result<(), Fault> {
        self.define(new)?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO runs (id, definition, state, owner, workers, created_at, started_at,
                               finished_at, base, variables, meta)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let meta = encode_meta(&new.meta);
        let row = params![
            commit.run.to_bytes(),
            new.hash,
            commit.state.name(),
            (!commit.state.is_final()).then_some(self.owner),
            new.workers,
            new.created_at.0 as i64,
            started_at(&commit.events).map(|at| at.0 as i64),
            finished_at(&commit.events).map(|at| at.0 as i64),
            new.base,
            encode_variables(&new.variables, &self.sealing)?,
            meta,
        ];
        insert.execute(row).map_err(|error| taken(commit.run, error))?;
        if meta.is_some() {
            meta::enter(self.conn, commit.run, &new.meta)?;
        }
        Ok(())
    }

    fn define(&mut self, new: &NewRun) -> Result<(), Fault> {
        if self.defined == Some(new.hash) {
            return Ok(());
        }
        let mut find = self.conn.prepare_cached("SELECT 1 FROM definitions WHERE hash = ?")?;
        if !find.exists([new.hash])? {
            let definition = &new.definition;
            let body = encode_definition(definition, &self.sealing)?;
            self.conn
                .prepare_cached(
                    "INSERT INTO definitions (hash, namespace, name, version, body)
                     VALUES (?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    new.hash,
                    definition.namespace,
                    definition.name,
                    definition.version,
                    body
                ])?;
        }
        self.defined = Some(new.hash);
        Ok(())
    }

    fn update(&self, commit: &RunCommit) -> Result<(), Fault> {
        let mut update = self.conn.prepare_cached(
            "UPDATE runs SET state = ?2, started_at = coalesce(started_at, ?3), finished_at = ?4,
                 owner = ?5
             WHERE id = ?1",
        )?;
        update.execute(params![
            commit.run.to_bytes(),
            commit.state.name(),
            started_at(&commit.events).map(|at| at.0 as i64),
            finished_at(&commit.events).map(|at| at.0 as i64),
            (!commit.state.is_final()).then_some(self.owner),
        ])?;
        Ok(())
    }

    /// Answers the requests that the commit settles, and of a run that ends those that still wait.
    fn settle(&mut self, commit: &RunCommit) -> Result<(), Fault> {
        for (id, verdict) in &commit.settles {
            requests::answer(self.conn, commit.run, *id, verdict)?;
        }
        if commit.state.is_final() && self.has_requests()? {
            requests::refuse_rest(self.conn, commit.run)?;
        }
        Ok(())
    }

    fn has_requests(&mut self) -> Result<bool, Fault> {
        if let Some(known) = self.has_requests {
            return Ok(known);
        }
        let found = requests::any_wait(self.conn)?;
        self.has_requests = Some(found);
        Ok(found)
    }

    fn give_up(&self, run: RunId) -> Result<(), Fault> {
        let mut update = self.conn.prepare_cached("UPDATE runs SET owner = NULL WHERE id = ?")?;
        update.execute([run.to_bytes()])?;
        Ok(())
    }
}

/// Who owns the run, if anybody does.
pub(crate) fn owner_of(conn: &Connection, run: RunId) -> Result<Option<String>, Fault> {
    conn.prepare_cached("SELECT owner FROM runs WHERE id = ?")?
        .query_row([run.to_bytes()], |row| row.get(0))
        .optional()?
        .ok_or_else(|| StoreError::NoRun(run).into())
}

fn taken(run: RunId, error: rusqlite::Error) -> Fault {
    if is_taken(&error) { StoreError::Conflict(run).into() } else { error.into() }
}
