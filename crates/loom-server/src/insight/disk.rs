//! Room on the store's disk.

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The file system's size, in bytes.
    pub total: u64,
    /// What may still be written, in bytes.
    pub available: u64,
}
