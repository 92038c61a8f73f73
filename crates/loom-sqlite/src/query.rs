//! The calls of those who look.

use crate::SqliteStore;
use crate::commit::owner_of;
use crate::fault::Fault;
use crate::journal;
use crate::meta::{self, read_meta};
use crate::owner::is_alive;
use crate::requests;
use crate::search::{Search, namespaces};
use crate::write::begin;
use loom_core::{Definition, ParseIdError, Request, RunId, RunState, Timestamp, Variable};
use loom_store::record::{Secrets, decode_definition, decode_variables, encode_meta};
use loom_store::{
    DefinitionHash, FeedPage, FeedPosition, JournalPage, KeyFilter, KeyPage, OwnerId, QueryStore,
    Recorded, RequestId, RequestState, RunFilter, RunMeta, RunPage, RunSummary, StoreError,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const SUMMARY: &str = "SELECT id, namespace, name, version, hash, state, created_at, started_at,
    finished_at, workers, base, owner, meta FROM runs JOIN definitions ON hash = definition
    WHERE id = ?";

impl QueryStore for SqliteStore {
    fn run(&mut self, run: RunId) -> Result<RunSummary, StoreError> {
        let result = self.try_run(run);
        self.told(result)
    }

    fn owner(&mut self, run: RunId) -> Result<Option<OwnerId>, StoreError> {
        let result = self.try_owner(run);
        self.told(result)
    }

    fn find(&mut self, text: &str, limit: usize) -> Result<Vec<RunId>, StoreError> {
        let result = self.try_find(text, limit);
        self.told(result)
    }

    fn list(&mut self, filter: &RunFilter) -> Result<RunPage, StoreError> {
        let result = self.try_list(filter);
        self.told(result)
    }

    fn counts(&mut self, filter: &RunFilter) -> Result<BTreeMap<RunState, u64>, StoreError> {
        let result = self.try_counts(filter);
        self.told(result)
    }

    fn namespaces(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        self.told(namespaces(&self.conn))
    }

    fn annotation_keys(&mut self, filter: &KeyFilter) -> Result<KeyPage, StoreError> {
        let result = self.try_annotation_keys(filter);
        self.told(result)
    }

    fn last_seq(&mut self, run: RunId) -> Result<u64, StoreError> {
        let result = self.try_last_seq(run);
        self.told(result)
    }

    fn variables(&mut self, run: RunId) -> Result<Vec<Variable>, StoreError> {
        let result = self.try_variables(run);
        self.told(result)
    }

    fn journal(&mut self, run: RunId, after: u64, limit: usize) -> Result<JournalPage, StoreError> {
        let result = self.try_journal(run, after, limit);
        self.told(result)
    }

    fn feed(&mut self, after: FeedPosition, limit: usize) -> Result<FeedPage, StoreError> {
        let result = journal::feed(&self.conn, after, limit);
        self.told(result)
    }

    fn feed_end(&mut self) -> Result<FeedPosition, StoreError> {
        let result = journal::last_row(&self.conn);
        self.told(result.map(|row| FeedPosition(row as u64)))
    }

    fn definition(&mut self, hash: &DefinitionHash) -> Result<Definition, StoreError> {
        let result = self.try_definition(hash);
        self.told(result)
    }

    fn post(&mut self, run: RunId, request: &Request) -> Result<RequestId, StoreError> {
        let result = self.try_post(run, request);
        self.told(result)
    }

    fn request_state(&mut self, run: RunId, id: RequestId) -> Result<RequestState, StoreError> {
        let result = requests::state(&self.conn, run, id);
        self.told(result)
    }

    fn withdraw(&mut self, run: RunId, id: RequestId) -> Result<bool, StoreError> {
        let result = self.try_withdraw(run, id);
        self.told(result)
    }

    fn describe(
        &mut self,
        run: RunId,
        before: &RunMeta,
        after: &RunMeta,
    ) -> Result<bool, StoreError> {
        let result = self.try_describe(run, before, after);
        self.told(result)
    }
}

impl SqliteStore {
    fn try_run(&self, run: RunId) -> Result<RunSummary, Fault> {
        read_summary(&self.conn, run, &mut Living::new(&self.files.owners()))
    }

    fn try_owner(&self, run: RunId) -> Result<Option<OwnerId>, Fault> {
        let Some(owner) = owner_of(&self.conn, run)? else { return Ok(None) };
        let alive = is_alive(&self.files.owners(), &owner)?;
        Ok(alive.then_some(owner))
    }

    fn try_find(&self, text: &str, limit: usize) -> Result<Vec<RunId>, Fault> {
        let mut found = Vec::new();
        let Some(ends) = Ends::of(text) else { return Ok(found) };
        let mut select = self.conn.prepare_cached("SELECT id FROM runs ORDER BY id DESC")?;
        let mut rows = select.query([])?;
        while found.len() < limit
            && let Some(row) = rows.next()?
        {
            let run = read_run_id(row, 0)?;
            if ends.match_either(run) {
                found.push(run);
            }
        }
        Ok(found)
    }

    fn try_list(&mut self, filter: &RunFilter) -> Result<RunPage, Fault> {
        let owners = self.files.owners();
        let tx = self.conn.transaction()?;
        let (found, more) = Search::new(&tx, filter).page()?;
        let mut living = Living::new(&owners);
        let summary = |run| read_summary(&tx, run, &mut living);
        Ok(RunPage { runs: found.into_iter().map(summary).collect::<Result<_, _>>()?, more })
    }

    fn try_counts(&mut self, filter: &RunFilter) -> Result<BTreeMap<RunState, u64>, Fault> {
        let tx = self.conn.transaction()?;
        Search::new(&tx, filter).counts()
    }

    fn try_annotation_keys(&mut self, filter: &KeyFilter) -> Result<KeyPage, Fault> {
        let tx = self.conn.transaction()?;
        meta::keys(&tx, filter)
    }

    fn try_last_seq(&mut self, run: RunId) -> Result<u64, Fault> {
        let tx = self.conn.transaction()?;
        require_run(&tx, run)?;
        Ok(journal::next_seq(&tx, run)? - 1)
    }

    fn try_variables(&self, run: RunId) -> Result<Vec<Variable>, Fault> {
        let text: Option<String> = self
            .conn
            .prepare_cached("SELECT variables FROM runs WHERE id = ?")?
            .query_row([run.to_bytes()], |row| row.get(0))
            .optional()?;
        Ok(decode_variables(&text.ok_or(StoreError::NoRun(run))?, Secrets::Mask)?)
    }

    fn try_journal(&mut self, run: RunId, after: u64, limit: usize) -> Result<JournalPage, Fault> {
        let tx = self.conn.transaction()?;
        require_run(&tx, run)?;
        let mut page = JournalPage { events: Vec::new(), more: false };
        journal::read(&tx, run, after.saturating_add(1), Secrets::Mask, |first, row| {
            for (seq, event) in (first..).zip(row) {
                if seq > after {
                    if page.events.len() == limit {
                        page.more = true;
                        return Ok(false);
                    }
                    page.events.push(Recorded { seq, event });
                }
            }
            Ok(true)
        })?;
        Ok(page)
    }

    fn try_definition(&self, hash: &DefinitionHash) -> Result<Definition, Fault> {
        let body: Option<String> = self
            .conn
            .prepare_cached("SELECT body FROM definitions WHERE hash = ?")?
            .query_row([hash], |row| row.get(0))
            .optional()?;
        let body = body.ok_or_else(|| StoreError::no_definition(hash))?;
        Ok(decode_definition(&body, Secrets::Mask)?)
    }

    fn try_describe(
        &mut self,
        run: RunId,
        before: &RunMeta,
        after: &RunMeta,
    ) -> Result<bool, Fault> {
        let tx = begin(&mut self.conn, self.busy_timeout)?;
        if meta::of(&tx, run)? != *before {
            return Ok(false);
        }
        meta::leave(&tx, run)?;
        tx.prepare_cached("UPDATE runs SET meta = ? WHERE id = ?")?
            .execute(params![encode_meta(after), run.to_bytes()])?;
        meta::enter(&tx, run, after)?;
        tx.commit()?;
        Ok(true)
    }
}

pub(crate) fn read_run_id(row: &Row<'_>, column: usize) -> Result<RunId, Fault> {
    Ok(RunId::from_bytes(row.get(column)?))
}

pub(crate) fn read_state(row: &Row<'_>, column: usize) -> Result<RunState, Fault> {
    let name = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    RunState::from_name(name)
        .ok_or_else(|| StoreError::Corrupt(format!("a run has the state `{name}`")).into())
}

pub(crate) fn state_of(conn: &Connection, run: RunId) -> Result<RunState, Fault> {
    let mut select = conn.prepare_cached("SELECT state FROM runs WHERE id = ?")?;
    let mut rows = select.query([run.to_bytes()])?;
    read_state(rows.next()?.ok_or(StoreError::NoRun(run))?, 0)
}

fn require_run(conn: &Connection, run: RunId) -> Result<(), Fault> {
    let mut find = conn.prepare_cached("SELECT 1 FROM runs WHERE id = ?")?;
    if find.exists([run.to_bytes()])? { Ok(()) } else { Err(StoreError::NoRun(run).into()) }
}

fn read_summary(
    conn: &Connection,
    run: RunId,
    living: &mut Living<'_>,
) -> Result<RunSummary, Fault> {
    let mut select = conn.prepare_cached(SUMMARY)?;
    let mut rows = select.query([run.to_bytes()])?;
    living.summary(rows.next()?.ok_or(StoreError::NoRun(run))?)
}

/// Makes summaries, and asks only once whether each owner lives.
pub(crate) struct Living<'a> {
    folder: &'a Path,
    known: HashMap<OwnerId, bool>,
}

impl<'a> Living<'a> {
    pub(crate) fn new(folder: &'a Path) -> Self {
        Self { folder, known: HashMap::new() }
    }

    fn summary(&mut self, row: &Row<'_>) -> Result<RunSummary, Fault> {
        let time = |at: i64| Timestamp(at as u64);
        Ok(RunSummary {
            id: read_run_id(row, 0)?,
            namespace: row.get(1)?,
            workflow: row.get(2)?,
            version: row.get(3)?,
            definition: row.get(4)?,
            state: read_state(row, 5)?,
            created_at: time(row.get(6)?),
            started_at: row.get::<_, Option<i64>>(7)?.map(time),
            finished_at: row.get::<_, Option<i64>>(8)?.map(time),
            workers: row.get(9)?,
            base: row.get(10)?,
            alive: self.lives(row.get(11)?)?,
            meta: read_meta(row, 12)?,
        })
    }

    pub(crate) fn lives(&mut self, owner: Option<OwnerId>) -> Result<bool, Fault> {
        let Some(owner) = owner else { return Ok(false) };
        if let Some(alive) = self.known.get(&owner) {
            return Ok(*alive);
        }
        let alive = is_alive(self.folder, &owner)?;
        self.known.insert(owner, alive);
        Ok(alive)
    }
}

/// What the bits of an identity must be for its text to start, or to end, with a given text.
struct Ends {
    first: Option<Bits>,
    last: Option<Bits>,
}

impl Ends {
    const LOWEST: &str = "00000000000000000000000000";
    const HIGHEST: &str = "7zzzzzzzzzzzzzzzzzzzzzzzzz";

    /// `None` if the text cannot be part of an identity's.
    fn of(text: &str) -> Option<Self> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let rest = Self::LOWEST.len().checked_sub(text.len())?;
        let first = |fill: &str| format!("{text}{}", &fill[text.len()..]).parse();
        let last = |fill: &str| format!("{}{text}", &fill[..rest]).parse();
        Some(Self {
            first: Bits::common(first(Self::LOWEST), first(Self::HIGHEST)),
            last: Bits::common(last(Self::LOWEST), last(Self::HIGHEST)),
        })
    }

    fn match_either(&self, run: RunId) -> bool {
        [&self.first, &self.last].into_iter().flatten().any(|bits| bits.match_run(run))
    }
}

/// Bits of an identity that are settled, and how.
struct Bits {
    mask: u128,
    value: u128,
}

impl Bits {
    /// Those in which the two agree.
    fn common(a: Result<RunId, ParseIdError>, b: Result<RunId, ParseIdError>) -> Option<Self> {
        let (a, b) = (as_number(a.ok()?), as_number(b.ok()?));
        Some(Self { mask: !(a ^ b), value: a & b })
    }

    const fn match_run(&self, run: RunId) -> bool {
        as_number(run) & self.mask == self.value
    }
}

const fn as_number(run: RunId) -> u128 {
    u128::from_be_bytes(run.to_bytes())
}
