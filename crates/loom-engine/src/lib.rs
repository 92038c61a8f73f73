//! The shell around the core: batches, group commit, timers, recovery, events.
