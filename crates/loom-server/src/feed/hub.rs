//! Reads the journal once for all who follow it.

use super::bell::Bell;
use super::damage::Damage;
use crate::parts::Stores;
use crate::plans::Plans;
use crate::readers::spawn;
use loom_core::{Event, Plan, RunId};
use loom_store::{FeedPosition, FeedRow, QueryStore, StoreError};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often runs of other processes are looked for.
const LOOK: Duration = Duration::from_millis(100);
/// How long the reader rests after a failure of the store.
const REST: Duration = Duration::from_secs(1);
/// The most rows read at once.
const PAGE: usize = 1000;
/// The most rows kept for readers who are a little behind. The others read the store themselves.
const KEPT_ROWS: usize = 8192;
/// The most bytes of events among them, as JSON.
const KEPT_BYTES: usize = 64 << 20;
/// How many plans of runs of other systems are kept at hand.
const GROWN_MAX: usize = 512;

/// What happened to one run, recorded together.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it stands among all.
    pub position: FeedPosition,
    /// The run.
    pub run: RunId,
    /// Its plan, which gives events their names.
    pub plan: Arc<Plan>,
    /// By what its starter knows the matter, in the row with which the run starts.
    pub correlation_id: String,
    /// The number, within the run, of the first event.
    pub first_seq: u64,
    /// What happened, in order. Secret values read `***`.
    pub events: Vec<Event>,
    bytes: usize,
}

/// How far the feed has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    /// Everything up to here was read.
    pub end: FeedPosition,
    /// Whether nothing more will come, because the server stops.
    pub over: bool,
}

/// The newest rows, and the way to be woken for more.
pub(crate) struct Hub {
    kept: Mutex<Kept>,
    news: watch::Sender<News>,
    bell: Bell,
    plans: Plans,
    damage: Damage,
}

struct Kept {
    rows: VecDeque<Arc<Row>>,
    bytes: usize,
    /// Every row behind this position, up to the end, is among them.
    floor: FeedPosition,
}

impl Hub {
    /// Starts to read from the journal's end.
    pub(crate) fn start(
        stores: &dyn Stores,
        bell: Bell,
        damage: Damage,
    ) -> Result<Arc<Self>, StoreError> {
        let mut store = stores.query()?;
        let end = store.feed_end()?;
        let (news, _) = watch::channel(News { end, over: false });
        let kept = Mutex::new(Kept { rows: VecDeque::new(), bytes: 0, floor: end });
        let plans = Plans::default();
        let hub = Arc::new(Self { kept, news, bell: bell.clone(), plans: plans.clone(), damage });
        let reader = Arc::clone(&hub);
        spawn("loom-feed", move || {
            let mut names = Names::new(plans);
            let mut at = end;
            let mut patience = LOOK;
            while bell.wait(patience) {
                let read = reader.read(store.as_mut(), &mut names, &mut at);
                reader.damage.read(&read);
                // What was not read now is read later: nothing is lost, only late.
                patience = if read.is_ok() { LOOK } else { REST };
            }
        })?;
        Ok(hub)
    }

    /// Ends the reader, and all who follow.
    pub(crate) fn end(&self) {
        self.bell.end();
        self.news.send_modify(|news| news.over = true);
    }

    /// The plans that are at hand.
    pub(crate) const fn plans(&self) -> &Plans {
        &self.plans
    }

    /// What cannot be read.
    pub(crate) const fn damage(&self) -> &Damage {
        &self.damage
    }

    /// Woken when there is more.
    pub(crate) fn watch(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// The rows behind a position that are kept here; `None` if some of them are no longer.
    pub(crate) fn after(&self, position: FeedPosition, limit: usize) -> Option<Vec<Arc<Row>>> {
        let kept = self.kept();
        if position < kept.floor {
            return None;
        }
        let from = kept.rows.partition_point(|row| row.position <= position);
        Some(kept.rows.iter().skip(from).take(limit).cloned().collect())
    }

    /// Forgets what happened to runs that were deleted.
    pub(crate) fn forget(&self, runs: &[RunId]) {
        let mut kept = self.kept();
        let mut bytes = 0;
        kept.rows.retain(|row| {
            let stays = !runs.contains(&row.run);
            bytes += if stays { 0 } else { row.bytes };
            stays
        });
        kept.bytes -= bytes;
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(
        &self,
        store: &mut dyn QueryStore,
        names: &mut Names,
        at: &mut FeedPosition,
    ) -> Result<(), StoreError> {
        loop {
            let page = store.feed(*at, PAGE)?;
            let Some(last) = page.rows.last().map(|row| row.position) else { return Ok(()) };
            let rows = names.give(store, page.rows, |row, why| {
                self.damage.passed_over(row.position, row.run, why);
            })?;
            self.keep(rows, last);
            *at = last;
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Keeps rows that end at a position, and tells of them.
    fn keep(&self, rows: Vec<Arc<Row>>, end: FeedPosition) {
        let mut kept = self.kept();
        kept.bytes += rows.iter().map(|row| row.bytes).sum::<usize>();
        kept.rows.extend(rows);
        while kept.rows.len() > KEPT_ROWS || kept.bytes > KEPT_BYTES {
            let Some(oldest) = kept.rows.pop_front() else { break };
            kept.bytes -= oldest.bytes;
            kept.floor = oldest.position;
        }
        // Under the lock: nobody is handed a row that lies beyond the end that is told.
        self.news.send_modify(|news| news.end = end);
    }
}

/// The plans of the runs that rows are about: they give what happened its names.
pub(crate) struct Names {
    plans: Plans,
    /// Of runs that other systems execute, with what was declared so far.
    grown: HashMap<RunId, Arc<Plan>>,
}

impl Names {
    pub(crate) fn new(plans: Plans) -> Self {
        Self { plans, grown: HashMap::new() }
    }

    /// Rows with their plans. Those that are damaged, or whose definition is, are told and left out:
    /// they would hold up the events of all other runs. Left out are also those of a reported run that
    /// was deleted meanwhile.
    pub(crate) fn give(
        &mut self,
        store: &mut dyn QueryStore,
        rows: Vec<FeedRow>,
        mut damaged: impl FnMut(&FeedRow, &str),
    ) -> Result<Vec<Arc<Row>>, StoreError> {
        let mut named = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(why) = &row.damage {
                damaged(&row, why);
                continue;
            }
            let plan = match self.plan(store, &row) {
                Ok(plan) => plan,
                Err(StoreError::NoRun(_)) => continue,
                Err(error @ StoreError::Corrupt(_)) => {
                    damaged(&row, &error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            let FeedRow { position, run, correlation_id, first_seq, events, .. } = row;
            let bytes = weight(&events);
            let row = Row { position, run, plan, correlation_id, first_seq, events, bytes };
            named.push(Arc::new(row));
        }
        Ok(named)
    }

    /// The plan that has every task of the row.
    fn plan(&mut self, store: &mut dyn QueryStore, row: &FeedRow) -> Result<Arc<Plan>, StoreError> {
        let plan = self.plans.of(store, row.definition)?;
        if plan.external().is_none() {
            return Ok(plan);
        }
        if let Some(plan) = self.grown.get_mut(&row.run) {
            row.events.iter().for_each(|event| plan.take(event));
            if plan.covers(&row.events) {
                return Ok(Arc::clone(plan));
            }
        }
        let plan = grown(store, row.run, plan)?;
        if self.grown.len() >= GROWN_MAX {
            self.grown.clear();
        }
        self.grown.insert(row.run, Arc::clone(&plan));
        Ok(plan)
    }
}

/// The plan of a run with what its journal has declared. Only runs of other systems declare tasks.
pub(crate) fn grown(
    store: &mut dyn QueryStore,
    run: RunId,
    mut plan: Arc<Plan>,
) -> Result<Arc<Plan>, StoreError> {
    if plan.external().is_none() {
        return Ok(plan);
    }
    let mut seq = 0;
    loop {
        let page = store.journal(run, seq, PAGE)?;
        page.events.iter().for_each(|recorded| plan.take(&recorded.event));
        match page.events.last() {
            Some(last) if page.more => seq = last.seq,
            _ => return Ok(plan),
        }
    }
}

/// How many bytes the events have as JSON, which is about what they take up.
fn weight(events: &[Event]) -> usize {
    let mut scale = Scale(0);
    serde_json::to_writer(&mut scale, events).expect("its keys are text");
    scale.0
}

/// Counts what is written to it.
struct Scale(usize);

impl std::io::Write for Scale {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
