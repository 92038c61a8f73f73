//! Runs attempts: processes, built-in and custom plugins, HTTP.
//!
//! Knows nothing of runs, graphs or stores: an [`loom_protocol::AttemptRequest`] comes in, reports
//! go out. Our own worker gets no privilege that a worker in another language would lack.
