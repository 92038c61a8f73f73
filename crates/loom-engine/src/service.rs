//! The engine on its own thread.
//!
//! Its [`Clock`] dates what happens and says when runs wake. How long the thread itself waits is
//! measured with [`Instant`], which nobody can set back.

use crate::clock::Clock;
use crate::engine::Engine;
use crate::handle::Inbox;
use crate::input::Input;
use loom_store::StoreError;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The most inputs taken into one round.
const BATCH_MAX: usize = 10_000;

/// How long reports gather while every run has attempts in hand: no shorter than is worth a sleep, and no
/// longer than goes unnoticed.
const LINGER: RangeInclusive<Duration> = Duration::from_micros(200)..=Duration::from_millis(4);

/// How long the engine looks for news of short attempts before it sleeps.
const LOOK: Duration = Duration::from_millis(1);

/// The wait between attempts to commit to a locked store.
const LOCKED_WAIT: Duration = Duration::from_millis(25);

impl Engine {
    /// Runs the engine on a thread until it is drained, killed or without handles. The thread's
    /// result is the store's failure that halted it, if one did.
    pub fn spawn(self, inbox: Inbox, clock: Arc<dyn Clock>) -> JoinHandle<Result<(), StoreError>> {
        let service = Service { engine: self, inbox, clock, inputs: Vec::new(), connected: true };
        let thread = std::thread::Builder::new().name("loom-engine".into());
        thread.spawn(move || service.run()).expect("the system can start a thread")
    }
}

/// Something that is done now and then.
struct Poll {
    interval: Duration,
    last: Option<Instant>,
}

impl Poll {
    const fn every(interval: Duration) -> Self {
        Self { interval, last: None }
    }

    /// Whether it is time again; if so, the next time is an interval from now.
    fn is_due(&mut self) -> bool {
        let is_due = self.last.is_none_or(|last| last.elapsed() >= self.interval);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}

struct Service {
    engine: Engine,
    inbox: Inbox,
    clock: Arc<dyn Clock>,
    inputs: Vec<Input>,
    connected: bool,
}

impl Service {
    fn run(mut self) -> Result<(), StoreError> {
        let mut requests = Poll::every(self.engine.options.request_interval);
        let mut slots = Poll::every(self.engine.options.slot_interval);
        loop {
            self.gather();
            if self.engine.load() != (0, 0) && requests.is_due() {
                self.read_requests()?;
            }
            if self.engine.waits_for_slots() && slots.is_due() {
                self.engine.look_for_slots();
            }
            self.turn()?;
            let nothing_left = self.inputs.is_empty() && !self.engine.is_busy();
            if nothing_left && (self.engine.has_stopped() || !self.connected) {
                return Ok(());
            }
        }
    }

    /// Waits for an input or for something to do, then takes all inputs that are there.
    fn gather(&mut self) {
        let linger = self.engine.may_linger().min(*LINGER.end());
        if LINGER.contains(&linger) {
            // Reports gather without waking anybody, and share one commit.
            std::thread::park_timeout(linger);
        }
        if self.engine.expects_news() {
            self.look_for_news();
        }
        if !self.engine.is_busy() && self.inputs.is_empty() && self.connected {
            let patience = self.patience();
            match self.inbox.wait(patience) {
                Ok(input) => self.inputs.push(input),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.connected = false,
            }
        }
        let room = BATCH_MAX.saturating_sub(self.inputs.len());
        self.inputs.extend(std::iter::from_fn(|| self.inbox.next()).take(room));
    }

    /// Looks for an input without sleeping: short attempts end sooner than a sleeper wakes.
    fn look_for_news(&mut self) {
        let end = Instant::now() + LOOK;
        while self.inputs.is_empty() && Instant::now() < end {
            match self.inbox.next() {
                Some(input) => self.inputs.push(input),
                None => std::thread::yield_now(),
            }
        }
    }

    fn patience(&self) -> Duration {
        let options = &self.engine.options;
        let mut interval = options.request_interval;
        if self.engine.waits_for_slots() {
            interval = interval.min(options.slot_interval);
        }
        let wake = self.engine.next_wake().map(|at| at.since(self.clock.now()));
        // A hair later, so that the time has come when the wait is over.
        wake.map_or(interval, |wait| interval.min(wait + Duration::from_micros(50)))
    }

    fn read_requests(&mut self) -> Result<(), StoreError> {
        match self.engine.read_requests() {
            // Requests stay posted; the next look finds them.
            Err(error) if error.may_retry() => Ok(()),
            Err(error) => Err(self.halt(error)),
            Ok(()) => Ok(()),
        }
    }

    /// One round, repeated while the store is locked, as long as patience lasts.
    fn turn(&mut self) -> Result<(), StoreError> {
        let give_up_at = Instant::now() + self.engine.options.store_patience;
        loop {
            let now = self.clock.now();
            match self.engine.turn(&mut self.inputs, now) {
                Ok(()) => return Ok(()),
                Err(error) if error.may_retry() && Instant::now() < give_up_at => {
                    std::thread::park_timeout(LOCKED_WAIT);
                }
                Err(error) => return Err(self.halt(error)),
            }
        }
    }

    fn halt(&mut self, error: StoreError) -> StoreError {
        self.engine.halt(error.clone());
        error
    }
}
