//! Changes in folders, as the server hears of them: what the worker's `touched` goes by.

use loom_server::Folders;
use loom_worker::FolderWatch;
use std::any::Any;
use std::path::PathBuf;

/// The kernel.
pub(crate) struct Kernel;

impl Folders for Kernel {
    fn watch(
        &self,
        folders: &[PathBuf],
        told: Box<dyn Fn(bool) + Send>,
    ) -> Option<Box<dyn Any + Send + Sync>> {
        let watch = FolderWatch::start(folders, told)?;
        Some(Box::new(watch))
    }
}
