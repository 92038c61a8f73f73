//! The commands, one a module.

pub(crate) mod ask;
pub(crate) mod carry;
pub(crate) mod run;
