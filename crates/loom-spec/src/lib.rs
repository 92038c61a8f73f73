//! Workflow documents: parsing, checking, diagnostics, schema, drawing, import.
//!
//! [`Source`] is a file's text. [`load`] reads it into a [`Draft`], which knows every problem that
//! reading found and where each part was written. [`check()`] holds a draft against the plugins of a
//! [`PluginCatalog`] and a [`CheckContext`], and answers with the [`loom_core::Definition`] to run or
//! with every problem. [`resolve_env`] gives the variables that a run begins with. Pictures are in
//! [`draw`], workflows of other systems in [`import`], the table of all keys in [`keys`].
//!
//! Invariants:
//! - No input makes anything here panic, recurse without bound, or take more memory or time than
//!   its [`Limits`] allow.
//! - Nothing here reads the environment or a clock; files are read by [`Source::read`] alone.
//! - What is accepted works; what is refused is refused with a place, a code and a way to mend it.

mod catalog;
mod check;
mod diagnostic;
mod document;
mod draft;
pub mod draw;
mod fuzz;
mod graph;
pub mod import;
pub mod keys;
mod limits;
mod read;
mod source;
mod suggest;

pub use catalog::{PluginCatalog, PluginFacts, UnusablePlugin};
pub use check::{
    CheckContext, Checked, ResolveError, SecretNames, check, is_event_name, resolve_env,
};
pub use diagnostic::{Diagnostic, Label, Problems, Severity, Style, Suggestion};
pub use draft::Draft;
#[doc(hidden)]
pub use fuzz::fuzz_workflow;
pub use limits::Limits;
pub use read::load;
pub use source::{Position, Source, Span, Unread};
pub use suggest::nearest;
