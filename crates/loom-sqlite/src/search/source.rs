//! Sources: the parts of indexes that lead to every run that can match.

use super::candidate::{CANDIDATE, Candidate};
use super::span::Span;
use crate::fault::Fault;
use loom_core::{RunState, Timestamp};
use loom_store::{DefinitionHash, RunFilter, TimeRange};
use rusqlite::types::Value;
use rusqlite::{Connection, Rows, params_from_iter};

/// How many parts of an index may be read side by side.
const INDEXES: usize = 256;

/// Everything that meets one of a filter's conditions.
pub(super) struct Source {
    pub(super) indexes: Vec<Index>,
    /// Whether each index has its runs in the order of their identities.
    pub(super) is_ordered: bool,
}

/// A part of an index: the rows in which its columns have these values.
pub(super) struct Index {
    way: Way,
    values: Vec<Value>,
}

/// How an index is read in SQL.
#[derive(Clone, Copy)]
struct Way {
    table: &'static str,
    /// How the runs are reached from the table.
    join: &'static str,
    /// Which column holds the run's identity.
    id: &'static str,
    condition: &'static str,
}

/// The sources for this filter, the more promising first. The last one is all runs.
pub(super) fn of(conn: &Connection, filter: &RunFilter) -> Result<Vec<Source>, Fault> {
    let mut sources = Vec::new();
    let mut offer = |is_ordered, indexes| sources.push(Source { indexes, is_ordered });
    // What is not said about a run is in no index.
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(correlation) = said(&filter.correlation_id) {
        offer(true, vec![Way::CORRELATION.to([correlation.into()])]);
    }
    for (key, value) in &filter.annotations {
        match value.clone() {
            Some(value) => {
                offer(true, vec![Way::ANNOTATION.to([key.clone().into(), value.into()])]);
            }
            None => offer(false, vec![Way::ANNOTATION_KEY.to([key.clone().into()])]),
        }
    }
    let states = if filter.states.is_empty() { &RunState::ALL[..] } else { &filter.states };
    let mut states = states.to_vec();
    states.sort_unstable();
    states.dedup();
    if filter.asks_workflow()
        && let Some(definitions) = definitions(conn, filter, INDEXES / states.len())?
    {
        let both = |hash: DefinitionHash| {
            let index = move |state: &RunState| {
                Way::WORKFLOW.to([hash.to_vec().into(), state.name().to_owned().into()])
            };
            states.iter().map(index).collect::<Vec<_>>()
        };
        offer(true, definitions.into_iter().flat_map(both).collect());
    }
    if !filter.states.is_empty() {
        let index = |state: &RunState| Way::STATE.to([state.name().to_owned().into()]);
        offer(true, states.iter().map(index).collect());
    }
    for tag in &filter.tags {
        offer(true, vec![Way::TAG.to([tag.clone().into()])]);
    }
    if let Some(initiator) = said(&filter.initiator) {
        offer(true, vec![Way::INITIATOR.to([initiator.into()])]);
    }
    if let Some(source) = said(&filter.source) {
        offer(true, vec![Way::SOURCE.to([source.into()])]);
    }
    if !filter.finished.is_all() {
        let (first, last) = moments(filter.finished);
        offer(false, vec![Way::END.to([first.into(), last.into()])]);
    }
    offer(true, vec![Way::ALL.to([])]);
    Ok(sources)
}

/// The definitions of the workflows that the filter lets through, unless there are more than
/// `most`.
pub(super) fn definitions(
    conn: &Connection,
    filter: &RunFilter,
    most: usize,
) -> Result<Option<Vec<DefinitionHash>>, Fault> {
    const ALL: &str = "SELECT hash, namespace, name, version FROM definitions
        INDEXED BY definitions_by_name";
    const NAMED: &str = "SELECT hash, namespace, name, version FROM definitions
        INDEXED BY definitions_by_name WHERE name = ?";
    let mut select = conn.prepare_cached(if filter.workflow.is_some() { NAMED } else { ALL })?;
    let mut rows = select.query(params_from_iter(&filter.workflow))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
        if filter.takes_workflow(text(1)?, text(2)?, text(3)?) {
            if found.len() == most {
                return Ok(None);
            }
            found.push(row.get(0)?);
        }
    }
    Ok(Some(found))
}

/// A time as its first and its last moment.
pub(super) fn moments(range: TimeRange) -> (i64, i64) {
    let last = range.until.map_or(i64::MAX, |until| number(until) - 1);
    (range.from.map_or(0, number), last)
}

/// A moment as it is stored.
pub(super) fn number(at: Timestamp) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

impl Source {
    /// How many runs of the span it leads to, as far as `most`.
    pub(super) fn count(&self, conn: &Connection, span: Span, most: usize) -> Result<usize, Fault> {
        let mut count = 0;
        for index in &self.indexes {
            let mut select = conn.prepare_cached(&index.way.count())?;
            let mut rows = index.query(&mut select, span, Some(most - count))?;
            if let Some(row) = rows.next()? {
                count += row.get::<_, i64>(0)? as usize;
            }
            if count >= most {
                break;
            }
        }
        Ok(count)
    }
}

impl Index {
    /// Hands over every candidate of the span, in no order.
    pub(super) fn read(
        &self,
        conn: &Connection,
        span: Span,
        mut take: impl FnMut(Candidate) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut select = conn.prepare_cached(&self.way.read())?;
        let mut rows = self.query(&mut select, span, None)?;
        while let Some(row) = rows.next()? {
            take(Candidate::read(row)?)?;
        }
        Ok(())
    }

    /// At most so many candidates of the span, from one end of it.
    pub(super) fn read_some(
        &self,
        conn: &Connection,
        span: Span,
        descending: bool,
        most: usize,
    ) -> Result<Vec<Candidate>, Fault> {
        let mut select = conn.prepare_cached(&self.way.read_some(descending))?;
        let mut rows = self.query(&mut select, span, Some(most))?;
        let mut read = Vec::with_capacity(most);
        while let Some(row) = rows.next()? {
            read.push(Candidate::read(row)?);
        }
        Ok(read)
    }

    fn query<'s>(
        &self,
        select: &'s mut rusqlite::Statement<'_>,
        span: Span,
        most: Option<usize>,
    ) -> Result<Rows<'s>, Fault> {
        let ends = [span.low, span.high].map(|id| id.to_be_bytes().to_vec().into());
        let most = most.map(|most| Value::from(most as i64));
        let values = self.values.iter().cloned().chain(ends).chain(most);
        Ok(select.query(params_from_iter(values))?)
    }
}

impl Way {
    const RUNS: Self = Self { table: "runs", join: "", id: "id", condition: "TRUE" };
    const ALL: Self = Self::RUNS;
    const STATE: Self =
        Self { table: "runs INDEXED BY runs_by_state", condition: "state = ?", ..Self::RUNS };
    const WORKFLOW: Self = Self {
        table: "runs INDEXED BY runs_by_definition",
        condition: "definition = ? AND state = ?",
        ..Self::RUNS
    };
    const END: Self = Self {
        table: "runs INDEXED BY runs_by_end",
        condition: "finished_at BETWEEN ? AND ?",
        ..Self::RUNS
    };
    const INITIATOR: Self = Self {
        table: "runs INDEXED BY runs_by_initiator",
        condition: "meta IS NOT NULL AND meta ->> 'initiator' = ?",
        ..Self::RUNS
    };
    const SOURCE: Self = Self {
        table: "runs INDEXED BY runs_by_source",
        condition: "meta IS NOT NULL AND meta ->> 'source' = ?",
        ..Self::RUNS
    };
    const CORRELATION: Self = Self {
        table: "runs INDEXED BY runs_by_correlation",
        condition: "meta IS NOT NULL AND meta ->> 'correlation_id' = ?",
        ..Self::RUNS
    };
    const TAG: Self = Self {
        table: "run_tags",
        join: "CROSS JOIN runs ON id = run",
        id: "run",
        condition: "tag = ?",
    };
    const ANNOTATION: Self =
        Self { table: "run_annotations", condition: "key = ? AND value = ?", ..Self::TAG };
    const ANNOTATION_KEY: Self =
        Self { table: "run_annotations", condition: "key = ?", ..Self::TAG };

    fn count(self) -> String {
        let Self { table, id, condition, .. } = self;
        format!(
            "SELECT count(*) FROM (SELECT 1 FROM {table}
             WHERE {condition} AND {id} BETWEEN ? AND ? LIMIT ?)"
        )
    }

    fn read(self) -> String {
        let Self { table, join, id, condition } = self;
        format!("SELECT {CANDIDATE} FROM {table} {join} WHERE {condition} AND {id} BETWEEN ? AND ?")
    }

    fn read_some(self, descending: bool) -> String {
        let order = if descending { "DESC" } else { "ASC" };
        format!("{} ORDER BY {} {order} LIMIT ?", self.read(), self.id)
    }

    fn to<const N: usize>(self, values: [Value; N]) -> Index {
        Index { way: self, values: values.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, SqliteStore};

    /// What SQLite says that it does for this statement.
    fn plan(store: &SqliteStore, sql: &str) -> String {
        let mut explain = store.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = explain.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan += &row.get::<_, String>("detail").unwrap();
            plan.push('\n');
        }
        plan
    }

    #[test]
    fn every_way_seeks_and_those_in_order_do_not_sort() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("loom.db"), Options::default()).unwrap();
        let ordered = [
            (Way::ALL, "runs USING PRIMARY KEY (id>? AND id<?)"),
            (Way::STATE, "runs USING INDEX runs_by_state (state=? AND id>? AND id<?)"),
            (
                Way::WORKFLOW,
                "runs USING INDEX runs_by_definition \
                 (definition=? AND state=? AND id>? AND id<?)",
            ),
            (Way::INITIATOR, "runs USING INDEX runs_by_initiator (<expr>=? AND id>? AND id<?)"),
            (Way::SOURCE, "runs USING INDEX runs_by_source (<expr>=? AND id>? AND id<?)"),
            (Way::CORRELATION, "runs USING INDEX runs_by_correlation (<expr>=? AND id>? AND id<?)"),
            (Way::TAG, "run_tags USING PRIMARY KEY (tag=? AND run>? AND run<?)"),
            (
                Way::ANNOTATION,
                "run_annotations USING PRIMARY KEY (key=? AND value=? AND run>? AND run<?)",
            ),
        ];
        for (way, seek) in ordered {
            let counted = plan(&store, &way.count()).replace("COVERING ", "");
            assert!(counted.contains(&format!("SEARCH {seek}")), "{counted}");
            for descending in [false, true] {
                let read = plan(&store, &way.read_some(descending));
                assert!(read.starts_with(&format!("SEARCH {seek}")), "{read}");
                assert!(!read.contains("TEMP") && !read.contains("SCAN"), "{read}");
            }
        }
        let others = [
            (Way::END, "runs USING INDEX runs_by_end (finished_at>? AND finished_at<?)"),
            (Way::ANNOTATION_KEY, "run_annotations USING PRIMARY KEY (key=?)"),
        ];
        for (way, seek) in others {
            let read = plan(&store, &way.read());
            assert!(
                read.starts_with(&format!("SEARCH {seek}")) && !read.contains("SCAN"),
                "{read}"
            );
        }
    }
}
