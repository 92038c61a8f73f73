//! Bad input of every kind, through the real binary: a clear error with its code and exit status,
//! nothing half-run, never a panic.

mod commands;
mod documents;
