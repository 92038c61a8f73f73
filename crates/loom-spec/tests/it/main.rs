//! Black-box tests of workflow documents.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad;
mod catalog;
mod good;
mod import;
mod keys;
mod robust;

use catalog::Catalog;
use loom_spec::{CheckContext, Checked, Limits, Problems, Severity, Source, check, load};
use std::collections::BTreeSet;

/// Loads and checks a text with these variables given and these environment variables set.
fn checked(source: &Source, vars: &[&str], host: &[&str]) -> Result<Checked, Problems> {
    let variables: BTreeSet<String> = vars.iter().map(|&name| name.to_owned()).collect();
    let context = CheckContext {
        variables: &variables,
        host: &|name| host.contains(&name),
        unset: Severity::Error,
    };
    check(load(source, &Limits::default()), &Catalog, &context)
}
