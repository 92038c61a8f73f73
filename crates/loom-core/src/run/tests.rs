//! Whole runs, against a second, naive implementation of the rules, over random workflows and
//! random histories; and the rules one by one.

pub(crate) mod driver;
mod oracle;
mod random;
mod requests;
mod rules;
mod workflows;
