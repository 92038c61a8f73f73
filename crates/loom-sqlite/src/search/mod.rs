//! Searching for runs.
//!
//! A search first chooses a [`Source`]: parts of indexes that lead to every run that can match. Then
//! it reads candidates from it, in the order of the list where it can, and asks the filter's own
//! matcher about each. So what SQL narrows is a matter of speed only, and what is found is the same
//! as in every other store.
//!
//! Speed: a page costs about as many candidates as it has runs if one of the filter's conditions
//! decides alone or if most runs meet the others. At worst, with conditions that many runs meet each
//! but hardly any meets together, every run of the best source is looked at once.

mod candidate;
mod lanes;
mod source;
mod span;

use crate::fault::Fault;
use crate::query::read_state;
use candidate::{CANDIDATE, Candidate, Workflows};
use lanes::Lanes;
use loom_core::{RunId, RunState};
use loom_store::search::Matcher;
use loom_store::{RunCursor, RunFilter, RunMeta};
use rusqlite::{Connection, params};
use source::Source;
use span::Span;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How many candidates a source may have to be read whole and sorted.
const SMALL: usize = 4096;

/// One search. It needs a transaction around it, so that all that it reads belongs together.
pub(crate) struct Search<'a> {
    conn: &'a Connection,
    filter: &'a RunFilter,
    matcher: Matcher<'a>,
    workflows: Workflows,
    /// Whether `meta` has to be decoded.
    asks_meta: bool,
}

impl<'a> Search<'a> {
    pub(crate) fn new(conn: &'a Connection, filter: &'a RunFilter) -> Self {
        Self {
            conn,
            filter,
            matcher: filter.matcher(),
            workflows: Workflows::default(),
            asks_meta: filter.asks_meta(),
        }
    }

    /// The runs of the page, in order, and whether there are more behind them.
    pub(crate) fn page(&mut self) -> Result<(Vec<RunId>, bool), Fault> {
        let (source, is_small) = self.source()?;
        let size = self.filter.page_size();
        let wanted = size.saturating_add(1);
        let mut found = match (self.filter.sort.is_by_end(), source.is_ordered) {
            (false, true) => self.in_order(&source, self.span(self.filter.after), wanted)?,
            (true, _) if !is_small => self.by_end(&source, wanted)?,
            _ => self.sorted(&source)?,
        };
        let more = found.len() > size;
        found.truncate(size);
        Ok((found, more))
    }

    /// How many runs match, by their state.
    pub(crate) fn counts(&mut self) -> Result<BTreeMap<RunState, u64>, Fault> {
        if !self.asks_meta && self.filter.created.is_all() && self.filter.finished.is_all() {
            return self.counts_by_index();
        }
        let (source, _) = self.source()?;
        let mut counts = BTreeMap::new();
        for index in &source.indexes {
            index.read(self.conn, self.span(None), |candidate| {
                if self.matches(&candidate)? {
                    *counts.entry(candidate.state).or_default() += 1;
                }
                Ok(())
            })?;
        }
        Ok(counts)
    }

    /// Counts without touching a run's row.
    fn counts_by_index(&self) -> Result<BTreeMap<RunState, u64>, Fault> {
        const OF_ALL: &str =
            "SELECT state, count(*) FROM runs INDEXED BY runs_by_state GROUP BY state";
        const OF_ONE: &str = "SELECT state, count(*) FROM runs INDEXED BY runs_by_definition
            WHERE definition = ? GROUP BY state";
        let mut counts = BTreeMap::new();
        let mut count = |sql: &str, definition: Option<[u8; 32]>| -> Result<(), Fault> {
            let mut select = self.conn.prepare_cached(sql)?;
            let mut rows = select.query(rusqlite::params_from_iter(definition))?;
            while let Some(row) = rows.next()? {
                let state = read_state(row, 0)?;
                if self.filter.states.is_empty() || self.filter.states.contains(&state) {
                    *counts.entry(state).or_default() += row.get::<_, i64>(1)? as u64;
                }
            }
            Ok(())
        };
        if self.filter.asks_workflow() {
            let all = usize::MAX;
            for definition in source::definitions(self.conn, self.filter, all)?.unwrap_or_default()
            {
                count(OF_ONE, Some(definition))?;
            }
        } else {
            count(OF_ALL, None)?;
        }
        Ok(counts)
    }

    /// The source to read from, and whether it is small. If it is not, it is ordered.
    fn source(&self) -> Result<(Source, bool), Fault> {
        let mut sources = source::of(self.conn, self.filter)?;
        let span = self.span(None);
        // The last one is all runs, which is never less than another.
        if sources.len() <= 2 && !self.filter.sort.is_by_end() && sources[0].is_ordered {
            return Ok((sources.swap_remove(0), false));
        }
        let mut best = None;
        for (nth, source) in sources.iter().enumerate() {
            let count = source.count(self.conn, span, SMALL + 1)?;
            if count <= SMALL && best.is_none_or(|(least, _)| count < least) {
                best = Some((count, nth));
            }
        }
        let is_small = best.is_some();
        let nth = match best {
            Some((_, nth)) => nth,
            None => sources
                .iter()
                .position(|source| source.is_ordered)
                .expect("all runs are ordered by their identities"),
        };
        Ok((sources.swap_remove(nth), is_small))
    }

    /// Matching runs in the order of their identities.
    fn in_order(
        &mut self,
        source: &Source,
        span: Span,
        wanted: usize,
    ) -> Result<Vec<RunId>, Fault> {
        let mut lanes = Lanes::new(&source.indexes, span, self.filter.sort.is_descending());
        let mut found = Vec::new();
        while found.len() < wanted
            && let Some(candidate) = lanes.next(self.conn)?
        {
            // Lists by the end of runs have passed the others before.
            let is_due = !self.filter.sort.is_by_end() || candidate.finished_at.is_none();
            if is_due && self.matches(&candidate)? {
                found.push(candidate.id);
            }
        }
        Ok(found)
    }

    /// Matching runs in the order of their ends, and behind them those that have not ended.
    fn by_end(&mut self, source: &Source, wanted: usize) -> Result<Vec<RunId>, Fault> {
        let mut found = Vec::new();
        let after = self.filter.after;
        if after.is_none_or(|after| after.at.is_some()) {
            self.ended(after, wanted, &mut found)?;
        }
        if found.len() < wanted && self.filter.finished.is_all() {
            let behind = after.filter(|after| after.at.is_none());
            found.extend(self.in_order(source, self.span(behind), wanted - found.len())?);
        }
        Ok(found)
    }

    fn ended(
        &mut self,
        after: Option<RunCursor>,
        wanted: usize,
        found: &mut Vec<RunId>,
    ) -> Result<(), Fault> {
        let (mut first, mut last) = source::moments(self.filter.finished);
        let descending = self.filter.sort.is_descending();
        let (order, edge) = if descending { ("DESC", &mut last) } else { ("ASC", &mut first) };
        if let Some(at) = after.and_then(|after| after.at) {
            *edge = source::number(at);
        }
        let sql = format!(
            "SELECT {CANDIDATE} FROM runs INDEXED BY runs_by_end
             WHERE finished_at BETWEEN ? AND ? ORDER BY finished_at {order}, id {order}"
        );
        let conn = self.conn;
        let mut select = conn.prepare_cached(&sql)?;
        let mut rows = select.query(params![first, last])?;
        while found.len() < wanted
            && let Some(row) = rows.next()?
        {
            let candidate = Candidate::read(row)?;
            if self.is_behind(&candidate, after) && self.matches(&candidate)? {
                found.push(candidate.id);
            }
        }
        Ok(())
    }

    /// All matching runs of a small source, sorted.
    fn sorted(&mut self, source: &Source) -> Result<Vec<RunId>, Fault> {
        let mut found = Vec::new();
        for index in &source.indexes {
            index.read(self.conn, self.span(None), |candidate| {
                if self.is_behind(&candidate, self.filter.after) && self.matches(&candidate)? {
                    found.push(candidate.cursor());
                }
                Ok(())
            })?;
        }
        found.sort_by(|one, other| self.filter.sort.compare(*one, *other));
        Ok(found.into_iter().map(|cursor| cursor.run).collect())
    }

    fn is_behind(&self, candidate: &Candidate, after: Option<RunCursor>) -> bool {
        let sort = self.filter.sort;
        after.is_none_or(|after| sort.compare(candidate.cursor(), after) == Ordering::Greater)
    }

    /// The identities that matching runs can have; behind this place if it is one among them.
    fn span(&self, after: Option<RunCursor>) -> Span {
        let span = Span::created(self.filter.created);
        match after {
            Some(after) if self.filter.sort.is_descending() => span.below(after.run),
            Some(after) => span.above(after.run),
            None => span,
        }
    }

    fn matches(&mut self, candidate: &Candidate) -> Result<bool, Fault> {
        let meta = if self.asks_meta { candidate.meta()? } else { RunMeta::default() };
        let workflow = self.workflows.get(self.conn, &candidate.definition)?;
        Ok(self.matcher.matches(&candidate.facts(workflow, &meta)))
    }
}

/// The namespaces that have runs, and how many each has.
pub(crate) fn namespaces(conn: &Connection) -> Result<Vec<(String, u64)>, Fault> {
    let mut select = conn.prepare_cached(
        "SELECT namespace, sum(runs) FROM definitions JOIN
             (SELECT definition, count(*) AS runs FROM runs INDEXED BY runs_by_definition
              GROUP BY definition)
             ON hash = definition
         GROUP BY namespace ORDER BY namespace",
    )?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
