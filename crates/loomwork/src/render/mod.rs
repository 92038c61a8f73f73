//! Recorded facts as text for people.

pub(crate) mod duration;
pub(crate) mod words;
