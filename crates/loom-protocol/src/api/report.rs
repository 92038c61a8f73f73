//! What is answered to systems that report runs which they execute.

use serde::{Deserialize, Serialize};

/// A report was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reported {
    /// What it was about, by the name that its system has for it.
    pub id: String,
    /// The run that shows it here.
    pub run: String,
}
