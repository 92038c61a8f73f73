//! Deterministic simulation of the engine under faults (private).
