//! The commands, one a module.

pub(crate) mod ask;
pub(crate) mod carry;
pub(crate) mod config;
pub(crate) mod events;
pub(crate) mod graph;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod plain;
pub(crate) mod plugin;
pub(crate) mod prune;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod token;
pub(crate) mod validate;
pub(crate) mod why;
