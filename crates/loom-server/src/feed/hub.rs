//! Reads the journal once for all who follow it.

use super::bell::Bell;
use crate::parts::Stores;
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
/// How many runs' plans are kept at hand.
const PLANS_MAX: usize = 4096;

/// What happened to one run, recorded together.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it stands among all.
    pub position: FeedPosition,
    /// The run.
    pub run: RunId,
    /// Its plan, which gives events their names.
    pub plan: Arc<Plan>,
    /// The number, within the run, of the first event.
    pub first_seq: u64,
    /// What happened, in order. Secret values read `***`.
    pub events: Vec<Event>,
}

/// The newest rows, and the way to be woken for more.
pub(crate) struct Hub {
    kept: Mutex<Kept>,
    /// Everything up to here was read.
    end: watch::Sender<FeedPosition>,
    bell: Bell,
}

struct Kept {
    rows: VecDeque<Arc<Row>>,
    /// Every row behind this position, up to the end, is among them.
    floor: FeedPosition,
}

impl Hub {
    /// Starts to read from the journal's end.
    pub(crate) fn start(stores: &dyn Stores, bell: Bell) -> Result<Arc<Self>, StoreError> {
        let mut store = stores.query()?;
        let end = store.feed_end()?;
        let (sender, _) = watch::channel(end);
        let kept = Mutex::new(Kept { rows: VecDeque::new(), floor: end });
        let hub = Arc::new(Self { kept, end: sender, bell: bell.clone() });
        let reader = Arc::clone(&hub);
        spawn("loom-feed", move || {
            let mut plans = Plans::default();
            let mut at = end;
            let mut patience = LOOK;
            while bell.wait(patience) {
                patience = match reader.read(store.as_mut(), &mut plans, &mut at) {
                    Ok(()) => LOOK,
                    // What was not read now is read later: nothing is lost, only late.
                    Err(_) => REST,
                };
            }
        })?;
        Ok(hub)
    }

    /// Ends the reader.
    pub(crate) fn end(&self) {
        self.bell.end();
    }

    /// Woken with the position up to which all is there.
    pub(crate) fn watch(&self) -> watch::Receiver<FeedPosition> {
        self.end.subscribe()
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

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(
        &self,
        store: &mut dyn QueryStore,
        plans: &mut Plans,
        at: &mut FeedPosition,
    ) -> Result<(), StoreError> {
        loop {
            let page = store.feed(*at, PAGE)?;
            let Some(last) = page.rows.last().map(|row| row.position) else { return Ok(()) };
            let rows = plans.name(store, page.rows)?;
            self.keep(rows);
            *at = last;
            self.end.send_replace(last);
            if !page.more {
                return Ok(());
            }
        }
    }

    fn keep(&self, rows: Vec<Arc<Row>>) {
        let mut kept = self.kept();
        kept.rows.extend(rows);
        let surplus = kept.rows.len().saturating_sub(KEPT_ROWS);
        if let Some(last) = kept.rows.drain(..surplus).last() {
            kept.floor = last.position;
        }
    }
}

/// The plans of the runs that rows are about.
#[derive(Default)]
pub(crate) struct Plans {
    by_run: HashMap<RunId, Arc<Plan>>,
    by_hash: HashMap<loom_store::DefinitionHash, Arc<Plan>>,
}

impl Plans {
    /// Rows with their plans. Rows of a run that was deleted meanwhile are left out.
    pub(crate) fn name(
        &mut self,
        store: &mut dyn QueryStore,
        rows: Vec<FeedRow>,
    ) -> Result<Vec<Arc<Row>>, StoreError> {
        let mut named = Vec::with_capacity(rows.len());
        for row in rows {
            let plan = match self.plan(store, row.run) {
                Ok(plan) => plan,
                Err(StoreError::NoRun(_)) => continue,
                Err(error) => return Err(error),
            };
            let ended = matches!(row.events.last(), Some(Event::RunFinished { .. }));
            if ended {
                self.by_run.remove(&row.run);
            }
            let FeedRow { position, run, first_seq, events } = row;
            named.push(Arc::new(Row { position, run, plan, first_seq, events }));
        }
        Ok(named)
    }

    fn plan(&mut self, store: &mut dyn QueryStore, run: RunId) -> Result<Arc<Plan>, StoreError> {
        if let Some(plan) = self.by_run.get(&run) {
            return Ok(Arc::clone(plan));
        }
        let hash = store.run(run)?.definition;
        let plan = match self.by_hash.get(&hash) {
            Some(plan) => Arc::clone(plan),
            None => Arc::new(Plan::new(store.definition(&hash)?)),
        };
        if self.by_run.len() >= PLANS_MAX {
            self.by_run.clear();
            self.by_hash.clear();
        }
        self.by_hash.insert(hash, Arc::clone(&plan));
        self.by_run.insert(run, Arc::clone(&plan));
        Ok(plan)
    }
}
