//! How an engine is set up.

use std::collections::HashMap;
use std::time::Duration;

/// An engine's settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most attempts started in one round, so that a commit stays of moderate size.
    pub starts_per_turn: usize,
    /// The most attempts of a run that are handed over before a worker is free; how many are
    /// depends on how fast they end. 0 hands over none.
    pub ahead_max: u32,
    /// The most tasks of a queue at once, over all engines on the store; each goes by its own number.
    /// [`crate::Input::Queues`] may set smaller ones.
    pub queues: HashMap<String, u32>,
    /// The most inputs that may wait for the engine to take and answer them; further ones are refused
    /// as [`crate::EngineError::Busy`].
    pub waiting_max: usize,
    /// How long the store may stay locked before the engine gives up.
    pub store_patience: Duration,
    /// A run that only waits leaves the memory if it will wait at least this long.
    pub park_after: Duration,
    /// How often requests of other processes are looked for.
    pub request_interval: Duration,
    /// How often slots are asked for that others use.
    pub slot_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            starts_per_turn: 4096,
            ahead_max: 64,
            queues: HashMap::new(),
            waiting_max: 65_536,
            store_patience: Duration::from_secs(10),
            park_after: Duration::from_secs(2),
            request_interval: Duration::from_millis(100),
            slot_interval: Duration::from_millis(10),
        }
    }
}
