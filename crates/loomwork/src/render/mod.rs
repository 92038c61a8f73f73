//! Recorded facts as text for people.

pub(crate) mod duration;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod why;
pub(crate) mod words;
