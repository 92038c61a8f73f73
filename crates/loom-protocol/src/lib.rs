//! Wire types, exit codes and error codes: the one stable leaf.
//!
//! What is here is a promise to other programs: the JSON of events and plugin conversations, the
//! codes of errors, the exit statuses, how JSON from outside is read, what variables may be called. Fields
//! and variants are added, never renamed or removed.

pub mod api;
mod attempt;
mod code;
mod event;
#[cfg(feature = "openapi")]
mod event_catalog;
#[cfg(feature = "openapi")]
mod event_example;
mod event_type;
mod exit;
pub mod json;
mod manifest;
mod mask;
mod name;
mod time;
mod trace;
mod unique;

pub use attempt::{
    AttemptId, AttemptNews, AttemptOutput, AttemptReport, AttemptRequest, FailureInfo, StopHow,
};
pub use code::{Area, ErrorCode};
pub use event::{
    AttemptOf, ErrorEvent, ErrorTag, FailureEvent, OutputEvent, RunEvent, RunEventKind,
};
#[cfg(feature = "openapi")]
pub use event_catalog::{EventCatalog, EventTypeView, event_catalog};
pub use exit::ExitCode;
pub use manifest::{OutputSpec, PluginManifest, PluginMode};
pub use mask::{MASK, mask};
pub use name::{VARIABLE_NAME_MAX, is_variable, is_variable_byte};
pub use time::{read_rfc3339, rfc3339};
pub use trace::{RunTrace, TraceParent};
