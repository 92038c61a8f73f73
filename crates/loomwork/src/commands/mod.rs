//! The commands, one a module.

pub(crate) mod run;
