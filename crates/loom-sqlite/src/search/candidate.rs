//! Candidates: what has to be read of a run to see whether it matches.

use crate::fault::Fault;
use crate::query::{read_run_id, read_state};
use loom_core::{RunId, RunState, Timestamp};
use loom_store::record::decode_meta;
use loom_store::search::RunFacts;
use loom_store::{DefinitionHash, RunCursor, RunMeta, StoreError};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The columns of a candidate.
pub(super) const CANDIDATE: &str = "id, definition, state, created_at, finished_at, meta";

/// A run that may match. Reading one allocates nothing unless something is said about the run.
pub(super) struct Candidate {
    pub(super) id: RunId,
    pub(super) definition: DefinitionHash,
    pub(super) state: RunState,
    created_at: Timestamp,
    pub(super) finished_at: Option<Timestamp>,
    meta: Option<String>,
}

impl Candidate {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let time = |at: i64| Timestamp(at as u64);
        Ok(Self {
            id: read_run_id(row, 0)?,
            definition: row.get(1)?,
            state: read_state(row, 2)?,
            created_at: time(row.get(3)?),
            finished_at: row.get::<_, Option<i64>>(4)?.map(time),
            meta: row.get(5)?,
        })
    }

    pub(super) const fn cursor(&self) -> RunCursor {
        RunCursor { at: self.finished_at, run: self.id }
    }

    pub(super) fn meta(&self) -> Result<RunMeta, Fault> {
        Ok(decode_meta(self.meta.as_deref())?)
    }

    pub(super) fn facts<'a>(&self, workflow: &'a Workflow, meta: &'a RunMeta) -> RunFacts<'a> {
        RunFacts {
            id: self.id,
            state: self.state,
            namespace: &workflow.namespace,
            workflow: &workflow.name,
            version: &workflow.version,
            created_at: self.created_at,
            finished_at: self.finished_at,
            meta,
        }
    }
}

/// What is asked about a definition.
pub(super) struct Workflow {
    namespace: String,
    name: String,
    version: String,
}

/// The definitions that were met.
#[derive(Default)]
pub(super) struct Workflows(HashMap<DefinitionHash, Workflow>);

impl Workflows {
    pub(super) fn get(
        &mut self,
        conn: &Connection,
        hash: &DefinitionHash,
    ) -> Result<&Workflow, Fault> {
        match self.0.entry(*hash) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let sql = "SELECT namespace, name, version FROM definitions WHERE hash = ?";
                let found = conn
                    .prepare_cached(sql)?
                    .query_row([hash], |row| {
                        let (namespace, name, version) = (row.get(0)?, row.get(1)?, row.get(2)?);
                        Ok(Workflow { namespace, name, version })
                    })
                    .optional()?;
                let missing = || StoreError::Corrupt("a run's definition is missing".into());
                Ok(unknown.insert(found.ok_or_else(missing)?))
            }
        }
    }
}
