//! Reads the journal once for all who follow it.

use super::bell::Bell;
use crate::parts::Stores;
use crate::readers::spawn;
use loom_core::{Event, Plan, RunId};
use loom_store::{DefinitionHash, FeedPosition, FeedRow, QueryStore, StoreError};
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
/// How many definitions' plans are kept at hand.
const PLANS_MAX: usize = 512;

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
}

struct Kept {
    rows: VecDeque<Arc<Row>>,
    bytes: usize,
    /// Every row behind this position, up to the end, is among them.
    floor: FeedPosition,
}

impl Hub {
    /// Starts to read from the journal's end.
    pub(crate) fn start(stores: &dyn Stores, bell: Bell) -> Result<Arc<Self>, StoreError> {
        let mut store = stores.query()?;
        let end = store.feed_end()?;
        let (news, _) = watch::channel(News { end, over: false });
        let kept = Mutex::new(Kept { rows: VecDeque::new(), bytes: 0, floor: end });
        let hub = Arc::new(Self { kept, news, bell: bell.clone() });
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

    /// Ends the reader, and all who follow.
    pub(crate) fn end(&self) {
        self.bell.end();
        self.news.send_modify(|news| news.over = true);
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

/// The plans of the runs that rows are about.
#[derive(Default)]
pub(crate) struct Plans(HashMap<DefinitionHash, Arc<Plan>>);

impl Plans {
    /// Rows with their plans. Those whose definition is damaged are left out: they would hold up the
    /// events of all other runs.
    pub(crate) fn name(
        &mut self,
        store: &mut dyn QueryStore,
        rows: Vec<FeedRow>,
    ) -> Result<Vec<Arc<Row>>, StoreError> {
        let mut named = Vec::with_capacity(rows.len());
        for row in rows {
            let plan = match self.plan(store, row.definition) {
                Ok(plan) => plan,
                Err(StoreError::Corrupt(_)) => continue,
                Err(error) => return Err(error),
            };
            let FeedRow { position, run, first_seq, events, .. } = row;
            let bytes = weight(&events);
            named.push(Arc::new(Row { position, run, plan, first_seq, events, bytes }));
        }
        Ok(named)
    }

    fn plan(
        &mut self,
        store: &mut dyn QueryStore,
        hash: DefinitionHash,
    ) -> Result<Arc<Plan>, StoreError> {
        if let Some(plan) = self.0.get(&hash) {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(Plan::new(store.definition(&hash)?));
        if self.0.len() >= PLANS_MAX {
            self.0.clear();
        }
        self.0.insert(hash, Arc::clone(&plan));
        Ok(plan)
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
