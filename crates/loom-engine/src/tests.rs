//! The engine on a manual clock.
