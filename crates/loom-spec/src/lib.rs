//! Workflow documents: parsing, checking, diagnostics, schema, drawing, import.
//!
//! [`Source`] is a file's text; [`load`] reads it into a [`Draft`]; a draft knows every problem that
//! reading found and where each part was written.

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
mod placeholder;
mod read;
mod source;
mod suggest;

pub use catalog::{PluginCatalog, PluginFacts};
pub use check::{CheckContext, Checked, ResolveError, check, resolve_env};
pub use diagnostic::{Diagnostic, Label, Problems, Severity, Style, Suggestion};
pub use draft::Draft;
#[doc(hidden)]
pub use fuzz::fuzz_workflow;
pub use limits::Limits;
pub use read::load;
pub use source::{Position, Source, Span, Unread};
