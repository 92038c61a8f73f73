//! Which attempts a worker has: at work, held back in their run's lane, or waiting for a time.
//!
//! Bookkeeping alone: what is to be done about it is for the caller.

use crate::attempt::Work;
use crate::stop::StopSignal;
use crate::worker::Reporter;
use loom_protocol::{AttemptId, AttemptRequest};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// The attempts of one worker.
#[derive(Default)]
pub(crate) struct Lanes {
    /// Nothing more may begin.
    pub(crate) closed: bool,
    /// Attempts that are not reported ended yet.
    pub(crate) unreported: usize,
    /// By run.
    runs: HashMap<String, Lane>,
    live: HashMap<AttemptId, Live>,
}

/// The attempts of one run.
#[derive(Default)]
struct Lane {
    working: u32,
    held: VecDeque<Work>,
}

/// An attempt that has not ended.
pub(crate) enum Live {
    /// It waits for room in its lane.
    Held,
    /// A thread runs it, or will.
    Threaded(StopSignal),
    /// It lets time pass; this one hears of its end.
    Waiting(Arc<dyn Reporter>),
}

impl Lanes {
    /// How an attempt lives; `None` if it has ended.
    pub(crate) fn get(&self, id: &AttemptId) -> Option<&Live> {
        self.live.get(id)
    }

    /// All attempts that have not ended.
    pub(crate) fn ids(&self) -> Vec<AttemptId> {
        self.live.keys().cloned().collect()
    }

    /// Counts an attempt as at work in its lane.
    pub(crate) fn occupy(&mut self, work: &Work) {
        let lane = match self.runs.get_mut(&work.request.id.run) {
            Some(lane) => lane,
            None => self.runs.entry(work.request.id.run.clone()).or_default(),
        };
        lane.working += 1;
        self.live.insert(work.request.id.clone(), Live::Threaded(work.stop.clone()));
    }

    /// As [`Lanes::occupy`] if there is room in the lane, and gives the attempt back; else holds it.
    pub(crate) fn occupy_or_hold(&mut self, work: Work) -> Option<Work> {
        if let Some(lane) = self.runs.get_mut(&work.request.id.run)
            && lane.working >= width(&work.request)
        {
            self.live.insert(work.request.id.clone(), Live::Held);
            lane.held.push_back(work);
            return None;
        }
        self.occupy(&work);
        Some(work)
    }

    /// Counts an attempt as ended, and takes out the held ones that may begin instead.
    pub(crate) fn vacate(&mut self, id: &AttemptId) -> VecDeque<Work> {
        self.live.remove(id);
        let mut ready = VecDeque::new();
        let Some(lane) = self.runs.get_mut(&id.run) else { return ready };
        lane.working -= 1;
        while let Some(work) = lane.held.pop_front_if(|work| lane.working < width(&work.request)) {
            lane.working += 1;
            let live = Live::Threaded(work.stop.clone());
            self.live.insert(work.request.id.clone(), live);
            ready.push_back(work);
        }
        if lane.working == 0 {
            self.runs.remove(&id.run);
        }
        ready
    }

    /// Notes that an attempt at work needs no thread: it lets time pass.
    pub(crate) fn wait(&mut self, id: AttemptId, reporter: Arc<dyn Reporter>) {
        self.live.insert(id, Live::Waiting(reporter));
    }

    /// Takes out an attempt that lets time pass, with who hears of it; once only, so that it ends
    /// once.
    pub(crate) fn unwait(&mut self, id: &AttemptId) -> Option<Arc<dyn Reporter>> {
        match self.live.remove(id)? {
            Live::Waiting(reporter) => Some(reporter),
            other => {
                self.live.insert(id.clone(), other);
                None
            }
        }
    }

    /// Takes out an attempt that is held.
    pub(crate) fn unhold(&mut self, id: &AttemptId) -> Option<Work> {
        let held = &mut self.runs.get_mut(&id.run)?.held;
        let place = held.iter().position(|work| work.request.id == *id)?;
        self.live.remove(id);
        held.remove(place)
    }
}

/// At least one, so that nothing waits for ever.
fn width(request: &AttemptRequest) -> u32 {
    request.lane_width.max(1)
}
